"""The metadata of a JATS article: who wrote it, what, where and when, under which licence, and whether it stands."""

import copy
import re

from lxml import etree

from dataset_builder.readers.article import Article
from dataset_builder.readers.jats.rights import STATEMENTS, owner_of, stated_license
from dataset_builder.readers.jats.versions import version_of
from dataset_builder.readers.jats.xml import (
    Elements,
    child_of,
    elements_by_tag,
    href_of,
    set_line_ends,
    string_of,
    text_of,
)
from dataset_builder.text.holders import Owner
from dataset_builder.text.notices import (
    NOTICE_TYPES,
    OF_ITSELF,
    OF_OTHERS,
    RETRACTED,
    gravest,
    is_mark_of_retraction,
    misused,
    notice_type,
    own_status,
    title_status,
)
from trust.ids import doi, language, pmcid

_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_PMCID = ("pmc", "pmcid")  # kinds of identifier
_STATUS_NAMES = ("status", "version", "state")  # ends of custom metadata's names that tell what became of an article
_YES = ("yes", "true", "1")
_SAID = (*STATEMENTS, "article-version", "related-article", "custom-meta", "break")  # found in one walk
_PUBLISHED = ("epub", "pub", "ppub", "epub-ppub", "collection", "")  # kinds of date, the one that counts first


def read_metadata(root: etree._Element) -> tuple[Article, Owner]:
    """An article without figures and text from the `<article>` element, and what of its rights is its own.

    What is not stated is None.
    """
    front = child_of(root, "front")
    meta = None if front is None else child_of(front, "article-meta")
    if meta is None:
        meta = etree.Element("article-meta")
    said = elements_by_tag(meta, *_SAID)
    set_line_ends(said["break"])
    ids = {(e.get("pub-id-type") or ""): text_of(e) for e in meta.iterchildren("article-id")}
    article = Article(
        source="jats",
        pmcid=pmcid(ids.get("pmcid") or ids.get("pmc")),
        doi=doi(ids.get("doi")),
        title=_title(meta.find("title-group/article-title")),
        authors=_authors(meta),
        journal=_journal(root),
        year=_year(meta),
        language=language(root.get(_LANG)),
        license=stated_license(said),
        article_type=(root.get("article-type") or "").strip().lower() or None,
        version=version_of(root, meta, said["article-version"]),
    )
    article.status, article.notices = _fate(root, meta, said, article)
    return article, owner_of(article, said)


def _title(element: etree._Element | None) -> str | None:
    """The title without footnote marks."""
    if element is None:
        return None
    for mark in [*element.iter("xref", "fn")]:
        mark.clear(keep_tail=True)
    return text_of(element)


def _year(meta: etree._Element) -> int | None:
    years: dict[str, int] = {}
    for date in meta.iterchildren("pub-date"):
        year = re.fullmatch(r"(?:1[5-9]|20)\d\d", text_of(child_of(date, "year")) or "")
        if year:
            years.setdefault(date.get("pub-type") or date.get("date-type") or "", int(year.group()))
    return next((years[kind] for kind in (*_PUBLISHED, *years) if kind in years), None)


def _journal(root: etree._Element) -> str | None:
    meta = root.find("front/journal-meta")
    if meta is None:
        return None
    title = meta.find(".//journal-title")
    return text_of(title if title is not None else meta.find("journal-id[@journal-id-type='nlm-ta']"))


def _authors(meta: etree._Element) -> list[str]:
    """The authors' names in the order of the article; of a group of authors the group's name, not its members'."""
    everybody = (person for group in meta.iterchildren("contrib-group") for person in group.iter("contrib"))
    contributors = [person for person in everybody if next(person.iterancestors("collab"), None) is None]
    authors = [person for person in contributors if person.get("contrib-type") == "author"]
    if not authors:
        authors = [person for person in contributors if person.get("contrib-type") is None]
    names = map(_author, authors)
    return [name for name in names if name]


def _author(contributor: etree._Element) -> str | None:
    """The first of a contributor's names: "Jane Smith"; "山田太郎" where the family name comes first."""
    element = next(contributor.iter("name", "string-name", "collab"), None)
    if element is None:
        return None
    if element.tag == "collab":
        element = copy.deepcopy(element)
        for members in [*element.iter("contrib-group", "xref", "fn", "aff")]:
            members.clear(keep_tail=True)
    parts = {part.tag: text_of(part) for part in reversed(element)}  # the first one of each kind
    given, family, suffix = map(parts.get, ("given-names", "surname", "suffix"))
    if family is None:
        return text_of(element)
    if element.get("name-style") != "eastern":
        return " ".join(filter(None, (given, family, suffix)))
    return ("" if _CJK.match(family) else " ").join(filter(None, (family, given)))


def _fate(
    root: etree._Element, meta: etree._Element, said: Elements, article: Article
) -> tuple[str | None, dict[str, str]]:
    """What the article says has become of itself, and what it says of others (`Article.status`, `Article.notices`)."""
    subjects = [text_of(subject) for subject in meta.iterfind("article-categories//subject")]
    headings = [article.title, *subjects]
    kind = _kind_of_notice(article.article_type, headings)
    own = {(article.doi or "").lower(), article.pmcid}
    statuses: list[str | None] = []
    notices: dict[str, str] = {}
    for related in _related(root, said, anywhere=kind is not None):
        relation = (related.get("related-article-type") or "").strip().lower()
        names = _names(related)
        of_others = OF_OTHERS.get(relation) or misused(relation, kind)
        if of_others and own.isdisjoint(names):
            notices |= {name: gravest([of_others, notices.get(name)]) or of_others for name in names}
        else:
            statuses.append(of_others or OF_ITSELF.get(relation))
    if kind is None:  # a notice's headings and marks are about the article that it is about
        statuses += _own_statuses(root, meta, said, headings)
    return gravest(statuses), notices


def _kind_of_notice(article_type: str | None, headings: list[str | None]) -> str | None:
    """What kind of notice the article is by its type, else by its headings; None for no notice."""
    if article_type in NOTICE_TYPES:
        return article_type
    kinds = map(notice_type, headings)
    return next((kind for kind in kinds if kind), None)


def _own_statuses(
    root: etree._Element, meta: etree._Element, said: Elements, headings: list[str | None]
) -> list[str | None]:
    """What an article that is no notice says of itself in its headings, its front matter and its marks."""
    statuses = [title_status(heading) for heading in headings]
    notes = (p for front in root.iterchildren("front") for p in front.iter("p"))
    statuses += [own_status(string_of(p)) for p in notes]
    if _is_marked_retracted(root, meta, said):
        statuses.append(RETRACTED)
    return statuses


def _related(root: etree._Element, said: Elements, anywhere: bool) -> list[etree._Element]:
    """The related articles in the metadata; of a notice also those in its text, where older ones name them."""
    related = [*said["related-article"]]
    if anywhere:
        related += root.iterfind("body//related-article")
    return related


def _names(related: etree._Element) -> list[str]:
    """The DOI in lower case and the PMCID by which a related article is known; both, one or none of them."""
    href = href_of(related).strip()
    names = [doi(href)]
    if (related.get("ext-link-type") or "").lower() in _PMCID or href.upper().startswith("PMC"):
        names.append(pmcid(href))
    for element in related.iter("pub-id", "ext-link"):
        value = text_of(element) or ""
        names.append(doi(href_of(element)) or doi(value))
        if element.get("pub-id-type") in _PMCID:
            names.append(pmcid(value))
    known = [name if name.startswith("PMC") else name.lower() for name in names if name]
    return list(dict.fromkeys(known))


def _is_marked_retracted(root: etree._Element, meta: etree._Element, said: Elements) -> bool:
    """By its type, the status of its version, a date or an event of its retraction, or custom metadata."""
    values = [root.get("specific-use"), meta.get("specific-use")]
    if root.get("article-type") not in NOTICE_TYPES:
        values.append(root.get("article-type"))
    values += [date.get("date-type") for date in meta.iterfind("history/date")]
    values += [event.get("event-type") for event in meta.iterfind("pub-history/event")]
    for version in said["article-version"]:
        values += [text_of(version), *version.attrib.values()]
    return any(map(is_mark_of_retraction, values)) or any(map(_is_custom_mark, said["custom-meta"]))


def _is_custom_mark(custom: etree._Element) -> bool:
    """Whether a name and its value say so: `is-retracted`: `yes`, `publication-status`: `withdrawn`."""
    name = (custom.findtext("meta-name") or "").strip().lower()
    value = (custom.findtext("meta-value") or "").strip().lower()
    if name.endswith(_STATUS_NAMES):
        return is_mark_of_retraction(value)
    return is_mark_of_retraction(re.sub(r"^.*\bis\b", "", name)) and value in _YES

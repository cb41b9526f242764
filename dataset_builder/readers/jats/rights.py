"""Licences and rights in JATS: of the article, and of a single figure where its own markup or text states them.

A figure's `<permissions>`, `<attrib>` and the like stand in it, in its panels, graphics and caption, and in the groups
around it; its words, in whatever else it holds: `<alt-text>`, `<fn>`, `<p>`. Publishers repeat the article's own
permissions at every figure: those say nothing new. A licence for text mining is none for the figure.
"""

import re
from collections.abc import Iterator

from lxml import etree

from dataset_builder.readers.article import Article
from dataset_builder.readers.jats.xml import Elements, child_of, elements_by_tag, href_of, string_of
from dataset_builder.text.clean import clean
from dataset_builder.text.holders import Owner, is_holder, is_own, names_of, plain
from dataset_builder.text.licenses import license_id
from dataset_builder.text.rights import Rights, is_reserved, joined, same_license, stated_rights

_COPYRIGHT = ("copyright-statement", "copyright-holder")
_LICENCE = ("license", "{*}license_ref")
STATEMENTS = (*_COPYRIGHT, *_LICENCE, "permissions")
_LINKS = ("ext-link", "uri")
_GROUPS = ("fig", "fig-group", "fig-panel", "table-wrap", "boxed-text")  # around a figure, whose rights they state, too
_READ_ALREADY = frozenset(("label", "caption", "permissions", "attrib", "fig", "object-id"))
_BLOCKS = ("p", "title", "subtitle", "caption", "permissions", "attrib", "alt-text", "long-desc")
_OPEN_TYPE = re.compile(r"open|creative|cc\b|cc-|oa$")  # `license-type`s that the article's own licence may have
_MINING = re.compile(r"mining|tdm")  # of `specific-use`: what may be done with the text, not with the figure
_SCHEME = re.compile(r"^https?://(?:www\.)?|[/#?]*$")


def stated_license(stated: Elements) -> str | None:
    """By the licence element's own address, else by the addresses in it, else by its words.

    `stated` are the `STATEMENTS`.
    """
    licenses = [one for one in stated["license"] if not _is_for_mining(one)]
    own = [href_of(element) for element in licenses]
    own += [string_of(element) for element in _references(stated) if not _is_for_mining(element)]
    if named := license_id(own, ""):
        return named
    statements = [*stated["permissions"], *stated["copyright-statement"], *licenses]
    linked = clean(" ".join(_with_addresses(license) for license in licenses))
    return license_id([], linked) or license_id([], clean(" ".join(map(string_of, statements))))


def _references(stated: Elements) -> list[etree._Element]:
    """The `<license_ref>`s, whichever vocabulary they are of."""
    return [one for tag, found in stated.items() if tag.endswith("license_ref") for one in found]


def _is_for_mining(license: etree._Element) -> bool:
    return bool(_MINING.search(license.get("specific-use", "").lower()))


def _with_addresses(element: etree._Element) -> str:
    """The text of an element, with the address of each link behind the link's first words."""
    return " ".join(_words_and_addresses(element))


def _words_and_addresses(element: etree._Element) -> Iterator[str]:
    yield element.text or ""
    if href := href_of(element):
        yield href
    for child in element:
        yield from _words_and_addresses(child)
        yield child.tail or ""


def owner_of(article: Article, stated: Elements) -> Owner:
    """What of an article's permissions, the `STATEMENTS` of its metadata, is no statement about one of its figures."""
    licenses = [*stated["license"], *_references(stated)]
    words = [one for tag in _COPYRIGHT for one in stated[tag]]
    words += licenses if article.license is None else []  # known by its id
    said = frozenset(plain(string_of(one)) for one in words)
    terms = frozenset(term for license in licenses for term in _terms(license))
    return Owner(article.license, said, said, names_of(article.authors), terms)


def _terms(license: etree._Element) -> list[str]:
    """The address and the type of a licence, where it has them."""
    address = href_of(license) if license.tag == "license" else string_of(license)
    terms = [_SCHEME.sub("", address.strip().lower()), license.get("license-type", "").lower()]
    return [term for term in terms if term]


def figure_rights(element: etree._Element, caption: str | None, owner: Owner) -> Rights | None:
    """The rights that a `<fig>` states; None where they are the article's.

    A licence that its markup names goes before what its words say; beside reserved rights no other licence counts.
    """
    marked = [*_marked(element)]
    linked = any(one.tag in _LINKS and license_id([href_of(one)], "") for one in marked)
    in_markup = _in_markup([one for one in marked if one.tag not in ("attrib", *_LINKS)], owner)
    in_words = [stated_rights(linked and _linked_caption(element) or caption, owner)]
    in_words += [_attributed(clean(string_of(one)), owner) for one in marked if one.tag == "attrib"]
    around = (element, *element.iterancestors("fig-group"), *_words_of_tables(element))
    texts = [text for part in around for text in _other_texts(part) if text not in (caption or "")]
    in_words += [stated_rights(text, owner) for text in texts]
    rights = joined([in_markup, *in_words])
    if rights and in_markup and in_markup.license:
        return Rights(rights.words, in_markup.license)
    return rights


def _marked(element: etree._Element) -> Iterator[etree._Element]:
    """What states rights in a figure, and right below the figures and groups around it; and the figure's links."""
    yield from element.iter(*_COPYRIGHT, *_LICENCE, "attrib", *_LINKS)
    for group in element.iterancestors(*_GROUPS):
        for child in group.iterchildren("permissions", "attrib", "table-wrap-foot"):
            yield from child.iter(*_COPYRIGHT, *_LICENCE, "attrib")


def _words_of_tables(element: etree._Element) -> Iterator[etree._Element]:
    """Captions and notes of the tables around a figure."""
    for table in element.iterancestors("table-wrap"):
        yield from table.iterchildren("caption", "table-wrap-foot")


def _linked_caption(element: etree._Element) -> str | None:
    """The caption with the addresses of its links."""
    caption = child_of(element, "caption")
    return None if caption is None else clean(_with_addresses(caption))


def _attributed(text: str, owner: Owner) -> Rights | None:
    """What an attribution says; the name of a holder alone is enough."""
    return stated_rights(text, owner) or (Rights(text, None) if is_holder(text, owner) else None)


def _other_texts(element: etree._Element) -> Iterator[str]:
    """The texts of whatever else a figure holds, block by block, captions of its panels among them; or a group."""
    for child in element:
        if child.tag in _READ_ALREADY and (child.tag != "caption" or element.tag == "fig"):
            continue
        if len(child) and any(block is not child for block in child.iter(*_BLOCKS)):
            yield from _other_texts(child)
        elif (len(child) or child.text) and (text := clean(string_of(child))):
            yield text


def _in_markup(marked: list[etree._Element], owner: Owner) -> Rights | None:
    """What copyright statements, holders and licences say, as one; None where all of it is the article's own."""
    statements = [one for one in marked if not _is_for_mining(one)]
    if not statements:
        return None
    license = _license_of(statements)
    texts = [clean(string_of(one)) for one in statements]
    others = [
        text for one, text in zip(statements, texts, strict=True) if one.tag in _COPYRIGHT and not is_own(text, owner)
    ]
    foreign = [term for one in statements if one.tag not in _COPYRIGHT for term in _foreign_terms(one, owner)]
    if not others and not foreign and _says_nothing_new(license, texts, owner):
        return None
    words = " ".join(dict.fromkeys(filter(None, texts))) or " ".join(foreign)
    reserved = any(is_reserved(text) for text in texts)
    return Rights(words or str(license), None if foreign or reserved and not license else license)


def _foreign_terms(license: etree._Element, owner: Owner) -> list[str]:
    """Address and type of a licence that is none we know, where they are not the article's as well."""
    if stated_license(elements_by_tag(license, *STATEMENTS)):
        return []
    terms = [term for term in _terms(license) if term not in owner.terms]
    return [term for term in terms if not _OPEN_TYPE.match(term)]


def _says_nothing_new(license: str | None, texts: list[str], owner: Owner) -> bool:
    """Whether a licence and the statements beside it, whose holder is the article's, are the article's as well."""
    if license is not None:
        return same_license(license, owner.license)
    return all(plain(text) in owner.statements or not is_reserved(text) and is_own(text, owner) for text in texts)


def _license_of(statements: list[etree._Element]) -> str | None:
    """The licence that all of the statements together name."""
    named = {stated_license(elements_by_tag(one, *STATEMENTS)) for one in statements} - {None}
    return named.pop() if len(named) == 1 else None

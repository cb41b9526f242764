"""Licences and rights in JATS: of the article, and of a single figure where its own markup or text states them.

A figure's `<permissions>`, `<attrib>` and the like stand in it, in its panels, graphics and caption, and in the groups
around it. Publishers repeat the article's own permissions at every figure: those say nothing new.
"""

from collections.abc import Iterator

from lxml import etree

from dataset_builder.readers.article import Article
from dataset_builder.readers.jats.xml import href_of, string_of
from dataset_builder.text.clean import clean
from dataset_builder.text.licenses import license_id
from dataset_builder.text.rights import (
    Owner,
    Rights,
    is_own,
    is_reserved,
    joined,
    names_of,
    plain,
    same_license,
    stated_rights,
)

_COPYRIGHT = ("copyright-statement", "copyright-holder")
_LICENCE = ("license", "{*}license_ref")
_GROUPS = ("fig", "fig-group")  # around a figure, whose rights they state, too


def stated_license(part: etree._Element) -> str | None:
    """By the licence element's own address, else by the addresses in it, else by its words."""
    licenses = [*part.iter("license")]
    own = [href_of(element) for element in licenses]
    own += [string_of(element) for element in part.iter("{*}license_ref")]
    if stated := license_id(own, ""):
        return stated
    statements = [*part.iter("permissions", "license", "copyright-statement")]
    linked = clean(" ".join(_with_addresses(license) for license in licenses))
    return license_id([], linked) or license_id([], clean(" ".join(map(string_of, statements))))


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


def owner_of(root: etree._Element, article: Article) -> Owner:
    """What of an article's permissions is no statement about one of its figures."""
    meta = root.find("front/article-meta")
    tags = _COPYRIGHT if article.license else (*_COPYRIGHT, "license")  # licences with an id are compared by it
    found = [] if meta is None else [*meta.iter(*tags)]
    said = frozenset(plain(string_of(element)) for element in found)
    return Owner(article.license, said, said, names_of(article.authors))


def figure_rights(element: etree._Element, caption: str | None, owner: Owner) -> Rights | None:
    """The rights that a `<fig>` states; None where they are the article's.

    A licence that its markup names goes before what its words say; beside reserved rights no other licence counts.
    """
    marked = [*_marked(element)]
    in_markup = _in_markup(marked, owner)
    in_words = [stated_rights(caption, owner)]
    in_words += [stated_rights(clean(string_of(one)), owner) for one in marked if one.tag == "attrib"]
    rights = joined([in_markup, *in_words])
    if rights and in_markup and in_markup.license:
        return Rights(rights.words, in_markup.license)
    return rights


def _marked(element: etree._Element) -> Iterator[etree._Element]:
    """What states rights in a figure, and right below the figures and groups around it."""
    yield from element.iter(*_COPYRIGHT, *_LICENCE, "attrib")
    for group in element.iterancestors(*_GROUPS):
        for child in group.iterchildren("permissions", "attrib"):
            yield from child.iter(*_COPYRIGHT, *_LICENCE, "attrib")


def _in_markup(marked: list[etree._Element], owner: Owner) -> Rights | None:
    """What copyright statements, holders and licences say, as one; None where all of it is the article's own."""
    statements = [one for one in marked if one.tag != "attrib"]
    if not statements:
        return None
    license = _license_of(statements)
    texts = [clean(string_of(one)) for one in statements]
    others = [
        text for one, text in zip(statements, texts, strict=True) if one.tag in _COPYRIGHT and not is_own(text, owner)
    ]
    if not others and _says_nothing_new(license, texts, owner):
        return None
    words = " ".join(dict.fromkeys(filter(None, texts)))
    reserved = any(is_reserved(text) for text in texts)
    return Rights(words or str(license), None if reserved and not license else license)


def _says_nothing_new(license: str | None, texts: list[str], owner: Owner) -> bool:
    """Whether a licence and the statements beside it, whose holder is the article's, are the article's as well."""
    if license is not None:
        return same_license(license, owner.license)
    return all(plain(text) in owner.statements or not is_reserved(text) and is_own(text, owner) for text in texts)


def _license_of(statements: list[etree._Element]) -> str | None:
    """The licence that all of the statements together name."""
    named = {stated_license(one) for one in statements} - {None}
    return named.pop() if len(named) == 1 else None

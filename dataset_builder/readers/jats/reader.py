"""A JATS article (XML) with the picture files beside it -> `Article`.

Context sentences come from whatever stands in the body, the back matter and the floats, whatever its element is called,
but not from abstracts, captions, tables, footnotes or references. `<fig>` elements that hold a table or a box, as their
label says, are no figures. Figures of `<sub-article>`, `<response>` and `<supplementary-material>` are supplementary.
"""

from pathlib import Path

from lxml import etree

from dataset_builder.articles.pictures import FolderPictures
from dataset_builder.readers.article import REPAIRED, Article, Figure
from dataset_builder.readers.jats.figure_groups import join_figures
from dataset_builder.readers.jats.figures import read_figures
from dataset_builder.readers.jats.formulas import FORMULAS, prepare_formulas
from dataset_builder.readers.jats.metadata import read_metadata
from dataset_builder.readers.jats.text import read_text
from dataset_builder.readers.jats.xml import (
    ALTERNATIVES,
    Elements,
    elements_by_tag,
    keep_one_language,
    outside,
    parse_article,
    set_line_ends,
)
from dataset_builder.text.holders import Owner

MAX_XML_BYTES = 100 * 1024**2  # bounds the memory for a tree; an ordinary article has 0.1 MB

_PARTS = ("supplementary-material", "sub-article", "response")  # in the order in which they follow each other
_NO_TEXT = (  # what is no running text: what it holds is in no context sentence
    *("table-wrap", "table-wrap-group", "fn", "fn-group", "disp-formula", "disp-formula-group"),
    *("ref-list", "array", "code", "glossary", "caption", "object-id"),
    *("supplementary-material", "media", "graphic", "inline-graphic"),
)
_NEEDED = (*_NO_TEXT, *FORMULAS, "fig-group", "fig", "xref")
_MOVED = (*_PARTS, "break", *ALTERNATIVES)


def read_jats(path: Path, pictures: FolderPictures | None = None) -> Article:
    """The article in a JATS file; `pictures` are the files beside it (`Package.pictures`).

    One with characters or tags that are no XML is repaired, and has the note `REPAIRED`. Raises ValueError when the
    file is no XML, cut off, no JATS, or larger than `MAX_XML_BYTES`; OSError when it cannot be read. No entity is
    expanded, no DTD read, no network used.
    """
    size = path.stat().st_size
    if size > MAX_XML_BYTES:
        raise ValueError(f"{path.name}: {size} bytes of XML, more than {MAX_XML_BYTES}")
    root, repaired = parse_article(path.read_bytes(), path.name)
    article, owner = read_metadata(root)
    if repaired:
        article.notes.append(REPAIRED)
    pictures = pictures or FolderPictures()
    elements, parts = _prepared(root)
    article.figures, article.markdown = _read_part(root, elements, pictures, owner, article.title)
    for part in parts:
        article.supplementary += _read_part(part, elements_by_tag(part, *_NEEDED), pictures, owner, None)[0]
    return article


def _prepared(root: etree._Element) -> tuple[Elements, list[etree._Element]]:
    """What is needed of an article without its parts, by tag, and the parts, which leave the tree.

    One walk; another one where a language has left the tree.
    """
    elements = elements_by_tag(root, *_NEEDED, *_MOVED)
    set_line_ends(elements["break"])
    if keep_one_language(root, [holder for tag in ALTERNATIVES for holder in elements[tag]]):
        elements = elements_by_tag(root, *_NEEDED, *_PARTS)
    parts = _detach_parts([part for tag in _PARTS for part in elements[tag]])
    return outside(elements, parts) if parts else elements, parts


def _detach_parts(found: list[etree._Element]) -> list[etree._Element]:
    """Take sub-articles, responses and supplements out of the tree; the text behind them stays.

    A supplement listed inside a figure's caption stays part of the caption.
    """
    parts = [element for element in found if not _is_inside_part(element)]
    for part in parts:
        mark = etree.Element("detached")
        mark.tail, part.tail = part.tail, None
        part.getparent().replace(part, mark)
    return parts


def _is_inside_part(element: etree._Element) -> bool:
    return next(element.iterancestors(*_PARTS, "caption"), None) is not None


def _read_part(
    part: etree._Element, elements: Elements, pictures: FolderPictures, owner: Owner, title: str | None
) -> tuple[list[Figure], str]:
    """The figures of an article, a sub-article or a supplement, with their context, and its Markdown.

    `elements` are those of the part by tag. Takes the tree apart on the way.
    """
    prepare_formulas(elements)
    found = read_figures(join_figures(part, elements), pictures, owner)
    for tag in _NO_TEXT:
        for element in elements[tag]:
            element.clear(keep_tail=True)
    markdown = read_text(part, elements["xref"], found, title)
    return [one.figure for one in found.values()], markdown

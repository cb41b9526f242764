"""The text of an article's XML: its Markdown, and the sentences that mention each figure.

Everything is read that is not known to hold no running text: articles have elements of other vocabularies (TaxPub) and
of later versions of JATS. Where a figure is mentioned is known twice: by `<xref rid="F1 F2">` and by the words
("Figs 2-4"), and both count.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile, zip_longest
from typing import NamedTuple

from lxml import etree

from dataset_builder.readers.article import Figure
from dataset_builder.readers.jats.figures import Found
from dataset_builder.readers.jats.formulas import MATHML
from dataset_builder.readers.jats.xml import child_of, string_of, text_of
from dataset_builder.text.addresses import without_addresses
from dataset_builder.text.clean import clean
from dataset_builder.text.labels import label_keys
from dataset_builder.text.mentions import Mention, mentions_of_each
from dataset_builder.text.numbering import OTHER_KINDS
from dataset_builder.text.sentences import sentence_spans

_CONTAINERS = {  # what holds paragraphs; other elements are looked into, see `_is_container`
    *("sec", "app", "app-group", "boxed-text", "list", "list-item", "def-list", "def-item", "def", "disp-quote"),
    *("statement", "speech", "fig-group"),
}
_FLOATS = ("fig", "fig-group")  # stand inside a paragraph without ending its text
_NO_RUNNING_TEXT = {  # everything else is read; what `reader` has emptied is not here
    *("label", "sec-meta", "kwd-group", "contrib-group", "permissions", "alt-text", "long-desc", "chem-struct-wrap"),
    *("mixed-citation", "element-citation", "nlm-citation", "citation", "related-article", "related-object"),
    "{http://www.plazi.org/taxpub}treatment-meta",
}
_INLINE = {  # elements of a line, known so that they need not be looked into
    *("italic", "bold", "sup", "sub", "sc", "underline", "overline", "strike", "monospace", "roman", "sans-serif"),
    *("xref", "ext-link", "uri", "email", "named-content", "styled-content", "abbrev", "break", "inline-formula"),
    *("table-wrap", "fn", "fn-group", "disp-formula", "graphic", "inline-graphic", "media", "detached", "ref-list"),
    *("supplementary-material", "inline-supplementary-material", "tex-math", f"{MATHML}math"),
}
_LINES = {"verse-line", "speaker", "attrib", "term"}  # elements of a line of their own: a space stands around them
_BLOCKS = {"p", "title", "fig", *_CONTAINERS}
_HOLDS_BLOCKS = ("p", "title", *_CONTAINERS, "fig")  # an unknown element with one of these inside is a container
_DEEPER = ("sec", "app", "boxed-text")  # containers whose title is a level below that around them
_MARK = "\ufdd0"  # in front of an `<xref>` to a figure: no character, so that `clean` removes it
_FIRST_LEVEL, _LAST_LEVEL = 2, 6  # of headings in Markdown; the first one is the article's title


class _Heading(NamedTuple):
    level: int
    text: str


class _Paragraph(NamedTuple):
    prefix: str  # "- " in a list
    text: str
    marks: list[tuple[int, list[int]]]  # (offset in the text, places of the figures that an `<xref>` there refers to)


class _Figures(NamedTuple):
    places: list[int]


_Block = _Heading | _Paragraph | _Figures


class _Reference(NamedTuple):
    xref: etree._Element
    places: list[int]  # of the figures that it refers to


@dataclass(frozen=True)
class _Links:
    """What the `<xref>`s of a part refer to."""

    ids: Mapping[str, list[int]]  # id -> places of figures
    marked: Mapping[etree._Element, list[_Reference]]  # the `<xref>`s to figures by the paragraph in which they stand


def read_text(part: etree._Element, xrefs: list[etree._Element], found: Mapping[int, Found], title: str | None) -> str:
    """Give the figures of a part, marked in its tree as `read_figures` does, their context sentences.

    `xrefs` are all `<xref>`s of the part. Returns its Markdown, below the `title`, without e-mail addresses.
    """
    links = _links(part, xrefs, found)
    lines = [f"# {title}"] if title else []
    paragraphs: list[_Paragraph] = []  # of the body
    for section, heading, is_body in _sections(part):
        if heading:
            lines.append(f"## {heading}")
        blocks = _Reading(links).blocks_of(section)
        for block in blocks:
            if isinstance(block, _Paragraph):
                lines.append(block.prefix + block.text)
            else:
                lines += _markdown(block, found)
        if is_body:
            paragraphs += [block for block in blocks if isinstance(block, _Paragraph)]
    if found:
        _add_contexts(paragraphs, found)
    return without_addresses("\n\n".join(lines)) + "\n"


def _links(part: etree._Element, xrefs: list[etree._Element], found: Mapping[int, Found]) -> _Links:
    ids: dict[str, list[int]] = {}
    for n, figure in found.items():
        for name in figure.ids:
            ids.setdefault(name, []).append(n)
    marked: dict[etree._Element, list[_Reference]] = {}
    for xref in xrefs if ids else ():
        rid = xref.get("rid", "")
        if (rid in ids or " " in rid) and (places := _referred(rid, ids)):
            marked.setdefault(next(xref.iterancestors("p"), part), []).append(_Reference(xref, places))
    return _Links(ids, marked)


def _referred(rid: str, ids: Mapping[str, list[int]]) -> list[int]:
    """The places of the figures that the `rid` of an `<xref>` refers to: it may hold several ids."""
    if " " not in rid:
        return ids.get(rid, [])
    return [n for name in rid.split() for n in ids.get(name, ())]


def _figures_by_key(found: Mapping[int, Found]) -> dict[str, int]:
    """label key -> place of the first figure with it."""
    by_key: dict[str, int] = {}
    for n, one in found.items():
        for key in label_keys(one.figure.label):
            by_key.setdefault(key, n)
    return by_key


def _add_contexts(paragraphs: list[_Paragraph], found: Mapping[int, Found]) -> None:
    """Add the paragraphs' sentences to the figures that they refer to or mention."""
    by_key = _figures_by_key(found)
    other_kinds = any(key.startswith(tuple(OTHER_KINDS)) for key in by_key)
    said = mentions_of_each([paragraph.text for paragraph in paragraphs], other_kinds)
    for paragraph, mentions in zip(paragraphs, said, strict=True):
        if mentions or paragraph.marks:
            _add_context(paragraph, mentions, found, by_key)


def _add_context(
    paragraph: _Paragraph, said: list[Mention], found: Mapping[int, Found], by_key: dict[str, int]
) -> None:
    """Add the paragraph's sentences to the figures that they refer to or mention, as `said`."""
    places = [(offset, n) for offset, figures in paragraph.marks for n in figures]
    for mention in said:
        places += [(mention.start, by_key[key]) for key in mention.keys if key in by_key]
    last = max((offset for offset, _ in places), default=-1)
    for start, end in takewhile(lambda span: span[0] <= last, sentence_spans(paragraph.text)):
        for n in {n for offset, n in places if start <= offset < end}:
            sentence = paragraph.text[start:end]
            context = found[n].figure.context
            if sentence not in context:
                context.append(sentence)


# ---- the tree in reading order ----


def _sections(part: etree._Element) -> Iterator[tuple[etree._Element, str | None, bool]]:
    """(element, heading in Markdown, whether its sentences count as context) in reading order."""
    for abstract in part.findall("front/article-meta/abstract"):
        yield abstract, None if child_of(abstract, "title") is not None else "Abstract", False
    for name in ("body", "back", "floats-group"):  # the last one has boxes
        yield from ((element, None, True) for element in part.iterchildren(name))


class _Reading:
    """The blocks of one section, collected in `blocks`: they are many, and each is made once."""

    def __init__(self, links: _Links):
        self.links = links
        self.blocks: list[_Block] = []

    def blocks_of(self, section: etree._Element) -> list[_Block]:
        self._container(section, 1, "")
        return self.blocks

    def _container(self, parent: etree._Element, level: int, prefix: str) -> None:
        """What stands in a section whose title has the `level`; `prefix` goes before its paragraphs.

        Text that stands in no paragraph makes one of its own.
        """
        run = _Run(self.links.ids)
        run.add(parent.text)
        for child in parent:
            tag = child.tag
            if tag in _NO_RUNNING_TEXT:
                pass
            elif tag in _BLOCKS or _is_container(child):
                self._take(run, prefix)
                if tag == "p":
                    self._paragraph(child, level, prefix)
                else:
                    self._block(child, level, prefix)
            else:
                run.walk(child)
            tail = child.tail
            if tail and not (run.space and tail.isspace()):  # the line ends between blocks add nothing
                run.add(tail)
        self._take(run, prefix)

    def _take(self, run: "_Run", prefix: str) -> None:
        """End the run's paragraph, if it has any text."""
        if run.pieces or run.marks:
            text, marks = run.take()
            if text:
                self.blocks.append(_Paragraph(prefix, text, marks))

    def _block(self, element: etree._Element, level: int, prefix: str) -> None:
        tag = element.tag
        if tag == "p":
            self._paragraph(element, level, prefix)
        elif tag == "fig":
            self.blocks.append(_marked_figures(element))
        elif tag == "title":
            if text := text_of(element):
                self.blocks.append(_Heading(min(max(level, _FIRST_LEVEL), _LAST_LEVEL), text))
        else:
            deeper = tag in _DEEPER or (tag not in _CONTAINERS and child_of(element, "title") is not None)
            self._container(element, level + deeper, "- " if tag == "list-item" else prefix)

    def _paragraph(self, p: etree._Element, level: int, prefix: str) -> None:
        """A paragraph; lists and the like inside it end its text, figures inside it follow it."""
        if len(p) and not _INLINE.issuperset([child.tag for child in p]):
            self._paragraph_in_pieces(p, level, prefix)
            return
        references = self.links.marked.get(p)
        text, marks = _marked_text(p, references) if references else (clean(string_of(p)), [])
        if text:  # most paragraphs: one call of the XML library
            self.blocks.append(_Paragraph(prefix, text, marks))

    def _paragraph_in_pieces(self, p: etree._Element, level: int, prefix: str) -> None:
        """A paragraph, element by element: to know where in its text a list ends it."""
        run = _Run(self.links.ids)
        run.add(p.text)
        figures: list[_Figures] = []
        for child in p:
            tag = child.tag
            if tag in _FLOATS:
                figures += [_marked_figures(mark) for mark in child.iter("fig")]
            elif tag == "p" or _is_container(child):
                self._take(run, prefix)
                self._block(child, level, prefix)
            else:
                run.walk(child)
            run.add(child.tail)
        self._take(run, prefix)
        self.blocks += figures


def _marked_text(p: etree._Element, references: list[_Reference]) -> tuple[str, list[tuple[int, list[int]]]]:
    """A paragraph's text, and where in it which figures are referred to. Changes the `<xref>`s."""
    for xref, _ in references:
        xref.text = f"{_MARK}{xref.text or ''}"
    first, *others = string_of(p).split(_MARK)
    run = _Run({})
    run.add(first)
    for piece, reference in zip_longest(others, references):  # more pieces where the mark is in the text itself
        if reference:
            run.mark(reference.places)
        run.add(piece)
    return run.take()


def _is_container(element: etree._Element) -> bool:
    """Whether an element holds blocks. One that is unknown does when a paragraph, a title, a list … stands in it."""
    tag = element.tag
    return tag in _CONTAINERS or (tag not in _INLINE and next(element.iter(*_HOLDS_BLOCKS), None) is not None)


class _Run:
    """A paragraph's text, white space normalised on the way, and where in it which figures are referred to."""

    def __init__(self, ids: Mapping[str, list[int]]):
        """`ids` as in `_Links`."""
        self.ids = ids
        self.clear()

    def clear(self) -> None:
        self.pieces: list[str] = []
        self.length = 0  # of the pieces, characters
        self.marks: list[tuple[int, list[int]]] = []  # as in `_Paragraph`
        self.space = True  # whether the text ends with a space: no other one is added

    def add(self, text: str | None) -> None:
        """Add text as it stands in the XML."""
        if not text:
            return
        if text.isspace():  # between blocks: most of what comes here
            if not self.space:
                self._append(" ")
                self.space = True
            return
        words = clean(text)
        gap = " " if text[0].isspace() and not self.space else ""
        if words:
            self.space = text[-1].isspace()
            self._append(gap + words + (" " if self.space else ""))
        elif text[0].isspace():
            self._append(gap)
            self.space = True

    def mark(self, places: list[int]) -> None:
        """Figures are referred to where the text ends so far."""
        self.marks.append((self.length, places))

    def _append(self, piece: str) -> None:
        if piece:
            self.pieces.append(piece)
            self.length += len(piece)

    def walk(self, element: etree._Element) -> None:
        """Add the text of an inline element."""
        if element.tag == "xref" and (figures := _referred(element.get("rid", ""), self.ids)):
            self.mark(figures)
        apart = element.tag in _LINES
        if apart:
            self.add(" ")
        self.add(element.text)
        for child in element:
            self.walk(child)
            self.add(child.tail)
        if apart:
            self.add(" ")

    def take(self) -> tuple[str, list[tuple[int, list[int]]]]:
        """The text so far and its marks; the run starts again."""
        text, marks = "".join(self.pieces).rstrip(), self.marks
        self.clear()
        return text, marks


def _marked_figures(mark: etree._Element) -> _Figures:
    """What a `<fig>` marks the place of, see `read_figures`."""
    return _Figures([int(n) for n in mark.get("n").split()])


def _markdown(block: _Heading | _Figures, found: Mapping[int, Found]) -> list[str]:
    """The block's lines; places without a figure are of tables and boxes, which have none."""
    if isinstance(block, _Heading):
        return ["#" * block.level + " " + block.text]
    return [_figure_line(found[n].figure) for n in block.places if n in found]


def _figure_line(figure: Figure) -> str:
    return " ".join(filter(None, [f"**{figure.label or 'Figure'}.**", figure.caption]))

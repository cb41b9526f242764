"""Captions of figures and tables among the text lines of a page, by rules alone.

A line that starts with a label, and stands where a caption may stand, starts a caption; the lines below in the same
size and pitch belong to it, as do those of a second column and what stands to the right of a label set apart.
"""

import re
from dataclasses import dataclass

from dataset_builder.readers.pdf.layout import (
    MAX_ANY_PITCH_EM,
    SAME_SIZE_PT,
    TERMINAL,
    Box,
    Line,
    Style,
    belongs_below,
    hull,
    join_lines,
    joined,
    pitch,
)
from dataset_builder.text.labels import label_key, split_label
from dataset_builder.text.vocabulary import any_of

TABLE_WORD = re.compile(rf"(?:{any_of(lambda it: it.not_figures.table)})\.?(?=\s*(?:\d|[IVX]+\b))", re.I)
UNNUMBERED = ""  # the key of an article's only figure where its label has no number
_FIGURE_WORD = rf"(?:{any_of(lambda it: it.figure.unnumbered)})"
UNNUMBERED_LABEL = re.compile(rf"({_FIGURE_WORD})\s?[.:|–—]\s*(?=[^\W\d_]{{2}})", re.I)
UNNUMBERED_MENTION = re.compile(rf"(?<!\w){_FIGURE_WORD}(?!\w)(?!\.?\s*(?:S?\d|(?-i:[IVX]+)\b))", re.I)
LABEL_GAP_EM = 3.5  # between a label and a caption set apart from it on one row
GUTTER_EM = 6  # between the two columns of one caption
# what publishers print below captions: who made the picture, the picture's own DOI
NOT_CAPTION = re.compile(
    rf"(?:{any_of(lambda it: it.captions.source)})\s?:|(?:https?://)?(?:dx\.)?doi(?:\.org/|:\s?)\S*10\.", re.I
)
_DOI_URL = r"https?://(?:dx\.)?doi\.org/"
_OWN_DOI = re.compile(rf"\s*(?:{_DOI_URL}|doi:\s?(?:{_DOI_URL})?)10\.\d{{4,}}/\S+$", re.I)
_LETTER_SPACED = re.compile(r"(?:[A-Z] ){3,}[A-Z]\b")  # "F I G U R E 1"
_CONTINUED_WORD = rf"(?:{any_of(lambda it: it.captions.continued)})(?!\w)"
_FROM_PREVIOUS = any_of(lambda it: it.captions.from_previous_page)
_ON_NEXT = any_of(lambda it: it.captions.on_next_page)
STARTS_CONTINUED = re.compile(rf"[\s(\[]*{_CONTINUED_WORD}(?:\s(?:{_FROM_PREVIOUS}))?[\s)\].:]*", re.I)
ENDS_CONTINUED = re.compile(rf"[\s(\[]*\b{_CONTINUED_WORD}(?:\s(?:{_ON_NEXT}))?[\s)\].]*$", re.I)


@dataclass(eq=False)
class Caption:
    """A figure's or table's label and caption, in lines on one page."""

    key: str  # as dataset_builder.text.labels.label_key has it
    label: str
    is_table: bool
    score: int  # how much it looks like a caption rather than running text
    lines: list[Line]
    page: int
    words: frozenset[str] = frozenset()  # printed in the article, see `join_lines`

    @property
    def box(self) -> Box:
        return hull(line.box for line in self.lines)

    @property
    def text(self) -> str:
        """Without the label, and without "(continued)"."""
        text = self._text()
        text = text[STARTS_CONTINUED.match(text).end() :] if self.goes_on_from else text
        return _OWN_DOI.sub("", ENDS_CONTINUED.sub("", text))

    @property
    def goes_on_from(self) -> bool:
        """Whether it says that it continues a figure begun before ("Figure 2. (Continued)")."""
        return bool(STARTS_CONTINUED.match(self._text()))

    @property
    def goes_on(self) -> bool:
        """Whether it says that the figure or the caption goes on elsewhere."""
        return bool(ENDS_CONTINUED.search(self._text())) and not self.goes_on_from

    def _text(self) -> str:
        found = _split_any_label(join_lines((line.text for line in self.lines), self.words))
        return found[1] if found else ""


def whole_text(captions: list[Caption]) -> str:
    """The caption of one figure that is printed in parts: what goes on comes first, then the others in page order."""
    ordered = sorted(captions, key=lambda caption: (not caption.goes_on, caption.page))
    return " ".join(dict.fromkeys(caption.text for caption in ordered if caption.text))


def find_captions(lines: list[Line], page: int, style: Style) -> tuple[list[Caption], list[Line]]:
    """Captions of figures and tables among the upright lines of one page, and the lines that are left."""
    captions: list[Caption] = []
    rest = list(lines)
    for line in lines:
        if not _split_any_label(line.text.strip()) or line not in rest:
            continue
        mates = _label_mates(line, rest)
        whole = _row(line, mates)
        start = _caption_start(whole, [other for other in lines if other not in mates], style)
        if start is None:
            continue
        rest = [other for other in rest if other is not line and other not in mates]
        own, rest = _lines_below(whole, rest, style)
        if not start[2]:
            own, rest = _with_second_column(own, rest, style)
        captions.append(Caption(*start, own, page))
    return captions, rest


def _label_mates(line: Line, lines: list[Line]) -> list[Line]:
    """What stands to the right of a label that is set apart from its caption ("Fig. 2.      Liver")."""
    found = _split_any_label(line.text.strip())
    return _row_mates(line, lines, LABEL_GAP_EM, line.box.x1 + 1000) if found and not found[1] else []


def _split_any_label(text: str) -> tuple[str, str] | None:
    """Label and caption of a figure or a table; a table's label must stand as a figure's would have to."""
    if spaced := _LETTER_SPACED.match(text):
        text = spaced.group().replace(" ", "") + text[spaced.end() :]
    if alone := UNNUMBERED_LABEL.match(text):
        return alone[1], text[alone.end() :]
    table = TABLE_WORD.match(text)
    if not table:
        return split_label(text)
    found = split_label("Figure" + text[table.end() :])
    return (table.group() + found[0].removeprefix("Figure"), found[1]) if found else None


def _row_mates(line: Line, lines: list[Line], gap_em: float, right_pt: float) -> list[Line]:
    """Further pieces of the same row to the right, each nearer than `gap_em` to the one before, up to `right_pt`."""
    mates: list[Line] = []
    last = line
    for other in sorted(lines, key=lambda other: other.box.x0):
        gap = other.box.x0 - last.box.x1
        level = other.box.y_overlap(line.box) > 0.5 * min(other.box.height, line.box.height)
        fits = level and 0 <= gap < gap_em * line.size and other.box.x1 <= right_pt
        if other is not line and fits and abs(other.size - line.size) <= SAME_SIZE_PT:
            mates.append(other)
            last = other
    return mates


def _row(line: Line, mates: list[Line]) -> Line:
    for mate in mates:
        line = joined(line, mate)
    return line


def _caption_start(line: Line, lines: list[Line], style: Style) -> tuple[str, str, bool, int] | None:
    """Key, label, whether it is a table's, and how sure, where a caption starts; else None."""
    text = line.text.strip()
    if not text[:1].isalpha():
        return None
    found = _split_any_label(text)
    if not found:
        return None
    key = label_key(found[0]) or UNNUMBERED
    above = _line_above(line, lines, style)
    styled = line.bold or line.first_font != style.font or abs(line.size - style.size) > SAME_SIZE_PT
    inside = above is not None and _is_running_on(above, line, style)
    if inside and not (styled and line.first_font != above.font) or (key == UNNUMBERED and not styled):
        return None
    return key, found[0], bool(TABLE_WORD.match(text)), 2 * styled + (not inside)


def _line_above(line: Line, lines: list[Line], style: Style) -> Line | None:
    near = [
        other
        for other in lines
        if other is not line
        and 0.4 * line.size < pitch(other, line) < 1.2 * style.max_pitch_em * line.size
        and other.box.x_overlap(line.box) > 0.5 * min(other.box.width, line.box.width)
    ]
    return max(near, key=lambda other: other.box.y0, default=None)


def _is_running_on(above: Line, line: Line, style: Style) -> bool:
    """Whether `line` continues the sentence of the line above it."""
    same = abs(above.size - line.size) <= SAME_SIZE_PT and pitch(above, line) < style.max_pitch_em * line.size
    return same and len(above.text) > 25 and not TERMINAL.search(above.text.strip())


def _with_second_column(own: list[Line], rest: list[Line], style: Style) -> tuple[list[Line], list[Line]]:
    """The lines of a caption with those of its second column, if it has one, and the lines that are left."""
    box = hull(line.box for line in own)
    tops = [line for line in rest if _is_second_column(own, box, line)]
    if len(tops) != 1 or len(own) < 2 or style.matches(tops[0]):
        return own, rest
    column, others = _lines_below(tops[0], [line for line in rest if line is not tops[0]], style)
    if hull(line.box for line in column).y1 > box.y1 + 2 * own[0].size:
        return own, rest
    return own + column, others


def _lines_below(first: Line, rest: list[Line], style: Style) -> tuple[list[Line], list[Line]]:
    own = [first]
    while following := _next_caption_line(own, rest, style):
        right = max(line.box.x1 for line in own) + 2
        mates = _row_mates(following, rest, LABEL_GAP_EM, right)
        rest = [line for line in rest if line is not following and line not in mates]
        own.append(_row(following, mates))
    return own, rest


def _next_caption_line(own: list[Line], rest: list[Line], style: Style) -> Line | None:
    below = [line for line in rest if _caption_goes_on(own, line, style)]
    return min(below, key=lambda line: (round(line.box.y0), line.box.x0), default=None)


def _caption_goes_on(own: list[Line], line: Line, style: Style) -> bool:
    step = pitch(own[-1], line)
    if not 0.5 * line.size < step < MAX_ANY_PITCH_EM * line.size:
        return False
    if split_label(line.text) or NOT_CAPTION.match(line.text.strip()):
        return False
    found = _split_any_label(own[0].text)
    if len(own) == 1 and found and not found[1]:  # the label stands alone
        near = step < max(2.2, style.max_pitch_em) * max(line.size, own[0].size)
        return near and own[0].box.x_overlap(line.box) > 0.5 * min(own[0].box.width, line.box.width)
    return belongs_below(own, line, style.max_pitch_em, any_weight=True)


def _is_second_column(own: list[Line], box: Box, line: Line) -> bool:
    """A caption set in two columns goes on to the right, at the height at which it starts."""
    beside = 0 < line.box.x0 - box.x1 < GUTTER_EM * line.size and abs(line.box.y0 - own[0].box.y0) < 0.8 * line.size
    return beside and abs(line.size - own[-1].size) < 0.3 and line.font == own[-1].font and not split_label(line.text)

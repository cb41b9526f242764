"""Captions of figures and tables among the text lines of a page, by rules alone.

A line that starts with a label, and stands where a caption may stand, starts a caption; the lines below in the same
size and pitch belong to it, as do those of a second column and what stands to the right of a label set apart.
"""

import re
from dataclasses import dataclass
from typing import NamedTuple

from dataset_builder.readers.pdf.layout.blocks import MAX_ANY_PITCH_EM, MIN_PITCH_EM, belongs_below
from dataset_builder.readers.pdf.layout.boxes import Box, hull
from dataset_builder.readers.pdf.layout.lines import (
    SAME_SIZE_PT,
    Line,
    ends_sentence,
    join_lines,
    joined,
    pitch,
    same_size,
)
from dataset_builder.readers.pdf.layout.pages import Style
from dataset_builder.text.labels import label_key, split_label
from dataset_builder.text.vocabulary import any_of

TABLE_WORD = re.compile(rf"(?:{any_of(lambda it: it.not_figures.table)})\.?(?=\s*(?:\d|[IVX]+\b))", re.I)
UNNUMBERED = ""  # the key of an article's only figure where its label has no number
_FIGURE_WORD = rf"(?:{any_of(lambda it: it.figure.unnumbered)})"
UNNUMBERED_LABEL = re.compile(rf"({_FIGURE_WORD})\s?[.:|–—]\s*(?=[^\W\d_]{{2}})", re.I)
UNNUMBERED_MENTION = re.compile(rf"(?<!\w){_FIGURE_WORD}(?!\w)(?!\.?\s*(?:S?\d|(?-i:[IVX]+)\b))", re.I)
LABEL_GAP_EM = 3.5  # between a label and a caption set apart from it on one row
LABEL_ROW_PT = 1000  # how far to the right of a label its caption goes on: over the widest page but for posters
LABEL_PITCH_EM = 2.2  # from a label that stands alone to its caption below
GUTTER_EM = 6  # between the two columns of one caption
LEVEL_EM = 0.8  # the two columns start at heights that differ by less
COLUMN_LONGER_EM = 2  # by which the second column reaches below the first at most
SAME_COLUMN_SIZE_PT = 0.3  # sizes of the two columns differ by less
ROW_END_PT = 2  # pieces of a caption's row end this far beyond its widest line at most
ABOVE_MIN_PITCH_EM = 0.4  # a line that is nearer stands on the same row, not above
ABOVE_PITCH_SLACK = 1.2  # times the largest pitch of running text: a line farther away does not run on
RUNNING_TEXT_MIN_CHARS = 25  # a shorter line above may be a heading or a label: it does not run on
STYLED_POINTS, FREE_POINTS = 2, 1  # see `Caption.score`
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
    score: int  # STYLED_POINTS if set unlike running text, FREE_POINTS more if no sentence runs into it
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
        continued = STARTS_CONTINUED.match(text)
        if continued:
            text = text[continued.end() :]
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


class _Start(NamedTuple):
    """What the line with which a caption starts tells: the first fields of `Caption`."""

    key: str
    label: str
    is_table: bool
    score: int


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
        if not start.is_table:
            own, rest = _with_second_column(own, rest, style)
        captions.append(Caption(*start, own, page))
    return captions, rest


# ---- where a caption starts ----


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
    if not found:
        return None
    label, caption = found
    return table.group() + label.removeprefix("Figure"), caption


def _caption_start(line: Line, lines: list[Line], style: Style) -> _Start | None:
    """What a line tells if a caption starts with it; None for one of running text ("Figure 2 shows …")."""
    text = line.text.strip()
    found = _split_any_label(text)
    if not found or not text[0].isalpha():
        return None
    key = label_key(found[0]) or UNNUMBERED
    styled = line.bold or line.first_font != style.font or abs(line.size - style.size) > SAME_SIZE_PT
    if key == UNNUMBERED and not styled:
        return None
    above = _line_above(line, lines, style)
    run_into = above is not None and _is_running_on(above, line, style)
    other_font = above is None or line.first_font != above.font
    if run_into and not (styled and other_font):
        return None
    return _Start(key, found[0], bool(TABLE_WORD.match(text)), STYLED_POINTS * styled + FREE_POINTS * (not run_into))


def _line_above(line: Line, lines: list[Line], style: Style) -> Line | None:
    least = ABOVE_MIN_PITCH_EM * line.size
    most = ABOVE_PITCH_SLACK * style.max_pitch_em * line.size
    near = [
        other
        for other in lines
        if other is not line and least < pitch(other, line) < most and other.box.is_in_column_with(line.box)
    ]
    return max(near, key=lambda other: other.box.y0, default=None)


def _is_running_on(above: Line, line: Line, style: Style) -> bool:
    """Whether `line` continues the sentence of the line above it."""
    alike = same_size(above, line) and pitch(above, line) < style.max_pitch_em * line.size
    return alike and len(above.text) > RUNNING_TEXT_MIN_CHARS and not ends_sentence(above.text)


# ---- rows ----


def _label_mates(line: Line, lines: list[Line]) -> list[Line]:
    """What stands to the right of a label that is set apart from its caption ("Fig. 2.      Liver")."""
    if not _is_label_alone(line.text.strip()):
        return []
    return _row_mates(line, lines, line.box.x1 + LABEL_ROW_PT)


def _is_label_alone(text: str) -> bool:
    found = _split_any_label(text)
    return found is not None and not found[1]


def _row_mates(line: Line, lines: list[Line], right_pt: float) -> list[Line]:
    """Further pieces of the same row to the right, each near the one before, up to `right_pt`."""
    mates: list[Line] = []
    last = line
    for other in sorted(lines, key=lambda other: other.box.x0):
        gap = other.box.x0 - last.box.x1
        near = 0 <= gap < LABEL_GAP_EM * line.size and other.box.x1 <= right_pt
        if near and _is_of_one_row(other, line):
            mates.append(other)
            last = other
    return mates


def _is_of_one_row(other: Line, line: Line) -> bool:
    return other is not line and same_size(other, line) and other.box.is_level_with(line.box)


def _row(line: Line, mates: list[Line]) -> Line:
    for mate in mates:
        line = joined(line, mate)
    return line


# ---- how a caption goes on ----


def _lines_below(first: Line, rest: list[Line], style: Style) -> tuple[list[Line], list[Line]]:
    """The lines of the caption that starts with `first`, and the lines that are left."""
    own = [first]
    while following := _next_caption_line(own, rest, style):
        right = max(line.box.x1 for line in own) + ROW_END_PT
        mates = _row_mates(following, rest, right)
        rest = [line for line in rest if line is not following and line not in mates]
        own.append(_row(following, mates))
    return own, rest


def _next_caption_line(own: list[Line], rest: list[Line], style: Style) -> Line | None:
    below = [line for line in rest if _caption_goes_on(own, line, style)]
    return min(below, key=lambda line: (round(line.box.y0), line.box.x0), default=None)


def _caption_goes_on(own: list[Line], line: Line, style: Style) -> bool:
    step = pitch(own[-1], line)
    if not MIN_PITCH_EM * line.size < step < MAX_ANY_PITCH_EM * line.size:
        return False
    if split_label(line.text) or NOT_CAPTION.match(line.text.strip()):
        return False
    if len(own) == 1 and _is_label_alone(own[0].text):
        most = max(LABEL_PITCH_EM, style.max_pitch_em) * max(line.size, own[0].size)
        return step < most and own[0].box.is_in_column_with(line.box)
    return belongs_below(own, line, style.max_pitch_em, any_weight=True)


def _with_second_column(own: list[Line], rest: list[Line], style: Style) -> tuple[list[Line], list[Line]]:
    """The lines of a caption with those of its second column, if it has one, and the lines that are left."""
    box = hull(line.box for line in own)
    tops = [line for line in rest if _is_second_column(own, box, line)]
    if len(tops) != 1 or len(own) < 2 or style.matches(tops[0]):
        return own, rest
    column, others = _lines_below(tops[0], [line for line in rest if line is not tops[0]], style)
    if hull(line.box for line in column).y1 > box.y1 + COLUMN_LONGER_EM * own[0].size:
        return own, rest
    return own + column, others


def _is_second_column(own: list[Line], box: Box, line: Line) -> bool:
    """A caption set in two columns goes on to the right, at the height at which it starts."""
    beside = 0 < line.box.x0 - box.x1 < GUTTER_EM * line.size
    level = abs(line.box.y0 - own[0].box.y0) < LEVEL_EM * line.size
    alike = abs(line.size - own[-1].size) < SAME_COLUMN_SIZE_PT and line.font == own[-1].font
    return beside and level and alike and not split_label(line.text)

"""Which lines of a page belong to a caption whose first line is known."""

import re

from dataset_builder.readers.pdf.layout.blocks import MAX_ANY_PITCH_EM, MIN_PITCH_EM, belongs_below
from dataset_builder.readers.pdf.layout.boxes import Box, hull
from dataset_builder.readers.pdf.layout.caption_labels import is_label_alone
from dataset_builder.readers.pdf.layout.lines import Line, joined, pitch, same_size
from dataset_builder.readers.pdf.layout.pages import Style
from dataset_builder.text.labels import split_label
from dataset_builder.text.vocabulary import any_of

LABEL_GAP_EM = 3.5  # between a label and a caption set apart from it on one row
LABEL_ROW_PT = 1000  # how far to the right of a label its caption goes on: over the widest page but for posters
LABEL_PITCH_EM = 2.2  # from a label that stands alone to its caption below
GUTTER_EM = 6  # between the two columns of one caption
LEVEL_EM = 0.8  # the two columns start at heights that differ by less
COLUMN_LONGER_EM = 2  # by which the second column reaches below the first at most
SAME_COLUMN_SIZE_PT = 0.3  # sizes of the two columns differ by less
ROW_END_PT = 2  # pieces of a caption's row end this far beyond its widest line at most
# what publishers print below captions: who made the picture, the picture's own DOI
NOT_CAPTION = re.compile(
    rf"(?:{any_of(lambda it: it.captions.source)})\s?:|(?:https?://)?(?:dx\.)?doi(?:\.org/|:\s?)\S*10\.", re.I
)

# ---- rows ----


def label_mates(line: Line, lines: list[Line]) -> list[Line]:
    """What stands to the right of a label that is set apart from its caption ("Fig. 2.      Liver")."""
    if not is_label_alone(line.text.strip()):
        return []
    return _row_mates(line, lines, line.box.x1 + LABEL_ROW_PT)


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


def row(line: Line, mates: list[Line]) -> Line:
    for mate in mates:
        line = joined(line, mate)
    return line


# ---- how a caption goes on ----


def lines_below(first: Line, rest: list[Line], style: Style) -> tuple[list[Line], list[Line]]:
    """The lines of the caption that starts with `first`, and the lines that are left."""
    own = [first]
    while following := _next_caption_line(own, rest, style):
        right = max(line.box.x1 for line in own) + ROW_END_PT
        mates = _row_mates(following, rest, right)
        rest = [line for line in rest if line is not following and line not in mates]
        own.append(row(following, mates))
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
    if len(own) == 1 and is_label_alone(own[0].text):
        most = max(LABEL_PITCH_EM, style.max_pitch_em) * max(line.size, own[0].size)
        return step < most and own[0].box.is_in_column_with(line.box)
    return belongs_below(own, line, style.max_pitch_em, any_weight=True)


def with_second_column(own: list[Line], rest: list[Line], style: Style) -> tuple[list[Line], list[Line]]:
    """The lines of a caption with those of its second column, if it has one, and the lines that are left."""
    box = hull(line.box for line in own)
    tops = [line for line in rest if _is_second_column(own, box, line)]
    if len(tops) != 1 or len(own) < 2 or style.matches(tops[0]):
        return own, rest
    column, others = lines_below(tops[0], [line for line in rest if line is not tops[0]], style)
    if hull(line.box for line in column).y1 > box.y1 + COLUMN_LONGER_EM * own[0].size:
        return own, rest
    return own + column, others


def _is_second_column(own: list[Line], box: Box, line: Line) -> bool:
    """A caption set in two columns goes on to the right, at the height at which it starts."""
    beside = 0 < line.box.x0 - box.x1 < GUTTER_EM * line.size
    level = abs(line.box.y0 - own[0].box.y0) < LEVEL_EM * line.size
    alike = abs(line.size - own[-1].size) < SAME_COLUMN_SIZE_PT and line.font == own[-1].font
    return beside and level and alike and not split_label(line.text)

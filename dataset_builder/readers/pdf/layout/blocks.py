"""Lines of one page -> paragraphs and headings (`Block`), and these in reading order."""

from bisect import insort
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from dataset_builder.readers.pdf.layout.boxes import Box, hull
from dataset_builder.readers.pdf.layout.lines import SAME_SIZE_PT, Line, join_lines, pitch, same_size
from dataset_builder.readers.pdf.layout.pages import MAX_PITCH_EM, Style

MIN_PITCH_EM = 0.5  # from a line to the next: nearer ones stand on one row
MAX_ANY_PITCH_EM = 3.0  # in no paragraph do lines stand farther apart
PITCH_SLACK, PITCH_SLACK_PT = 1.25, 0.5  # over a paragraph's median step, so much more joins the next line
MAX_WIDER = 1.35  # times the width of the widest line so far: what is wider does not continue the paragraph
PROSE_MIN_CHARS = 80  # of a block that counts as running text
PROSE_MIN_LINE_CHARS = 24  # median characters a line of running text
PROSE_LETTERS_SHARE = 0.6  # of its characters
HEADING_MAX_LINES = 3
GUTTER_PT = 4.0  # an empty strip between two columns is at least as wide
BAND_GAP_PT = 0.5  # and one between two bands, one above the other, as high


@dataclass(eq=False)
class Block:
    """Consecutive lines of one paragraph or heading of one column. Its lines stay as they are."""

    lines: list[Line]
    page: int  # 1-based

    @cached_property
    def box(self) -> Box:
        return hull(line.box for line in self.lines)

    @cached_property
    def size(self) -> float:
        """The commonest size of its lines, to a tenth of a point."""
        return Counter(round(line.size, 1) for line in self.lines).most_common(1)[0][0]

    @property
    def text(self) -> str:
        return join_lines(line.text for line in self.lines)

    @cached_property
    def is_prose(self) -> bool:
        """Running text rather than labels, cells of a table or a heading."""
        texts = [line.text for line in self.lines]
        whole = "".join(texts)
        if len(whole) < PROSE_MIN_CHARS:
            return False
        lengths = sorted(map(len, texts))
        if lengths[len(lengths) // 2] < PROSE_MIN_LINE_CHARS:
            return False
        letters = sum(map(str.isalpha, whole))
        return letters >= PROSE_LETTERS_SHARE * len(whole)

    def is_heading(self, style: Style) -> bool:
        """A few lines in bold or larger than the running text."""
        stands_out = self.lines[0].bold or self.size > style.size + SAME_SIZE_PT
        return stands_out and len(self.lines) <= HEADING_MAX_LINES and not self.is_prose


# ---- lines to blocks ----


def make_blocks(lines: list[Line], page: int, max_pitch_em: float = MAX_PITCH_EM) -> list[Block]:
    """Lines of one page grouped into paragraphs and headings of a column, from top to bottom."""
    blocks: list[_Growing] = []
    growing: list[_Growing] = []  # those that the next line may be near enough to
    for line in sorted(lines, key=lambda line: (line.box.y0, line.box.x0)):
        growing = [block for block in growing if line.box.y0 - block.last.box.y0 < MAX_ANY_PITCH_EM * block.last.size]
        fitting = [block for block in growing if _belongs_below(block.lines, block.steps, line, max_pitch_em)]
        if fitting:
            max(fitting, key=lambda block: block.last.box.y0).append(line)
        else:
            blocks.append(_Growing([line], []))
            growing.append(blocks[-1])
    return [Block(block.lines, page) for block in blocks]


class _Growing(NamedTuple):
    """A block while lines are added to it, with the steps from each of them to the next, points, the smallest first."""

    lines: list[Line]
    steps: list[float]

    @property
    def last(self) -> Line:
        return self.lines[-1]

    def append(self, line: Line) -> None:
        insort(self.steps, pitch(self.lines[-1], line))
        self.lines.append(line)


def belongs_below(
    lines: list[Line], line: Line, max_pitch_em: float, any_weight: bool = False, any_width: bool = False
) -> bool:
    """Whether `line` continues the paragraph made of `lines`, directly under its last one.

    A first line in bold is a heading of its own, unless `any_weight`; a much wider line is no part of the paragraph,
    unless `any_width`.
    """
    steps = sorted(map(pitch, lines, lines[1:]))
    return _belongs_below(lines, steps, line, max_pitch_em, any_weight, any_width)


def _belongs_below(
    lines: list[Line],
    steps: list[float],
    line: Line,
    max_pitch_em: float,
    any_weight: bool = False,
    any_width: bool = False,
) -> bool:
    """The same, where the steps from line to line are known, the smallest first."""
    last = lines[-1]
    if not same_size(last, line) or not last.box.is_in_column_with(line.box):
        return False
    if not MIN_PITCH_EM * line.size < pitch(last, line) <= _max_pitch(lines[0].size, steps, max_pitch_em):
        return False
    if len(lines) == 1:
        return any_weight or last.bold == line.bold
    return any_width or any(line.box.width <= MAX_WIDER * entry.box.width for entry in reversed(lines))


def _max_pitch(size: float, steps: list[float], max_pitch_em: float) -> float:
    """The largest step to a next line of a paragraph that starts in this size, in points; `steps` as above."""
    if not steps:
        return max_pitch_em * size
    usual = steps[len(steps) // 2]
    return min(PITCH_SLACK * usual + PITCH_SLACK_PT, MAX_ANY_PITCH_EM * size)


# ---- reading order ----


def reading_order(blocks: list[Block], held: Iterable[Box] = ()) -> list[Block]:
    """Blocks of one page column by column: cut at gutters that no block crosses, else into bands from top to bottom.

    `held` are places that pictures and captions take: a column whose upper half is a picture is one all the same.
    """
    places = [Block([Line("", box, 0.0)], blocks[0].page) for box in held] if blocks else []
    taken = set(map(id, places))
    return [block for block in _in_order([*blocks, *places]) if id(block) not in taken]


def _in_order(blocks: list[Block]) -> list[Block]:
    if len(blocks) < 2:
        return blocks
    columns = _columns(blocks)
    if len(columns) > 1:
        return [block for column in columns for block in _in_order(column)]
    bands = _split(blocks, 1, BAND_GAP_PT)
    if len(bands) == 1:
        return sorted(blocks, key=lambda block: (block.box.y0, block.box.x0))
    return [block for band in _merge_bands(bands) for block in _in_order(band)]


def _columns(blocks: list[Block]) -> list[list[Block]]:
    return _split(blocks, 0, GUTTER_PT)


def _split(blocks: list[Block], axis: int, min_gap: float) -> list[list[Block]]:
    """Groups of blocks between which a strip of at least `min_gap` points is empty; axis 0: left to right."""
    groups: list[list[Block]] = []
    end = float("-inf")
    for block in sorted(blocks, key=lambda block: block.box[axis]):
        if not groups or block.box[axis] - end >= min_gap:
            groups.append([])
        groups[-1].append(block)
        end = max(end, block.box[axis + 2])
    return groups


def _merge_bands(bands: list[list[Block]]) -> list[list[Block]]:
    """Neighbouring bands with the same gutter are one band: a gap between paragraphs is no end of the columns."""
    merged = [bands[0]]
    for band in bands[1:]:
        if _share_a_gutter(merged[-1], band):
            merged[-1] = merged[-1] + band
        else:
            merged.append(band)
    return merged


def _share_a_gutter(upper: list[Block], lower: list[Block]) -> bool:
    """Whether the columns of one of two bands go on in the other; a lower band in a single column may end some."""
    together = len(_columns(upper + lower))
    if together < 2:
        return False
    above = len(_columns(upper))
    return together == above or (above > 1 and together == len(_columns(lower)))

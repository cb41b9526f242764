"""What a reader of PDFs hands in for each page, and how the running text of all pages is set."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from dataset_builder.readers.pdf.layout.boxes import Box
from dataset_builder.readers.pdf.layout.lines import SAME_SIZE_PT, Line, pitch

MAX_PITCH_EM = 1.75  # from one line of a paragraph to the next, where the paragraph has only one line so far
PITCH_SLACK = 1.15  # a step may be larger than the usual one by this factor
USUAL_PITCH_EM = 1.2  # where no lines tell
PLAUSIBLE_PITCH_EM = (0.8, 3.5)  # steps outside are no line spacing
USUAL_SIZE_PT = 10.0  # where no lines tell
FULL_LINE_MIN_CHARS = 30  # shorter lines tell neither the width of a column nor the pitch
WIDTH_STEP_PT = 6.0  # to which widths are rounded before they are counted
FULL_LINE_SHARE = 0.85  # of the column's width that a line of running text fills

T = TypeVar("T")


@dataclass(frozen=True)
class Table:
    """A table whose rows and columns a model has read."""

    box: Box
    markdown: str


@dataclass
class PageContent:
    """What a reader of PDFs found on one page.

    Boxes are of the page turned so that most of its text stands upright.
    """

    number: int  # 1-based
    width: float  # points
    height: float  # points
    lines: list[Line] = field(default_factory=list)
    images: list[Box] = field(default_factory=list)
    shapes: list[Box] = field(default_factory=list)
    turn: int = 0  # quarters counter-clockwise by which the text stands turned on the page as displayed
    damage: float = 0.0  # share of its glyphs that mean nothing or are printed twice, 0-1
    tables: list[Table] = field(default_factory=list)  # as docling reads them; none on the way without its models

    @property
    def display_height(self) -> float:
        """Of the page as displayed, points."""
        return self.width if self.turn % 2 else self.height

    def display_box(self, box: Box) -> Box:
        """A box of the upright page on the page as displayed."""
        if self.turn == 0:
            return box
        return [
            Box(box.y0, self.width - box.x1, box.y1, self.width - box.x0),
            Box(self.width - box.x1, self.height - box.y1, self.width - box.x0, self.height - box.y0),
            Box(self.height - box.y1, box.x0, self.height - box.y0, box.x1),
        ][self.turn - 1]

    def upright_box(self, box: Box) -> Box:
        """A box of the page as displayed on the upright page: the inverse of `display_box`."""
        width, height = (self.height, self.width) if self.turn % 2 else (self.width, self.height)
        back = PageContent(self.number, width, height, turn=-self.turn % 4)
        return back.display_box(box)


@dataclass(frozen=True)
class Style:
    """How the running text of an article is set."""

    size: float  # points
    font: str
    column_width: float  # points
    pitch_em: float  # from line to line, in sizes: about 1.2, 2 and more in manuscripts

    @classmethod
    def of(cls, pages: list[PageContent]) -> "Style":
        """Counted over the characters of all pages; lines of some length give width and pitch."""
        lines = [line for page in pages for line in page.lines]
        size = _commonest((_to_half_points(line.size), len(line.text)) for line in lines) or USUAL_SIZE_PT
        font = _commonest((line.font, len(line.text)) for line in lines) or ""
        usual = [line for line in lines if abs(line.size - size) < SAME_SIZE_PT]
        full = [line for line in usual if len(line.text) >= FULL_LINE_MIN_CHARS]
        width = _commonest((round(line.box.width / WIDTH_STEP_PT) * WIDTH_STEP_PT, 1) for line in full) or 0.0
        return cls(size, font, width, _commonest_pitch_em(full, size))

    @property
    def max_pitch_em(self) -> float:
        """The largest step, in sizes, from a paragraph's first line to its second."""
        return max(MAX_PITCH_EM, PITCH_SLACK * self.pitch_em)

    def matches(self, line: Line) -> bool:
        """Whether a line is set like running text."""
        return abs(line.size - self.size) < SAME_SIZE_PT and line.font == self.font

    def is_body(self, line: Line) -> bool:
        """Whether a line is set like running text and fills its column."""
        return self.matches(line) and 0 < FULL_LINE_SHARE * self.column_width < line.box.width


def _to_half_points(size: float) -> float:
    return round(2 * size) / 2


def _commonest_pitch_em(lines: list[Line], size: float) -> float:
    """The commonest step from one of the lines to the next, in sizes."""
    steps = [round(pitch(a, b) / size, 1) for a, b in zip(lines[:-1], lines[1:], strict=True)]
    low, high = PLAUSIBLE_PITCH_EM
    return _commonest((step, 1) for step in steps if low < step < high) or USUAL_PITCH_EM


def _commonest(weighted: Iterable[tuple[T, int]]) -> T | None:
    """The value with the largest sum of weights, the first of equals; None where there is none."""
    counts: Counter[T] = Counter()
    for value, weight in weighted:
        counts[value] += weight
    return counts.most_common(1)[0][0] if counts else None

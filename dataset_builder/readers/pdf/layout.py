"""The text of an article's pages by rules alone: lines → paragraphs in reading order, without headers and footers.

It knows nothing of files or PDF libraries: a reader hands in `PageContent`, one for each page. Boxes are in points,
origin top left, of pages turned so that most of their text stands upright.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from dataset_builder.text.labels import split_label

MARGIN_SHARE = 0.12  # of the page's height: where running heads and page numbers stand, at either end
DOUBLED_MIN_CHARS = 8  # shorter text printed twice does no harm, and marks in plots are many
MIN_REPEATS = 3  # pages that show a line at the same place before it counts as a running head
BAND_PT = 20  # lines of one row have their middles in the same or in neighbouring bands of the page
FRAGMENT_GAP_EM = 0.7  # pieces of one baseline nearer than this are one line
MAX_ANY_PITCH_EM = 3.0  # in no paragraph do lines stand farther apart
MAX_PITCH_EM = 1.75  # from one line of a paragraph to the next, where the paragraph has only one line so far
SAME_SIZE_PT = 0.7  # sizes of one paragraph differ by less
PROSE_MIN_CHARS = 80  # of a block that counts as running text
PROSE_MIN_LINE_CHARS = 24  # median characters a line of running text
BOLD_FONT = re.compile(r"bold|black|heavy|demi|[-,.]b(?:i|d)?$", re.I)
_CJK = re.compile(r"[\u3000-\u30ff\u3400-\u9fff\uff00-\uffef]")  # Chinese and Japanese know no spaces
TERMINAL = re.compile(r"[.!?。！？:][\"'”’)\]\d,\-–]*$")


class Box(NamedTuple):
    """x0, y0, x1, y1 in points, origin top left."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def width(self) -> float:
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        return self.y1 - self.y0

    @property
    def area(self) -> float:
        return max(0.0, self.width) * max(0.0, self.height)

    def grow(self, by: float) -> "Box":
        return Box(self.x0 - by, self.y0 - by, self.x1 + by, self.y1 + by)

    def hull(self, other: "Box") -> "Box":
        return Box(min(self.x0, other.x0), min(self.y0, other.y0), max(self.x1, other.x1), max(self.y1, other.y1))

    def x_overlap(self, other: "Box") -> float:
        """Common width; negative: the horizontal gap."""
        return min(self.x1, other.x1) - max(self.x0, other.x0)

    def y_overlap(self, other: "Box") -> float:
        """Common height; negative: the vertical gap."""
        return min(self.y1, other.y1) - max(self.y0, other.y0)

    def overlap(self, other: "Box") -> float:
        """Common area, square points."""
        return max(0.0, self.x_overlap(other)) * max(0.0, self.y_overlap(other))

    def gap(self, other: "Box") -> float:
        """Distance between the nearest points of two boxes."""
        return (max(0.0, -self.x_overlap(other)) ** 2 + max(0.0, -self.y_overlap(other)) ** 2) ** 0.5

    def share_in(self, other: "Box") -> float:
        """Part of this box's area that lies in `other`, 0–1."""
        return self.overlap(other) / self.area if self.area else 0.0


def hull(boxes: Iterable[Box]) -> Box:
    """The smallest box around all of them; there is at least one."""
    x0, y0, x1, y1 = zip(*boxes, strict=True)
    return Box(min(x0), min(y0), max(x1), max(y1))


@dataclass(eq=False)
class Line:
    """Text of one line of one column; `size` (points) and `font` are those of its middle character."""

    text: str
    box: Box
    size: float
    first_font: str = ""  # of its first character
    font: str = ""
    turn: int = 0  # quarters counter-clockwise by which it stands turned on the upright page

    @cached_property
    def bold(self) -> bool:
        """Whether it starts in bold, as far as the font's name tells."""
        return bool(BOLD_FONT.search(self.first_font))


@dataclass
class PageContent:
    """What a reader of PDFs found on one page."""

    number: int  # 1-based
    width: float
    height: float
    lines: list[Line] = field(default_factory=list)
    images: list[Box] = field(default_factory=list)
    shapes: list[Box] = field(default_factory=list)
    turn: int = 0  # quarters counter-clockwise by which the text stands turned on the page as displayed

    def display_box(self, box: Box) -> Box:
        """A box of the upright page on the page as displayed."""
        return [
            box,
            Box(box.y0, self.width - box.x1, box.y1, self.width - box.x0),
            Box(self.width - box.x1, self.height - box.y1, self.width - box.x0, self.height - box.y0),
            Box(self.height - box.y1, box.x0, self.height - box.y0, box.x1),
        ][self.turn]

    def upright_box(self, box: Box) -> Box:
        """A box of the page as displayed on the upright page: the inverse of `display_box`."""
        width, height = (self.height, self.width) if self.turn % 2 else (self.width, self.height)
        back = PageContent(self.number, width, height, turn=-self.turn % 4)
        return back.display_box(box)


@dataclass(eq=False)
class Block:
    """Consecutive lines of one paragraph or heading of one column. Its lines stay as they are."""

    lines: list[Line]
    page: int

    @cached_property
    def box(self) -> Box:
        return hull(line.box for line in self.lines)

    @cached_property
    def size(self) -> float:
        return Counter(round(line.size, 1) for line in self.lines).most_common(1)[0][0]

    @property
    def text(self) -> str:
        return join_lines(line.text for line in self.lines)

    @cached_property
    def is_prose(self) -> bool:
        """Running text rather than labels, cells of a table or a heading."""
        texts = [line.text for line in self.lines]
        whole = "".join(texts)
        letters = sum(c.isalpha() for c in whole)
        lengths = sorted(len(text) for text in texts)
        enough = len(whole) >= PROSE_MIN_CHARS and lengths[len(lengths) // 2] >= PROSE_MIN_LINE_CHARS
        return enough and letters >= 0.6 * len(whole)

    def is_heading(self, style: "Style") -> bool:
        """At most three lines in bold or larger than the running text."""
        stands_out = self.lines[0].bold or self.size > style.size + SAME_SIZE_PT
        return stands_out and len(self.lines) <= 3 and not self.is_prose


@dataclass(frozen=True)
class Style:
    """How the running text of an article is set."""

    size: float  # points
    font: str
    column_width: float  # points
    pitch_em: float  # from line to line, in sizes: about 1.2, 2 and more in manuscripts

    @classmethod
    def of(cls, pages: list[PageContent]) -> "Style":
        """Counted over the characters of all pages; lines of at least 30 characters give width and pitch."""
        lines = [line for page in pages for line in page.lines]
        size = _commonest((round(2 * line.size) / 2, len(line.text)) for line in lines) or 10.0
        font = _commonest((line.font, len(line.text)) for line in lines) or ""
        full = [line for line in lines if abs(line.size - size) < SAME_SIZE_PT and len(line.text) >= 30]
        width = _commonest((round(line.box.width / 6) * 6.0, 1) for line in full) or 0.0
        steps = (round(pitch(a, b) / size, 1) for a, b in zip(full[:-1], full[1:], strict=True))
        return cls(size, font, width, _commonest((step, 1) for step in steps if 0.8 < step < 3.5) or 1.2)

    @property
    def max_pitch_em(self) -> float:
        """The largest step, in sizes, from a paragraph's first line to its second."""
        return max(MAX_PITCH_EM, 1.15 * self.pitch_em)

    def matches(self, line: Line) -> bool:
        """Whether a line is set like running text."""
        return abs(line.size - self.size) < SAME_SIZE_PT and line.font == self.font

    def is_body(self, line: Line) -> bool:
        """Whether a line is set like running text and fills its column."""
        return self.matches(line) and bool(self.column_width) and line.box.width > 0.85 * self.column_width


def _commonest(weighted: Iterable[tuple]):
    counts: Counter = Counter()
    for value, weight in weighted:
        counts[value] += weight
    return counts.most_common(1)[0][0] if counts else None


def without_running_heads(pages: list[PageContent]) -> list[list[Line]]:
    """For each page its lines without headers, footers, page numbers and notes that repeat along the edges."""
    rows = [_edge_rows(page) for page in pages]
    seen = Counter(place for page, edges in zip(pages, rows, strict=True) for place in _places(page, edges))
    needed = min(MIN_REPEATS, max(2, len(pages) - 1))
    kept = []
    for page, edges in zip(pages, rows, strict=True):
        heads = {id(line) for edge in edges for line in _peel(edge, page, seen, needed)}
        kept.append([line for line in page.lines if id(line) not in heads])
    return kept


def _edge_rows(page: PageContent) -> list[list[list[Line]]]:
    """The rows of text near the top, bottom, left and right edge, each from the edge inwards."""
    edges = []
    for axis, extent in ((1, page.height), (0, page.width)):
        for sign in (1, -1):
            lines = [line for line in page.lines if _depth(line, axis, sign, extent) < MARGIN_SHARE * extent]
            lines = [line for line in lines if (line.turn % 2 == 1) == (axis == 0)]
            edges.append(_rows(lines, axis, sign, extent))
    return edges


def _depth(line: Line, axis: int, sign: int, extent: float) -> float:
    """How far the middle of a line lies from the edge at the low (sign 1) or high (-1) end of an axis."""
    middle = (line.box[axis] + line.box[axis + 2]) / 2
    return middle if sign > 0 else extent - middle


def _rows(lines: list[Line], axis: int, sign: int, extent: float) -> list[list[Line]]:
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda line: _depth(line, axis, sign, extent)):
        near = rows and _depth(line, axis, sign, extent) - _depth(rows[-1][0], axis, sign, extent) < 0.6 * line.size
        if near:
            rows[-1].append(line)
        else:
            rows.append([line])
    return rows


def _place(line: Line, page: PageContent) -> tuple[str, int, int]:
    """Text without digits and the place on the page as displayed: alike for one running head on many pages."""
    turn = (line.turn + page.turn) % 4
    return re.sub(r"[\d\s]+", "", line.text), round(page.display_box(line.box)[1 - turn % 2] / 6), turn


def _places(page: PageContent, edges: list[list[list[Line]]]) -> set[tuple]:
    return {_place(line, page) for edge in edges for row in edge for line in row}


def _peel(edge: list[list[Line]], page: PageContent, seen: Counter, needed: int) -> list[Line]:
    """The rows of running heads at one edge: they end where a row of the page's own text begins."""
    heads: list[Line] = []
    for row in edge:
        if not any(_is_running_head(line, page, seen, needed) for line in row) or any(split_label(e.text) for e in row):
            break
        heads += row
    return heads


def _is_running_head(line: Line, page: PageContent, seen: Counter, needed: int) -> bool:
    text, place, turn = _place(line, page)
    repeats = sum(seen[text, place + k, turn] for k in (-1, 0, 1))
    is_number = not text and line.text.strip().isdigit()
    return (repeats >= needed and len(text) > 1) or (is_number and repeats >= 2)


def without_doubles(lines: list[Line]) -> list[Line]:
    """Without text printed twice nearly on one spot, as imitated bold or by two layers of a file."""
    kept: dict[str, list[Line]] = {}
    short = [line for line in lines if len(line.text) < DOUBLED_MIN_CHARS]
    for line in (line for line in lines if len(line.text) >= DOUBLED_MIN_CHARS):
        same = kept.setdefault("".join(line.text.split()), [])
        if not any(line.box.overlap(other.box) > 0.2 * line.box.area for other in same):
            same.append(line)
    return short + [line for same in kept.values() for line in same]


def join_fragments(lines: list[Line]) -> list[Line]:
    """Upright pieces of one baseline that nearly touch become one line, whatever their order in the file."""
    bands: dict[int, list[Line]] = defaultdict(list)  # by height on the page, so that few pairs are compared
    for line in sorted((line for line in lines if line.turn == 0), key=lambda line: line.box.x0):
        band = _band(line)
        for rows in (bands[band], bands[band - 1], bands[band + 1]):
            left = next((row for row in reversed(rows) if _continues(row, line)), None)
            if left:
                rows[rows.index(left)] = joined(left, line)
                break
        else:
            bands[band].append(line)
    return sorted((row for rows in bands.values() for row in rows), key=lambda line: (line.box.y0, line.box.x0))


def _band(line: Line) -> int:
    return int((line.box.y0 + line.box.y1) / 2 // BAND_PT)


def _continues(left: Line, right: Line) -> bool:
    a, b = left.box, right.box
    if not -0.5 * right.size <= b.x0 - a.x1 <= FRAGMENT_GAP_EM * max(left.size, right.size):
        return False
    return a.y_overlap(b) > 0.5 * min(a.height, b.height)


def joined(left: Line, right: Line) -> Line:
    """Two pieces of one baseline as one line."""
    main = left if len(left.text) >= len(right.text) else right
    gap = right.box.x0 - left.box.x1
    text = left.text + (" " if gap > 0.15 * main.size else "") + right.text
    box = Box(left.box.x0, main.box.y0, max(left.box.x1, right.box.x1), main.box.y1)
    return Line(text, box, main.size, left.first_font, main.font)


def make_blocks(lines: list[Line], page: int, max_pitch_em: float = MAX_PITCH_EM) -> list[Block]:
    """Lines of one page grouped into paragraphs and headings of a column, from top to bottom."""
    blocks: list[list[Line]] = []
    growing: list[list[Line]] = []
    for line in sorted(lines, key=lambda line: (line.box.y0, line.box.x0)):
        growing = [block for block in growing if line.box.y0 - block[-1].box.y0 < MAX_ANY_PITCH_EM * block[-1].size]
        fitting = [block for block in growing if belongs_below(block, line, max_pitch_em)]
        if fitting:
            max(fitting, key=lambda block: block[-1].box.y0).append(line)
        else:
            blocks.append([line])
            growing.append(blocks[-1])
    return [Block(block, page) for block in blocks]


def belongs_below(lines: list[Line], line: Line, max_pitch_em: float, any_weight: bool = False) -> bool:
    """Whether `line` continues the paragraph made of `lines`, directly under its last one.

    A first line in bold is a heading of its own, unless `any_weight`.
    """
    last = lines[-1]
    if last.box.x_overlap(line.box) <= 0.5 * min(last.box.width, line.box.width):
        return False
    heading = len(lines) == 1 and last.bold != line.bold and not any_weight
    if abs(last.size - line.size) > SAME_SIZE_PT or heading:
        return False
    if not 0.5 * line.size < pitch(last, line) <= _max_pitch(lines, max_pitch_em):
        return False
    return len(lines) == 1 or line.box.width <= 1.35 * max(entry.box.width for entry in lines)


def pitch(upper: Line, lower: Line) -> float:
    """Distance from one line to the next."""
    return min(lower.box.y0 - upper.box.y0, lower.box.y1 - upper.box.y1)


def _max_pitch(lines: list[Line], max_pitch_em: float) -> float:
    """The largest step to a next line of the same paragraph, in points."""
    if len(lines) == 1:
        return max_pitch_em * lines[0].size
    steps = sorted(pitch(a, b) for a, b in zip(lines[:-1], lines[1:], strict=True))
    return min(1.25 * steps[len(steps) // 2] + 0.5, MAX_ANY_PITCH_EM * lines[0].size)


def join_lines(texts: Iterable[str], words: frozenset[str] = frozenset()) -> str:
    """Lines of a paragraph as one text; a word broken by a hyphen is mended, unless `words` (lower case) keeps it."""
    result = ""
    for text in texts:
        text = text.strip()
        if result.endswith("-") and len(result) > 1 and result[-2].isalpha() and text[:1].islower():
            result = _mend(result, text, words)
        elif result:
            tight = (result.endswith(("-", "–", "/")) and text[:1].isalnum()) or (
                _CJK.match(result[-1]) and _CJK.match(text)
            )
            result = result + ("" if tight else " ") + text
        else:
            result = text
    return result


def printed_words(texts: Iterable[str]) -> frozenset[str]:
    """The words printed within lines, lower case: they tell which hyphens belong to a word."""
    found = (re.findall(r"[^\W\d_]+(?:-[^\W\d_]+)*", text.lower()) for text in texts)
    return frozenset(word for words in found for word in words)


def _mend(left: str, right: str, words: frozenset[str]) -> str:
    head = re.search(r"[\w-]*$", left[:-1]).group().lower()
    tail = re.match(r"[\w-]*", right).group().lower()
    if f"{head}-{tail}" in words and head + tail not in words:
        return left + right
    return left[:-1] + right


def reading_order(blocks: list[Block]) -> list[Block]:
    """Blocks of one page column by column: cut at gutters that no block crosses, else into bands from top to bottom."""
    if len(blocks) < 2:
        return blocks
    columns = _split_columns(blocks)
    if len(columns) > 1:
        return [block for column in columns for block in reading_order(column)]
    bands = _split_bands(blocks)
    if len(bands) == 1:
        return sorted(blocks, key=lambda block: (block.box.y0, block.box.x0))
    return [block for band in _merge_bands(bands) for block in reading_order(band)]


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


def _split_columns(blocks: list[Block]) -> list[list[Block]]:
    return _split(blocks, 0, 4.0)


def _split_bands(blocks: list[Block]) -> list[list[Block]]:
    return _split(blocks, 1, 0.5)


def _merge_bands(bands: list[list[Block]]) -> list[list[Block]]:
    """Neighbouring bands with the same gutter are one band: a gap between paragraphs is no end of the columns."""
    merged = [bands[0]]
    for band in bands[1:]:
        together = merged[-1] + band
        columns = len(_split_columns(together))
        if (
            columns > 1
            and columns == len(_split_columns(merged[-1]))
            or columns > 1
            and columns == len(_split_columns(band))
            and len(_split_columns(merged[-1])) > 1
        ):
            merged[-1] = together
        else:
            merged.append(band)
    return merged

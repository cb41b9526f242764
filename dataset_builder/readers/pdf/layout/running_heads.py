"""The lines of all pages -> those without running heads, feet, page numbers and notes that repeat along the edges."""

import re
from collections import Counter
from typing import NamedTuple

from dataset_builder.readers.pdf.layout.lines import Line, pitch
from dataset_builder.readers.pdf.layout.pages import PageContent, Style
from dataset_builder.text.labels import split_label

MARGIN_SHARE = 0.12  # of the page's height: where running heads and page numbers stand, at either end
MIN_REPEATS = 3  # pages that show a line at the same place before it counts as a running head
MIN_NUMBER_REPEATS = 2  # the same for page numbers
ROW_EM = 0.6  # lines of one row along an edge are not farther apart
PLACE_STEP_PT = 6  # to which places on the page are rounded; neighbouring ones count as the same

Row = list[Line]


class _Side(NamedTuple):
    """A side of the page: of axis 0 (left, right) or 1 (top, bottom), the near or the far one."""

    axis: int
    far: bool

    def extent(self, page: PageContent) -> float:
        """Points from this side to the opposite one."""
        return page.height if self.axis == 1 else page.width

    def depth(self, line: Line, page: PageContent) -> float:
        """Points from this side to the middle of a line."""
        middle = (line.box[self.axis] + line.box[self.axis + 2]) / 2
        return self.extent(page) - middle if self.far else middle


_SIDES = (_Side(1, far=False), _Side(1, far=True), _Side(0, far=False), _Side(0, far=True))


class _Place(NamedTuple):
    """Alike for one running head on many pages."""

    text: str  # without digits
    at: int  # across the line, on the page as displayed, in steps
    turn: int  # quarters


def without_running_heads(pages: list[PageContent], style: Style) -> list[list[Line]]:
    """For each page its lines without headers, footers, page numbers and notes that repeat along the edges."""
    edges = [_edges(page) for page in pages]
    seen: Counter[_Place] = Counter()
    for page, own in zip(pages, edges, strict=True):
        seen.update(_places(own, page))
    needed = min(MIN_REPEATS, max(2, len(pages) - 1))
    kept = []
    for page, own in zip(pages, edges, strict=True):
        heads = {id(line) for rows in own for line in _peel(rows, page, style, seen, needed)}
        kept.append([line for line in page.lines if id(line) not in heads])
    return kept


def _edges(page: PageContent) -> list[list[Row]]:
    """For each side of a page the rows of text near it."""
    return [_rows(page, side) for side in _SIDES]


def _rows(page: PageContent, side: _Side) -> list[Row]:
    """The rows of text near one side, from the edge inwards; at the left and right only text that is turned."""
    rows: list[Row] = []
    turned = side.axis == 0
    margin = MARGIN_SHARE * side.extent(page)
    near = [line for line in page.lines if side.depth(line, page) < margin and (line.turn % 2 == 1) == turned]
    for line in sorted(near, key=lambda line: side.depth(line, page)):
        if rows and side.depth(line, page) - side.depth(rows[-1][0], page) < ROW_EM * line.size:
            rows[-1].append(line)
        else:
            rows.append([line])
    return rows


def _place(line: Line, page: PageContent) -> _Place:
    turn = (line.turn + page.turn) % 4
    across = page.display_box(line.box)[1 - turn % 2]
    return _Place(re.sub(r"[\d\s]+", "", line.text), round(across / PLACE_STEP_PT), turn)


def _places(edges: list[list[Row]], page: PageContent) -> set[_Place]:
    """The places of all lines along the edges of one page."""
    return {_place(line, page) for rows in edges for row in rows for line in row}


def _peel(rows: list[Row], page: PageContent, style: Style, seen: Counter[_Place], needed: int) -> list[Line]:
    """The rows of running heads at one edge: they end where a row of the page's own text begins.

    Where a page number stands beside the first or last line of the text, that line stays.
    """
    heads: list[Line] = []
    for row in rows:
        repeated = [line for line in row if _is_running_head(line, page, seen, needed)]
        if not repeated or any(split_label(line.text) for line in row):
            break
        text = [line for line in row if line not in repeated and _is_text(line, page, style)]
        heads += [line for line in row if line not in text and not line.panel_letter]
        if text:
            break
    return heads


def _is_text(line: Line, page: PageContent, style: Style) -> bool:
    """Whether a line is set like the running text and goes on with another such line, directly above or below it."""
    if not style.matches(line):
        return False
    near = [other for other in page.lines if style.matches(other) and line.box.is_in_column_with(other.box)]
    steps = [max(pitch(line, other), pitch(other, line)) for other in near if other is not line]
    return any(0 < step <= style.max_pitch_em * line.size for step in steps)


def _is_running_head(line: Line, page: PageContent, seen: Counter[_Place], needed: int) -> bool:
    if line.panel_letter:  # figures at the top of many pages start with the same "(a)"
        return False
    text, at, turn = _place(line, page)
    repeats = sum(seen[_Place(text, at + step, turn)] for step in (-1, 0, 1))
    if len(text) > 1:
        return repeats >= needed
    is_number = not text and line.text.strip().isdigit()
    return is_number and repeats >= MIN_NUMBER_REPEATS

"""A picture whose panels' letters were not found -> the panels' boxes, by its gaps alone, or nothing."""

from typing import NamedTuple

import numpy as np

from dataset_builder.readers.pictures.panel_letters import Letter
from dataset_builder.readers.pictures.working_copy import Box, WorkingCopy, empty_gaps, halves, large_enough, trim

GRID_GAP_RATIO = 1.6  # a grid's gaps are wider than any other by at least this
GRID_SIZE_RATIO = 0.7  # the smallest piece of a grid against its largest, in width and in height
MIN_GRID_GAP_SHARE = 0.0025  # of the figure's longest side: narrower gaps make no grid
SOLID_SHARE = 0.9  # of a photograph's frame and area that differs from the background
CORNER_REACH = 2  # in heights of a capital: how far from a corner of its panel a letter stands at most


class _Opening(NamedTuple):
    """An empty stripe inside a piece, in pixels; columns for axis 0, rows for axis 1."""

    width: int  # 0 when there is none
    axis: int
    middle: int


def split_grid(copy: WorkingCopy, labels: list[str], letters: list[Letter]) -> list[Box]:
    """A box for each label in reading order: the pieces between the widest gaps, as many as labels.

    They must be of about one size, or each a photograph; no gap that is left may be nearly as wide as those used; and
    no letter may stand at the corner of another letter's piece. Empty where this leaves doubt.
    """
    pieces = _pieces(copy, len(labels))
    if not pieces or not large_enough(copy, pieces):
        return []
    if not (_alike(pieces) or all(_solid(copy, piece) for piece in pieces)):
        return []
    pieces = _reading_order(pieces)
    return [] if _contradicted(pieces, labels, letters) else pieces


def _pieces(copy: WorkingCopy, count: int) -> list[Box]:
    """So many pieces, cut at the widest gaps; [] where these are narrow, or hardly wider than those that are left."""
    pieces = [trim(copy, copy.whole)]
    openings = [_widest_opening(copy, pieces[0])]
    narrowest = float("inf")  # of the gaps used
    while len(pieces) < count:
        widest = max(openings, key=lambda opening: opening.width)
        if widest.width < MIN_GRID_GAP_SHARE * max(copy.grey.shape):
            return []
        narrowest = min(narrowest, widest.width)
        k = openings.index(widest)
        parts = [trim(copy, half) for half in halves(pieces[k], widest.axis, widest.middle)]
        pieces[k : k + 1] = parts
        openings[k : k + 1] = [_widest_opening(copy, part) for part in parts]
    left = max(opening.width for opening in openings)
    return pieces if narrowest >= GRID_GAP_RATIO * left else []


def _widest_opening(copy: WorkingCopy, piece: Box) -> _Opening:
    """The widest gap inside the piece, which does not reach its ends."""
    inner = []
    for axis in (0, 1):
        for gap in empty_gaps(copy, piece, axis):
            middle, half = (gap.start + gap.stop) // 2, gap.width // 2
            if piece[axis] < middle - half and middle + half < piece[axis + 2]:
                inner.append(_Opening(gap.width, axis, middle))
    return max(inner, default=_Opening(0, 0, 0))


def _alike(pieces: list[Box]) -> bool:
    """Whether the pieces are of about one size."""
    widths = [x1 - x0 for x0, _, x1, _ in pieces]
    heights = [y1 - y0 for _, y0, _, y1 in pieces]
    return all(min(sides) >= GRID_SIZE_RATIO * max(sides) for sides in (widths, heights))


def _solid(copy: WorkingCopy, box: Box) -> bool:
    """Whether the box is filled to its edges and corners, as by a photograph."""
    x0, y0, x1, y1 = box
    ink = copy.ink[y0:y1, x0:x1]
    # the two outermost rows and columns may be blurred
    frame = np.concatenate([ink[2:4].ravel(), ink[-4:-2].ravel(), ink[:, 2:4].ravel(), ink[:, -4:-2].ravel()])
    return frame.mean() > SOLID_SHARE and ink.mean() > SOLID_SHARE


def _reading_order(pieces: list[Box]) -> list[Box]:
    """Rows from the top, each from the left; of a row is what has its middle in the height of the row's first piece."""
    rest = sorted(pieces, key=lambda box: box[1])
    ordered: list[Box] = []
    while rest:
        _, top, _, bottom = rest[0]
        row = [box for box in rest if top <= (box[1] + box[3]) / 2 <= bottom]
        ordered += sorted(row)
        rest = [box for box in rest if box not in row]
    return ordered


def _contradicted(pieces: list[Box], labels: list[str], letters: list[Letter]) -> bool:
    """Whether letters near the corners of the pieces tell another order."""
    right = wrong = 0
    for piece, label in zip(pieces, labels, strict=True):
        near = [letter for letter in letters if _at_corner(letter, piece)]
        agreeing = sum(letter.char.lower() == label.lower() for letter in near)
        right += agreeing
        wrong += len(near) - agreeing
    return wrong > 0 and wrong >= right


def _at_corner(letter: Letter, box: Box) -> bool:
    """Whether the middle of a letter is near a corner of the box, inside or outside."""
    x0, y0, x1, y1 = box
    reach = CORNER_REACH * letter.capital_px
    x, y = (letter.x0 + letter.x1) / 2, (letter.y0 + letter.y1) / 2
    near_side = min(abs(x - x0), abs(x - x1)) <= reach
    near_end = min(abs(y - y0), abs(y - y1)) <= reach
    return near_side and near_end

"""A picture and one letter for each panel -> the panels' boxes, by cutting between the letters until each has a piece.

Axis 0 is x: what is cut there are columns; axis 1 is y.
"""

import itertools
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import cv2
import numpy as np

from dataset_builder.readers.pictures.panel_letters import Letter
from dataset_builder.readers.pictures.working_copy import (
    Box,
    Gap,
    WorkingCopy,
    empty_gaps,
    halves,
    large_enough,
    runs,
    trim,
)

MAX_STEPS = (
    150  # pieces looked at for one choice of letters, which bounds the work on pictures full of letters and gaps
)
MAX_CUTS = 4  # of one piece that are tried, the best first
MIN_SPACE_PX = 2  # between two letters that a cut may part
FAR_GAP_DISCOUNT = 0.9  # of a gap's score, where it is as far from the letter that should stand beside it as can be
PALE_SHARE = 0.2  # of a row or column that a pale panel reaches into
CUT_MARGIN_PX = 3  # between a cut and the panel whose letter it stands before
EDGE_SHARE = 0.75  # of an edge between touching photographs is visible
EDGE_PX = 3  # pixels on each side of an edge whose means are compared
EDGE_LEVELS = 14  # step in grey level that makes it visible
EDGE_REACH = 3  # in heights of a capital: how far ahead of its letter a photograph begins at most
MIN_EDGE_RANGE_PX = 3  # in which an edge is looked for
RIVAL_EDGE_SHARE = 0.6  # of the best edge: another one as visible as this leaves doubt
MAX_OFFSET, MAX_OFFSET_SPREAD = 3.0, 1.4  # between letters and the end of their boxes, in heights of a capital
MAX_INDENT_SPREAD = 5  # between letters and the left side of their boxes, in heights of a capital
MAX_MIDDLE_SPREAD = 0.12  # of a box's width: letters in the middle of their panels are so alike in place
LEFT_SHARE, RIGHT_SHARE = 0.35, 0.65  # of a box's width: letters in its left part, and in its right one


_Lean = Literal["first", "middle", "second"]  # of two letters the one nearer to the cut between them


class _Where(NamedTuple):
    """Where in its panel a letter stands."""

    end: Literal["above", "below"]
    side: Literal["left", "middle"]


# Tried in this order. Letters at the right of drawings are not: a gap inside a panel looks like one between panels.
_PLACES = (_Where("above", "left"), _Where("below", "middle"), _Where("below", "left"))


class _Cut(NamedTuple):
    """Where a box may be cut, and how good that is; cuts sort by it."""

    score: float
    axis: int
    at: int


class _Space(NamedTuple):
    """What is free along one axis between two neighbouring letters, in pixels."""

    start: float
    stop: float


def split_around(copy: WorkingCopy, letters: Sequence[Letter]) -> list[Box]:
    """A box around each letter, if the letters then stand in one place of their boxes: above, below or in a corner."""
    for reach, where in itertools.product((None, MAX_OFFSET_SPREAD), _PLACES):
        pieces = _pieces(copy, copy.whole, letters, where, reach, itertools.count())
        boxes = [trim(copy, pieces[letter]) for letter in letters] if pieces else []
        if boxes and _fit(copy, boxes, letters, where):
            return boxes
    return []


def _pieces(
    copy: WorkingCopy,
    box: Box,
    letters: Sequence[Letter],
    where: _Where,
    reach: float | None,
    steps: Iterator[int],
) -> dict[Letter, Box]:
    """The piece of the box that each letter gets when it is parted until every piece holds one; {} when it cannot be.

    `reach`, in heights of a capital, is how far above or below its letter a panel ends at most; None: wherever the best
    gap is. `steps` counts the pieces looked at.
    """
    if len(letters) == 1:
        return {letters[0]: box}
    if next(steps) >= MAX_STEPS:
        return {}
    best = sorted(_cuts(copy, box, letters, where, reach), reverse=True)[:MAX_CUTS]
    if _leave_doubt(copy, box, letters, where, best):
        return {}
    for _, axis, at in best:
        before = [letter for letter in letters if sum(_span(letter, axis)) / 2 < at]
        after = [letter for letter in letters if letter not in before]
        first, second = halves(box, axis, at)
        one = _pieces(copy, first, before, where, reach, steps)
        two = _pieces(copy, second, after, where, reach, steps) if one else {}
        if two:
            return one | two
    return {}


def _leave_doubt(copy: WorkingCopy, box: Box, letters: Sequence[Letter], where: _Where, cuts: list[_Cut]) -> bool:
    """Whether the best cut gives a drawing to one letter that another cut, across it, gives to a letter read later.

    A and B stand above C: a cut down the page gives what is right of C to B, one across the page to C. In this order
    letters are read by rows: the cut across comes first, unless it is the worse one, and then nobody knows.
    """
    if not cuts:
        return False
    best, crossing = cuts[0], [cut for cut in cuts if cut.axis != cuts[0].axis]
    corners = ((best.at, cut.at) if best.axis == 0 else (cut.at, best.at) for cut in crossing)
    return any(_is_shared(copy, box, letters, where, corner, best.axis) for corner in corners)


def _is_shared(
    copy: WorkingCopy, box: Box, letters: Sequence[Letter], where: _Where, corner: tuple[int, int], axis: int
) -> bool:
    """Whether of the quarters around a corner the one farthest from where letters stand holds none, but a drawing, and
    a cut along the axis goes against the order in which the letters of the quarters beside it are read.
    """
    x, y = corner
    lower = where.end == "above"
    quarters = [(sum(_span(letter, 0)) / 2 > x, (sum(_span(letter, 1)) / 2 > y) == lower) for letter in letters]
    beside, below = (True, False), (False, True)
    if set(quarters) != {(False, False), beside, below}:
        return False
    by_rows = (quarters.index(beside) < quarters.index(below)) == lower
    if by_rows == (axis == 1):
        return False
    x0, y0, x1, y1 = (x, y, box[2], box[3]) if lower else (x, box[1], box[2], y)
    return bool(copy.ink[y0:y1, x0:x1].any()) and large_enough(copy, [trim(copy, (x0, y0, x1, y1))])


def _span(letter: Letter, axis: int) -> tuple[float, float]:
    return (letter.x0, letter.x1) if axis == 0 else (letter.y0, letter.y1)


def _cuts(copy: WorkingCopy, box: Box, letters: Sequence[Letter], where: _Where, reach: float | None) -> Iterator[_Cut]:
    """The best cut between each two neighbouring letters along each axis."""
    for axis in (0, 1):
        spaces = _spaces(letters, axis)
        if not spaces:
            continue
        gaps = empty_gaps(copy, box, axis)
        lean = _lean(axis, where)
        for space in spaces:
            if axis == 1 and reach is not None:
                space = _near(space, lean, reach * letters[0].capital_px)
            cut = _cut_in_gap(copy, box, axis, gaps, space, lean)
            cut = cut or _cut_at_edge(copy, box, axis, space, lean, letters[0].capital_px)
            if cut:
                yield cut


def _spaces(letters: Sequence[Letter], axis: int) -> list[_Space]:
    """The spaces between letters that are neighbours along the axis."""
    spans = sorted(_span(letter, axis) for letter in letters)
    between = [_Space(end, begin) for (_, end), (begin, _) in itertools.pairwise(spans)]
    return [space for space in between if space.stop - space.start >= MIN_SPACE_PX]


def _lean(axis: int, where: _Where) -> _Lean:
    """Where between two letters the cut is: just before the second one where letters stand at the start of panels."""
    if axis == 1:
        return "second" if where.end == "above" else "first"
    return "second" if where.side == "left" else "middle"


def _near(space: _Space, lean: _Lean, reach_px: float) -> _Space:
    """The part of a space that is near the letter at its end, or at its start."""
    if lean == "second":
        return _Space(max(space.start, space.stop - reach_px), space.stop)
    return _Space(space.start, min(space.stop, space.start + reach_px))


# ---- cuts in empty stripes ----


def _cut_in_gap(copy: WorkingCopy, box: Box, axis: int, gaps: list[Gap], space: _Space, lean: _Lean) -> _Cut | None:
    """The cut in the best gap of the space between two letters, if there is one."""
    reaching = [gap for gap in gaps if min(gap.stop, space.stop) - max(gap.start, space.start) >= 1]
    if not reaching:
        return None
    gap = max(reaching, key=lambda gap: _score(gap, space, lean))
    stripe = Gap(max(gap.start, round(space.start)), min(gap.stop, round(space.stop)))
    return _Cut(_score(gap, space, lean), axis, _place(copy, box, axis, stripe, lean))


def _score(gap: Gap, space: _Space, lean: _Lean) -> float:
    """How good a gap is: its width, and more when it is near the letter to which the cut leans, or in the middle."""
    from_first = max(gap.start, space.start) - space.start
    from_second = space.stop - min(gap.stop, space.stop)
    distance = {"first": from_first, "second": from_second, "middle": abs(from_first - from_second)}[lean]
    return (gap.width + 1) * (1 - FAR_GAP_DISCOUNT * distance / (space.stop - space.start))


def _place(copy: WorkingCopy, box: Box, axis: int, stripe: Gap, lean: _Lean) -> int:
    """Where to cut in an empty stripe: near its end (or start), yet not in the margin of a pale panel."""
    x0, y0, x1, y1 = box
    start, stop = stripe.start, stripe.stop
    tint = copy.tint[y0:y1, start:stop] if axis == 0 else copy.tint[start:stop, x0:x1]
    clear = runs(tint.mean(axis=axis) < PALE_SHARE) or [(0, stop - start)]
    first, last = clear[0] if lean == "first" else clear[-1]
    margin = min(CUT_MARGIN_PX, (last - first) // 2)
    if lean != "first":
        return start + last - margin
    return start + first + max(margin, 1)


# ---- cuts where photographs touch ----


def _cut_at_edge(copy: WorkingCopy, box: Box, axis: int, space: _Space, lean: _Lean, capital_px: float) -> _Cut | None:
    """The cut where two photographs touch, at the letter to which the cut leans: one straight edge across the box."""
    near = space if lean == "middle" else _near(space, lean, EDGE_REACH * capital_px)
    first = max(1, round(near.start))
    last = min(round(near.stop), copy.grey.shape[1 - axis] - 1)
    if last - first < MIN_EDGE_RANGE_PX:
        return None
    start = max(0, first - EDGE_PX)
    shares = _edge_shares(copy, box, axis, slice(start, last + EDGE_PX))
    best = int(shares.argmax())
    others = np.delete(shares, slice(max(0, best - EDGE_PX), best + EDGE_PX + 1))
    rival = len(others) > 0 and others.max() > RIVAL_EDGE_SHARE * shares[best]
    if shares[best] < EDGE_SHARE or rival:
        return None
    return _Cut(0.0, axis, start + EDGE_PX + best)


def _edge_shares(copy: WorkingCopy, box: Box, axis: int, around: slice) -> np.ndarray:
    """For each place in `around`, but for its ends, the share of the box's rows (or columns) with an edge there."""
    x0, y0, x1, y1 = box
    stripe = copy.grey[y0:y1, around] if axis == 0 else copy.grey[around, x0:x1].T  # (across, along the axis)
    means = cv2.blur(stripe, (EDGE_PX, 1)).astype(np.int16)[:, EDGE_PX // 2 : -(EDGE_PX // 2)]
    steps = np.abs(means[:, EDGE_PX:] - means[:, :-EDGE_PX])
    return (steps > EDGE_LEVELS).mean(axis=0)


# ---- whether the pieces make sense ----


def _fit(copy: WorkingCopy, boxes: list[Box], letters: Sequence[Letter], where: _Where) -> bool:
    """Whether the boxes are large enough and the letters stand at the same end and side of them."""
    if not large_enough(copy, boxes):
        return False
    pairs = list(zip(boxes, letters, strict=True))
    offsets = [_offset(box, letter, where) for box, letter in pairs]
    if max(offsets) > MAX_OFFSET or max(offsets) - min(offsets) > MAX_OFFSET_SPREAD:
        return False
    across = [_across(box, letter) for box, letter in pairs]
    if where.side == "middle":
        alike = max(across) - min(across) <= MAX_MIDDLE_SPREAD
        return alike and min(across) > LEFT_SHARE and max(across) < RIGHT_SHARE
    if where.end == "below":
        return max(across) < LEFT_SHARE
    indents = [(letter.x0 - box[0]) / letter.capital_px for box, letter in pairs]
    apart = min(across) < LEFT_SHARE and max(across) > RIGHT_SHARE
    return not apart and max(indents) - min(indents) <= MAX_INDENT_SPREAD


def _offset(box: Box, letter: Letter, where: _Where) -> float:
    """From the upper or lower end of a box to its letter, in heights of a capital."""
    _, y0, _, y1 = box
    return (letter.y0 - y0 if where.end == "above" else y1 - letter.y1) / letter.capital_px


def _across(box: Box, letter: Letter) -> float:
    """Where the middle of a letter stands in its box, from 0 (left) to 1 (right)."""
    x0, _, x1, _ = box
    return ((letter.x0 + letter.x1) / 2 - x0) / (x1 - x0)

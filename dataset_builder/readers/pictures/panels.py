"""Split a compound figure into its panels.

The caption says how many panels there are and what their letters are; a figure is split only if the picture agrees:

1. Letters of one size that stand in the order of the alphabet are found in the picture (or given by the caller, from a
   PDF's text). Cuts along empty rows and columns, or along straight edges between photographs that touch, part the
   picture until each piece holds one letter, in the same place of each piece.
2. Without letters, pieces of about one size, or photographs, as many as the caption names, with gaps between them that
   are much wider than any other.

An unsure figure stays whole.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from dataset_builder.readers.article import Panel
from dataset_builder.readers.pictures.panel_captions import caption_parts
from dataset_builder.readers.pictures.panel_letters import Letter, find_letters

WORK_SIDE_PX = 1200  # longest side of the copy on which letters and gaps are looked for
MIN_SIDE_SHARE = 0.06  # of a panel: its sides, as a share of the figure's longest side
INK_LEVELS = 24  # a pixel differs from the background by more than this; JPEG noise stays below
FRAME_PX, FRAME_SHARE, FRAME_REACH_SHARE = 5, 0.9, 0.03  # thickness, share of the side, distance from the border
TINT_LEVELS = 6  # a pale panel differs from the background by more than this
PAPER_SHARE = 0.6  # of the border has the colour of the background, where that is not white
NOISE_SHARE = 0.001  # of a row or column that is empty may be ink
GIVEN_HEIGHT_SHARE = 0.02  # of the figure's longest side: height of letters of which only the centre is known
SURE_SCORE = (
    0.78  # of a letter (see panel_letters); a less sure one counts where it stands in line with a sure one of its size
)
SIZE_TOLERANCE = 0.13  # letters of one figure differ less in size
MAX_OFFSET, MAX_OFFSET_SPREAD = 3.0, 1.4  # between letters and the end of their boxes, in heights of a capital
MAX_CHOICES = 64  # ways to pick one of several places for each letter
MAX_TRIES = 6  # of these ways
MAX_STEPS = 150  # pieces looked at in one try
GRID_GAP_RATIO = 1.6  # a grid's gaps are wider than any other by at least this
GRID_SIZE_RATIO = 0.7  # the smallest piece of a grid against its largest, in width and in height
MIN_GRID_GAP_SHARE = 0.0025  # of the figure's longest side: narrower gaps make no grid
SOLID_SHARE = 0.9  # of a photograph's frame and area that differs from the background
PALE_SHARE = 0.2  # of a row or column that a pale panel reaches into
CUT_MARGIN_PX = 3  # between a cut and the panel whose letter it stands before
TINT_SHARE = 0.5  # of a row or column of a pale panel; noise around letters is less
EDGE_SHARE = 0.75  # of an edge between touching photographs is visible
EDGE_PX = 3  # pixels on each side of an edge whose means are compared
EDGE_LEVELS = 14  # step in grey level that makes it visible

Box = tuple[int, int, int, int]  # x0, y0, x1, y1 in pixels of the working copy


@dataclass(frozen=True)
class _Page:
    """The working copy, where it differs from its background, clearly (`ink`) or at all (`tint`), and from black."""

    grey: np.ndarray  # (height, width) uint8
    ink: np.ndarray  # (height, width) uint8, 0 or 1
    tint: np.ndarray  # (height, width) uint8, 0 or 1
    light: np.ndarray  # (height, width) uint8, 0 or 1
    scale: float  # working pixels for each pixel of the picture


@dataclass(frozen=True)
class _Gap:
    """An empty stripe across a box, from `start` to `stop` in working pixels."""

    start: int
    stop: int

    @property
    def width(self) -> int:
        return self.stop - self.start


def split_panels(
    image: Image.Image, caption: str | None, letters: Sequence[tuple[str, float, float]] = ()
) -> list[Panel]:
    """The panels of a compound figure in the order of their letters, or an empty list when the picture leaves doubt.

    `letters` are single letters, brackets around them or not, with their centre in pixels of `image`, where a PDF's
    text layer gives them. Boxes are x0, y0, x1, y1 in pixels of `image`, do not overlap and leave out margins; captions
    are the parts of `caption`.
    """
    parts = caption_parts(caption)
    if len(parts) < 2 or min(image.size) < 32:
        return []
    page = _page(image)
    labels = list(parts)
    beyond = chr(ord(labels[-1]) + 1)
    given, found = _given(page, letters), find_letters(page.grey, "".join(labels) + beyond)
    boxes = _boxes_by_letters(page, labels, given, found) or _boxes_of_grid(page, labels, given + found)
    if not boxes:
        return []
    width, height = image.size
    panels = []
    for (label, text), box in zip(parts.items(), boxes, strict=True):
        x0, y0, x1, y1 = (value / page.scale for value in box)
        panels.append(
            Panel(
                label,
                [max(0, round(x0)), max(0, round(y0)), min(width, round(x1)), min(height, round(y1))],
                text or None,
            )
        )
    return panels


def with_captions(panels: list[Panel], caption: str | None) -> list[Panel]:
    """The same panels with what another text of the caption says about them; None where it says nothing."""
    parts = {label.casefold(): text for label, text in caption_parts(caption).items()}
    return [Panel(panel.label, list(panel.bbox), parts.get(panel.label.casefold()) or None) for panel in panels]


def _page(image: Image.Image) -> _Page:
    scale = min(1.0, WORK_SIDE_PX / max(image.size))
    pixels = np.asarray(image if image.mode in ("L", "RGB") else image.convert("RGB"))
    if scale < 1:
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_LINEAR if scale > 0.5 else cv2.INTER_AREA)
    grey = darkest = pixels
    if pixels.ndim == 3:
        grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
        red, green, blue = cv2.split(pixels)
        darkest = cv2.min(cv2.min(red, green), blue)  # pale colours are ink too
    border = np.bincount(np.concatenate([darkest[0], darkest[-1], darkest[:, 0], darkest[:, -1]]), minlength=256)
    background = 200 + int(border[200:].argmax())
    # Photographs may reach the border; the gaps between them are then white.
    if border[max(0, background - 2) : background + 3].sum() < PAPER_SHARE * border.sum():
        background = 255
    ink, tint = (_unlike(darkest, background, levels) for levels in (INK_LEVELS, TINT_LEVELS))
    light = cv2.threshold(grey, INK_LEVELS, 1, cv2.THRESH_BINARY)[1]
    return _Page(grey, _without_frame(ink), tint, light, scale)


def _unlike(pixels: np.ndarray, level: int, tolerance: int) -> np.ndarray:
    """1 where `pixels` (height, width) differ from the level and from white by more than the tolerance, else 0."""
    like = cv2.inRange(pixels, max(0, level - tolerance), min(255, level + tolerance))
    white = cv2.inRange(pixels, 255 - tolerance, 255)
    return cv2.threshold(cv2.bitwise_or(like, white), 0, 1, cv2.THRESH_BINARY_INV)[1]


def _without_frame(ink: np.ndarray) -> np.ndarray:
    """The ink without thin lines along the picture's borders: frames, and rules of the page it was cut from."""
    for lines in (ink, ink.T):  # rows, columns
        reach = max(8, int(FRAME_REACH_SHARE * len(lines)))
        for edge in (lines[:reach], lines[::-1][:reach]):
            full = edge.mean(axis=1) > FRAME_SHARE
            if 0 < full.sum() <= FRAME_PX and edge[-1].mean() < 0.5:  # and no photograph begins there
                edge[full] = 0
    return ink


# ---- by letters ----


def _boxes_by_letters(page: _Page, labels: list[str], given: list[Letter], found: list[Letter]) -> list[Box]:
    """One box for each label, or none. Each way to place the letters is tried, those that line up best first."""
    for places in (given, found):
        for choice in _choices(places, labels)[:MAX_TRIES]:
            if boxes := _split_around(page, choice):
                return boxes
    return []


def _given(page: _Page, given: Sequence[tuple[str, float, float]]) -> list[Letter]:
    height, width = page.grey.shape
    half = GIVEN_HEIGHT_SHARE * max(width, height) / 2
    centres = [(text.strip("()[].:, "), x * page.scale, y * page.scale) for text, x, y in given]
    inside = [(char, x, y) for char, x, y in centres if 0 <= x < width and 0 <= y < height]
    return [Letter(char, x - half, y - half, x + half, y + half, 2 * half, 1.0) for char, x, y in inside]


def _choices(places: list[Letter], labels: list[str]) -> list[tuple[Letter, ...]]:
    """Ways to give each label one letter, all of one size and in reading order by rows or columns; tidy ones first."""
    beyond = chr(ord(labels[-1]) + 1)
    sure = [place for place in places if place.score >= SURE_SCORE]
    places = sure + [p for p in places if p.score < SURE_SCORE and any(_in_line(p, other) for other in sure)]
    choices = set()
    for names in ([label.upper() for label in labels], [label.lower() for label in labels]):
        for seed in (place for place in places if place.char == names[0]):
            alike = [p for p in places if abs(p.capital_px - seed.capital_px) <= SIZE_TOLERANCE * seed.capital_px + 1]
            options = [[p for p in alike if p.char == name] for name in names[1:]]
            if math.prod(len(option) for option in options) <= MAX_CHOICES:
                choices.update((seed, *rest) for rest in itertools.product(*options))
    further = [place for place in sure if place.char.lower() == beyond.lower()]
    return sorted((c for c in choices if _in_order(c) and not _continued(c, further)), key=_disorder)


def _continued(letters: Sequence[Letter], further: list[Letter]) -> bool:
    """Whether one of the further letters stands in line with them: the figure has more panels than the caption says."""
    return any(_in_line(other, letter) and _in_order((letters[-1], other)) for other in further for letter in letters)


def _in_line(letter: Letter, other: Letter) -> bool:
    """Whether two letters of one size stand exactly below or beside each other."""
    near = 0.2 * other.capital_px + 1
    same_size = abs(letter.capital_px - other.capital_px) <= SIZE_TOLERANCE * other.capital_px + 1
    return same_size and (abs(letter.x0 - other.x0) <= near or abs(letter.y1 - other.y1) <= near)


def _in_order(letters: Sequence[Letter]) -> bool:
    """Whether each letter stands right of or below the one before it."""
    return all(b.x0 >= a.x1 or b.y0 >= a.y1 for a, b in itertools.pairwise(letters))


def _disorder(letters: Sequence[Letter]) -> float:
    """How many different rows and columns the letters stand in, less how sure they are."""
    tolerance = max(letter.capital_px for letter in letters)
    lines = _lines([letter.x0 for letter in letters], tolerance) + _lines([letter.y1 for letter in letters], tolerance)
    return lines - sum(letter.score for letter in letters) / len(letters)


def _lines(values: list[float], tolerance: float) -> int:
    ordered = sorted(values)
    return 1 + sum(b - a > tolerance for a, b in itertools.pairwise(ordered))


def _split_around(page: _Page, letters: Sequence[Letter]) -> list[Box]:
    """A box around each letter, if the letters then stand in one place of their boxes: above, below or in a corner."""
    height, width = page.grey.shape
    for where in ("above", "below"):
        members, steps = list(range(len(letters))), itertools.count()
        boxes = _cut(page, (0, 0, width, height), members, letters, where, steps)
        ordered = [_trim(page, boxes[i]) for i in sorted(boxes)]
        if ordered and _fit(page, ordered, letters, where):
            return ordered
    return []


def _cut(
    page: _Page, box: Box, members: list[int], letters: Sequence[Letter], where: str, steps: Iterator[int]
) -> dict[int, Box]:
    """Part the box until each piece holds one of the letters `members`; {} when that is not possible.

    `steps` counts the pieces looked at; MAX_STEPS bounds the work on pictures full of letters and gaps.
    """
    if len(members) == 1:
        return {members[0]: box}
    if next(steps) >= MAX_STEPS:
        return {}
    for _, axis, at in sorted(_cuts(page, box, members, letters, where), reverse=True)[:4]:
        start, stop = ("x0", "x1") if axis == 0 else ("y0", "y1")
        before = [i for i in members if (getattr(letters[i], start) + getattr(letters[i], stop)) / 2 < at]
        after = [i for i in members if i not in before]
        first, second = _halves(box, axis, at)
        one = _cut(page, first, before, letters, where, steps)
        two = _cut(page, second, after, letters, where, steps) if one else {}
        if two:
            return one | two
    return {}


def _halves(box: Box, axis: int, at: int) -> tuple[Box, Box]:
    x0, y0, x1, y1 = box
    return ((x0, y0, at, y1), (at, y0, x1, y1)) if axis == 0 else ((x0, y0, x1, at), (x0, at, x1, y1))


def _cuts(page: _Page, box: Box, members: list[int], letters: Sequence[Letter], where: str) -> list[tuple]:
    """(score, axis, place) of the best cut between each two neighbouring letters along x (axis 0) and y (axis 1)."""
    cuts = []
    for axis in (0, 1):
        spans = sorted((letters[i].x0, letters[i].x1) if axis == 0 else (letters[i].y0, letters[i].y1) for i in members)
        gaps = None
        for (_, end), (begin, _) in itertools.pairwise(spans):
            if begin - end < 2:
                continue
            if gaps is None:
                gaps = _gaps(page, box, axis)
            at_end = where == "above" or axis == 0
            if best := _best_gap(gaps, end, begin, at_end):
                score, gap = best
                stripe = max(gap.start, round(end)), min(gap.stop, round(begin))
                cuts.append((score, axis, _place(page, box, axis, stripe, at_end)))
            elif (edge := _edge(page, box, axis, end, begin, letters[members[0]].capital_px)) is not None:
                cuts.append((0.0, axis, edge))
    return cuts


def _place(page: _Page, box: Box, axis: int, stripe: tuple[int, int], at_end: bool) -> int:
    """Where to cut in an empty stripe: near its end (or start), yet not in the margin of a pale panel."""
    start, stop = stripe
    x0, y0, x1, y1 = box
    tint = page.tint[y0:y1, start:stop] if axis == 0 else page.tint[start:stop, x0:x1]
    clear = _runs(tint.mean(axis=axis) < PALE_SHARE) or [(0, stop - start)]
    first, last = clear[-1] if at_end else clear[0]
    margin = min(CUT_MARGIN_PX, (last - first) // 2)
    return start + (last - margin if at_end else first + max(margin, 1))


def _best_gap(gaps: list[_Gap], end: float, begin: float, at_end: bool) -> tuple[float, _Gap] | None:
    """The widest gap between two letters; one near the second (or, with letters below, the first) counts more."""
    best = None
    for gap in gaps:
        start, stop = max(gap.start, end), min(gap.stop, begin)
        if stop - start < 1:
            continue
        distance = (begin - stop if at_end else start - end) / (begin - end)
        score = (gap.width + 1) * (1 - 0.9 * distance)
        if best is None or score > best[0]:
            best = score, gap
    return best


def _gaps(page: _Page, box: Box, axis: int) -> list[_Gap]:
    """Empty stripes across the box: columns for axis 0, rows for axis 1, white (background) or black all along."""
    x0, y0, x1, y1 = box
    offset = x0 if axis == 0 else y0
    length = (y1 - y0) if axis == 0 else (x1 - x0)
    allowed = NOISE_SHARE * length
    empty = np.zeros(x1 - x0 if axis == 0 else y1 - y0, bool)
    for mask in (page.ink, page.light):
        sums = cv2.reduce(mask[y0:y1, x0:x1], axis, cv2.REDUCE_SUM, dtype=cv2.CV_32S).ravel()
        empty |= sums <= allowed
    return [_Gap(start + offset, stop + offset) for start, stop in _runs(empty)]


def _runs(flags: np.ndarray) -> list[tuple[int, int]]:
    """Start and stop of each run of true values."""
    steps = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(int(start), int(stop)) for start, stop in steps.reshape(-1, 2)]


def _edge(page: _Page, box: Box, axis: int, end: float, begin: float, capital_px: float) -> int | None:
    """Where two photographs touch, just ahead of the second's letter: one straight edge across the box."""
    x0, y0, x1, y1 = box
    limit = page.grey.shape[1 - axis] - 1
    first = max(1, round(end), round(begin - 3 * capital_px))
    last = min(round(begin), limit)
    if last - first < 3:
        return None
    around = slice(max(0, first - EDGE_PX), last + EDGE_PX)
    stripe = page.grey[y0:y1, around] if axis == 0 else page.grey[around, x0:x1].T
    means = cv2.blur(stripe, (EDGE_PX, 1)).astype(np.int16)[:, EDGE_PX // 2 : -(EDGE_PX // 2)]
    shares = (np.abs(means[:, EDGE_PX:] - means[:, :-EDGE_PX]) > EDGE_LEVELS).mean(axis=0)
    best = int(shares.argmax())
    rest = np.delete(shares, slice(max(0, best - EDGE_PX), best + EDGE_PX + 1))
    if shares[best] < EDGE_SHARE or (len(rest) and rest.max() > 0.6 * shares[best]):
        return None
    return around.start + EDGE_PX + best


def _trim(page: _Page, box: Box) -> Box:
    """The box without its empty margins."""
    x0, y0, x1, y1 = box
    ink, tint = page.ink[y0:y1, x0:x1], page.tint[y0:y1, x0:x1]
    if not ink.any():
        return box
    columns, rows = (np.flatnonzero(ink.any(axis=axis) | (tint.mean(axis=axis) > TINT_SHARE)) for axis in (0, 1))
    return (x0 + int(columns[0]), y0 + int(rows[0]), x0 + int(columns[-1]) + 1, y0 + int(rows[-1]) + 1)


def _fit(page: _Page, boxes: list[Box], letters: Sequence[Letter], where: str) -> bool:
    """Whether the boxes are large enough and the letters stand at the same end and side of them."""
    if not _large_enough(page, boxes):
        return False
    offsets, sides = [], set()
    for (x0, y0, x1, y1), letter in zip(boxes, letters, strict=True):
        offset = letter.y0 - y0 if where == "above" else y1 - letter.y1
        offsets.append(offset / letter.capital_px)
        across = ((letter.x0 + letter.x1) / 2 - x0) / (x1 - x0)
        sides.add("left" if across < 0.35 else "right" if across > 0.65 else "middle")
    if max(offsets) > MAX_OFFSET or max(offsets) - min(offsets) > MAX_OFFSET_SPREAD:
        return False
    return "right" not in sides or "left" not in sides


def _large_enough(page: _Page, boxes: list[Box]) -> bool:
    side = MIN_SIDE_SHARE * max(page.grey.shape)
    return all(x1 - x0 >= side and y1 - y0 >= side for x0, y0, x1, y1 in boxes)


# ---- by the picture alone ----


def _boxes_of_grid(page: _Page, labels: list[str], letters: list[Letter]) -> list[Box]:
    """A box for each label in reading order: the pieces between the widest gaps, as many as labels.

    They must be of about one size, or each a photograph; no gap that is left may be nearly as wide as those used; and
    no letter may stand at the corner of another letter's piece.
    """
    height, width = page.grey.shape
    pieces, least = [_trim(page, (0, 0, width, height))], float("inf")
    while True:
        gap, k, axis, at = max(
            (_widest_gap(page, piece, k) for k, piece in enumerate(pieces)), key=lambda found: found[0]
        )
        if len(pieces) == len(labels):
            break
        if gap < MIN_GRID_GAP_SHARE * max(width, height):
            return []
        least = min(least, gap)
        pieces[k : k + 1] = [_trim(page, half) for half in _halves(pieces[k], axis, at)]
    if least < GRID_GAP_RATIO * gap or not _large_enough(page, pieces):
        return []
    if not (_alike(pieces) or all(_solid(page, piece) for piece in pieces)):
        return []
    pieces = _reading_order(pieces)
    return [] if _contradicted(pieces, labels, letters) else pieces


def _widest_gap(page: _Page, box: Box, k: int) -> tuple[int, int, int, int]:
    """(width, k, axis, middle) of the widest gap inside the box; width 0 when there is none."""
    gaps = [(gap.width, k, axis, (gap.start + gap.stop) // 2) for axis in (0, 1) for gap in _gaps(page, box, axis)]
    inner = [gap for gap in gaps if box[gap[2]] < gap[3] - gap[0] // 2 and gap[3] + gap[0] // 2 < box[gap[2] + 2]]
    return max(inner, default=(0, k, 0, 0))


def _alike(pieces: list[Box]) -> bool:
    sides = ([x1 - x0 for x0, _, x1, _ in pieces], [y1 - y0 for _, y0, _, y1 in pieces])
    return all(min(values) >= GRID_SIZE_RATIO * max(values) for values in sides)


def _solid(page: _Page, box: Box) -> bool:
    """Whether the box is filled to its edges and corners, as by a photograph."""
    x0, y0, x1, y1 = box
    ink = page.ink[y0:y1, x0:x1]
    frame = np.concatenate([ink[2:4].ravel(), ink[-4:-2].ravel(), ink[:, 2:4].ravel(), ink[:, -4:-2].ravel()])
    return frame.mean() > SOLID_SHARE and ink.mean() > SOLID_SHARE


def _reading_order(pieces: list[Box]) -> list[Box]:
    """Rows from the top, each from the left; of a row is what has its middle in the height of the row's first piece."""
    rest, ordered = sorted(pieces, key=lambda box: box[1]), []
    while rest:
        _, top, _, bottom = rest[0]
        row = [box for box in rest if top <= (box[1] + box[3]) / 2 <= bottom]
        ordered += sorted(row)
        rest = [box for box in rest if box not in row]
    return ordered


def _contradicted(pieces: list[Box], labels: list[str], letters: list[Letter]) -> bool:
    """Whether letters near the corners of the pieces tell another order."""
    right = wrong = 0
    for (x0, y0, x1, y1), label in zip(pieces, labels, strict=True):
        for letter in letters:
            reach = 2 * letter.capital_px
            x, y = (letter.x0 + letter.x1) / 2, (letter.y0 + letter.y1) / 2
            inside = x0 - reach <= x <= x1 + reach and y0 - reach <= y <= y1 + reach
            if inside and min(abs(x - x0), abs(x - x1)) <= reach and min(abs(y - y0), abs(y - y1)) <= reach:
                right, wrong = (right + 1, wrong) if letter.char.lower() == label.lower() else (right, wrong + 1)
    return wrong > 0 and wrong >= right

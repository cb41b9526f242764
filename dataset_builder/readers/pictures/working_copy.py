"""A figure's picture -> the small copy on which its panels are looked for, and where that copy is empty.

In: an image, RGB or L. Out: `WorkingCopy`, at most `WORK_SIDE_PX` a side; boxes and gaps are in its pixels.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

WORK_SIDE_PX = 1200  # longest side
SMOOTH_SCALE = 0.5  # down to this scale linear interpolation loses no line; below it pixels are averaged
INK_LEVELS = 24  # a pixel differs from the background by more than this; JPEG noise stays below
TINT_LEVELS = 6  # a pale panel differs from the background by more than this
PALEST_GROUND = 200  # of 255: a darker border belongs to a photograph, not to the background
GROUND_LEVELS = 2  # the background's colour varies by this on either side
PAPER_SHARE = 0.6  # of the border has the colour of the background, where that is not white
FRAME_PX, FRAME_SHARE, FRAME_REACH_SHARE = 5, 0.9, 0.03  # thickness, share of the side, distance from the border
MIN_FRAME_REACH_PX = 8
PHOTO_EDGE_SHARE = 0.5  # of a row or column in ink at the end of that reach: a photograph begins there, no frame
LINE_SHARE = 0.97  # of a row or column in ink: a line across, of at most FRAME_PX
NOISE_SHARE = 0.001  # of a row or column that is empty may be ink
TINT_SHARE = 0.5  # of a row or column of a pale panel; noise around letters is less
MIN_SIDE_SHARE = 0.06  # of a panel: its sides, as a share of the figure's longest side

Box = tuple[int, int, int, int]  # x0, y0, x1, y1 in pixels of the working copy


@dataclass(frozen=True)
class WorkingCopy:
    """The picture in grey, and where it differs from its background, clearly (`ink`) or at all (`tint`), and from
    black (`light`).
    """

    grey: np.ndarray  # (height, width) uint8
    ink: np.ndarray  # (height, width) uint8, 0 or 1
    tint: np.ndarray  # (height, width) uint8, 0 or 1
    light: np.ndarray  # (height, width) uint8, 0 or 1
    scale: float  # working pixels for each pixel of the picture

    @property
    def whole(self) -> Box:
        height, width = self.grey.shape
        return 0, 0, width, height


@dataclass(frozen=True)
class Gap:
    """An empty stripe across a box, from `start` to `stop` in working pixels."""

    start: int
    stop: int

    @property
    def width(self) -> int:
        return self.stop - self.start


def working_copy(image: Image.Image) -> WorkingCopy:
    """The copy of an image (any mode; RGB and L are not converted first)."""
    scale = min(1.0, WORK_SIDE_PX / max(image.size))
    grey, darkest = _grey_and_darkest(_shrunk(image, scale))
    background = _background(darkest)
    ink = _without_frame(_unlike(darkest, background, INK_LEVELS))
    tint = _unlike(darkest, background, TINT_LEVELS)
    light = cv2.threshold(grey, INK_LEVELS, 1, cv2.THRESH_BINARY)[1]
    return WorkingCopy(grey, ink, tint, light, scale)


def _shrunk(image: Image.Image, scale: float) -> np.ndarray:
    """The pixels (height, width) or (height, width, 3) at the scale."""
    pixels = np.asarray(image if image.mode in ("L", "RGB") else image.convert("RGB"))
    if scale == 1:
        return pixels
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_LINEAR if scale > SMOOTH_SCALE else cv2.INTER_AREA)


def _grey_and_darkest(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The pixels in grey, and the darkest of their three channels: pale colours are ink too. Both (height, width)."""
    if pixels.ndim == 2:
        return pixels, pixels
    red, green, blue = cv2.split(pixels)
    return cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), cv2.min(cv2.min(red, green), blue)


def _background(darkest: np.ndarray) -> int:
    """The level of the background: the commonest pale one along the border, or white where that is not common.

    Photographs may reach the border; the gaps between them are then white.
    """
    border = np.concatenate([darkest[0], darkest[-1], darkest[:, 0], darkest[:, -1]])
    counts = np.bincount(border, minlength=256)  # (256,), pixels of each level
    level = PALEST_GROUND + int(counts[PALEST_GROUND:].argmax())
    alike = counts[max(0, level - GROUND_LEVELS) : level + GROUND_LEVELS + 1].sum()
    return level if alike >= PAPER_SHARE * counts.sum() else 255


def _unlike(pixels: np.ndarray, level: int, tolerance: int) -> np.ndarray:
    """1 where `pixels` (height, width) differ from the level and from white by more than the tolerance, else 0."""
    like = cv2.inRange(pixels, max(0, level - tolerance), min(255, level + tolerance))
    white = cv2.inRange(pixels, 255 - tolerance, 255)
    return cv2.threshold(cv2.bitwise_or(like, white), 0, 1, cv2.THRESH_BINARY_INV)[1]


def _without_frame(ink: np.ndarray) -> np.ndarray:
    """The ink without thin lines along the picture's borders: frames, and rules of the page it was cut from."""
    for lines in (ink, ink.T):  # rows, columns
        reach = max(MIN_FRAME_REACH_PX, int(FRAME_REACH_SHARE * len(lines)))
        for edge in (lines[:reach], lines[::-1][:reach]):
            full = edge.mean(axis=1) > FRAME_SHARE
            photograph = edge[-1].mean() >= PHOTO_EDGE_SHARE
            if 0 < full.sum() <= FRAME_PX and not photograph:
                edge[full] = 0
    return ink


def empty_gaps(copy: WorkingCopy, box: Box, axis: int) -> list[Gap]:
    """Empty stripes across the box: columns for axis 0, rows for axis 1, white (background) or black all along.

    A thin line that runs across the box between two stripes parts them no more than their emptiness does.
    """
    x0, y0, x1, y1 = box
    start, stop = box[axis], box[axis + 2]
    length = (y1 - y0) if axis == 0 else (x1 - x0)  # of a column or row, pixels
    dark, light = (_sums(mask[y0:y1, x0:x1], axis) for mask in (copy.ink, copy.light))
    empty = (dark <= NOISE_SHARE * length) | (light <= NOISE_SHARE * length)
    for first, last in runs(dark >= LINE_SHARE * length):
        between = first > 0 and last < stop - start and empty[first - 1] and empty[last]
        if between and last - first <= FRAME_PX:
            empty[first:last] = True
    return [Gap(first + start, last + start) for first, last in runs(empty)]


def _sums(mask: np.ndarray, axis: int) -> np.ndarray:
    """How many pixels are set in each column (axis 0) or row (axis 1)."""
    return cv2.reduce(mask, axis, cv2.REDUCE_SUM, dtype=cv2.CV_32S).ravel()


def runs(flags: np.ndarray) -> list[tuple[int, int]]:
    """Start and stop of each run of true values."""
    steps = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(int(start), int(stop)) for start, stop in steps.reshape(-1, 2)]


def halves(box: Box, axis: int, at: int) -> tuple[Box, Box]:
    """The two parts of a box cut at x = `at` (axis 0) or y = `at` (axis 1)."""
    x0, y0, x1, y1 = box
    if axis == 0:
        return (x0, y0, at, y1), (at, y0, x1, y1)
    return (x0, y0, x1, at), (x0, at, x1, y1)


def trim(copy: WorkingCopy, box: Box) -> Box:
    """The box without its empty margins."""
    x0, y0, x1, y1 = box
    ink, tint = copy.ink[y0:y1, x0:x1], copy.tint[y0:y1, x0:x1]
    if not cv2.hasNonZero(ink):
        return box
    height, width = ink.shape
    columns = np.flatnonzero((_sums(ink, 0) > 0) | (_sums(tint, 0) > TINT_SHARE * height))
    rows = np.flatnonzero((_sums(ink, 1) > 0) | (_sums(tint, 1) > TINT_SHARE * width))
    return x0 + int(columns[0]), y0 + int(rows[0]), x0 + int(columns[-1]) + 1, y0 + int(rows[-1]) + 1


def large_enough(copy: WorkingCopy, boxes: list[Box]) -> bool:
    """Whether every box may be a panel, by its sides."""
    side = MIN_SIDE_SHARE * max(copy.grey.shape)
    return all(x1 - x0 >= side and y1 - y0 >= side for x0, y0, x1, y1 in boxes)

"""Lines of text in a picture, as OCR read them, and which of them belong together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

Box = tuple[float, float, float, float]  # x0, y0, x1, y1 in pixels of the picture, origin top left

_SAME_ROW = 0.6  # of the lower line's height that two lines of one row share at least
_MAX_GAP_HEIGHTS = 6.0  # heights of a line between a label and its value on the right
_MAX_DROP_HEIGHTS = 1.2  # and between a label and its value below


@dataclass(frozen=True)
class Line:
    """One line of text."""

    text: str
    box: Box
    score: float  # how sure OCR is, 0 to 1
    is_on_dark: bool = False  # light letters on a dark ground, as scanners write them


def neighbours(line: Line, lines: Sequence[Line]) -> Iterator[Line]:
    """What may be the value of a label that stands alone: the next line on its right, and the one below it."""
    right = [other for other in lines if other is not line and _is_right_of(line.box, other.box)]
    below = [other for other in lines if other is not line and _is_below(line.box, other.box)]
    if right:
        yield min(right, key=lambda other: other.box[0])
    if below:
        yield min(below, key=lambda other: other.box[1])


def around(boxes: Sequence[Box]) -> Box:
    """The box around several."""
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def _height(box: Box) -> float:
    return box[3] - box[1]


def _is_right_of(label: Box, other: Box) -> bool:
    shared = min(label[3], other[3]) - max(label[1], other[1])
    lower = min(_height(label), _height(other))
    gap = other[0] - label[2]
    return shared >= _SAME_ROW * lower and -lower <= gap <= _MAX_GAP_HEIGHTS * lower


def _is_below(label: Box, other: Box) -> bool:
    height = _height(label)
    drop = other[1] - label[3]
    is_under = min(label[2], other[2]) > max(label[0], other[0])
    return is_under and -0.5 * height <= drop <= _MAX_DROP_HEIGHTS * height

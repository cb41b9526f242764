"""Lines of text in a picture, as OCR read them, and which of them belong together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

Box = tuple[float, float, float, float]  # x0, y0, x1, y1 in pixels of the picture, origin top left

_SAME_ROW = 0.6  # of the lower line's height that two lines of one row share at least
_MAX_GAP_HEIGHTS = 6.0  # heights of a line between a label and its value on the right
_MAX_TORN_HEIGHTS = 1.5  # and between two parts of what was one line
_UPRIGHT_ASPECT = 1.5  # height / width of the box of a line that runs up or down
_MAX_DROP_HEIGHTS = 1.2  # and between a label and its value below


@dataclass(frozen=True)
class Line:
    """One line of text."""

    text: str
    box: Box
    score: float  # how sure OCR is, 0 to 1
    is_on_picture: bool = False  # not on paper: where scanners write, and charts do not


def neighbours(line: Line, lines: Sequence[Line]) -> Iterator[Line]:
    """What may be the value of a label that stands alone: the next line behind it, and the one below it.

    Of a line that runs up or down the picture both lines above and below it.
    """
    others = [other for other in lines if other is not line]
    if _is_upright(line.box):
        behind = [other for other in others if _is_behind(_turned(line.box), _turned(other.box), _MAX_GAP_HEIGHTS)]
        before = [other for other in others if _is_behind(_turned(other.box), _turned(line.box), _MAX_GAP_HEIGHTS)]
        yield from sorted(behind, key=lambda other: other.box[1])[:1]
        yield from sorted(before, key=lambda other: -other.box[3])[:1]
        return
    behind = [other for other in others if _is_behind(line.box, other.box, _MAX_GAP_HEIGHTS)]
    below = [other for other in others if _is_below(line.box, other.box)]
    yield from sorted(behind, key=lambda other: other.box[0])[:1]
    yield from sorted(below, key=lambda other: other.box[1])[:1]


def torn(lines: Sequence[Line]) -> Iterator[tuple[Line, Line]]:
    """(first, second) of lines that are so close that OCR may have torn one apart."""
    for line in lines:
        for other in lines:
            if other is line or _is_upright(line.box) != _is_upright(other.box):
                continue
            if _is_upright(line.box):
                one, two = _turned(line.box), _turned(other.box)
                if _is_behind(one, two, _MAX_TORN_HEIGHTS) or _is_behind(two, one, _MAX_TORN_HEIGHTS):
                    yield line, other  # and the other way round: nobody knows which end is up
            elif _is_behind(line.box, other.box, _MAX_TORN_HEIGHTS):
                yield line, other


def around(boxes: Sequence[Box]) -> Box:
    """The box around several."""
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def _height(box: Box) -> float:
    return box[3] - box[1]


def _is_upright(box: Box) -> bool:
    """Whether a line runs up or down the picture."""
    return _height(box) > _UPRIGHT_ASPECT * (box[2] - box[0])


def _turned(box: Box) -> Box:
    return box[1], box[0], box[3], box[2]


def _is_behind(first: Box, second: Box, max_gap: float) -> bool:
    """Whether two boxes stand in one row, the second at most so many heights behind the first."""
    shared = min(first[3], second[3]) - max(first[1], second[1])
    lower = min(_height(first), _height(second))
    return shared >= _SAME_ROW * lower and -lower <= second[0] - first[2] <= max_gap * lower


def _is_below(label: Box, other: Box) -> bool:
    height = _height(label)
    drop = other[1] - label[3]
    is_under = min(label[2], other[2]) > max(label[0], other[0])
    return is_under and -0.5 * height <= drop <= _MAX_DROP_HEIGHTS * height

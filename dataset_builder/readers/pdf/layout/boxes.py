"""Rectangles on a page, in points (1/72 inch), origin top left."""

from collections.abc import Iterable
from typing import NamedTuple

INSIDE_SHARE = 0.9  # of its area from which a box counts as standing in another: edges are drawn a little over
HALF = 0.5  # of the lower (or narrower) of two boxes from which they count as one row (or column)


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

    def is_in(self, other: "Box") -> bool:
        """Whether this box stands in `other`, but for its edges."""
        return self.share_in(other) > INSIDE_SHARE

    def is_level_with(self, other: "Box") -> bool:
        """Whether both stand beside each other on one row."""
        return self.y_overlap(other) > HALF * min(self.height, other.height)

    def is_beside(self, other: "Box") -> bool:
        """Whether both stand on one row, neither of them above any part of the other."""
        return self.x_overlap(other) <= 0 and self.is_level_with(other)

    def is_in_column_with(self, other: "Box") -> bool:
        """Whether both stand one below the other in one column."""
        return self.x_overlap(other) > HALF * min(self.width, other.width)

    def is_above(self, other: "Box") -> bool:
        """Whether the middle of this box is higher on the page."""
        return self.y0 + self.y1 < other.y0 + other.y1


def hull(boxes: Iterable[Box]) -> Box:
    """The smallest box around all of them; there is at least one."""
    x0, y0, x1, y1 = zip(*boxes, strict=True)
    return Box(min(x0), min(y0), max(x1), max(y1))

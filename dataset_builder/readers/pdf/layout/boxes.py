"""Rectangles on a page, in points (1/72 inch), origin top left."""

from collections.abc import Iterable
from typing import NamedTuple

INSIDE_SHARE = 0.9  # of its area from which a box counts as standing in another: edges are drawn a little over
HALF = 0.5  # of the lower (or narrower) of two boxes from which they count as one row (or column)


class Box(NamedTuple):
    """x0, y0, x1, y1 in points, origin top left.

    Hundreds of thousands are compared in one article: what asks for that most compares and computes without calls.
    """

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
        x0, y0, x1, y1 = self
        return (x1 - x0) * (y1 - y0) if x1 > x0 and y1 > y0 else 0.0

    def grow(self, by: float) -> "Box":
        return Box(self.x0 - by, self.y0 - by, self.x1 + by, self.y1 + by)

    def hull(self, other: "Box") -> "Box":
        return Box(min(self.x0, other.x0), min(self.y0, other.y0), max(self.x1, other.x1), max(self.y1, other.y1))

    def x_overlap(self, other: "Box") -> float:
        """Common width; negative: the horizontal gap."""
        x0, _, x1, _ = self
        other_x0, _, other_x1, _ = other
        return (x1 if x1 < other_x1 else other_x1) - (x0 if x0 > other_x0 else other_x0)

    def y_overlap(self, other: "Box") -> float:
        """Common height; negative: the vertical gap."""
        _, y0, _, y1 = self
        _, other_y0, _, other_y1 = other
        return (y1 if y1 < other_y1 else other_y1) - (y0 if y0 > other_y0 else other_y0)

    def overlap(self, other: "Box") -> float:
        """Common area, square points."""
        width = self.x_overlap(other)
        if width <= 0:
            return 0.0
        height = self.y_overlap(other)
        return width * height if height > 0 else 0.0

    def gap(self, other: "Box") -> float:
        """Distance between the nearest points of two boxes."""
        return (max(0.0, -self.x_overlap(other)) ** 2 + max(0.0, -self.y_overlap(other)) ** 2) ** 0.5

    def share_in(self, other: "Box") -> float:
        """Part of this box's area that lies in `other`, 0–1."""
        common = self.overlap(other)
        return common / self.area if common else 0.0

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

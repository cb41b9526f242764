"""Rectangles: gaps, shares, rows and columns."""

import random

from dataset_builder.readers.pdf.layout.boxes import Box


def test_boxes_measure_gaps_and_shares():
    a, b = Box(0, 0, 10, 10), Box(13, 14, 20, 20)
    assert a.gap(b) == 5
    assert a.overlap(b) == 0
    assert a.hull(b) == Box(0, 0, 20, 20)
    assert Box(5, 5, 15, 15).share_in(a) == 0.25
    assert Box(3, 3, 3, 9).share_in(a) == 0


def test_rows_and_columns():
    a = Box(0, 0, 10, 10)
    assert a.is_level_with(Box(50, 4, 60, 24))
    assert not a.is_level_with(Box(50, 6, 60, 26))
    assert a.is_in_column_with(Box(4, 50, 24, 60))
    assert not a.is_in_column_with(Box(6, 50, 26, 60))
    assert a.is_above(Box(0, 1, 10, 11))
    assert Box(1, 1, 9, 9).is_in(a)
    assert not Box(-2, 1, 9, 9).is_in(a)


def test_what_is_compared_most_agrees_with_its_definition():
    """Also boxes that touch, lie in each other, have no area or their corners exchanged."""
    draw = random.Random(0)
    boxes = [Box(*(draw.randrange(6) for _ in range(4))) for _ in range(200)]
    for a, b in zip(boxes, boxes[1:], strict=False):
        width, height = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
        area = max(0, a.x1 - a.x0) * max(0, a.y1 - a.y0)
        assert (a.x_overlap(b), a.y_overlap(b), a.area) == (width, height, area)
        assert a.overlap(b) == max(0, width) * max(0, height)
        if area:
            assert a.share_in(b) == a.overlap(b) / area

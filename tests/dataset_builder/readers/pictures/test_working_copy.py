"""Where a picture is empty."""

import numpy as np
import pytest
from PIL import Image

from dataset_builder.readers.pictures.working_copy import (
    WORK_SIDE_PX,
    Gap,
    empty_gaps,
    halves,
    large_enough,
    runs,
    trim,
    working_copy,
)


def copy_of(boxes, size=(300, 200), ground=255):
    """The working copy of a picture with dark boxes x0, y0, x1, y1."""
    pixels = np.full((size[1], size[0]), ground, np.uint8)
    for x0, y0, x1, y1 in boxes:
        pixels[y0:y1, x0:x1] = 90
    return working_copy(Image.fromarray(pixels))


TWO = [(20, 30, 120, 180), (160, 30, 280, 170)]


@pytest.mark.parametrize("ground", [255, 240])
def test_gaps_are_columns_or_rows_without_ink_on_any_pale_ground(ground):
    copy = copy_of(TWO, ground=ground)
    assert empty_gaps(copy, copy.whole, 0) == [Gap(0, 20), Gap(120, 160), Gap(280, 300)]
    assert empty_gaps(copy, copy.whole, 1) == [Gap(0, 30), Gap(180, 200)]
    assert empty_gaps(copy, (150, 0, 300, 200), 1) == [Gap(0, 30), Gap(170, 200)]


def test_margins_are_trimmed():
    copy = copy_of(TWO)
    assert trim(copy, copy.whole) == (20, 30, 280, 180)
    assert trim(copy, (121, 0, 159, 200)) == (121, 0, 159, 200)  # nothing there


def test_a_thin_frame_is_no_ink():
    frame = [(0, 0, 300, 2), (0, 198, 300, 200), (0, 0, 2, 200), (298, 0, 300, 200)]
    assert np.array_equal(copy_of([*frame, *TWO]).ink, copy_of(TWO).ink)


def test_large_pictures_are_shrunk():
    copy = working_copy(Image.new("RGB", (2 * WORK_SIDE_PX, 600), "white"))
    assert copy.scale == 0.5
    assert copy.whole == (0, 0, WORK_SIDE_PX, 300)


def test_runs_and_halves():
    assert runs(np.array([True, False, True, True])) == [(0, 1), (2, 4)]
    assert halves((0, 0, 10, 20), 0, 4) == ((0, 0, 4, 20), (4, 0, 10, 20))
    assert halves((0, 0, 10, 20), 1, 4) == ((0, 0, 10, 4), (0, 4, 10, 20))


def test_a_sliver_is_no_panel():
    copy = copy_of([])
    assert large_enough(copy, [(0, 0, 100, 100)])
    assert not large_enough(copy, [(0, 0, 100, 100), (100, 0, 110, 100)])

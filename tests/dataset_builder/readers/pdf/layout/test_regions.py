"""Which drawings a caption gets, and the region around them."""

import pytest

from dataset_builder.readers.pdf.layout.boxes import Box
from dataset_builder.readers.pdf.layout.lines import Line
from dataset_builder.readers.pdf.layout.regions import clear_of, sees, with_stray_text


def test_region_is_cut_back_from_text_that_it_touches():
    assert clear_of(Box(50, 100, 290, 255), [Box(50, 253, 290, 261)], Box(50, 100, 290, 250)) == Box(
        50, 100, 290, 250.5
    )
    inside = Box(60, 120, 100, 130)
    assert clear_of(Box(50, 100, 290, 255), [inside], Box(50, 100, 290, 250)) == Box(50, 100, 290, 255)


def test_text_between_two_boxes_parts_them_but_not_text_inside_of_one():
    caption, picture = Box(50, 260, 290, 270), Box(50, 100, 290, 250)
    assert sees(caption, picture, [Box(50, 200, 290, 210), Box(310, 252, 550, 262)])
    assert not sees(caption, picture, [Box(50, 252, 290, 259)])


def test_labels_join_the_region_one_after_the_other_up_to_running_text():
    labels = [Line("Dose (Gy)", Box(100, 255, 140, 263), 8.0), Line("n = 12", Box(100, 268, 140, 276), 8.0)]
    core = Box(50, 100, 290, 250)
    assert with_stray_text(core, labels, []) == Box(49.75, 99.75, 290.25, 277)
    assert with_stray_text(core, labels, [Box(50, 264, 290, 267)]) == Box(49.75, 99.75, 290.25, 264)


@pytest.mark.parametrize(
    ("text", "joins"), [("A", True), ("(b)", True), ("c)", True), ("D.", True), ("12", False), ("mm", False)]
)
@pytest.mark.parametrize("box", [Box(40, 74, 52, 82), Box(160, 272, 172, 280)], ids=["above", "below"])
def test_letters_of_panels_join_the_region_from_farther_away_than_other_text(text, joins, box):
    core, letter = Box(50, 100, 290, 250), Line(text, box, 8.0)
    assert (with_stray_text(core, [letter], []) != with_stray_text(core, [], [])) == joins
    wall = Box(40, 85, 290, 95) if box.y0 < 100 else Box(40, 255, 290, 265)
    assert with_stray_text(core, [letter], [wall]) == with_stray_text(core, [], [])


def test_a_letter_far_from_a_figure_is_none_of_its_panels():
    core = Box(50, 100, 290, 250)
    assert with_stray_text(core, [Line("A", Box(50, 40, 60, 50), 8.0)], []) == with_stray_text(core, [], [])

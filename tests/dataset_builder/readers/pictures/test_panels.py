"""Figures drawn for the test, split into the panels they were drawn from; and figures that must stay whole."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from dataset_builder.readers.article import Panel
from dataset_builder.readers.pictures.panels import split_panels, with_captions
from dataset_builder.sample.figures import KINDS, draw_panels, to_image
from tests.benchmarks.compound_figures import compound_figure, is_right

LETTERS = "ABCDEFGH"


def caption(count: int, letters: str = LETTERS) -> str:
    return "Title. " + " ".join(f"({letter}) Part {letter}." for letter in letters[:count])


def drawn(count: int, columns: int, seed: int = 0) -> tuple[Image.Image, list[list[int]]]:
    """A figure of photographs and plots with white letters' corners, and its panels' boxes."""
    rng = np.random.default_rng(seed)
    kinds = [list(KINDS)[i % 4] for i in range(count)]
    panels = [(kind, {name: values[0] for name, values in KINDS[kind].items()}) for kind in kinds]
    drawing, boxes, size = draw_panels(panels, columns, (240, 200), rng)
    return to_image(drawing, *size), boxes


def photograph(width: int, height: int, brightness: int, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 12, (height, width, 1))
    return (brightness + noise).clip(0, 255).astype(np.uint8).repeat(3, axis=2)


def write(image: Image.Image, place: tuple[int, int], text: str, colour="black", size: int = 22) -> None:
    ImageDraw.Draw(image).text(place, text, fill=colour, font=ImageFont.load_default(size), stroke_width=0)


def assert_same_boxes(panels: list[Panel], boxes: list[list[int]]) -> None:
    """Each box meets the drawn one; white margins of a plot may be left out."""
    assert len(panels) == len(boxes)
    for panel, (x0, y0, x1, y1) in zip(panels, boxes, strict=True):
        a, b, c, d = panel.bbox
        assert x0 - 3 <= a < c <= x1 + 3
        assert y0 - 3 <= b < d <= y1 + 3
        assert (c - a) * (d - b) > 0.65 * (x1 - x0) * (y1 - y0)


@pytest.mark.parametrize(("count", "columns"), [(2, 1), (2, 2), (3, 2), (4, 2), (5, 3), (6, 3), (8, 3)])
def test_drawn_figures_are_split_with_letters_and_captions(count, columns):
    image, boxes = drawn(count, columns)
    panels = split_panels(image, caption(count))
    assert_same_boxes(panels, boxes)
    assert [(p.label, p.caption) for p in panels] == [(x, f"Part {x}.") for x in LETTERS[:count]]


def test_jpeg_noise_does_not_matter(tmp_path):
    image, boxes = drawn(4, 2)
    image.save(tmp_path / "figure.jpg", quality=60)
    assert_same_boxes(split_panels(Image.open(tmp_path / "figure.jpg"), caption(4)), boxes)


def test_huge_and_grey_figures():
    image, boxes = drawn(4, 2)
    larger = image.convert("L").resize((4 * image.width, 4 * image.height))
    assert_same_boxes(split_panels(larger, caption(4)), [[4 * value for value in box] for box in boxes])


def test_letters_decide_where_panels_hold_several_plots():
    """Six plots in two rows; the upper three are panel A, the lower are B and C."""
    image = Image.new("RGB", (640, 420), "white")
    pen = ImageDraw.Draw(image)
    for i in range(6):
        x, y = 30 + 205 * (i % 3), 40 + 205 * (i // 3)
        pen.rectangle((x, y, x + 160, y + 140), outline="black", width=2)
    for letter, place in (("A", (4, 4)), ("B", (4, 209)), ("C", (209, 209))):
        write(image, place, letter)
    panels = split_panels(image, caption(3))
    assert [panel.label for panel in panels] == ["A", "B", "C"]
    assert panels[0].bbox[2] > 590
    assert panels[0].bbox[3] < 205
    assert panels[1].bbox[2] < 205 < panels[2].bbox[0]
    assert panels[2].bbox[2] > 590


@pytest.mark.parametrize("letters", ["abcd", "ABCD"])
def test_letters_below_the_panels_and_of_the_other_case(letters):
    image = Image.new("RGB", (640, 520), "white")
    pen = ImageDraw.Draw(image)
    boxes = []
    for i, letter in enumerate(letters):
        x, y = 20 + 310 * (i % 2), 20 + 255 * (i // 2)
        pen.rectangle((x, y, x + 280, y + 180), outline="black", width=2)
        pen.line((x, y + 180, x + 280, y), fill="blue", width=3)
        write(image, (x + 125, y + 190), f"({letter})")
        boxes.append([x, y, x + 280, y + 225])
    assert_same_boxes(split_panels(image, caption(4)), boxes)


def test_touching_photographs_are_cut_at_their_edges():
    image = Image.fromarray(
        np.vstack(
            [
                np.hstack([photograph(300, 200, 60, 1), photograph(260, 200, 120, 2)]),
                np.hstack([photograph(300, 240, 110, 3), photograph(260, 240, 50, 4)]),
            ]
        )
    )
    boxes = [[0, 0, 300, 200], [300, 0, 560, 200], [0, 200, 300, 440], [300, 200, 560, 440]]
    for letter, (x, y, _, _) in zip("ABCD", boxes, strict=True):
        write(image, (x + 8, y + 4), letter, "white")
    assert_same_boxes(split_panels(image, caption(4)), boxes)


def test_photographs_without_letters_are_taken_in_reading_order():
    image = Image.new("RGB", (620, 500), "white")
    boxes = [[0, 0, 620, 200], [0, 210, 300, 500], [310, 210, 620, 500]]
    for k, (x0, y0, x1, y1) in enumerate(boxes):
        image.paste(Image.fromarray(photograph(x1 - x0, y1 - y0, 90, k)), (x0, y0))
    assert_same_boxes(split_panels(image, caption(3)), boxes)


def test_letters_of_a_pdf_text_layer():
    """Two gels without letters in the picture, of different height: only the text layer tells which is which."""
    image = Image.new("RGB", (400, 600), "white")
    pen = ImageDraw.Draw(image)
    for y0, y1 in ((40, 160), (230, 590)):
        for x in range(20, 380, 40):
            pen.line((x, y0, x + 25, y1), fill="black", width=2)
    assert split_panels(image, caption(2)) == []
    panels = split_panels(image, caption(2), [("A", 12, 30), ("B", 12, 220), ("B", 390, 300)])
    assert [panel.label for panel in panels] == ["A", "B"]
    assert panels[0].bbox[3] <= 200 <= panels[1].bbox[1]


def test_unsure_figures_stay_whole():
    four, _ = drawn(4, 2)
    assert split_panels(four, "One dose map. (A) was given.") == []  # the caption names no panels
    assert split_panels(four, None) == []
    assert split_panels(four, caption(3)) == []  # nor as many as there are
    assert split_panels(four, caption(5)) == []
    single, _ = drawn(1, 1)
    assert split_panels(single, caption(2)) == []
    assert split_panels(Image.new("RGB", (600, 400), "white"), caption(2)) == []
    assert split_panels(Image.new("RGB", (600, 400), "black"), caption(2)) == []
    assert split_panels(Image.new("L", (1, 1)), caption(2)) == []


def test_letters_in_another_order_than_the_pieces_keep_the_figure_whole():
    """A pair of columns, A above B: by rows the letters would be wrong; they are read, so that columns come out."""
    image = Image.new("RGB", (620, 620), "white")
    places = {"A": (0, 0), "C": (320, 0), "B": (0, 320), "D": (320, 320)}
    for k, (letter, (x, y)) in enumerate(places.items()):
        image.paste(Image.fromarray(photograph(300, 300, 70, k)), (x, y))
        write(image, (x + 8, y + 4), letter, "white")
    panels = split_panels(image, caption(4))
    assert_same_boxes(panels, [[x, y, x + 300, y + 300] for x, y in (places[letter] for letter in "ABCD")])


def boxed_plots(places: dict[str, tuple[int, int]], size: tuple[int, int] = (620, 620)) -> Image.Image:
    """Squares of 260 pixels with a diagonal, a letter above each at its left."""
    image = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(image)
    for letter, (x, y) in places.items():
        pen.rectangle((x, y + 30, x + 260, y + 280), outline="black", width=2)
        pen.line((x, y + 280, x + 260, y + 30), fill="blue", width=3)
        write(image, (x, y), letter)
    return image


def test_letters_that_are_marks_in_the_drawing_keep_the_figure_whole():
    """B right of A and above it: no order in which anyone reads."""
    assert split_panels(boxed_plots({"A": (0, 300), "B": (320, 0)}), caption(2)) == []
    assert len(split_panels(boxed_plots({"A": (0, 0), "B": (320, 0)}, (620, 300)), caption(2))) == 2


@pytest.mark.parametrize("gap", [110, 40])
def test_a_drawing_that_two_letters_may_claim_keeps_the_figure_whole(gap):
    """A and B stand above C, whose second drawing stands below B: a cut down the page, in the wide gap between its two
    drawings that goes on between A and B, would give it to B.
    """
    image = Image.new("RGB", (700, 560), "white")
    pen = ImageDraw.Draw(image)
    right = 260 + gap
    for letter, x, y in (("A", 0, 0), ("B", right, 0), ("C", 0, 260)):
        write(image, (x, y), letter)
    for x, y in ((0, 0), (right, 0), (0, 240), (right, 240)):
        pen.rectangle((x + 20, y + 30, x + 250, y + 230), outline="black", width=2)
        pen.line((x + 20, y + 230, x + 250, y + 30), fill="blue", width=3)
    panels = split_panels(image, caption(3))
    if panels:  # by rows
        assert panels[1].bbox[3] < 260 < panels[2].bbox[3]
        assert panels[2].bbox[2] > right
    pen.rectangle((right - 10, 245, 700, 560), fill="white")  # without the second drawing there is no doubt
    assert len(split_panels(image, caption(3))) == 3


@pytest.mark.parametrize("seed", [426, 7081])
def test_drawn_figures_that_were_cut_wrongly(seed):
    figure = compound_figure(seed)
    panels = split_panels(figure.picture, figure.caption)
    assert panels == [] or is_right(figure, panels)


def test_lines_in_the_gutters_part_panels():
    image = boxed_plots({"A": (10, 10), "B": (330, 10), "C": (10, 330), "D": (330, 330)})
    pen = ImageDraw.Draw(image)
    pen.line((0, 315, 620, 315), fill="black", width=2)
    pen.line((310, 0, 310, 620), fill="black", width=2)
    assert [panel.label for panel in split_panels(image, caption(4))] == list("ABCD")


def test_a_title_just_above_the_next_letter_stays_with_its_own_panel():
    image = Image.new("RGB", (500, 640), "white")
    pen = ImageDraw.Draw(image)
    for top, letter in ((0, "A"), (320, "B")):
        write(image, (2, top + 4), letter)
        pen.rectangle((40, top + 20, 480, top + 240), outline="black", width=2)
        write(image, (200, top + 284), "Time (days)")  # farther from its plot than from the next letter
    panels = split_panels(image, caption(2))
    assert [panel.label for panel in panels] == ["A", "B"]
    assert panels[0].bbox[3] > 298
    assert panels[1].bbox[1] >= 320


@pytest.mark.parametrize("mark", ["{}", "({})", "{}."])
def test_letters_on_white_labels_in_dark_photographs(mark):
    """The photograph beside the label is no word of which the letter were a part."""
    boxes = [[0, 0, 300, 240], [320, 0, 620, 240], [0, 260, 620, 500]]
    image = Image.new("RGB", (620, 500), "white")
    for k, (letter, (x0, y0, x1, y1)) in enumerate(zip("ABC", boxes, strict=True)):
        image.paste(Image.fromarray(photograph(x1 - x0, y1 - y0, 60, k)), (x0, y0))
        text = mark.format(letter)
        width = round(ImageFont.load_default(22).getlength(text))
        ImageDraw.Draw(image).rectangle((x0 + 8, y0 + 8, x0 + 16 + width, y0 + 38), fill="white")
        write(image, (x0 + 12, y0 + 8), text)
    assert_same_boxes(split_panels(image, caption(3)), boxes)


def test_letters_in_brackets_of_the_other_case_are_tried_where_the_caption_names_marks_too():
    words = "(a) Retina. A: disc. B: nerve. C: vein. (b) Choroid. A: layer. B: sclera. C: fat."
    image = boxed_plots({"a": (0, 0), "b": (320, 0)}, (620, 300))
    assert [panel.label for panel in split_panels(image, words)] == ["a", "b"]
    assert split_panels(boxed_plots({"x": (0, 0)}, (620, 300)), words) == []


def test_full_width_brackets_of_chinese_and_japanese_captions():
    image = boxed_plots({"a": (0, 0), "b": (320, 0)}, (620, 300))
    panels = split_panels(image, "胸部の画像。（a）正面像。（b）側面像。")
    assert [(panel.label, panel.caption) for panel in panels] == [("a", "正面像。"), ("b", "側面像。")]
    panels = split_panels(image, "影像学检查：（ａ）术前；（ｂ）术后。")
    assert len(panels) == 2


def test_drawn_figures_of_many_styles():
    """None wrong, and most of them split: a number of the benchmark, to notice when a rule spoils it."""
    figures = [compound_figure(seed) for seed in range(48)]
    results = [(figure, split_panels(figure.picture, figure.caption)) for figure in figures]
    assert [figure.style for figure, panels in results if panels and not is_right(figure, panels)] == []
    assert sum(bool(panels) for _, panels in results) >= 0.55 * len(figures)


def test_captions_of_another_text():
    panels = [Panel("a", [0, 0, 10, 10], "Old."), Panel("b", [10, 0, 20, 10], None)]
    assert with_captions(panels, "(A) Knee. (B) Heel.") == [
        Panel("a", [0, 0, 10, 10], "Knee."),
        Panel("b", [10, 0, 20, 10], "Heel."),
    ]
    assert [panel.caption for panel in with_captions(panels, None)] == [None, None]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_boxes_lie_in_the_picture_apart_from_each_other(data):
    """Rectangles and letters anywhere: whatever comes out is as many boxes as letters, and the same the next time."""
    width, height = data.draw(st.integers(40, 400)), data.draw(st.integers(40, 400))
    image = Image.new("RGB", (width, height), data.draw(st.sampled_from(["white", "black", "#e8eef4"])))
    pen = ImageDraw.Draw(image)
    for _ in range(data.draw(st.integers(0, 6))):
        x, y = data.draw(st.integers(0, width - 20)), data.draw(st.integers(0, height - 20))
        sides = data.draw(st.tuples(st.integers(10, 200), st.integers(10, 200)))
        pen.rectangle((x, y, x + sides[0], y + sides[1]), fill=data.draw(st.sampled_from(["grey", "red", "black"])))
    count = data.draw(st.integers(2, 4))
    numbers = st.floats(-50, 450, allow_nan=False)
    letters = data.draw(st.lists(st.tuples(st.sampled_from(LETTERS[:count]), numbers, numbers), max_size=6))
    panels = split_panels(image, caption(count), letters)
    assert panels == split_panels(image, caption(count), letters)
    assert len(panels) in (0, count)
    for i, panel in enumerate(panels):
        x0, y0, x1, y1 = panel.bbox
        assert 0 <= x0 < x1 <= width
        assert 0 <= y0 < y1 <= height
        for other in panels[:i]:
            a, b, c, d = other.bbox
            assert x1 <= a or c <= x0 or y1 <= b or d <= y0


def test_noise_with_more_patches_than_a_small_integer_counts():
    noise = np.random.default_rng(0).integers(0, 256, (1200, 1200, 3), dtype=np.uint8)
    assert split_panels(Image.fromarray(noise), caption(4)) == []

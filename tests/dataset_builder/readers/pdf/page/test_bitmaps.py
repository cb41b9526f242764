"""A figure that is one bitmap of low resolution is kept as it is; anything else is rendered."""

import numpy as np
import pytest
from PIL import Image

from dataset_builder.readers.pdf.reader import read_pdf
from tests.dataset_builder.readers.paper import Paper, image_of, prose

SIZE = (240, 160)  # pixels of the bitmap


def checks(mode: str = "RGB", size: tuple[int, int] = SIZE) -> Image.Image:
    """A sharp bitmap: noise under coarse fields of colour, so that a flip shows."""
    rng = np.random.default_rng(0)
    fields = rng.integers(40, 216, (4, 6, 3)).repeat(40, axis=0).repeat(40, axis=1)
    pixels = (fields + rng.integers(-30, 30, fields.shape)).clip(0, 255).astype(np.uint8)
    return Image.fromarray(pixels).resize(size, Image.Resampling.NEAREST).convert(mode)


def read_figure(tmp_path, bitmap: Image.Image, width: float = 300, height: float = 200, on_top=None, mask=None):
    bitmap.save(tmp_path / "bitmap.png")
    paper = Paper(tmp_path / "a.pdf")
    paper.text(60, 60, 475, prose(1, 12))
    paper.canvas.drawImage(str(tmp_path / "bitmap.png"), 100, paper.height - 450, width, height, mask=mask)
    if on_top:
        on_top(paper)
    paper.caption(60, 460, 475, "Figure 1. Pain after treatment.")
    paper.text(60, 500, 475, prose(2, 15))
    return read_pdf(paper.save()).figures[0]


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_bitmap_of_low_resolution_keeps_its_own_pixels(tmp_path, mode):
    figure = read_figure(tmp_path, checks(mode))
    assert np.array_equal(np.asarray(image_of(figure)), np.asarray(checks(mode).convert("RGB")))
    assert (figure.picture.measures["width"], figure.picture.measures["height"]) == SIZE
    assert figure.bbox == pytest.approx([100, 250, 400, 450], abs=2)


def test_one_of_high_resolution_is_rendered(tmp_path):
    picture = image_of(read_figure(tmp_path, checks(size=(1440, 960))))
    assert 800 < picture.width < 900  # 300 points at 200 dpi


@pytest.mark.parametrize(
    "on_top",
    [
        lambda paper: paper.text(150, 300, 100, "Dose"),
        lambda paper: paper.canvas.rect(150, paper.height - 400, 60, 60, fill=1),
    ],
)
def test_what_has_words_or_lines_on_it_is_rendered_with_them(tmp_path, on_top):
    assert image_of(read_figure(tmp_path, checks(), on_top=on_top)).width > 800


def test_a_stretched_bitmap_is_rendered_in_its_printed_proportions(tmp_path):
    picture = image_of(read_figure(tmp_path, checks(), height=120))
    assert picture.width / picture.height == pytest.approx(300 / 120, rel=0.03)


def test_a_masked_bitmap_is_rendered(tmp_path):
    bitmap = checks()
    bitmap.putalpha(Image.fromarray(np.tile(np.array([0, 255], np.uint8).repeat(40), (160, 3))))
    assert image_of(read_figure(tmp_path, bitmap, mask="auto")).width > 800

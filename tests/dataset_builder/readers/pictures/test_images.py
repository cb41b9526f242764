"""The measures of pictures that the filters use."""

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from dataset_builder.readers.pictures.images import measure, text_share
from tests.dataset_builder.readers.paper import prose


def test_sharpness_falls_with_blur_and_is_the_variance_of_the_laplacian():
    noise = np.random.default_rng(0).integers(0, 255, (64, 96), dtype=np.uint8)
    sharp = measure(Image.fromarray(noise), b"a")
    blurred = measure(Image.fromarray(cv2.GaussianBlur(noise, (0, 0), 4)), b"b")
    assert sharp["sharpness"] > 100 > blurred["sharpness"]
    pixels = noise.astype(float)
    inner = pixels[:-2, 1:-1] + pixels[2:, 1:-1] + pixels[1:-1, :-2] + pixels[1:-1, 2:] - 4 * pixels[1:-1, 1:-1]
    assert sharp["sharpness"] == pytest.approx(inner.var(), rel=0.05)  # but for the border
    assert (sharp["width"], sharp["height"]) == (96, 64)


def _page(shade: int = 0) -> Image.Image:
    page, font = Image.new("L", (1400, 900), 255), ImageFont.load_default(24)
    words = prose(1, 60).split()
    for line in range(20):
        text = " ".join(words[8 * line : 8 * line + 8])
        ImageDraw.Draw(page).text((40, 20 + 40 * line), text, fill=shade, font=font)
    return page


def test_print_is_told_from_drawings():
    page = _page()
    assert text_share(np.asarray(page)) > 0.95
    pen = ImageDraw.Draw(page)
    pen.rectangle((700, 300, 1300, 700), fill=215)  # a pale area among the text: a drawing
    assert text_share(np.asarray(page)) < 0.5


def test_pictures_without_print_have_no_text_share():
    noise = np.random.default_rng(0).integers(0, 255, (300, 300), dtype=np.uint8)
    assert text_share(noise) == 0
    assert text_share(np.full((300, 300), 255, dtype=np.uint8)) == 0
    assert text_share(255 - np.asarray(_page())) == 0  # white on black: no printed page

"""Pictures: decoding, bounds, and the measures the filters use."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from dataset_builder.readers.pictures.images import THUMBNAIL_PX, encode, measure, open_image, text_share, thumbnail
from tests.dataset_builder.readers.paper import prose


def png(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [
        ("RGB", (10, 20, 30), ("RGB", (10, 20, 30))),
        ("L", 77, ("L", 77)),
        ("1", 1, ("L", 255)),
        ("P", 0, ("RGB", (0, 0, 0))),
        ("RGBA", (0, 0, 0, 0), ("RGB", (255, 255, 255))),
        ("LA", (0, 0), ("RGB", (255, 255, 255))),
    ],
)
def test_every_mode_becomes_rgb_or_grey_on_white(mode, colour, expected):
    image = open_image(png(Image.new(mode, (8, 6), colour)))
    assert (image.mode, image.getpixel((3, 3))) == expected


def test_cmyk_and_16_bit_tiff():
    assert open_image(png(Image.new("CMYK", (8, 6)), "TIFF")).getpixel((0, 0)) == (255, 255, 255)
    deep = np.linspace(0, 60_000, 48).reshape(6, 8).astype(np.uint16)
    grey = np.asarray(open_image(png(Image.fromarray(deep), "TIFF")))
    assert (grey.min(), grey.max()) == (0, 255)


def test_the_publishers_bytes_are_kept_where_possible():
    jpeg = png(Image.new("RGB", (8, 6), "red"), "JPEG")
    assert encode(open_image(jpeg)) == jpeg
    assert encode(open_image(png(Image.new("RGB", (8, 6)), "TIFF"))).startswith(b"\x89PNG")


def test_a_turned_photograph_is_upright():
    exif = Image.Exif()
    exif[274] = 6  # turned by 90 degrees
    data = png(Image.new("RGB", (8, 6), "red"), "JPEG", exif=exif)
    assert open_image(data).size == (6, 8)
    assert encode(open_image(data)) != data


def test_size_is_bounded_before_decoding(tmp_path):
    path = tmp_path / "bomb.png"
    path.write_bytes(png(Image.new("1", (16_000, 10_000))))
    with pytest.raises(ValueError, match="bomb.png: 16000x10000 pixels"):
        open_image(path)


@pytest.mark.parametrize("data", [b"", b"<html>", b"\x89PNG\r\n\x1a\n" + b"\0" * 40])
def test_what_is_no_picture_says_so(data):
    with pytest.raises(ValueError, match="not a readable picture"):
        open_image(data)


def test_a_truncated_picture_says_so():
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    with pytest.raises(ValueError, match="not a readable picture"):
        open_image(png(Image.fromarray(noise))[:3000])


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


def test_a_thumbnail_is_small_and_never_larger_than_the_picture():
    assert open_image(thumbnail(Image.new("RGB", (1000, 500), "red"))).size == (THUMBNAIL_PX, THUMBNAIL_PX // 2)
    assert open_image(thumbnail(Image.new("L", (20, 10)))).size == (20, 10)

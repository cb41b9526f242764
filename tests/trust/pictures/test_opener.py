"""The opener of pictures: what it refuses, what comes out, and what is published of it."""

import io
import os
import threading

import numpy as np
import pytest
from PIL import Image

from tests.trust.pictures import attacks
from tests.trust.pictures.attacks import GREYS, encoded, levels, noise
from trust.pictures import opener
from trust.pictures.encoding import THUMBNAIL_PX, encode, thumbnail
from trust.pictures.opener import (
    PictureTooLarge,
    UnreadablePicture,
    open_picture,
    open_picture_file,
    picture_file_size,
    picture_size,
)
from trust.pictures.stored import MAX_SIDE_PX, open_stored, whole_size

REFUSED = attacks.refused("/etc/hostname", "http://127.0.0.1:9/a.png", "/dev/stdin")
SEEN = attacks.seen()


@pytest.mark.parametrize("attack", REFUSED.values(), ids=REFUSED)
def test_what_is_refused_says_why_in_one_line(attack):
    for opens in (open_stored, whole_size):
        with pytest.raises(UnreadablePicture) as raised:
            opens(attack.stored)
        assert attack.reason in str(raised.value)
        assert "\n" not in str(raised.value)
        assert " at 0x" not in str(raised.value)


@pytest.mark.parametrize("data", SEEN.values(), ids=SEEN)
def test_what_is_seen_is_what_comes_out(data):
    image = open_picture(data)
    assert image.mode in ("RGB", "L")
    assert levels(image) == pytest.approx(GREYS, abs=3)
    assert image.size == picture_size(data) == whole_size({"bytes": data, "path": "/etc/hostname"}) == (64, 48)


@pytest.mark.parametrize("data", SEEN.values(), ids=SEEN)
def test_what_is_published_has_the_pixels_and_nothing_else(data):
    image = open_picture(data)
    published = encode(image)
    assert attacks.SECRET.encode() not in published
    with Image.open(io.BytesIO(published)) as again:
        assert again.format in ("JPEG", "PNG")
        assert getattr(again, "n_frames", 1) == 1
        assert not {"exif", "xmp", "icc_profile", "comment", "photoshop", "Author"} & set(again.info)
        assert np.array_equal(np.asarray(again), np.asarray(image))
    assert encode(open_picture(published)) == published


@pytest.mark.parametrize("size", [(1, 1), (3, 1), (5, 7)])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_what_is_cut_from_a_page_is_published_with_its_own_colours(mode, size):
    image = _colours(*size).convert(mode)
    with Image.open(io.BytesIO(encode(image))) as again:
        assert (again.format, again.mode, again.info) == ("PNG", mode, {})
        assert np.array_equal(np.asarray(again), np.asarray(image))


def _colours(width: int, height: int) -> Image.Image:
    """Red is never blue: channels in another order are seen."""
    red, green = np.mgrid[0:height, 0:width]
    return Image.fromarray(np.stack([200 + red, 100 + green, 0 * red], axis=2).astype(np.uint8))


@pytest.mark.parametrize("name", ["png", "jpeg", "grey png", "progressive jpeg"])
def test_plain_files_are_published_byte_for_byte(name):
    assert encode(open_picture(SEEN[name])) == SEEN[name]


@pytest.mark.parametrize("name", ["talkative jpeg", "talkative progressive jpeg", "mpo"])
def test_a_jpeg_stays_the_jpeg_it_was(name):
    published = encode(open_picture(SEEN[name]))
    assert published.startswith(b"\xff\xd8")
    assert SEEN[name].find(published[-200:-2]) > 0  # its compressed data, not compressed again


def test_a_jpeg_whose_parts_cannot_be_told_is_published_as_png():
    data = encoded(noise(), "JPEG")
    at = data.index(b"\xff\xdb")
    odd = data[:at] + attacks.SECRET.encode() + data[at:]  # libjpeg skips what belongs to no part
    published = encode(open_picture(odd))
    assert published.startswith(b"\x89PNG")
    assert attacks.SECRET.encode() not in published


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_every_orientation_is_applied(orientation, kind):
    """As EXIF defines them: where the first row and the first column of the stored pixels lie."""
    upright = np.asarray(attacks.quarters())
    to_stored = {
        1: lambda a: a,
        2: np.fliplr,
        3: lambda a: np.rot90(a, 2),
        4: np.flipud,
        5: np.transpose,
        6: lambda a: np.rot90(a, 1),
        7: lambda a: np.rot90(np.transpose(a), 2),
        8: lambda a: np.rot90(a, -1),
    }
    picture = Image.fromarray(np.ascontiguousarray(to_stored[orientation](upright))).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"JPEG": {"quality": 95}, "WEBP": {"lossless": True}}.get(kind, {})
    data = encoded(picture, kind, exif=exif, **options)
    assert levels(open_picture(data)) == pytest.approx(GREYS, abs=3)
    assert picture_size(data) == (64, 48)


def test_broken_exif_costs_no_picture():
    data = encoded(noise(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\x7f")
    assert open_picture(data).size == (64, 48)


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
    image = open_picture(encoded(Image.new(mode, (8, 6), colour), "PNG"))
    assert (image.mode, image.getpixel((3, 3))) == expected


@pytest.mark.parametrize("level", [0, 40_000, 65_535])
def test_an_even_16_bit_picture_is_even(level):
    image = open_picture(encoded(Image.fromarray(np.full((6, 8), level, np.uint16)), "PNG"))
    assert image.getextrema()[0] == image.getextrema()[1]


def test_a_float_picture_with_holes_is_stretched_over_the_rest():
    pixels = np.array([[np.nan, 1.0], [2.0, np.inf]], np.float32)
    assert np.asarray(open_picture(encoded(Image.fromarray(pixels), "TIFF"))).tolist() == [[0, 0], [255, 0]]


def test_size_is_bounded_before_decoding(tmp_path, monkeypatch):
    path = tmp_path / "bomb.png"
    path.write_bytes(encoded(Image.new("1", (16_000, 10_000)), "PNG"))
    for opens in (open_picture_file, picture_file_size):
        with pytest.raises(PictureTooLarge, match="bomb.png: 16000x10000 pixels"):
            opens(path)
    monkeypatch.setattr(opener, "MAX_BYTES", 100)
    with pytest.raises(PictureTooLarge, match="bomb.png: .* bytes, more than 100"):
        open_picture_file(path)
    with pytest.raises(PictureTooLarge, match="bytes, more than 100"):
        open_picture(path.read_bytes())


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_pipes_folders_and_absent_files_are_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "folder.png").mkdir()
    for name in ("pipe.png", "folder.png", "absent.png"):
        done = threading.Event()

        def opens(path=tmp_path / name, done=done):
            with pytest.raises(UnreadablePicture, match=path.name):
                open_picture_file(path)
            done.set()

        threading.Thread(target=opens, daemon=True).start()
        assert done.wait(10), name


def test_for_small_copies_a_jpeg_is_decoded_small():
    large = encoded(noise((2000, 1000)), "JPEG")
    small = open_picture(large, near_px=100)
    assert 200 <= max(small.size) <= 500
    assert max(open_picture(large).size) == 2000


def test_a_thumbnail_is_small_and_never_larger_than_the_picture():
    assert picture_size(thumbnail(Image.new("RGB", (1000, 500), "red"))) == (THUMBNAIL_PX, THUMBNAIL_PX // 2)
    assert picture_size(thumbnail(Image.new("L", (20, 10)))) == (20, 10)


@pytest.mark.parametrize(
    ("size", "given"),
    [((MAX_SIDE_PX + 1000, 40), (MAX_SIDE_PX, 37)), ((2, 3 * MAX_SIDE_PX), (1, MAX_SIDE_PX)), ((900, 20), (900, 20))],
)
def test_a_processor_is_given_no_side_whose_square_could_not_be_opened(size, given):
    """LLaVA's pads to a square in memory."""
    file = io.BytesIO()
    Image.new("L", size, 128).save(file, "PNG")
    picture = open_stored({"bytes": file.getvalue(), "path": None})
    assert (picture.size, picture.mode, picture.getpixel((0, 0))) == (given, "RGB", (128, 128, 128))

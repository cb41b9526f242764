"""Metadata of JPEG and PNG files: what goes, what stays, and that the pixels do."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.trust.pictures.attacks import SECRET, encoded, noise, png_chunk, talkative_jpeg, talkative_png
from trust.pictures.metadata import MalformedFile, without_metadata

JPEGS = {
    "plain": {},
    "progressive": {"progressive": True},
    "restart marks": {"restart_marker_rows": 1},
    "4:4:4": {"subsampling": 0},
    "optimised": {"optimize": True},
    "RGB": {"keep_rgb": True},
}


def pixels(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize("options", JPEGS.values(), ids=JPEGS)
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_jpeg_keeps_its_pixels_alone(options, mode):
    if mode != "RGB" and "keep_rgb" in options:
        pytest.skip("of RGB only")
    plain = encoded(noise().convert(mode), "JPEG", **options)
    talkative = talkative_jpeg(noise().convert(mode), **options)
    bare = without_metadata(talkative)
    assert SECRET.encode() in talkative
    assert SECRET.encode() not in bare
    assert bare == without_metadata(plain) == plain
    assert np.array_equal(pixels(bare), pixels(talkative))


def test_a_thumbnail_inside_jfif_goes():
    data = encoded(noise(), "JPEG")
    thumbnail = b"\2\2" + bytes(range(12))
    jfif = data[6:18] + thumbnail
    with_thumbnail = data[:2] + b"\xff\xe0" + (len(jfif) + 2).to_bytes(2) + jfif + data[20:]
    assert np.array_equal(pixels(with_thumbnail), pixels(data))
    assert without_metadata(with_thumbnail) == data


def test_fill_bytes_before_markers_are_allowed():
    data = encoded(noise(), "JPEG")
    at = data.index(b"\xff\xdb")
    assert without_metadata(data[:at] + b"\xff\xff" + data[at:]) == data


@pytest.mark.parametrize("mode", ["RGB", "L", "1", "P", "RGBA"])
def test_a_png_keeps_its_pixels_alone(mode):
    plain, talkative = encoded(noise().convert(mode), "PNG"), talkative_png(noise().convert(mode))
    bare = without_metadata(talkative)
    assert SECRET.encode() in talkative
    assert SECRET.encode() not in bare
    assert bare == plain
    assert np.array_equal(pixels(bare), pixels(talkative))


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_every_cut_is_noticed(kind):
    data = encoded(noise((16, 8)), kind)
    for end in range(len(data)):
        with pytest.raises(MalformedFile):
            without_metadata(data[:end])


def test_a_changed_bit_of_a_png_is_noticed():
    data = bytearray(encoded(noise((16, 8)), "PNG"))
    data[data.index(b"IDAT") + 20] ^= 1
    with pytest.raises(MalformedFile, match="checksum"):
        without_metadata(bytes(data))


def test_thousands_of_scans_are_refused():
    data = encoded(noise(), "JPEG", progressive=True)
    at = data.rindex(b"\xff\xda")
    with pytest.raises(MalformedFile, match="scans"):
        without_metadata(data[:at] + data[at:-2] * 1000 + data[-2:])


@pytest.mark.parametrize("data", [b"", b"GIF89a", encoded(noise(), "WEBP"), b"\xff\xd8", b"\x89PNG\r\n\x1a\n"])
def test_other_files_are_refused(data):
    with pytest.raises(MalformedFile):
        without_metadata(data)


@settings(max_examples=300)
@given(st.binary(max_size=60), st.sampled_from(["JPEG", "PNG"]), st.integers(0, 2000))
def test_whatever_is_put_in_it_ends(junk, kind, at):
    data = encoded(noise((16, 8)), kind)
    try:
        bare = without_metadata(data[:at] + junk + data[at:])
    except MalformedFile:
        return
    assert without_metadata(bare) == bare


def test_png_chunks_of_any_name_go_unless_they_are_known():
    data = encoded(noise(), "PNG")
    for name in (b"tEXt", b"acTL", b"sRGB", b"gAMA", b"zzZz"):
        assert without_metadata(data[:33] + png_chunk(name, SECRET.encode()) + data[33:]) == data

"""Parts of a row's picture, and its URL: its own bytes only where they are nothing but pixels."""

import base64
import zlib
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from trust.pictures import derived
from trust.pictures.derived import cropped, data_url, overwritten, picture_of
from trust.pictures.opener import UnreadablePicture, open_picture


def stored(kind: str = "PNG", size: tuple[int, int] = (40, 30), **saved) -> dict:
    file = BytesIO()
    Image.linear_gradient("L").resize(size).convert("RGB").save(file, kind, **saved)
    return {"bytes": file.getvalue(), "path": None}


def sent(url: str) -> bytes:
    return base64.b64decode(url.partition(",")[2])


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_part_has_the_pixels_of_the_whole(kind):
    whole = stored(kind)
    part = open_picture(cropped(whole, [4.0, 5.0, 20.0, 25.0])).convert("RGB")
    assert part.tobytes() == open_picture(whole["bytes"]).crop((4, 5, 20, 25)).tobytes()


@pytest.mark.parametrize("box", [[-1, 0, 5, 5], [0, 0, 41, 30], [0, 0, 40, 31], [5, 5, 5, 9], [9, 9, 5, 5]])
def test_a_box_that_is_not_within_the_picture_is_refused(box):
    with pytest.raises(UnreadablePicture, match="PMC1/fig1, panel A: the box"):
        picture_of({"figure_id": "PMC1/fig1", "panel": "A", "panel_bbox": box}, stored())


def test_a_whole_figure_stays_as_it_is():
    picture = stored()
    assert picture_of({"figure_id": "PMC1/fig1", "panel": None}, picture) is picture


def test_what_is_sent_is_upright_and_nothing_but_pixels():
    exif = Image.Exif()
    exif[0x0112] = 6  # turned
    exif[0x010E] = "who took it"
    turned = stored("JPEG", exif=exif)
    url = data_url(turned)
    assert open_picture(sent(url)).size == (30, 40)
    assert b"who took it" in turned["bytes"]
    assert b"who took it" not in sent(url)
    assert data_url(stored("BMP")).startswith("data:image/png;base64,")


def test_own_bytes_are_sent_where_nothing_is_to_be_changed():
    plain = stored("PNG")
    assert sent(data_url(plain)) == plain["bytes"]
    with pytest.raises(UnreadablePicture):
        data_url({"bytes": b"GIF89a", "path": None})


def with_part(png: bytes, name: bytes, content: bytes) -> bytes:
    """A PNG with one more part, behind its pixels."""
    part = name + content
    made = len(content).to_bytes(4) + part + zlib.crc32(part).to_bytes(4)
    return png[:-12] + made + png[-12:]


TURNED = Image.Exif()
TURNED[0x0112] = 6
EXIF = TURNED.tobytes().removeprefix(b"Exif\0\0")
XMP = b'<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (stored("JPEG", exif=TURNED)["bytes"], (30, 40)),
        (with_part(stored("PNG")["bytes"], b"eXIf", EXIF), (30, 40)),
        (with_part(stored("PNG")["bytes"], b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP), (30, 40)),
        (with_part(stored("PNG")["bytes"], b"tEXt", b"Comment\0a turn? no"), (40, 30)),
        (stored("JPEG", comment=b"a camera")["bytes"] + b"what lies behind", (40, 30)),
    ],
    ids=["JPEG", "PNG, EXIF behind", "PNG, XMP behind", "PNG, text", "JPEG, comment"],
)
def test_a_server_sees_the_picture_as_the_opener_does(data, size):
    got = sent(data_url({"bytes": data, "path": None}))
    assert open_picture(got).size == open_picture(data).size == size
    assert open_picture(got).convert("RGB").tobytes() == open_picture(data).convert("RGB").tobytes()
    assert got != data
    assert all(word not in got for word in (b"Comment", b"a camera", b"xmpmeta", b"behind"))


@pytest.mark.parametrize("mode", ["CMYK", "RGBA", "LA", "P", "I;16", "1"])
def test_kinds_of_pixels_that_servers_show_in_ways_of_their_own_are_encoded(mode):
    grey = Image.linear_gradient("L").resize((40, 30))
    image = Image.fromarray(np.asarray(grey).astype(np.uint16) * 9) if mode == "I;16" else grey.convert(mode)
    if mode in ("RGBA", "LA"):
        image.putalpha(grey)
    file = BytesIO()
    image.save(file, "JPEG" if mode == "CMYK" else "PNG")
    got = sent(data_url({"bytes": file.getvalue(), "path": None}))
    plain = Image.open(BytesIO(got))
    assert plain.mode in ("RGB", "L")
    assert plain.convert("RGB").tobytes() == open_picture(file.getvalue()).convert("RGB").tobytes()


@pytest.mark.parametrize("kind", ["PNG", "BMP"])
def test_what_no_server_takes_is_halved(kind, monkeypatch):
    noise = Image.effect_noise((400, 300), 90).convert("RGB")
    file = BytesIO()
    noise.save(file, kind)
    monkeypatch.setattr(derived, "MAX_SENT_BYTES", 100_000)
    got = sent(data_url({"bytes": file.getvalue(), "path": None}))
    assert len(got) <= 100_000
    assert open_picture(got).size == (200, 150)


def test_what_is_sent_as_it_is_was_not_decoded(monkeypatch):
    monkeypatch.setattr(Image.Image, "load", None)
    assert sent(data_url(PLAIN)) == PLAIN["bytes"]


PLAIN = stored("JPEG")


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize(
    ("box", "inside"),
    [
        ([30.4, 20.6, 60.2, 35.0], (slice(20, 35), slice(30, 61))),
        ([-10, -10, 20, 15], (slice(0, 15), slice(0, 20))),
        ([90, 50, 140, 90], (slice(50, 60), slice(90, 100))),
        ([0, 0, 100, 60], (slice(0, 60), slice(0, 100))),
    ],
)
def test_what_is_overwritten_has_one_colour_and_no_other_pixel_far_from_it_changes(mode, box, inside):
    pixels = np.random.default_rng(0).integers(0, 256, (60, 100, 3), np.uint8)
    image = Image.fromarray(pixels).convert(mode)
    buffer = BytesIO()
    image.save(buffer, "PNG")
    found = np.asarray(open_picture(overwritten({"bytes": buffer.getvalue(), "path": None}, [box])))
    part = found[inside].reshape(-1, *found.shape[2:])
    assert len(np.unique(part, axis=0)) == 1
    reach = np.zeros((60, 100), bool)
    rows, columns = inside
    reach[max(0, rows.start - 15) : rows.stop + 15, max(0, columns.start - 15) : columns.stop + 15] = True
    assert np.array_equal(found[~reach], np.asarray(image)[~reach])


def test_a_box_beside_the_picture_overwrites_nothing():
    buffer = BytesIO()
    Image.new("RGB", (40, 30), "navy").save(buffer, "PNG")
    found = open_picture(overwritten({"bytes": buffer.getvalue(), "path": None}, [[200, 200, 220, 210]]))
    assert found.getcolors() == [(1200, (0, 0, 128))]

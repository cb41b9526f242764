"""Parts of a row's picture, and its URL: its own bytes only where they are nothing but pixels."""

import base64
from io import BytesIO

import pytest
from PIL import Image

from trust.pictures.derived import cropped, data_url, picture_of
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

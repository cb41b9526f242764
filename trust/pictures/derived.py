"""What is made of a dataset row's picture: a part of it, a file, and the URL that carries it to a server."""

import base64
from collections.abc import Mapping, Sequence
from math import ceil, floor
from typing import Any

import numpy as np
from PIL import Image

from trust.pictures.encoding import QUICK_PNG, encode
from trust.pictures.metadata import PNG_SIGNATURE, MalformedFile, without_metadata
from trust.pictures.opener import UnreadablePicture, open_picture, shown_as_stored
from trust.pictures.stored import StoredPicture, stored_bytes

_MIN_RIM_PX = 4  # around a part that is overwritten: what a JPEG smears of letters into its blocks
_RIM_SHARE = 0.2  # of the part's height: where OCR draws its box too tight
MAX_SENT_BYTES = 15_000_000  # of a picture in a request: OpenAI's limit is 20 MB, and base64 makes 4 bytes of 3


def cropped(picture: StoredPicture | None, box: Sequence[float]) -> bytes:
    """The part within `box`, x0, y0, x1, y1 in pixels of the picture, as a file with nothing but pixels.

    Raises `UnreadablePicture` for a picture that cannot be opened, and for a box that is not within it.
    """
    image = open_picture(stored_bytes(picture))
    left, top, right, bottom = floor(box[0]), floor(box[1]), ceil(box[2]), ceil(box[3])
    if not (0 <= left < right <= image.width and 0 <= top < bottom <= image.height):
        raise UnreadablePicture(f"the box {list(box)} is not within {image.width}x{image.height} pixels")
    part = image.crop((left, top, right, bottom))
    part.info = {}  # `crop` keeps the whole file there
    return encode(part)


def picture_of(row: Mapping[str, Any], picture: StoredPicture | None) -> StoredPicture | None:
    """A figure's picture, or the part of it that is the row's panel.

    Raises UnreadablePicture, with the figure's id, where there is no such part.
    """
    if not row.get("panel"):
        return picture
    try:
        return {"bytes": cropped(picture, row["panel_bbox"]), "path": None}
    except UnreadablePicture as error:
        raise UnreadablePicture(f"{row['figure_id']}, panel {row['panel']}: {error}") from error


def overwritten(picture: StoredPicture | None, boxes: Sequence[Sequence[float]]) -> bytes:
    """The picture with the parts within `boxes` gone for good, as a file with nothing but pixels.

    Each part, and a rim around it, gets the one colour that its surroundings have (the median): nothing can be computed
    back. A box, x0, y0, x1, y1 in pixels, may reach over the picture's edge. Raises `UnreadablePicture`.
    """
    image = open_picture(stored_bytes(picture))
    pixels = np.array(image)  # (height, width) or (height, width, 3)
    for box in boxes:
        _overwrite(pixels, box)
    return encode(Image.fromarray(pixels))


def rim_px(box: Sequence[float]) -> float:
    """How far around a box pixels are overwritten, too."""
    return max(_MIN_RIM_PX, _RIM_SHARE * (box[3] - box[1]))


def _overwrite(pixels: np.ndarray, box: Sequence[float]) -> None:
    """Give the part, with its rim, the colour of what is around it; of the part itself where it is all there is."""
    rim = rim_px(box)
    size = pixels.shape[1], pixels.shape[0]
    inner, outer = _part(box, rim, size), _part(box, 2 * rim, size)
    if not pixels[inner].size:
        return
    is_around = np.ones(pixels.shape[:2], bool)
    is_around[inner] = False
    around = pixels[outer][is_around[outer]]
    pixels[inner] = np.median(around if len(around) else pixels[inner], axis=0 if len(around) else (0, 1))


def _part(box: Sequence[float], rim: float, size: tuple[int, int]) -> tuple[slice, slice]:
    """Rows and columns of a box with a rim, as far as they are in the picture."""
    columns = slice(max(0, floor(box[0] - rim)), max(0, min(size[0], ceil(box[2] + rim))))
    rows = slice(max(0, floor(box[1] - rim)), max(0, min(size[1], ceil(box[3] + rim))))
    return rows, columns


def as_file(picture: StoredPicture | None) -> tuple[bytes, str]:
    """The picture as the content of a file with nothing but pixels, and the suffix of its kind, `jpg` or `png`.

    A JPEG or PNG that every viewer shows alike keeps its own compressed pixels; anything else becomes a PNG. It is
    opened whole: who gets the file can open it, too. Raises `UnreadablePicture`.
    """
    content = encode(open_picture(stored_bytes(picture)))
    return content, "png" if content.startswith(PNG_SIGNATURE) else "jpg"


def data_url(picture: StoredPicture | None) -> str:
    """The picture in a URL, as a JPEG or PNG of nothing but pixels.

    They are its own compressed pixels where it is a JPEG or PNG that every viewer shows alike; these are not decoded.
    Anything else is opened and becomes a PNG, halved in size until it has no more than `MAX_SENT_BYTES`. Raises
    `UnreadablePicture`.
    """
    data = stored_bytes(picture)
    sent = _own_pixels(data) or _within_limit(open_picture(data))
    kind = "png" if sent.startswith(PNG_SIGNATURE) else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(sent).decode()}"


def _own_pixels(data: bytes) -> bytes | None:
    """The file without its metadata; None for one that must be opened."""
    if not shown_as_stored(data):
        return None
    try:
        bare = without_metadata(data)
    except MalformedFile:
        return None
    return bare if len(bare) <= MAX_SENT_BYTES else None


def _within_limit(image: Image.Image) -> bytes:
    data = encode(image, QUICK_PNG)
    while len(data) > MAX_SENT_BYTES:
        image = image.reduce(2)
        image.info = {}  # `reduce` keeps the whole file there
        data = encode(image, QUICK_PNG)
    return data

"""What is made of a dataset row's picture: a part of it, and the URL that carries it to a server."""

import base64
from collections.abc import Mapping, Sequence
from math import ceil, floor
from typing import Any

from trust.pictures.encoding import encode
from trust.pictures.metadata import PNG_SIGNATURE, MalformedFile, without_metadata
from trust.pictures.opener import UnreadablePicture, open_picture
from trust.pictures.stored import StoredPicture, stored_bytes, whole_size


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


def data_url(picture: StoredPicture | None) -> str:
    """The picture in a URL: its own bytes where they are a JPEG or PNG of nothing but pixels, else prepared ones.

    Raises `UnreadablePicture`. Bytes that are sent as they are were not decoded for it.
    """
    data = stored_bytes(picture)
    whole_size(picture)
    if not _is_plain(data):
        data = encode(open_picture(data))
    kind = "png" if data.startswith(PNG_SIGNATURE) else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def _is_plain(data: bytes) -> bool:
    try:
        return without_metadata(data) == data
    except MalformedFile:
        return False

"""Pictures in the rows of datasets: their bytes and nothing else, opened by the one opener.

`datasets` itself would open whatever a row names, a file of this disk or an address, by any of Pillow's readers: so
rows are read `as_stored`.
"""

import math
from typing import TYPE_CHECKING, TypedDict

from PIL import Image as PILImage

from trust.pictures.metadata import is_whole
from trust.pictures.opener import MAX_PIXELS, UnreadablePicture, in_one_line, open_picture, picture_size

if TYPE_CHECKING:
    from datasets import Dataset

# Longest side in pixels of what a processor is given. LLaVA's pads to a square first, in memory: of 60,000 x 2,000 px,
# which may be opened, it would make 11 GB.
MAX_SIDE_PX = math.isqrt(MAX_PIXELS)


class StoredPicture(TypedDict):
    """A picture in a dataset row, as `as_stored` gives it."""

    bytes: bytes | None
    path: str | None  # never followed


def as_stored(rows: "Dataset") -> "Dataset":
    """The rows with their column `images` as lists of `StoredPicture`s; rows as they were loaded are not copied."""
    from datasets import Dataset, Features, Image, List  # takes a second, which the preview need not wait

    stored = List(Image(decode=False))
    if rows.features["images"] == stored:
        return rows
    features = Features({**rows.features, "images": stored})
    is_chosen = rows._indices is not None  # rows that were chosen or shuffled
    if is_chosen or features.arrow_schema.field("images").type != rows.data.schema.field("images").type:
        return rows.cast_column("images", stored)
    info = rows.info.copy()  # `cast_column` would write all pictures anew, to change nothing but who decodes them
    info.features = features
    return Dataset(rows.data, info=info, split=rows.split)


def stored_bytes(picture: StoredPicture | None) -> bytes:
    """The bytes of a row's picture.

    Raises `UnreadablePicture` where the row holds none. A path or address in its place is not opened: it would be a
    file of whoever reads the dataset, which a stranger chose.
    """
    if picture is None or (picture["bytes"] is None and not picture["path"]):
        raise UnreadablePicture("the row has no picture")
    if picture["bytes"] is None:
        raise UnreadablePicture(
            f"the row names {in_one_line(picture['path'])!r} and does not hold the picture itself; files and addresses "
            "that a dataset names are not opened: whoever publishes it embeds its pictures "
            "(`Dataset.push_to_hub(…, embed_external_files=True)`)"
        )
    return picture["bytes"]


def open_stored(picture: StoredPicture | None) -> PILImage.Image:
    """A row's picture in RGB, prepared as opener.py says, no side above `MAX_SIDE_PX`. Raises `UnreadablePicture`."""
    image = _within(open_picture(stored_bytes(picture)), MAX_SIDE_PX)
    return image if image.mode == "RGB" else image.convert("RGB")  # which would copy


def _within(image: PILImage.Image, side_px: int) -> PILImage.Image:
    """The picture, scaled down where its longest side is above `side_px`."""
    longest = max(image.size)
    if longest <= side_px:
        return image
    width, height = (max(1, round(side * side_px / longest)) for side in image.size)
    return image.resize((width, height), PILImage.Resampling.BICUBIC, reducing_gap=2.0)


def whole_size(picture: StoredPicture | None) -> tuple[int, int]:
    """(width, height) in pixels of a row's picture that can be opened; raises `UnreadablePicture` for one that cannot.

    A JPEG or PNG whose parts follow each other up to its end mark is not decoded for it; anything else is.
    """
    data = stored_bytes(picture)
    size = picture_size(data)
    return size if is_whole(data) else open_picture(data).size

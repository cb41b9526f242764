"""Rows as the review lets them out: without the held figures, with the pixels of blurred parts gone."""

import hashlib
from collections.abc import Mapping, Set
from math import floor
from typing import Any

import imagehash
import pyarrow

from model_cards.reviewing.review import Box, Review
from trust.pictures.derived import overwritten, rim_px
from trust.pictures.opener import open_picture


def is_held(row: Mapping[str, Any], review: Review | None) -> bool:
    """Whether a row, of any config, stays here: its figure, or the one whose context it was written from, is dropped or
    not decided, or its panel unknown."""
    if review is None:
        return False
    return is_of(row, review.held) or _boxes(row, review) is None


def is_of(row: Mapping[str, Any], figures: Set[str]) -> bool:
    """Whether a row, of whatever file, is of one of these figures, or was written from its text."""
    return any(row.get(column) in figures for column in ("figure_id", "context_of"))


def needs_blur(row: Mapping[str, Any], review: Review | None) -> bool:
    """Whether the row's picture must not be published as it is."""
    return review is not None and bool(_boxes(row, review))


def blurred_table(table: pyarrow.Table, review: Review) -> pyarrow.Table:
    """The rows with what is to be blurred overwritten, and with the hashes of the new pictures."""
    rows = [blurred(row, review) for row in table.to_pylist()]
    return pyarrow.Table.from_pylist(rows, schema=table.schema)


def blurred(row: dict[str, Any], review: Review) -> dict[str, Any]:
    """A row that is not held, as `blurred_table` gives it. Raises `UnreadablePicture`."""
    boxes = _boxes(row, review)
    if not boxes:
        return row
    if "images" in row:
        return row | {"images": [{"bytes": overwritten(one, boxes), "path": None} for one in row["images"]]}
    data = overwritten(row["image"], boxes)
    hashes = {
        "image_sha256": hashlib.sha256(data).hexdigest(),
        "phash": str(imagehash.phash(open_picture(data).convert("L"))),
    }
    there = {name: value for name, value in hashes.items() if name in row}
    return row | {"image": {"bytes": data, "path": None}} | there


def _boxes(row: Mapping[str, Any], review: Review) -> list[Box] | None:
    """The parts to overwrite, in pixels of the row's own picture; None where it is a panel and nobody knows where."""
    boxes = review.boxes(row["figure_id"])
    if not boxes or not row.get("panel"):
        return boxes
    panel = review.panels_of.get(row["figure_id"], {}).get(row["panel"])
    if panel is None:
        return None
    left, top = floor(panel[0]), floor(panel[1])
    shifted = [[x0 - left, y0 - top, x1 - left, y1 - top] for x0, y0, x1, y1 in boxes]
    width, height = panel[2] - panel[0], panel[3] - panel[1]
    return [box for box in shifted if _reaches(box, width, height)]


def _reaches(box: Box, width: float, height: float) -> bool:
    """Whether a box, or the rim around it, is in a part of this size: letters go over the edge of a box."""
    rim = rim_px(box)
    return box[2] > -rim and box[3] > -rim and box[0] < width + rim and box[1] < height + rim

"""Which figures become pairs: each filter is a pure rule on one row; the first that objects names the reason."""

from dataclasses import dataclass
from typing import NamedTuple


class Rejection(NamedTuple):
    """Why a figure was left out: the filter's name, the value it saw and the threshold it compared with."""

    filter: str
    value: float | str | None
    threshold: float | None


@dataclass(frozen=True)
class Thresholds:
    """Limits in the units of their names; sharpness must lie strictly above its limit, the others may reach it."""

    min_sharpness: float = 100.0  # variance of the Laplacian; arXiv 2501.15370
    min_side_px: int = 64
    max_aspect: float = 10.0  # longer side over shorter side
    min_contrast: float = 2.0  # standard deviation of 8-bit grey: below it the picture is blank
    max_text_share: float = 0.95  # of the ink; text pages have more (41 of 44 measured), figures less (230 of 230)
    min_text_chars: int = 10  # caption and context together
    max_caption_chars: int = 10_000  # more is running text taken for a caption


def rejection(row: dict, limits: Thresholds) -> Rejection | None:
    """The first objection to a row, or None when it is kept.

    `row` holds `status`, `image_error` (None when there is a picture), `caption`, `context` and, with a picture,
    `width`, `height`, `contrast`, `sharpness` and `text_share` (see `images.measure`).
    """
    if row["status"] == "retracted":
        return Rejection("retracted", row["status"], None)
    caption_chars = len(row["caption"] or "")
    text_chars = caption_chars + sum(map(len, row["context"]))
    if row["image_error"]:
        return Rejection("image_missing", row["image_error"], None)
    short_px, long_px = sorted((row["width"], row["height"]))
    if short_px < limits.min_side_px:
        return Rejection("min_side_px", short_px, limits.min_side_px)
    if long_px > limits.max_aspect * short_px:
        return Rejection("max_aspect", long_px / short_px, limits.max_aspect)
    if row["contrast"] < limits.min_contrast:
        return Rejection("min_contrast", row["contrast"], limits.min_contrast)
    if row["sharpness"] <= limits.min_sharpness:
        return Rejection("min_sharpness", row["sharpness"], limits.min_sharpness)
    if row["text_share"] > limits.max_text_share:
        return Rejection("max_text_share", row["text_share"], limits.max_text_share)
    if caption_chars > limits.max_caption_chars:
        return Rejection("max_caption_chars", caption_chars, limits.max_caption_chars)
    if text_chars < limits.min_text_chars:
        return Rejection("min_text_chars", text_chars, limits.min_text_chars)
    return None

"""Which figures become pairs: each filter is a pure rule on one row; the first that objects names the reason."""

from typing import cast

from dataset_builder.assembly.rows import Rejection, Unjudged
from dataset_builder.assembly.settings import Thresholds
from dataset_builder.readers.article import Measures
from dataset_builder.text.notices import is_retraction_notice


def rejection(row: Unjudged, limits: Thresholds) -> Rejection | None:
    """The first objection to a figure, or None when it is kept."""
    if row["status"] in ("removed", "retracted"):
        return Rejection(row["status"], row["status"], None)
    if is_retraction_notice(row["article_type"], row["title"]):
        return Rejection("retracted", "notice of a retraction", None)
    if row["image_fault"]:
        return Rejection(row["image_fault"], row["image_error"], None)
    picture = cast("Measures", row)  # there is one, so it was measured
    return _of_picture(picture, limits) or _of_text(row, limits)


def _of_picture(picture: Measures, limits: Thresholds) -> Rejection | None:
    short_px, long_px = sorted((picture["width"], picture["height"]))
    if short_px < limits.min_side_px:
        return Rejection("min_side_px", short_px, limits.min_side_px)
    if long_px > limits.max_aspect * short_px:
        return Rejection("max_aspect", long_px / short_px, limits.max_aspect)
    if picture["contrast"] < limits.min_contrast:
        return Rejection("min_contrast", picture["contrast"], limits.min_contrast)
    if picture["sharpness"] <= limits.min_sharpness:
        return Rejection("min_sharpness", picture["sharpness"], limits.min_sharpness)
    if picture["text_share"] > limits.max_text_share:
        return Rejection("max_text_share", picture["text_share"], limits.max_text_share)
    return None


def _of_text(row: Unjudged, limits: Thresholds) -> Rejection | None:
    caption_chars = len(row["caption"] or "")
    if caption_chars > limits.max_caption_chars:
        return Rejection("max_caption_chars", caption_chars, limits.max_caption_chars)
    questions = [text for each in row["questions"] for text in (each["question"], each["answer"])]
    text_chars = caption_chars + sum(map(len, [*row["context"], *questions]))
    if text_chars < limits.min_text_chars:
        return Rejection("min_text_chars", text_chars, limits.min_text_chars)
    return None

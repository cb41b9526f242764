"""Whether each row shows the picture that its figure has, and whether that is the one whose hashes stand in its row.

The hashes are what duplicates across splits are found by: a test picture in a training row would hide behind others'.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imagehash

from dataset_builder.assembly.duplicates import MAX_PHASH_DISTANCE
from model_cards.dataset_folder import all_files, config_files
from trust.licenses import of_row
from trust.pictures.derived import cropped
from trust.pictures.opener import UnreadablePicture, open_picture
from trust.pictures.stored import stored_bytes
from verification.rows import rows_of

_OF_FIGURE = ("figure_id", "article_id", "image", "image_sha256", "phash", "width", "height", "panels", "license")
_OF_EXAMPLE = ("example_id", "figure_id", "images", "panel", "license", "licenses")
_PANEL_BITS = 16  # of 64 by which a panel may differ from its part of the figure: blurring; others differ in some 32


@dataclass(frozen=True)
class _Shown:
    """The picture of a training example, by its hashes."""

    of: str  # config and example, for messages
    panel: str | None
    sha256: str
    phash: str | None  # of a panel alone
    licenses: tuple[str | None, ...]


def wrong_pictures(folder: Path) -> Iterator[str]:
    """Of `pairs` those that are not as their row says, of the other configs those that are not their figure's."""
    pairs = all_files(config_files(folder).get("pairs", {}))
    if not pairs:
        return
    shown: dict[str, list[_Shown]] = defaultdict(list)
    for config, splits in config_files(folder).items():
        for row in rows_of(all_files(splits), _OF_EXAMPLE) if config != "pairs" else ():
            try:
                shown[row["figure_id"]].append(_shown(config, row))
            except UnreadablePicture as error:
                yield f"{config}: {row['example_id']}: {error}"
    for row in rows_of(pairs, _OF_FIGURE):
        if not (row["figure_id"] and row["article_id"]):
            yield f"pairs: a row has no figure_id or no article_id ({row['figure_id']!r}, {row['article_id']!r})"
            continue
        try:
            yield from _wrong_figure(row)
            yield from _wrong_examples(row, shown.get(row["figure_id"], []))
        except UnreadablePicture as error:
            yield f"{row['figure_id']}: {error}"


def _shown(config: str, row: dict[str, Any]) -> _Shown:
    pictures = row["images"] or []
    if len(pictures) != 1:
        raise UnreadablePicture(f"the row has {len(pictures)} pictures, not one")
    data = stored_bytes(pictures[0])
    phash = _phash(data) if row["panel"] else None
    return _Shown(
        f"{config}: {row['example_id']}", row["panel"], hashlib.sha256(data).hexdigest(), phash, tuple(of_row(row))
    )


def _wrong_figure(row: dict[str, Any]) -> Iterator[str]:
    data = stored_bytes(row["image"])
    if hashlib.sha256(data).hexdigest() != row["image_sha256"]:
        yield f"{row['figure_id']}: its picture is not the one whose hash is in its row"
        return
    if row["phash"] is None:  # of a dataset that was not made here
        return
    picture = open_picture(data)
    if picture.size != (row["width"], row["height"]):
        size = f"{picture.width}x{picture.height} pixels, its row says {row['width']}x{row['height']}"
        yield f"{row['figure_id']}: its picture has {size}"
    if _distance(row["phash"], _phash(data)) > MAX_PHASH_DISTANCE:
        yield f"{row['figure_id']}: `phash` in its row is not its picture's, so that near-duplicates are not found"


def _wrong_examples(row: dict[str, Any], examples: list[_Shown]) -> Iterator[str]:
    for one in examples:
        if row["license"] not in one.licenses:
            yield f"{one.of}: its licences are without that of its figure, {row['license'] or 'not stated'}"
        is_figures = _is_panel(row, one) if one.panel else one.sha256 == row["image_sha256"]
        if not is_figures:
            what = f"panel {one.panel} of {row['figure_id']}" if one.panel else row["figure_id"]
            yield f"{one.of}: its picture is not that of {what}"


def _is_panel(row: dict[str, Any], one: _Shown) -> bool:
    boxes = [panel["bbox"] for panel in row["panels"] or () if panel["label"] == one.panel]
    if len(boxes) != 1 or one.phash is None:
        return False
    return _distance(_phash(cropped(row["image"], boxes[0])), one.phash) <= _PANEL_BITS


def _phash(data: bytes) -> str:
    return str(imagehash.phash(open_picture(data).convert("L")))


def _distance(one: str, other: str) -> int:
    """Bits by which two perceptual hashes differ; all of them where one of them is none."""
    try:
        return (int(one, 16) ^ int(other, 16)).bit_count()
    except ValueError:
        return 64

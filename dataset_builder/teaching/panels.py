"""Panels of compound figures as figures of their own, and the pictures that a teacher sees."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from math import isfinite
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet

from dataset_builder.schema import SPLITS
from trust.pictures.derived import data_url, picture_of
from trust.pictures.opener import UnreadablePicture
from trust.pictures.stored import StoredPicture

_PICTURES_AT_ONCE = 20  # in memory, each of a megabyte or so


def with_panels(rows: Iterable[dict]) -> Iterator[dict]:
    """Each row of `pairs`, and behind it one for each of its panels that has a caption.

    A panel's row has `panel`, its label, `panel_bbox`, its caption and no context: what the article says of the figure
    may be about the other panels. Figures that came with questions stay whole, and so do panels whose label another one
    has or whose box is not within the picture.
    """
    for row in rows:
        yield row
        labels = Counter(panel["label"] for panel in row["panels"] or ())
        for panel in row["panels"] or ():
            if not row["questions"] and labels[panel["label"]] == 1 and _is_whole(panel, row):
                own = {"panel": panel["label"], "panel_bbox": panel["bbox"], "caption": panel["caption"]}
                yield row | own | {"context": []}


def with_picture_urls(rows: Iterable[dict], dataset: Path) -> Iterator[dict]:
    """The rows, in the order of `pairs`, with `picture_url`: the figure's or the panel's picture as a data URL.

    Raises UnreadablePicture, with the figure's id, for a picture that cannot be opened.
    """
    pictures = _pictures(dataset)
    figure_id, picture = None, None
    for row in rows:
        while figure_id != row["figure_id"]:
            figure_id, picture = next(pictures)
        yield row | {"picture_url": _url(row, picture)}


def _url(row: Mapping[str, Any], picture: StoredPicture | None) -> str:
    part = picture_of(row, picture)
    try:
        return data_url(part)
    except UnreadablePicture as error:
        raise UnreadablePicture(f"{row['figure_id']}: {error}") from error


def _pictures(dataset: Path) -> Iterator[tuple[str, StoredPicture]]:
    for split in SPLITS:
        for path in sorted((dataset / "pairs").glob(f"{split}-*.parquet")):
            with parquet.ParquetFile(path) as file:
                for batch in file.iter_batches(_PICTURES_AT_ONCE, columns=["figure_id", "image"]):
                    yield from ((row["figure_id"], row["image"]) for row in batch.to_pylist())


def _is_whole(panel: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    """Whether it can be named, has something said of it, and lies within the picture."""
    box = panel["bbox"]
    if not panel["label"] or not (panel["caption"] or "").strip() or not box or len(box) != 4:
        return False
    left, top, right, bottom = box
    is_within = 0 <= left < right <= row["width"] and 0 <= top < bottom <= row["height"]
    return is_within and all(isfinite(side) for side in box)

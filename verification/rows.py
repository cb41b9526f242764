"""Rows of a dataset's Parquet files, and what duplicates among its figures are told by."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet

from dataset_builder.assembly.duplicates import FigureKey, figure_key
from model_cards.dataset_folder import Splits, all_files

_ROWS_AT_ONCE = 100  # in memory, with their pictures
_PHASH = re.compile(r"[0-9a-f]{16}")
_KEYS = ("figure_id", "article_id", "image_sha256", "phash", "width", "height", "caption")


def rows_of(files: Iterable[Path], columns: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The rows of Parquet files with these columns; None for one that is not there."""
    wanted = list(columns)
    for path in files:
        there = set(parquet.read_schema(path).names)
        absent = {name: None for name in wanted if name not in there}
        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(_ROWS_AT_ONCE, columns=[name for name in wanted if name in there]):
                yield from (row | absent for row in batch.to_pylist())


def keys_of(pairs: Splits) -> dict[str, FigureKey]:
    """figure -> what duplicates are told by; figures without hashes are left out."""
    found = {}
    for row in rows_of(all_files(pairs), _KEYS):
        if not all(row[name] for name in _KEYS if name != "caption") or not _PHASH.fullmatch(row["phash"]):
            continue
        found[row["figure_id"]] = figure_key(row)
    return found

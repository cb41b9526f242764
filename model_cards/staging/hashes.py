"""hashes.json: what was published, by its sha256, so that who checks it later can say which file, or row, has changed.

{"files": {path: sha256}, "rows": {Parquet file: [the first 8 hex digits of each row's hash]}}. The card is not in it,
which may be edited on the Hub.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet
from typing_extensions import TypedDict

from trust.handovers import Kind, stamped

NAME = "hashes.json"
_CARD = "README.md"
_ROW_DIGITS = 8  # hex: enough to name a row that has changed; the file's sha256 says whether one has
_ROWS_A_BATCH = 50  # rows with pictures are held in memory by this many


class Hashes(TypedDict):
    """hashes.json"""

    files: dict[str, str]
    rows: dict[str, list[str]]


HASHES = Kind(Hashes, "ldrt publish RUN ORG/NAME")


def write_hashes(files: Mapping[str, Path], target: Path) -> None:
    """Write the hashes of `files` (path in the repository -> local file) to `target`; same files, same bytes."""
    listed = {name: path for name, path in sorted(files.items()) if name != _CARD and path.name != NAME}
    rows = {name: row_hashes(path) for name, path in listed.items() if name.endswith(".parquet")}
    content = stamped({"files": {name: file_sha256(path) for name, path in listed.items()}, "rows": rows})
    target.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def row_hashes(path: Path) -> list[str]:
    """One short hash a row of a Parquet file, in their order."""
    with parquet.ParquetFile(path, pre_buffer=False) as file:
        batches = file.iter_batches(_ROWS_A_BATCH)
        return [_row_hash(row) for batch in batches for row in batch.to_pylist()]


def _row_hash(row: dict[str, Any]) -> str:
    text = json.dumps(row, sort_keys=True, default=_digest)
    return hashlib.sha256(text.encode()).hexdigest()[:_ROW_DIGITS]


def _digest(value: object) -> str:
    """What JSON cannot hold: a picture's bytes by their hash, anything else as Python writes it."""
    return hashlib.sha256(value).hexdigest() if isinstance(value, bytes) else repr(value)

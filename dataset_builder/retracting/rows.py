"""Rows that go, out of Parquet files and out of JSON lines; whatever has none of them stays as it is, bit for bit."""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet as parquet

from dataset_builder.files.jsonfiles import write_lines

IsGone = Callable[[Mapping[str, Any]], bool]

_OF_ROW = ("article_id", "figure_id", "context_of")  # columns that say what a row is of
_ROWS_A_GROUP = 100  # as `ldrt build` writes them: rows with pictures are held in memory by this many
_CUT_BY_CONTENT = {"min_chunk_size": 256 * 1024, "max_chunk_size": 1024 * 1024, "norm_level": 0}  # as `datasets` does


def filter_lines(path: Path, is_gone: IsGone) -> int:
    """Take rows out of a JSONL file; the other lines keep their bytes. Returns how many went.

    A line that is no JSON object (a last one that a kill has torn) is dropped: nobody can say what it is of.
    """
    with path.open("rb") as file:
        n_gone = sum(not _stays(line, is_gone) for line in file)
    if n_gone:
        with path.open("rb") as file:
            write_lines(path, (line.decode("utf-8") for line in file if _stays(line, is_gone)))
    return n_gone


def _stays(line: bytes, is_gone: IsGone) -> bool:
    try:
        row = json.loads(line)
    except ValueError:
        return False
    return isinstance(row, dict) and not is_gone(row)


def filter_config(folder: Path, is_gone: IsGone) -> int:
    """Take rows out of the Parquet files of a config, file by file; returns how many went.

    A file of which nothing is left goes, too, and those of its split are numbered anew.
    """
    n_gone = 0
    for path in sorted(folder.glob("*.parquet")):
        stays = _stay(path, is_gone)
        if all(stays):
            continue
        n_gone += stays.count(False)
        if any(stays):
            _rewrite(path, stays)
        else:
            path.unlink()
    for split in {path.name.partition("-")[0] for path in folder.glob("*-of-*.parquet")}:
        _number_anew(folder, split)
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
    return n_gone


def _stay(path: Path, is_gone: IsGone) -> list[bool]:
    """Of each row of a Parquet file whether it stays."""
    with parquet.ParquetFile(path) as file:
        columns = [name for name in _OF_ROW if name in file.schema_arrow.names]
        return [not is_gone(row) for batch in file.iter_batches(columns=columns) for row in batch.to_pylist()]


def _rewrite(path: Path, stays: list[bool]) -> None:
    """Write the rows that stay, under a temporary name, and rename it; schema and compression are the file's."""
    partial = path.with_name(f"{path.name}.partial")
    with parquet.ParquetFile(path, pre_buffer=False) as file:
        column = file.metadata.row_group(0).column(0)
        with parquet.ParquetWriter(
            partial,
            file.schema_arrow,
            compression="none" if column.compression == "UNCOMPRESSED" else column.compression.lower(),
            write_page_index=True,
            use_content_defined_chunking=_CUT_BY_CONTENT,
        ) as writer:
            start = 0
            for batch in file.iter_batches(_ROWS_A_GROUP):
                mask = pyarrow.array(stays[start : start + batch.num_rows])
                start += batch.num_rows
                kept = pyarrow.Table.from_batches([batch]).filter(mask)
                if kept.num_rows:
                    writer.write_table(kept)
    with partial.open("rb") as written:
        os.fsync(written.fileno())
    os.replace(partial, path)


def _number_anew(folder: Path, split: str) -> None:
    """`train-00000-of-00003`, `train-00002-of-00003` -> `train-00000-of-00002`, `train-00001-of-00002`."""
    paths = sorted(folder.glob(f"{split}-*-of-*.parquet"))
    for number, path in enumerate(paths):
        os.replace(path, path.with_name(f"{split}-{number:05}-of-{len(paths):05}.parquet"))

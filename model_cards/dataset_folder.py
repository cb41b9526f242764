"""What lies in a dataset repo folder: configs, splits, Parquet files, and how often a column has a value."""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import pyarrow
import pyarrow.parquet as parquet

from trust.licenses import of_row

# With files of their own; `instruct` lists those of two others.
CONFIGS = ("pairs", "align", "detail", "reasoning", "preference")
INSTRUCT = ("detail", "reasoning")  # whose files config `instruct` lists, without a copy
WITHHELD = "withheld"  # ids and hashes of figures without a picture: no config of rows, and in none of the above
SPLITS = ("train", "validation", "test")

TERMS = ("license", "licenses", "rights")  # the columns of `Terms`
# What decides whether a row may be published: the licences of all that it is made of, and its figure's own rights.
Terms = tuple[tuple[str | None, ...], str | None]
NO_TERMS: Terms = ((None,), None)

Splits = dict[str, list[Path]]  # split -> its Parquet files, in their order


def config_files(dataset: Path) -> dict[str, Splits]:
    """config -> split -> its Parquet files; only what is there, in the order of `CONFIGS` and `SPLITS`."""
    found = {config: split_files(dataset / config) for config in CONFIGS}
    return {config: splits for config, splits in found.items() if splits}


def split_files(folder: Path) -> Splits:
    """split -> the Parquet files of one config's folder; {} where there are none."""
    found = {split: sorted(folder.glob(f"{split}-*.parquet")) for split in SPLITS}
    return {split: paths for split, paths in found.items() if paths}


def all_files(splits: Splits) -> list[Path]:
    """The Parquet files of a config, split after split."""
    return [path for paths in splits.values() for path in paths]


def column_counts(paths: Iterable[Path], column: str) -> Counter[str | None]:
    """How often each value of a column occurs; every row counts as None where the column is absent."""
    counts: Counter[str | None] = Counter()
    for path in paths:
        with parquet.ParquetFile(path) as file:
            if column not in file.schema_arrow.names:
                counts[None] += file.metadata.num_rows
                continue
            for batch in file.iter_batches(columns=[column]):
                counts.update(batch.column(0).to_pylist())
    return counts


def terms_counts(paths: Iterable[Path]) -> Counter[Terms]:
    """How often each `Terms` occurs."""
    counts: Counter[Terms] = Counter()
    for path in paths:
        with parquet.ParquetFile(path) as file:
            there = [name for name in TERMS if name in file.schema_arrow.names]
            if not there:
                counts[NO_TERMS] += file.metadata.num_rows
                continue
            for batch in file.iter_batches(columns=there):
                counts.update(terms(batch))
    return counts


def terms(batch: pyarrow.RecordBatch) -> list[Terms]:
    """The `Terms` of each row; a column that is absent, as in datasets of before, says nothing."""
    return [row_terms(row) for row in batch.select(_there(batch)).to_pylist()] or [NO_TERMS] * batch.num_rows


def _there(batch: pyarrow.RecordBatch) -> list[str]:
    return [name for name in TERMS if name in batch.schema.names]


def row_terms(row: Mapping) -> Terms:
    """The `Terms` of one row, of Parquet or of a JSONL."""
    return of_row(row), row.get("rights")

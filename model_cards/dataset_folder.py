"""What lies in a dataset repo folder: configs, splits, Parquet files, and how often a column has a value."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pyarrow
import pyarrow.parquet as parquet

CONFIGS = ("pairs", "align", "detail", "reasoning")  # with files of their own; `instruct` lists those of two others
SPLITS = ("train", "validation", "test")

Splits = dict[str, list[Path]]  # split -> its Parquet files, in their order


def config_files(dataset: Path) -> dict[str, Splits]:
    """config -> split -> its Parquet files; only what is there, in the order of `CONFIGS` and `SPLITS`."""
    found = {config: _split_files(dataset / config) for config in CONFIGS}
    return {config: splits for config, splits in found.items() if splits}


def _split_files(folder: Path) -> Splits:
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


def terms_counts(paths: Iterable[Path]) -> Counter[tuple[str | None, str | None]]:
    """How often each pair of `license` and `rights` occurs: what decides whether a row may be published."""
    counts: Counter[tuple[str | None, str | None]] = Counter()
    for path in paths:
        with parquet.ParquetFile(path) as file:
            there = [name for name in ("license", "rights") if name in file.schema_arrow.names]
            if not there:
                counts[None, None] += file.metadata.num_rows
                continue
            for batch in file.iter_batches(columns=there):
                counts.update(terms(batch))
    return counts


def terms(batch: pyarrow.RecordBatch) -> list[tuple[str | None, str | None]]:
    """`license` and `rights` of each row; None where a column is absent, as `rights` is in datasets of before."""
    columns = [_values(batch, name) for name in ("license", "rights")]
    return list(zip(*columns, strict=True))


def _values(batch: pyarrow.RecordBatch, name: str) -> list[str | None]:
    return batch.column(name).to_pylist() if name in batch.schema.names else [None] * batch.num_rows

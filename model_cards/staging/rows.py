"""The rows of a config that a policy permits: Parquet files that are linked whole or written anew."""

from dataclasses import dataclass
from pathlib import Path

import pyarrow
import pyarrow.parquet as parquet
from tqdm import tqdm

from model_cards.dataset_folder import TERMS, row_terms
from model_cards.reviewing.review import Review
from model_cards.reviewing.rows import blurred_table, is_held, needs_blur
from trust.licenses import Policy, permits

ROWS_A_GROUP = 100  # rows with pictures are held in memory by this many
# Chunks of 256 KiB to 1 MiB, cut by content as `datasets` writes them: Xet sends only those that are new.
CDC = {"min_chunk_size": 256 * 1024, "max_chunk_size": 1024 * 1024, "norm_level": 0}
_DECIDING = (*TERMS, "figure_id", "context_of", "panel")  # columns that say whether a row goes, and as it is


@dataclass
class RowCounts:
    """How many rows of a file, a split or a config a policy permits, and how many not."""

    published: int = 0
    left_out: int = 0
    held: int = 0  # permitted, but their figure was dropped for personal data in it, or this is not decided

    def add(self, other: "RowCounts") -> None:
        self.published += other.published
        self.left_out += other.left_out
        self.held += other.held


@dataclass(frozen=True)
class _File:
    """A Parquet file with something to publish."""

    path: Path
    is_as_it_is: bool  # all of its rows, none of them changed


def stage_split(paths: list[Path], folder: Path, split: str, policy: Policy, review: Review | None = None) -> RowCounts:
    """Write or link the rows of one split that may be published; its files are numbered anew, as some may fall away."""
    counts = RowCounts()
    kept: list[_File] = []
    for path in paths:
        of_file, n_blurred = _count(path, policy, review)
        counts.add(of_file)
        if of_file.published:
            kept.append(_File(path, not (of_file.left_out or of_file.held or n_blurred)))
    progress = tqdm(kept, desc=f"{folder.name} {split}", unit="file", disable=None)
    for number, file in enumerate(progress):
        folder.mkdir(exist_ok=True)
        target = folder / f"{split}-{number:05}-of-{len(kept):05}.parquet"
        if file.is_as_it_is:
            target.symlink_to(file.path.resolve())
        else:
            write_permitted(file.path, target, policy, review)
    return counts


def _count(path: Path, policy: Policy, review: Review | None) -> tuple[RowCounts, int]:
    """How many rows go and stay, and of how many that go a part of the picture is blurred."""
    counts, n_blurred = RowCounts(), 0
    with parquet.ParquetFile(path) as file:
        named = [name for name in _DECIDING if name in file.schema_arrow.names]
        for batch in file.iter_batches(columns=named):
            for row in batch.to_pylist():
                if not permits(policy, *row_terms(row)):
                    counts.left_out += 1
                elif is_held(row, review):
                    counts.held += 1
                else:
                    counts.published += 1
                    n_blurred += needs_blur(row, review)
    return counts, n_blurred


def write_permitted(source: Path, target: Path, policy: Policy, review: Review | None = None) -> None:
    """Copy the rows of a Parquet file that may be published, in their order; the same rows give the same bytes.

    Schema, metadata and compression are the source's; `ROWS_A_GROUP` rows are in memory at a time.
    """
    with (
        parquet.ParquetFile(source, pre_buffer=False) as file,
        parquet.ParquetWriter(
            target, file.schema_arrow, write_page_index=True, use_content_defined_chunking=CDC, **_encoding(file)
        ) as writer,
    ):
        pending: list[pyarrow.Table] = []
        for batch in file.iter_batches(batch_size=ROWS_A_GROUP):
            pending.append(_permitted(batch, policy, review))
            if sum(table.num_rows for table in pending) >= ROWS_A_GROUP:
                writer.write_table(pyarrow.concat_tables(pending))
                pending = []
        if pending:
            writer.write_table(pyarrow.concat_tables(pending))


def _permitted(batch: pyarrow.RecordBatch, policy: Policy, review: Review | None) -> pyarrow.Table:
    named = [name for name in _DECIDING if name in batch.schema.names]
    rows = batch.select(named).to_pylist()
    mask = [permits(policy, *row_terms(row)) and not is_held(row, review) for row in rows]
    table = pyarrow.Table.from_batches([batch]).filter(pyarrow.array(mask))
    if review is None or not any(needs_blur(row, review) for row in rows):
        return table
    return blurred_table(table, review)


def _encoding(file: parquet.ParquetFile) -> dict:
    """Compression and dictionary use of each column of a Parquet file, as `ParquetWriter` takes them."""
    group = file.metadata.row_group(0)
    compression: dict[str, str] = {}
    dictionary: list[str] = []
    for number in range(group.num_columns):
        column = group.column(number)
        name = column.compression.lower()
        compression[column.path_in_schema] = "none" if name == "uncompressed" else name
        if column.has_dictionary_page:
            dictionary.append(column.path_in_schema)
    return {"compression": compression, "use_dictionary": dictionary}

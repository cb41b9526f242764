"""The rows of a config that a policy permits: Parquet files that are linked whole or written anew."""

from dataclasses import dataclass
from pathlib import Path

import pyarrow
import pyarrow.parquet as parquet
from tqdm import tqdm

from model_cards.dataset_folder import terms, terms_counts
from trust.licenses import Policy, permits

ROWS_A_GROUP = 100  # rows with pictures are held in memory by this many
# Chunks of 256 KiB to 1 MiB, cut by content as `datasets` writes them: Xet sends only those that are new.
CDC = {"min_chunk_size": 256 * 1024, "max_chunk_size": 1024 * 1024, "norm_level": 0}


@dataclass
class RowCounts:
    """How many rows of a file, a split or a config a policy permits, and how many not."""

    published: int = 0
    left_out: int = 0

    def add(self, other: "RowCounts") -> None:
        self.published += other.published
        self.left_out += other.left_out


def stage_split(paths: list[Path], folder: Path, split: str, policy: Policy) -> RowCounts:
    """Write or link the permitted rows of one split; its files are numbered anew, as some may fall away."""
    counts = RowCounts()
    kept: list[tuple[Path, bool]] = []  # a file with something to publish, and whether that is all of it
    for path in paths:
        of_file = _count(path, policy)
        counts.add(of_file)
        if of_file.published:
            kept.append((path, of_file.left_out == 0))
    progress = tqdm(kept, desc=f"{folder.name} {split}", unit="file", disable=None)
    for number, (path, is_whole) in enumerate(progress):
        folder.mkdir(exist_ok=True)
        target = folder / f"{split}-{number:05}-of-{len(kept):05}.parquet"
        if is_whole:
            target.symlink_to(path.resolve())
        else:
            write_permitted(path, target, policy)
    return counts


def _count(path: Path, policy: Policy) -> RowCounts:
    counts = RowCounts()
    for (licenses, rights), n in terms_counts([path]).items():
        if permits(policy, licenses, rights):
            counts.published += n
        else:
            counts.left_out += n
    return counts


def write_permitted(source: Path, target: Path, policy: Policy) -> None:
    """Copy the rows of a Parquet file that `policy` permits, in their order; the same rows give the same bytes.

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
            pending.append(_permitted(batch, policy))
            if sum(table.num_rows for table in pending) >= ROWS_A_GROUP:
                writer.write_table(pyarrow.concat_tables(pending))
                pending = []
        if pending:
            writer.write_table(pyarrow.concat_tables(pending))


def _permitted(batch: pyarrow.RecordBatch, policy: Policy) -> pyarrow.Table:
    mask = [permits(policy, licenses, rights) for licenses, rights in terms(batch)]
    return pyarrow.Table.from_batches([batch]).filter(pyarrow.array(mask))


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

"""The last look at pictures before they are published: nothing but pixels goes out."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as parquet

from model_cards.dataset_folder import all_files, config_files
from trust.pictures.metadata import is_bare
from trust.pictures.opener import UnreadablePicture
from trust.pictures.stored import StoredPicture, stored_bytes

_ROWS_A_BATCH = 50  # rows with pictures are held in memory by this many


def refuse_more_than_pixels(folder: Path) -> None:
    """Look at every picture of a dataset folder's Parquet files.

    Raises ValueError, naming the row, for one that holds metadata or bytes behind its end, as `ldrt build` of before
    wrote them, that is no JPEG or PNG, or that is not there.
    """
    for splits in config_files(folder).values():
        for path in all_files(splits):
            for name, picture in _pictures(path):
                try:
                    is_published = is_bare(stored_bytes(picture))
                except UnreadablePicture as error:
                    raise ValueError(f"{name}: {error}; not published") from error
                if not is_published:
                    raise ValueError(
                        f"{name}: its picture is more than a JPEG's or PNG's pixels (EXIF, comments, bytes behind its "
                        "end); not published: run `ldrt build` again, which leaves these out, then `ldrt instruct`"
                    )


def _pictures(path: Path) -> Iterator[tuple[str, StoredPicture | None]]:
    """(example_id or figure_id, picture) of each row; each of several pictures of a row."""
    with parquet.ParquetFile(path, pre_buffer=False) as file:
        names = file.schema_arrow.names
        id_column = "example_id" if "example_id" in names else "figure_id"
        columns = [name for name in (id_column, "image", "images") if name in names]
        for batch in file.iter_batches(_ROWS_A_BATCH, columns=columns):
            for row in batch.to_pylist():
                yield from ((row[id_column], picture) for picture in row.get("images") or [row.get("image")])

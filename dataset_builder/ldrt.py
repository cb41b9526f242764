"""The dataset's builder class: writes each config of the dataset repo folder as Parquet.

The Hub no longer runs loading scripts (datasets 4 and later), so what is published is the Parquet; this class is what
made it, and what anybody can make it with again:

    LDRT(config_name="pairs", rows="dataset/.work/rows.jsonl", cache_dir=…).download_and_prepare(…)
"""

import hashlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import datasets
import pyarrow.parquet as parquet

from dataset_builder.files.jsonfiles import read_jsonl, write_lines
from dataset_builder.schema import CONFIGS, SPLITS, features
from trust.pictures.derived import picture_of
from trust.pictures.opener import UnreadablePicture
from trust.pictures.stored import StoredPicture, stored_bytes

_ROWS_A_GROUP = 100  # small row groups, so that streaming does not wait for hundreds of pictures
_SHARD_SIZE = "500MB"


@dataclass
class LDRTConfig(datasets.BuilderConfig):
    """`rows`, the file DATASET/.work/NAME.jsonl, has one row a line, with `split`.

    `inputs_sha256` keeps datasets' cache honest. Rows of `pairs` name their picture by `image_path`, relative to
    DATASET; rows of the other configs come in the order of the rows of `pairs` (folder of Parquet files) and take their
    pictures from there, of a panel the part that it is.
    """

    rows: str = ""
    pairs: str | None = None
    inputs_sha256: str = ""


class LDRT(datasets.GeneratorBasedBuilder):
    """Rows with their pictures, for each config and split."""

    BUILDER_CONFIG_CLASS = LDRTConfig
    BUILDER_CONFIGS = [LDRTConfig(name=name) for name in CONFIGS]
    DEFAULT_WRITER_BATCH_SIZE = _ROWS_A_GROUP

    def _info(self) -> datasets.DatasetInfo:
        return datasets.DatasetInfo(features=features(self.config.name))

    def _split_generators(self, dl_manager) -> list[datasets.SplitGenerator]:
        present = {row["split"] for row in read_jsonl(Path(self.config.rows))}
        return [datasets.SplitGenerator(name, {"split": name}) for name in SPLITS if name in present]

    def _generate_examples(self, split: str) -> Iterator[tuple[int, dict]]:
        rows = (row for row in read_jsonl(Path(self.config.rows)) if row["split"] == split)
        with_pictures = (
            _own_pictures(rows, Path(self.config.rows).parents[1])
            if self.config.name == "pairs"
            else _pictures_of(rows, self._pictures(split))
        )
        for i, row in enumerate(with_pictures):
            yield i, {name: row[name] for name in self.info.features}

    def _pictures(self, split: str) -> Iterator[tuple[str, StoredPicture]]:
        """(figure_id, encoded picture) of the rows of `pairs`, in their order."""
        for path in sorted(Path(self.config.pairs).glob(f"{split}-*.parquet")):  # a path may have [ and *: no pattern
            with parquet.ParquetFile(path) as file:
                for batch in file.iter_batches(_ROWS_A_GROUP, columns=["figure_id", "image"]):
                    for row in batch.to_pylist():
                        yield row["figure_id"], _picture_of(row)


def _picture_of(row: dict) -> StoredPicture:
    """The row's picture by its bytes: a path in their place would be opened, and published, when Parquet is written."""
    try:
        return {"bytes": stored_bytes(row["image"]), "path": None}
    except UnreadablePicture as error:
        raise UnreadablePicture(f"{row['figure_id']}: {error}") from error


def _own_pictures(rows: Iterator[dict], dataset: Path) -> Iterator[dict]:
    for row in rows:
        yield row | {"image": {"bytes": (dataset / row["image_path"]).read_bytes(), "path": None}}


def _pictures_of(rows: Iterator[dict], pictures: Iterator[tuple[str, StoredPicture]]) -> Iterator[dict]:
    """Give each row the picture of its figure; both come in the same order. Raises StopIteration if one is missing."""
    figure_id, picture = None, None
    for row in rows:
        while figure_id != row["figure_id"]:
            figure_id, picture = next(pictures)
        yield row | {"images": [picture_of(row, picture)]}


def write_config(dataset: Path, name: str, rows: Path) -> None:
    """Write config `name` of a dataset repo folder as `{name}/{split}-NNNNN-of-NNNNN.parquet` from a JSONL of rows.

    Nothing is written when rows and pictures are those of last time. The old files stay until the new ones are
    complete; new `pairs` make the other configs, which were made from the old ones, disappear. Same rows, same bytes.
    """
    work, mark = dataset / ".work" / name, _mark(dataset, name)
    pairs = _pairs_of(dataset, name)
    digest = _digest(rows, pairs)
    if (dataset / name).exists() and mark.exists() and mark.read_text() == digest:
        return
    mark.unlink(missing_ok=True)
    shutil.rmtree(work, ignore_errors=True)
    paths = {"rows": str(rows), "pairs": str(pairs) if pairs else None, "cache_dir": str(work / "cache")}
    builder = LDRT(config_name=name, inputs_sha256=digest, **paths)
    builder.download_and_prepare(str(work / "parquet"), file_format="parquet", max_shard_size=_SHARD_SIZE)
    new = work / "new"
    new.mkdir()
    for path in sorted((work / "parquet").glob("*.parquet")):
        os.replace(path, new / _hub_name(path.name))
    if name == "pairs":
        for made_from_it in CONFIGS[1:]:
            shutil.rmtree(dataset / made_from_it, ignore_errors=True)
        for shows_them in ("provenance/rejected_examples.jsonl", "examples.html"):
            (dataset / shows_them).unlink(missing_ok=True)
    if (dataset / name).exists():
        os.replace(dataset / name, work / "old")
    os.replace(new, dataset / name)
    shutil.rmtree(work)
    write_lines(mark, [digest])


def is_current(dataset: Path, name: str) -> bool:
    """Whether config `name` is there and made from the rows that `.work/` has of it."""
    rows, mark = _rows_file(dataset, name), _mark(dataset, name)
    if not ((dataset / name).exists() and rows.exists() and mark.exists()):
        return False
    return mark.read_text() == _digest(rows, _pairs_of(dataset, name))


def mark_current(dataset: Path, name: str) -> None:
    """Note that config `name` and its rows, both changed alike, belong together."""
    if (dataset / name).exists():
        write_lines(_mark(dataset, name), [_digest(_rows_file(dataset, name), _pairs_of(dataset, name))])


def _mark(dataset: Path, name: str) -> Path:
    """Where the hash stands of what a config was made from."""
    return dataset / ".work" / f"{name}.sha256"


def _rows_file(dataset: Path, name: str) -> Path:
    return dataset / ".work" / ("rows.jsonl" if name == "pairs" else f"{name}.jsonl")


def _pairs_of(dataset: Path, name: str) -> Path | None:
    """Where the pictures of a config come from; None for `pairs`, whose pictures are files."""
    return None if name == "pairs" else dataset / "pairs"


def _digest(rows: Path, pairs: Path | None) -> str:
    """A hash of the rows and, by name, size and time of change, of the files that their pictures come from."""
    files = sorted(pairs.iterdir()) if pairs else []
    stats = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    with rows.open("rb") as file:
        return hashlib.sha256(f"{hashlib.file_digest(file, 'sha256').hexdigest()} {stats}".encode()).hexdigest()


def _hub_name(name: str) -> str:
    """datasets' `ldrt-train.parquet` or `ldrt-train-00000-of-00002.parquet` -> `train-00000-of-00001.parquet`."""
    stem = name.removeprefix("ldrt-").removesuffix(".parquet")
    return f"{stem if '-of-' in stem else stem + '-00000-of-00001'}.parquet"

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

from dataset_builder.jsonfiles import read_jsonl
from dataset_builder.schema import CONFIGS, SPLITS, features

_ROWS_A_GROUP = 100  # small row groups, so that streaming does not wait for hundreds of pictures
_SHARD_SIZE = "500MB"


@dataclass
class LDRTConfig(datasets.BuilderConfig):
    """`rows` is a JSONL file with one row a line and `split`; `inputs_sha256`, its hash, keeps datasets' cache honest.

    Rows of `pairs` name their picture by `image_path`; rows of the other configs come in the order of the rows of
    `pairs` (folder of Parquet files) and take their pictures from there.
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
            _own_pictures(rows) if self.config.name == "pairs" else _pictures_of(rows, self._pictures(split))
        )
        for i, row in enumerate(with_pictures):
            yield i, {name: row[name] for name in self.info.features}

    def _pictures(self, split: str) -> Iterator[tuple[str, dict]]:
        """(figure_id, encoded picture) of the rows of `pairs`, in their order."""
        files = sorted(str(path) for path in Path(self.config.pairs).glob(f"{split}-*.parquet"))
        pairs = datasets.load_dataset("parquet", data_files=files, split="train", streaming=True)
        for row in pairs.cast_column("image", datasets.Image(decode=False)).select_columns(["figure_id", "image"]):
            yield row["figure_id"], row["image"]


def _own_pictures(rows: Iterator[dict]) -> Iterator[dict]:
    for row in rows:
        yield row | {"image": {"bytes": Path(row["image_path"]).read_bytes(), "path": None}}


def _pictures_of(rows: Iterator[dict], pictures: Iterator[tuple[str, dict]]) -> Iterator[dict]:
    """Give each row the picture of its figure; both come in the same order. Raises StopIteration if one is missing."""
    figure_id, picture = None, None
    for row in rows:
        while figure_id != row["figure_id"]:
            figure_id, picture = next(pictures)
        yield row | {"images": [picture]}


def write_config(dataset: Path, name: str, rows: Path) -> None:
    """Write config `name` of a dataset repo folder as `{name}/{split}-NNNNN-of-NNNNN.parquet` from a JSONL of rows.

    The old files stay until the new ones are complete. Same rows, same bytes.
    """
    work = dataset / ".work" / name
    shutil.rmtree(work, ignore_errors=True)
    digest = hashlib.sha256(rows.read_bytes()).hexdigest()
    pairs = None if name == "pairs" else str(dataset / "pairs")
    builder = LDRT(config_name=name, rows=str(rows), pairs=pairs, inputs_sha256=digest, cache_dir=str(work / "cache"))
    builder.download_and_prepare(str(work / "parquet"), file_format="parquet", max_shard_size=_SHARD_SIZE)
    new, old = work / "new", work / "old"
    new.mkdir()
    for path in sorted((work / "parquet").glob("*.parquet")):
        os.replace(path, new / _hub_name(path.name))
    if (dataset / name).exists():
        os.replace(dataset / name, old)
    os.replace(new, dataset / name)
    shutil.rmtree(work)


def _hub_name(name: str) -> str:
    """datasets' `ldrt-train.parquet` or `ldrt-train-00000-of-00002.parquet` -> `train-00000-of-00001.parquet`."""
    stem = name.removeprefix("ldrt-").removesuffix(".parquet")
    return f"{stem if '-of-' in stem else stem + '-00000-of-00001'}.parquet"

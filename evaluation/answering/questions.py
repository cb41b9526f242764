"""The items of an evaluation: questions, references and pictures of a dataset's test split."""

import hashlib
import random
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from datasets import Dataset, concatenate_datasets, load_dataset, load_dataset_builder
from PIL import Image as PILImage

from dataset_builder.files.configs import why_unopened
from dataset_builder.files.nearest import nearest
from evaluation.run_folder import Evidence
from trust.dataset_files import check_dataset
from trust.errors import RefusedError, UsageError
from trust.licenses import counts
from trust.pictures.opener import UnreadablePicture
from trust.pictures.stored import StoredPicture, as_stored, open_stored

COLUMNS = ("images", "prompt", "completion", "task", "example_id", "figure_id", "article_id", "license", "teacher")
_IDS_SHOWN = 3  # in a message
BLANK_COLOUR = (122, 116, 104)  # mean of CLIP's training pictures: zero after its normalisation


@dataclass
class Items:
    """Rows of the chosen tasks (dataset_builder/schema.py EXAMPLES, pictures not decoded), and where they come from."""

    rows: Dataset
    dataset: str
    revision: str  # Hub commit, or "sha256:" and 64 hex digits of the files read
    licenses: dict[str, int]  # SPDX id, or "not stated", -> number of rows made from something under it
    teachers: dict[str, int]  # who wrote the references -> number of rows
    split: str
    tasks: list[str]
    benchmark: dict | None = None  # what the manifest says of a benchmark
    left_out: str = ""  # questions of a benchmark that cannot be asked, and why


def load_items(dataset: str, split: str, tasks: list[str], revision: str | None = None) -> Items:
    """Read `split` of the configs `tasks` from a dataset repo folder or a Hub id; nothing but these files is fetched.

    Raises FileNotFoundError for no dataset, ValueError for an absent config or split, naming those that are there, for
    a config that holds no questions, and for example ids that are not unique.
    """
    files = {task: _data_files(dataset, task, split, revision) for task in tasks}
    parts = [load_dataset("parquet", data_files={split: paths}, split=split) for paths in files.values()]
    for task, part in zip(tasks, parts, strict=True):
        if absent := [column for column in COLUMNS if column not in part.column_names]:
            raise UsageError(f"{dataset}, config {task}: no questions to ask, its columns lack {', '.join(absent)}")
    rows = concatenate_datasets([as_stored(part) for part in parts])
    if len(rows) == 0:
        raise ValueError(f"{dataset}: the split {split} of {', '.join(tasks)} is empty")
    _check_unique(rows["example_id"], "example_id", f"{dataset}, {', '.join(tasks)}")
    return Items(rows, dataset, _revision(files), _licenses(rows), _counts(rows["teacher"]), split, tasks)


def _check_unique(ids: list[str | None], column: str, where: str) -> None:
    """Raises ValueError for ids that are there more than once, or missing: answers are told apart by them."""
    times = Counter(ids)
    twice = [name for name, count in times.items() if count > 1 or name is None]
    if twice:
        shown = ", ".join(f"{name!r} ({times[name]} rows)" for name in twice[:_IDS_SHOWN])
        raise ValueError(f"{where}: each {column} must be there once, and {len(twice)} are not: {shown}")


def _licenses(rows: Dataset) -> dict[str, int]:
    return counts(rows.select_columns([name for name in ("license", "licenses") if name in rows.column_names]))


def _counts(values: list[str | None]) -> dict[str, int]:
    return dict(sorted(Counter(value or "not stated" for value in values).items()))


def question(row: dict) -> str:
    """What is asked: the text of the prompt's last message."""
    return row["prompt"][-1]["content"]


def reference(row: dict) -> str:
    """The answer that the teacher wrote."""
    return row["completion"][-1]["content"]


def public_name(model_or_dataset: str) -> str:
    """A folder by its name only: run folders are published, and paths of a machine are nobody's business."""
    path = Path(model_or_dataset)
    return path.resolve().name if path.is_absolute() or path.is_dir() else model_or_dataset


def image_donors(article_ids: list[str], seed: int) -> list[int]:
    """For each item the index of another item, of another article, whose picture it gets: each picture is used once.

    Articles are put in a random order, then every item takes the picture that is as many places further as the largest
    article has items. Raises ValueError where one article has more than half of the items.
    """
    shuffler = random.Random(seed)
    articles = sorted(set(article_ids))
    shuffler.shuffle(articles)
    place = {article: i for i, article in enumerate(articles)}
    order = list(range(len(article_ids)))
    shuffler.shuffle(order)
    order.sort(key=lambda i: place[article_ids[i]])
    largest = max(Counter(article_ids).values())
    if 2 * largest > len(order):
        raise ValueError(
            "image condition shuffled: one article has more than half of the items, so not every item can get the "
            "picture of another article; evaluate more articles"
        )
    donors = [0] * len(order)
    for i, index in enumerate(order):
        donors[index] = order[(i + largest) % len(order)]
    return donors


def open_image(row: dict) -> PILImage.Image:
    """The row's picture in RGB, its first where there are several. Raises `UnreadablePicture`, naming the example."""
    try:
        return open_stored(first_picture(row))
    except UnreadablePicture as error:
        raise UnreadablePicture(f"{row['example_id']}: unreadable picture: {error}") from error


def first_picture(row: dict) -> StoredPicture | None:
    """The row's picture, its first where there are several; None where it has none."""
    images = row["images"]
    return images[0] if isinstance(images, list) and images else images or None


def load_evidence(dataset: str, split: str, revision: str | None = None) -> dict[str, Evidence]:
    """figure_id -> its row of the config `pairs`, with the columns of `Evidence`; {} where there is no such config."""
    try:
        files = _data_files(dataset, "pairs", split, revision)
    except RefusedError:
        raise
    except ValueError:
        return {}
    parquet = {"path": "parquet", "data_files": {split: files}, "split": split}
    there = load_dataset(**parquet, streaming=True).column_names  # datasets of before have no `rights`
    rows = load_dataset(**parquet, columns=[name for name in Evidence.__annotations__ if name in there])
    _check_unique(rows["figure_id"], "figure_id", f"{dataset}, pairs")
    return {row["figure_id"]: row for row in rows}


def load_answers(dataset: str, split: str, tasks: list[str], revision: str | None = None) -> list[str]:
    """The references of a split alone; of the Parquet files only the text is read (and from the Hub, fetched)."""
    files = [path for task in tasks for path in _data_files(dataset, task, split, revision)]
    columns = ["completion"]
    rows = load_dataset("parquet", data_files={split: files}, split=split, columns=columns, streaming=True)
    return [reference(row) for row in rows]


def _data_files(dataset: str, task: str, split: str, revision: str | None) -> list[str]:
    """Paths, or hf:// addresses pinned to a commit, of Parquet files (`load_dataset(name)` would fetch every split)."""
    if not Path(dataset).is_dir() and (
        Path(dataset).exists() or dataset.startswith((".", "/")) or dataset.count("/") > 1
    ):
        raise FileNotFoundError(f"{dataset}: no such dataset folder")
    try:
        builder = load_dataset_builder(dataset, task, revision=check_dataset(dataset, revision))
    except (FileNotFoundError, ConnectionError) as error:
        raise FileNotFoundError(f"{dataset}: no dataset there ({' '.join(str(error).split())})") from error
    except RefusedError:
        raise
    except ValueError as error:
        raise UsageError(f"{dataset}: {why_unopened(dataset, task, revision, error)}") from error
    files = builder.config.data_files or {}
    if split not in files:
        known = f"{nearest(split, map(str, files))}; it has {', '.join(map(str, files)) or 'none'}"
        raise UsageError(f"{dataset}, config {task}: no split {split!r}{known}")
    return sorted(str(path) for path in files[split])


def _revision(files: dict[str, list[str]]) -> str:
    paths = [path for task in sorted(files) for path in files[task]]
    commits = {path.split("@")[1].split("/")[0] for path in paths if path.startswith("hf://")}
    if commits:
        return ",".join(sorted(commits))
    digest = hashlib.sha256()
    for path in paths:
        with open(path, "rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return f"sha256:{digest.hexdigest()}"

"""Rows of the dataset's training configs -> batches for a vision-language model: loading, collator.

A row is TRL's vision prompt/completion form (`dataset_builder/schema.py`, EXAMPLES). Text is rendered by a chat
template and tokenised in one piece; only the completion is trained.
"""

import hashlib
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

import torch
from datasets import Dataset, load_dataset, load_dataset_builder
from huggingface_hub import RepoCard, snapshot_download
from huggingface_hub.errors import HfHubHTTPError
from PIL import Image as PILImage
from transformers import ProcessorMixin
from yaml import YAMLError

from recipes.families.family import Family
from recipes.keys.recipe import Recipe
from recipes.training.conversations import Rendered, render
from trust.dataset_files import check_dataset
from trust.licenses import counts
from trust.pictures.opener import UnreadablePicture
from trust.pictures.stored import as_stored, open_stored

IGNORED = -100  # label of a token outside the loss (PyTorch's cross entropy)
COLUMNS = ("images", "prompt", "completion")
PAIR_COLUMNS = ("images", "prompt", "chosen", "rejected")
_WITH = {COLUMNS: "align, detail, reasoning or instruct", PAIR_COLUMNS: "preference, which `ldrt prefer` writes"}
CARD = "README.md"  # of a dataset
NAME = "example_id"  # a column that rows need not have; it says which row is meant


def load_training_rows(recipe: Recipe, columns: tuple[str, ...] = COLUMNS) -> tuple[Dataset, dict]:
    """The rows that a recipe trains on, and where they come from: see `load_examples`."""
    return load_examples(
        recipe.dataset_name,
        recipe.dataset_config,
        recipe.dataset_train_split,
        recipe.dataset_revision,
        recipe.train_article_share,
        columns=columns,
    )


def load_held_out_rows(recipe: Recipe, columns: tuple[str, ...] = COLUMNS) -> tuple[Dataset, dict]:
    """The rows of a recipe's loss during training, and where they come from."""
    return load_examples(
        recipe.dataset_name,
        recipe.dataset_config,
        recipe.dataset_test_split,
        recipe.dataset_revision,
        columns=columns,
    )


def load_examples(
    name: str,
    config: str | None,
    split: str,
    revision: str | None,
    article_share: float | None = None,
    columns: tuple[str, ...] = COLUMNS,
) -> tuple[Dataset, dict]:
    """Rows of one config, and where they come from.

    `name` is a Hub id or a local dataset repo folder; `split` may be sliced by rows (`train[:10%]`), `article_share`
    keeps a share of the articles whole (`of_articles`). Returns (dataset with `columns` and, where it is
    there, `NAME`; pictures as `StoredPicture`s, {"dataset", "dataset_config", "dataset_split", "article_share",
    "dataset_revision", "dataset_sha256", "licenses", "tags"}): the Hub commit for a Hub id, the content hash of the
    Parquet files for a folder, licence -> number of rows made from something under it (None: the rows do not say), and
    the tags of the dataset's card. Raises ValueError when the config, the split or a column is absent, RefusedError
    where the card names files that are not the dataset's own, and FileNotFoundError when there is no such dataset.
    """
    read = load_rows(name, config, split, revision)
    dataset, local = read.rows, Path(name).exists()
    absent = [column for column in columns if column not in dataset.column_names]
    if absent:
        raise ValueError(f"{name}, config {config}: no column {', '.join(absent)}; use {_WITH[columns]}")
    if article_share is not None:
        dataset = of_articles(dataset, article_share)
    source = {
        "dataset": Path(name).resolve().name if local else name,
        "dataset_config": config,
        "dataset_split": split,
        "article_share": article_share,
        "dataset_revision": None if local else _hub_commit(read.files),
        "dataset_sha256": read.content,
        "licenses": _licenses(dataset),
        "tags": _card_tags(name, local, read.revision),
    }
    kept = [*columns, *({NAME} & set(dataset.column_names))]
    return as_stored(dataset.select_columns(kept)), source


class Read(NamedTuple):
    """Rows as the dataset has them now."""

    rows: Dataset
    files: list[str]  # that they are in
    content: str | None  # hash of the files, of a folder
    revision: str | None  # Hub commit, of a Hub dataset


def load_rows(name: str, config: str | None, split: str, revision: str | None) -> Read:
    """All columns of a split, read anew where a folder's files have changed. Raises as `load_examples` does."""
    revision = check_dataset(name, revision)
    files = load_dataset_builder(name, config, revision=revision).config.data_files or {}
    used = files_of_split({key: [str(path) for path in paths] for key, paths in files.items()}, split)
    local = Path(name).exists()
    content = _sha256(used) if local else None
    rows = load_dataset(name, config, split=split, revision=revision, **_apart_from_others(content))
    if local and not used:
        raise ValueError(f"{name}, config {config}: the files of split {split} are not known")
    return Read(rows, used, content, revision)


def files_of_split(files: Mapping[str, list[str]], split: str) -> list[str]:
    """The data files of all the splits in `train[:10%]+validation`; of `all` those of every split.

    Within a split they keep the order that the card gives them: it is the order of the rows.
    """
    named = {part.split("[")[0].strip() for part in split.split("+")}
    return [path for name in sorted(files) if name in named or "all" in named for path in files[name]]


def _apart_from_others(content: str | None) -> dict[str, str]:
    """`datasets` (5.2) keeps rows by a folder's name and card, and gives the old ones when its files have changed.

    What goes into a config's description goes into the name that the rows are kept by. Can go once `load_dataset` on a
    folder that was written anew returns what is there.
    """
    return {"description": f"content {content}"} if content else {}


def of_articles(dataset: Dataset, share: float) -> Dataset:
    """All rows of a share (0 to 1) of the articles, drawn by the hash of `article_id`, in the dataset's order.

    The same articles for every config and machine, and a smaller share lies within a larger one. A slice of rows
    would not do: config `instruct` lists all of `detail` before `reasoning`, and articles stand in a row. Raises
    ValueError for a share that is not above 0 and at most 1, or a dataset without `article_id`.
    """
    if not 0 < share <= 1 or "article_id" not in dataset.column_names:
        raise ValueError(f"a share of {share} of the articles: it must be above 0, at most 1, and rows need article_id")
    limit = share * 2**64
    articles = dataset["article_id"]
    return dataset.select([index for index, article in enumerate(articles) if _hash64(article) < limit])


def _licenses(dataset: Dataset) -> dict[str, int] | None:
    there = [name for name in ("license", "licenses") if name in dataset.column_names]
    return counts(dataset.select_columns(there)) if there else None


def _card_tags(name: str, local: bool, revision: str | None) -> list[str]:
    """The tags on the card of the dataset, by which a domain is known; [] where it has no card that can be read."""
    try:
        folder = name if local else snapshot_download(name, repo_type="dataset", revision=revision, allow_patterns=CARD)
        tags = RepoCard.load(Path(folder) / CARD).data.to_dict().get("tags")
    except (OSError, ValueError, HfHubHTTPError, YAMLError):
        return []
    return [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []


def _hash64(article: str) -> int:
    return int.from_bytes(hashlib.sha256(article.encode()).digest()[:8])


def _hub_commit(files: list[str]) -> str | None:
    """`hf://datasets/org/name@COMMIT/train.parquet` -> COMMIT."""
    commits = {path.split("@")[1].split("/")[0] for path in files if "@" in path}
    return commits.pop() if len(commits) == 1 else None


def _sha256(files: list[str]) -> str:
    digest = hashlib.sha256()
    for path in files:
        with open(path, "rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


@dataclass
class ExampleCollator:
    """Rows -> {input_ids, attention_mask, labels: (batch, tokens); pixel_values and what else the processor gives}.

    TRL's own collator tokenises prompt and completion apart, where Llama tokenizers put a word-start mark of their own
    at the head of the completion; here the text is tokenised whole and cut by character offsets, so the tokens trained
    are the tokens generated. Nothing is ever truncated: `scan_rows` has dropped what is too long.

    A batch without any picture gets a blank one behind the answer of its first row. No trained token attends to it, so
    the loss is the same, and vision tower and projector take part as on every other process: without that ZeRO-3
    waits for ever for a process that does not gather their weights, and DDP misses the projector's gradients.
    """

    processor: ProcessorMixin
    family: Family
    template: str | None = None  # None: the processor's chat template
    train_earlier_answers: bool = False  # those of the prompt, too

    def __call__(self, rows: list[dict]) -> dict[str, torch.Tensor]:
        return self.tensors(rows)

    def examples(self, row: Mapping[str, Any]) -> list[dict]:
        """What is trained of a row, each in the columns `COLUMNS`: here the row itself."""
        return [dict(row)]

    def tensors(self, rows: list[dict]) -> dict[str, torch.Tensor]:
        """The batch of `examples`, with labels."""
        rendered = [render(row, self.processor, self.template, self.train_earlier_answers) for row in rows]
        texts = [row.text for row in rendered]
        images = [_open_pictures(row) for row in rows]
        if text_only := not any(images):
            texts[0] += self.family.image_text
            side = self.family.blank_side_px
            images[0] = [PILImage.new("RGB", (side, side))]
        batch = self.processor(
            images=images,
            text=texts,
            text_kwargs={
                "padding": True,
                "padding_side": "right",
                "add_special_tokens": False,  # the template writes them
                "return_offsets_mapping": True,  # left as lists: as tensors they take a third of the collator's time
            },
            images_kwargs={"return_tensors": "pt"},
        )
        offsets = batch.pop("offset_mapping")  # of each row, (first, end) characters of each token
        batch = {key: torch.as_tensor(value) for key, value in batch.items()}
        if text_only:
            n_own = bisect_left(offsets[0], len(rendered[0].text), key=itemgetter(0))
            batch["attention_mask"][0, n_own:] = 0
        batch["labels"] = torch.full_like(batch["input_ids"], IGNORED)
        for row, of_row in enumerate(rendered):
            n = int(batch["attention_mask"][row].sum())
            for first, end in trained_tokens(offsets[row][:n], of_row):
                batch["labels"][row, first:end] = batch["input_ids"][row, first:end]
        return batch


class PairCollator(ExampleCollator):
    """Pairs of answers -> {input_ids, attention_mask, completion_mask: (2 x batch, tokens); pixel_values, …}, as TRL's
    DPOTrainer takes them: first all chosen answers, then all rejected ones, each behind its question and pictures.

    The tokens of an answer are those that SFT trains and that are generated: the same collator makes them.
    """

    def __call__(self, rows: list[dict]) -> dict[str, torch.Tensor]:
        pairs = [self.examples(row) for row in rows]
        batch = self.tensors([answer for answers in zip(*pairs, strict=True) for answer in answers])
        batch["completion_mask"] = (batch.pop("labels") != IGNORED).long()
        return batch

    def examples(self, row: Mapping[str, Any]) -> list[dict]:
        """The row with the chosen answer, and with the rejected one."""
        asked = {column: row[column] for column in ("images", "prompt")} | {NAME: row.get(NAME)}
        return [asked | {"completion": row[answer]} for answer in ("chosen", "rejected")]


def trained_tokens(offsets: list[tuple[int, int]], rendered: Rendered) -> list[tuple[int, int]]:
    """(first, end) of each stretch of tokens that is trained; `offsets` are (first, end) characters of each token.

    Counted from the end of the text: before the first answer the processor has written many tokens for each picture.
    """
    length = offsets[-1][1]
    borders = [(length - first, length - end) for first, end in rendered.trained]
    return [tuple(bisect_left(offsets, border, key=itemgetter(0)) for border in pair) for pair in borders]  # type: ignore[misc]


def _open_pictures(row: dict) -> list[PILImage.Image]:
    """The row's pictures in RGB. Raises `UnreadablePicture`, naming the row."""
    try:
        return [open_stored(picture) for picture in row["images"] or []]
    except UnreadablePicture as error:
        raise UnreadablePicture(f"{row.get(NAME) or 'a row'}: unreadable picture: {error}") from error

"""Rows of the dataset's training configs -> batches for a vision-language model: loading, length scan, collator.

A row is TRL's vision prompt/completion form (`dataset_builder/schema.py`, EXAMPLES). Text is rendered by a chat
template and tokenised in one piece; only the completion is trained.
"""

import hashlib
from bisect import bisect_left
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import TypedDict

import numpy as np
import torch
from datasets import Dataset, load_dataset, load_dataset_builder
from huggingface_hub import RepoCard, snapshot_download
from huggingface_hub.errors import HfHubHTTPError
from PIL import Image as PILImage
from transformers import ProcessorMixin
from trl.data_utils import prepare_multimodal_messages
from yaml import YAMLError

from recipes.families.family import Family
from recipes.training.options import Recipe
from trust.dataset_files import check_dataset
from trust.licenses import counts
from trust.pictures.opener import UnreadablePicture
from trust.pictures.stored import as_stored, open_stored, whole_size
from trust.text import cleaned, cleaner_of

IGNORED = -100  # label of a token outside the loss (PyTorch's cross entropy)
COLUMNS = ("images", "prompt", "completion")
CARD = "README.md"  # of a dataset
NAME = "example_id"  # a column that rows need not have; it says which row is meant
UNREADABLE = "with an unreadable picture"
_UNREADABLE_NAMED = 5  # rows in one line of the log; lineage.json names them all


def load_training_rows(recipe: Recipe) -> tuple[Dataset, dict]:
    """The rows that a recipe trains on, and where they come from: see `load_examples`."""
    return load_examples(
        recipe.dataset_name,
        recipe.dataset_config,
        recipe.dataset_train_split,
        recipe.dataset_revision,
        recipe.train_article_share,
    )


def load_held_out_rows(recipe: Recipe) -> Dataset:
    """The rows of a recipe's loss during training."""
    rows, _ = load_examples(
        recipe.dataset_name, recipe.dataset_config, recipe.dataset_test_split, recipe.dataset_revision
    )
    return rows


def load_examples(
    name: str, config: str | None, split: str, revision: str | None, article_share: float | None = None
) -> tuple[Dataset, dict]:
    """Rows of one config, and where they come from.

    `name` is a Hub id or a local dataset repo folder; `split` may be sliced by rows (`train[:10%]`), `article_share`
    keeps a share of the articles whole (`of_articles`). Returns (dataset with the columns `COLUMNS` and, where it is
    there, `NAME`; pictures as `StoredPicture`s, {"dataset", "dataset_config", "dataset_split", "article_share",
    "dataset_revision", "dataset_sha256", "licenses", "tags"}): the Hub commit for a Hub id, the content hash of the
    Parquet files for a folder, licence -> number of rows made from something under it (None: the rows do not say), and
    the tags of the dataset's card. Raises ValueError when the config, the split or a column is absent, RefusedError
    where the card names files that are not the dataset's own, and FileNotFoundError when there is no such dataset.
    """
    revision = check_dataset(name, revision)
    files = load_dataset_builder(name, config, revision=revision).config.data_files or {}
    dataset = load_dataset(name, config, split=split, revision=revision)
    absent = [column for column in COLUMNS if column not in dataset.column_names]
    if absent:
        raise ValueError(
            f"{name}, config {config}: no column {', '.join(absent)}; use align, detail, reasoning or instruct"
        )
    if article_share is not None:
        dataset = of_articles(dataset, article_share)
    used = sorted(str(path) for path in files.get(split.split("[")[0], []))
    local = Path(name).exists()
    source = {
        "dataset": Path(name).resolve().name if local else name,
        "dataset_config": config,
        "dataset_split": split,
        "article_share": article_share,
        "dataset_revision": None if local else _hub_commit(used),
        "dataset_sha256": _sha256(used) if local else None,
        "licenses": _licenses(dataset),
        "tags": _card_tags(name, local, revision),
    }
    columns = [*COLUMNS, *({NAME} & set(dataset.column_names))]
    return as_stored(dataset.select_columns(columns)), source


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


def render(row: dict, processor: ProcessorMixin, template: str | None) -> tuple[str, int]:
    """(whole text of a row with one `<image>` a picture, number of its last characters that are the completion).

    What the row's own text has of special tokens is written as ordinary text (`trust/text.py`).
    """
    clean = cleaner_of(processor, template).clean
    prompt = prepare_multimodal_messages(cleaned(row["prompt"], clean), images=row["images"])
    completion = prepare_multimodal_messages(cleaned(row["completion"], clean))
    text = processor.apply_chat_template(prompt + completion, chat_template=template, tokenize=False)
    head = processor.apply_chat_template(prompt, chat_template=template, tokenize=False, add_generation_prompt=True)
    if not text.startswith(head):
        raise ValueError(f"the chat template renders a prompt that its own conversation does not start with: {head!r}")
    return text, len(text) - len(head)


@dataclass
class ExampleCollator:
    """Rows -> {input_ids, attention_mask, labels: (batch, tokens); pixel_values and what else the processor gives}.

    TRL's own collator tokenises prompt and completion apart, where Llama tokenizers put a word-start mark of their own
    at the head of the completion; here the text is tokenised whole and cut by character offsets, so the tokens trained
    are the tokens generated. Nothing is ever truncated: `scan_lengths` has dropped what is too long.

    A batch without any picture gets a blank one behind the answer of its first row. No trained token attends to it, so
    the loss is the same, and vision tower and projector take part as on every other process: without that ZeRO-3
    waits for ever for a process that does not gather their weights, and DDP misses the projector's gradients.
    """

    processor: ProcessorMixin
    family: Family
    template: str | None = None  # None: the processor's chat template

    def __call__(self, rows: list[dict]) -> dict[str, torch.Tensor]:
        rendered = [render(row, self.processor, self.template) for row in rows]
        texts = [text for text, _ in rendered]
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
            n_own = bisect_left(offsets[0], len(rendered[0][0]), key=itemgetter(0))
            batch["attention_mask"][0, n_own:] = 0
        batch["labels"] = torch.full_like(batch["input_ids"], IGNORED)
        for row, (_, trained) in enumerate(rendered):
            n = int(batch["attention_mask"][row].sum())
            first = bisect_left(offsets[row], offsets[row][n - 1][1] - trained, hi=n, key=itemgetter(0))
            batch["labels"][row, first:n] = batch["input_ids"][row, first:n]
        return batch


def _open_pictures(row: dict) -> list[PILImage.Image]:
    """The row's pictures in RGB. Raises `UnreadablePicture`, naming the row."""
    try:
        return [open_stored(picture) for picture in row["images"] or []]
    except UnreadablePicture as error:
        raise UnreadablePicture(f"{row.get(NAME) or 'a row'}: unreadable picture: {error}") from error


class Tokens(TypedDict):
    """Lengths of rows, image tokens included."""

    min: int
    median: int
    p95: int
    max: int


class Scan(TypedDict):
    """What `scan_lengths` found, for the log and lineage.json."""

    rows: int
    kept: int
    dropped: dict[str, int]  # reason -> rows
    unreadable: dict[str, str]  # example_id, or "row 7" (from 0) -> why its picture cannot be opened
    disarmed: int  # rows kept, with special tokens in their own text, which is trained as ordinary text
    tokens: Tokens  # of the rows kept


def scan_lengths(
    dataset: Dataset,
    processor: ProcessorMixin,
    template: str | None,
    max_length: int | None,
    keep_text_only: bool = False,
) -> tuple[Dataset, Scan]:
    """Drop the rows that cannot be trained whole, and say which.

    Of whole JPEG and PNG pictures, most of all, only the headers are decoded. A row is dropped when it has no picture
    (unless `keep_text_only`: the projector, all that phase 1 trains, learns nothing from it), when the picture is
    unreadable, when the answer is empty or when text and image tokens together are more than `max_length` (None: no
    limit). Returns the kept rows, pictures as `StoredPicture`s, with a column `length` in tokens, and the report.
    Raises ValueError when nothing is left.
    """
    lengths: list[int] = []  # 0 for a row that is dropped
    dropped: dict[str, int] = {}
    unreadable: dict[str, str] = {}
    n_disarmed = 0
    dataset = as_stored(dataset)
    for number, row in enumerate(dataset):
        try:
            reason, length = _measure(row, processor, template, keep_text_only)
        except UnreadablePicture as error:
            reason, length = UNREADABLE, 0
            unreadable[row.get(NAME) or f"row {number}"] = str(error)
        if reason is None and max_length is not None and length > max_length:
            reason = f"longer than max_length {max_length} tokens"
        if reason is not None:
            dropped[reason] = dropped.get(reason, 0) + 1
        lengths.append(length if reason is None else 0)
        n_disarmed += reason is None and _has_special_tokens(row, processor, template)
    kept = [index for index, length in enumerate(lengths) if length]
    if not kept:
        reasons = ", ".join(f"{count} {reason}" for reason, count in dropped.items()) or "the split is empty"
        raise ValueError(f"no row is left to train on: {reasons}{describe_unreadable(unreadable)}")
    tokens = _percentiles([lengths[index] for index in kept])
    report: Scan = {
        "rows": len(lengths),
        "kept": len(kept),
        "dropped": dropped,
        "unreadable": unreadable,
        "disarmed": n_disarmed,
        "tokens": tokens,
    }
    return dataset.add_column("length", lengths).select(kept), report


def describe_unreadable(unreadable: dict[str, str]) -> str:
    """ " (3/detail: the row has no picture; …)", or nothing; the first `_UNREADABLE_NAMED` alone are named."""
    named = [f"{name}: {reason}" for name, reason in list(unreadable.items())[:_UNREADABLE_NAMED]]
    more = [f"and {len(unreadable) - len(named)} more"] if len(unreadable) > len(named) else []
    return f" ({'; '.join(named + more)})" if named else ""


def _has_special_tokens(row: dict, processor: ProcessorMixin, template: str | None) -> bool:
    clean = cleaner_of(processor, template).clean
    return any(cleaned(row[column], clean) != row[column] for column in ("prompt", "completion"))


def _percentiles(lengths: list[int]) -> Tokens:
    low, middle, high, top = (int(np.percentile(lengths, q, method="higher")) for q in (0, 50, 95, 100))
    return {"min": low, "median": middle, "p95": high, "max": top}


def _measure(
    row: dict, processor: ProcessorMixin, template: str | None, keep_text_only: bool
) -> tuple[str | None, int]:
    """(why the row cannot be trained or None, its length in tokens). Raises `UnreadablePicture`."""
    if not row["images"] and not keep_text_only:
        return "without a picture (phase 1 trains the projector alone)", 0
    if not all(message["content"] and message["content"].strip() for message in row["completion"]):
        return "with an empty answer", 0
    sizes = [whole_size(picture)[::-1] for picture in row["images"] or []]  # (height, width)
    # the count that the processor itself expands `<image>` to; vLLM relies on the same method
    image_tokens = processor._get_num_multimodal_tokens(image_sizes=sizes).num_image_tokens
    text, _ = render(row, processor, template)
    text_tokens = len(processor.tokenizer(text, add_special_tokens=False).input_ids) - len(sizes)
    return None, text_tokens + sum(image_tokens)

"""A run folder: the names of its files, what their rows hold, and which of them are still true.

`ldrt generate` makes manifest.json, predictions.jsonl and evidence.jsonl; `ldrt judge` adds judgements.jsonl and
pairwise.jsonl (rows: `judgements.py`), `ldrt score` per_item_scores.jsonl (`scoring/items.py`) and scores.json,
`ldrt compare` comparison.json and paired_items.jsonl, `ldrt human import` human.json.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NotRequired, TypedDict, cast

from dataset_builder.files.jsonfiles import read_json, read_jsonl

MANIFEST, PREDICTIONS, EVIDENCE, REPLIES = "manifest.json", "predictions.jsonl", "evidence.jsonl", "replies.jsonl"
JUDGEMENTS, PAIRWISE = "judgements.jsonl", "pairwise.jsonl"
ITEMS, SCORES = "per_item_scores.jsonl", "scores.json"
COMPARISON, PAIRED = "comparison.json", "paired_items.jsonl"
HUMAN = "human.json"

IMAGE_CONDITIONS = ("true", "blank", "shuffled", "none")  # in the order of tables
TRUE_PICTURE = "true"  # the condition under which the figure's own picture is shown

Place = tuple[str, str]  # (image condition, example_id): what one answer of a run is to


class Prediction(TypedDict):
    """A row of predictions.jsonl: the answer to one question under one image condition."""

    example_id: str
    figure_id: str
    article_id: str
    task: str  # detail | reasoning
    license: str | None  # the one whose terms cover all of `licenses`
    licenses: NotRequired[list[str | None]]  # of all that it is made of, the picture shown too; absent before
    question: str
    reference: str  # the teacher's answer
    prediction: str | None  # None: the question could not be asked or got no answer
    finish_reason: str  # stop | length (cut at the token limit) | error
    new_tokens: int | None  # with the stop token; None where the server does not count
    model: str
    revision: str | None
    generation: dict
    image_condition: str  # one of IMAGE_CONDITIONS
    image_figure_id: str | None  # whose picture was shown
    error: NotRequired[str]


class Evidence(TypedDict):
    """A row of evidence.jsonl: what the article says of a figure."""

    figure_id: str
    caption: str | None
    context: list[str]  # sentences that mention the figure
    license: str | None
    licenses: NotRequired[list[str | None]]  # of figure, caption and context; absent in runs of before
    rights: NotRequired[str | None]  # of the figure's own; absent in runs of before
    doi: str | None


def place(row: Prediction) -> Place:
    return row["image_condition"], row["example_id"]


def read_manifest(folder: Path) -> dict:
    """What the run is of (`answering/manifest.py`). Raises FileNotFoundError where there is no run."""
    return read_json(folder / MANIFEST, f"ldrt generate --output {folder}")


def read_predictions(folder: Path) -> list[Prediction]:
    """The newest record for each image condition and example, in a fixed order; none where nothing is answered."""
    return latest(cast("Iterable[Prediction]", read_jsonl(folder / PREDICTIONS)))


def read_evidence(folder: Path) -> dict[str, Evidence]:
    """figure_id -> its row; {} for a dataset without config `pairs`."""
    rows = cast("Iterable[Evidence]", read_jsonl(folder / EVIDENCE))
    return {row["figure_id"]: row for row in rows}


def latest(predictions: Iterable[Prediction]) -> list[Prediction]:
    """One record for each image condition and example, in a fixed order: the newest one."""
    newest = {place(record): record for record in predictions}
    return [newest[key] for key in sorted(newest)]


def input_hashes(folder: Path) -> dict[str, str | None]:
    """sha256 of the files that scores are made from, so that old scores beside new answers are noticed."""
    return {name: _sha256_of_file(folder / name) for name in (PREDICTIONS, EVIDENCE, JUDGEMENTS)}


def unfinished(folder: Path, manifest: dict, conditions: Iterable[str]) -> str:
    """ "true: 57 of 120 answered" for each image condition that `ldrt generate` has not finished, or "".

    `conditions` are those of all answers that there are, one entry an answer.
    """
    answered = Counter(conditions)
    short = []
    for condition, about in manifest["image_conditions"].items():
        if answered[condition] < about["items"]:
            short.append(f"{condition}: {answered[condition]} of {about['items']} answered")
    return f"{folder} is not finished ({'; '.join(short)}): run `ldrt generate` again" if short else ""


def _sha256_of_file(path: Path) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else None

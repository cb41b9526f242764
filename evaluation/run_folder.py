"""A run folder: the names of its files, what their rows hold, and which of them are still true.

`ldrt generate` makes manifest.json, predictions.jsonl, evidence.jsonl and thumbnails.jsonl; `ldrt judge` adds
judgements.jsonl and pairwise.jsonl (rows: `judgements.py`), `ldrt score` per_item_scores.jsonl (`scoring/items.py`) and
scores.json, `ldrt compare` comparison.json and paired_items.jsonl, `ldrt human import` human.json.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NotRequired

from typing_extensions import TypedDict

from trust.handovers import Kind

MANIFEST, PREDICTIONS, EVIDENCE, REPLIES = "manifest.json", "predictions.jsonl", "evidence.jsonl", "replies.jsonl"
THUMBNAILS = "thumbnails.jsonl"
HERE = "here.json"  # where the dataset's folder lies on this machine: never published, as the manifest is
JUDGEMENTS, PAIRWISE = "judgements.jsonl", "pairwise.jsonl"
ITEMS, SCORES = "per_item_scores.jsonl", "scores.json"
COMPARISON, PAIRED = "comparison.json", "paired_items.jsonl"
SCORES_TEXT, COMPARISON_TEXT = "scores.txt", "comparison.txt"  # the long tables, to read
HUMAN = "human.json"

IMAGE_CONDITIONS = ("true", "blank", "shuffled", "none")  # in the order of tables
TRUE_PICTURE = "true"  # the condition under which the figure's own picture is shown

Place = tuple[str, str]  # (image condition, example_id): what one answer of a run is to


class Prediction(TypedDict):
    """A row of predictions.jsonl: the answer to one question under one image condition."""

    example_id: str
    figure_id: str
    article_id: str
    task: str  # detail | reasoning; of a benchmark closed | open, or its part
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
    answer_kind: NotRequired[str]  # of a benchmark's question: closed (yes or no, options) | open
    options: NotRequired[list[str] | None]  # what there was to choose from, in the order of their letters
    error: NotRequired[str]


class Answers(TypedDict):
    """How many questions of an image condition were asked, and how many of them have no answer."""

    asked: int
    failed: int


class Evidence(TypedDict):
    """A row of evidence.jsonl: what the article says of a figure."""

    figure_id: str
    caption: str | None
    context: list[str]  # sentences that mention the figure
    license: str | None
    licenses: NotRequired[list[str | None] | None]  # of figure, caption, context; None: the dataset does not say
    rights: NotRequired[str | None]  # of the figure's own; absent in runs of before
    doi: str | None


class Thumbnail(TypedDict):
    """A row of thumbnails.jsonl: a small copy of a picture, for pages on which people look at answers."""

    example_ids: list[str]  # of the questions about it
    jpeg: str | None  # base64; None where the picture cannot be read
    problem: str | None  # why it cannot


class Asked(TypedDict):
    """What a run's manifest says of an image condition."""

    items: int  # questions


class Manifest(TypedDict):
    """manifest.json: what the run is of (`answering/manifest.py`). Further keys differ by back end and age."""

    model: str
    revision: str | None
    dataset: str
    dataset_revision: str | None
    split: str
    tasks: list[str]
    image_conditions: dict[str, Asked]
    lineage: NotRequired[dict[str, Any] | None]
    adapter_of: NotRequired[dict[str, Any] | None]
    teachers: NotRequired[dict[str, int]]
    data_licenses: NotRequired[dict[str, int]]
    generation: NotRequired[dict[str, Any]]
    versions: NotRequired[dict[str, str]]


class ScoreRow(TypedDict):
    """What is read of a row of `scores` in scores.json."""

    metric: str
    task: str
    image_condition: str
    judge: str | None
    value: float | None
    n: int
    n_unscored: int
    ci_low: float | None
    ci_high: float | None
    no_interval: str | None  # why there is none
    unit: str
    settings: dict[str, Any]


class IntervalSettings(TypedDict):
    """What is read of how intervals were made."""

    method: str  # absent in files of before, whose intervals were too narrow


class ScoreSettings(TypedDict):
    """What must be the same in two runs that are compared."""

    rouge: dict[str, Any]
    hedging: dict[str, Any]
    interval: IntervalSettings


class ScoreFile(TypedDict):
    """scores.json of `ldrt score`."""

    settings: ScoreSettings
    inputs: dict[str, str | None]  # file -> sha256
    answers: dict[str, Answers]  # of each image condition
    scores: list[ScoreRow]
    image_gaps: list[dict[str, Any]]
    judges: list[dict[str, Any]]
    judge_agreement: dict[str, Any] | None


class Said(TypedDict):
    """What a judge said of an answer: of its record in judgements.jsonl what a reader wants."""

    judge: str
    status: str  # ok | refused | unparsable | truncated | error
    score: float | None  # points, 0 to 10; None unless the status is ok
    reply: str | None


class ItemRow(TypedDict):
    """A row of per_item_scores.jsonl."""

    example_id: str
    figure_id: str
    article_id: str
    task: str
    image_condition: str
    scores: dict[str, float | None]  # metric, or `judge:NAME`
    said: NotRequired[list[Said]]  # absent in runs scored before


MANIFEST_FILE = Kind(Manifest, "ldrt generate --output {folder}")
PREDICTION_FILE = Kind(Prediction, "ldrt generate --output {folder}")
EVIDENCE_FILE = Kind(Evidence, "ldrt generate --output {folder}")
THUMBNAIL_FILE = Kind(Thumbnail, "ldrt generate --output {folder}")
SCORE_FILE = Kind(ScoreFile, "ldrt score {folder}")
ITEM_FILE = Kind(ItemRow, "ldrt score {folder}")


def place(row: Prediction) -> Place:
    return row["image_condition"], row["example_id"]


def read_manifest(folder: Path) -> dict:
    """What the run is of (`Manifest`). Raises FileNotFoundError where there is no run, ValueError for another file."""
    return dict(MANIFEST_FILE.read(folder / MANIFEST))


def read_predictions(folder: Path) -> list[Prediction]:
    """The newest record for each image condition and example, in a fixed order; none where nothing is answered."""
    return latest(PREDICTION_FILE.rows(folder / PREDICTIONS))


def read_evidence(folder: Path) -> dict[str, Evidence]:
    """figure_id -> its row; {} for a dataset without config `pairs`."""
    return {row["figure_id"]: row for row in EVIDENCE_FILE.rows(folder / EVIDENCE)}


def latest(predictions: Iterable[Prediction]) -> list[Prediction]:
    """One record for each image condition and example, in a fixed order: the newest one."""
    newest = {place(record): record for record in predictions}
    return [newest[key] for key in sorted(newest)]


def count_answers(predictions: Iterable[Prediction]) -> dict[str, Answers]:
    """image condition -> how many were asked and failed; `predictions` has one record a place."""
    counts: dict[str, Answers] = {}
    for record in predictions:
        of_condition = counts.setdefault(record["image_condition"], {"asked": 0, "failed": 0})
        of_condition["asked"] += 1
        of_condition["failed"] += record["prediction"] is None
    return counts


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

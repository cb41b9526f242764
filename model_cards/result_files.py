"""The files that the cards read of other commands: their names' kinds, with the keys that a card relies on.

How they are read: `trust/handovers.py`. Further keys are let be: an evaluation measures more than a card shows.
"""

from typing import Any, NotRequired

from typing_extensions import TypedDict

from trust.handovers import Kind


class ScoreRow(TypedDict):
    metric: str
    task: str
    image_condition: str
    judge: str | None
    value: float | None
    n: int
    n_unscored: int
    ci_low: float | None
    ci_high: float | None
    settings: dict[str, Any]


class Scores(TypedDict):
    """scores.json"""

    settings: dict[str, Any]
    scores: list[ScoreRow]
    image_gaps: list[dict[str, Any]]
    judges: list[dict[str, Any]]
    judge_agreement: dict[str, Any] | None


class ComparisonRow(TypedDict):
    metric: str
    task: str
    image_condition: str
    judge: str | None
    n: int
    base: float | None
    tuned: float | None
    delta: float | None
    ci_low: float | None
    ci_high: float | None


class Comparison(TypedDict):
    """comparison.json"""

    rows: list[ComparisonRow]
    n_items: int
    base: dict[str, Any]
    tuned: dict[str, Any]
    overview: list[dict[str, Any]]
    by_term_frequency: dict[str, Any] | list[dict[str, Any]] | None
    forgetting: list[dict[str, Any]] | None
    transfer: list[dict[str, Any]] | None


class Asked(TypedDict):
    items: int


class Manifest(TypedDict):
    """manifest.json of a run"""

    model: str
    revision: str | None
    dataset: str
    dataset_revision: str | None
    split: str
    tasks: list[str]
    image_conditions: dict[str, Asked]
    lineage: dict[str, Any] | None


class Human(TypedDict):
    """human.json"""

    systems: list[dict[str, Any]]
    deltas: list[dict[str, Any]]
    n_raters: int


class Prediction(TypedDict):
    """A row of predictions.jsonl"""

    example_id: str
    figure_id: str
    task: str
    image_condition: str
    license: str | None
    licenses: NotRequired[list[str | None]]
    question: str
    reference: str
    prediction: str | None


class Evidence(TypedDict):
    """A row of evidence.jsonl"""

    figure_id: str
    license: NotRequired[str | None]
    licenses: NotRequired[list[str | None]]
    doi: NotRequired[str | None]


class Item(TypedDict):
    """A row of per_item_scores.jsonl"""

    image_condition: str
    scores: dict[str, float | None]


class Paired(TypedDict):
    """A row of paired_items.jsonl"""

    example_id: str
    image_condition: str
    base: dict[str, float | None]
    tuned: dict[str, float | None]
    base_answer: str | None


class Sweep(TypedDict):
    """sweep.json"""

    runs: list[dict[str, Any]]


class Terms(TypedDict):
    """What says of a row whether it may be published; absent in files of before"""

    license: NotRequired[str | None]
    licenses: NotRequired[list[str | None]]
    rights: NotRequired[str | None]


class RejectedFigure(Terms):
    """A row of provenance/rejected.jsonl"""

    filter: str
    figure_id: NotRequired[str]
    article_id: NotRequired[str | None]


class SupplementaryFigure(Terms):
    """A row of provenance/supplementary.jsonl"""

    article_id: NotRequired[str | None]


class RejectedExample(Terms):
    """A row of provenance/rejected_examples.jsonl"""

    figure_id: NotRequired[str]
    reason: NotRequired[str]


class RemovedRow(TypedDict):
    """A row of provenance/changelog.jsonl"""

    day: str
    figure_id: str
    reason: str


class SkippedFile(TypedDict):
    """A row of provenance/skipped.jsonl"""

    file: str
    reason: str
    detail: NotRequired[str | None]


class Failure(TypedDict):
    """A row of provenance/failed.jsonl"""

    article: str
    stage: str
    error: str


class Audit(TypedDict):
    """provenance/audit.json"""

    articles: int
    counts: dict[str, int]
    figure_recall: float | None
    figure_precision: float | None
    caption_right: float | None
    context_recall: float | None
    context_precision: float | None


class EvalTask(TypedDict):
    """An entry of `tasks` in eval.yaml"""

    config: NotRequired[str]


class Eval(TypedDict):
    """eval.yaml of a dataset"""

    tasks: list[EvalTask]


class DatasetManifest(TypedDict):
    """provenance/manifest.json of a dataset"""

    stages: dict[str, dict[str, Any]]


class Certificate(TypedDict):
    """provenance/splits.json"""

    splits: dict[str, dict[str, int]]
    collisions: list[Any]


SCORES = Kind(Scores, "ldrt score {folder}")
COMPARISON = Kind(Comparison, "ldrt compare BASE {folder}")
MANIFEST = Kind(Manifest, "ldrt generate --output {folder}")
HUMAN = Kind(Human, "ldrt human import")
PREDICTIONS = Kind(Prediction, "ldrt generate --output {folder}")
EVIDENCE = Kind(Evidence, "ldrt generate --output {folder}")
ITEMS = Kind(Item, "ldrt score {folder}")
PAIRED = Kind(Paired, "ldrt compare BASE {folder}")
SWEEP = Kind(Sweep, "ldrt sweep")
DATASET_MANIFEST = Kind(DatasetManifest, "ldrt build")
CERTIFICATE = Kind(Certificate, "ldrt build")
AUDIT = Kind(Audit, "ldrt build --audit true")
EVAL = Kind(Eval, "ldrt instruct")
PROVENANCE_ROWS: Kind[Any] = Kind(Terms, "ldrt build")  # of files that only others know
PROVENANCE: dict[str, Kind[Any]] = {  # file of provenance/ -> its rows
    "rejected.jsonl": Kind(RejectedFigure, "ldrt build"),
    "supplementary.jsonl": Kind(SupplementaryFigure, "ldrt build"),
    "changelog.jsonl": Kind(RemovedRow, "ldrt build"),
    "skipped.jsonl": Kind(SkippedFile, "ldrt build"),
    "failed.jsonl": Kind(Failure, "ldrt build"),
    "rejected_examples.jsonl": Kind(RejectedExample, "ldrt instruct"),
}

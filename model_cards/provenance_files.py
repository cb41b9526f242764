"""The files of a dataset folder's `provenance/`, and its eval.yaml, with the keys that card and push rely on."""

from typing import Any, NotRequired

from typing_extensions import TypedDict

from trust.handovers import Kind


class Terms(TypedDict):
    """What says of a row whether it may be published; absent in files of before"""

    license: NotRequired[str | None]
    licenses: NotRequired[list[str | None]]
    rights: NotRequired[str | None]


class RejectedFigure(Terms):
    """A row of provenance/rejected.jsonl"""

    filter: str
    figure_id: str
    context: NotRequired[list[str] | None]
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


class Retraction(TypedDict):
    """A row of provenance/retracted.jsonl"""

    day: str
    article_id: str | None  # None: a figure alone
    figure_id: str | None
    figure_ids: list[str]  # of all that went
    why: str


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


class FileHash(TypedDict):
    """A file, and its sha256 in hex"""

    name: str
    sha256: str


class PanelPlace(TypedDict):
    """Label and box of a panel, in pixels"""

    label: str | None
    bbox: list[float]


class ColumnHash(TypedDict):
    """A column, and the hash of what it holds"""

    column: str
    sha256: str


class Rebuild(TypedDict):
    """A row of provenance/rebuild.jsonl: by what a figure is made again from its article"""

    figure_id: str
    label: str | None
    article_id: str
    pmcid: str | None
    article_version: int | None
    doi: str | None
    license: str | None
    licenses: list[str | None]
    has_rights: bool
    status: str | None
    source: str
    source_file: str
    source_sha256: str
    picture_files: list[FileHash]
    page: int | None
    bbox: list[float] | None
    dpi: float | None
    panels: list[PanelPlace]
    width: int
    height: int
    image_sha256: str
    pixels_sha256: str
    duplicate_group: str | None
    hashes: list[ColumnHash]
    tool: str
    makers_sha256: str


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


DATASET_MANIFEST = Kind(DatasetManifest, "ldrt build")
CERTIFICATE = Kind(Certificate, "ldrt build")
REBUILD_NAME = "rebuild.jsonl"
REBUILD = Kind(Rebuild, "ldrt build")
AUDIT = Kind(Audit, "ldrt build --audit")
EVAL = Kind(Eval, "ldrt instruct")
PROVENANCE_ROWS: Kind[Any] = Kind(Terms, "ldrt build")  # of files that only others know
PROVENANCE: dict[str, Kind[Any]] = {  # file of provenance/ -> its rows
    "rejected.jsonl": Kind(RejectedFigure, "ldrt build"),
    "supplementary.jsonl": Kind(SupplementaryFigure, "ldrt build"),
    "changelog.jsonl": Kind(RemovedRow, "ldrt build"),
    "retracted.jsonl": Kind(Retraction, "ldrt retract", is_edited=True),
    "skipped.jsonl": Kind(SkippedFile, "ldrt build"),
    "failed.jsonl": Kind(Failure, "ldrt build"),
    "rejected_examples.jsonl": Kind(RejectedExample, "ldrt instruct"),
}

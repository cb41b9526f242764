"""What a repository says of its evaluation, read: answers, judgements, what was measured, scores, comparison."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NotRequired, cast

from typing_extensions import TypedDict

from evaluation import run_folder
from evaluation.judgements import JUDGEMENT_FILE, VERDICT_FILE, Judgement, Verdict
from evaluation.run_folder import EVIDENCE_FILE, ITEM_FILE, Evidence, ItemRow, Place, Prediction, latest, place
from model_cards import result_files
from model_cards.card_file import CARD, MADE, MADE_NAME, Card, Made
from trust.handovers import Kind
from verification.repository import Repository

RESULTS = "results"


class PublishedPrediction(TypedDict):
    """A row of results/predictions.jsonl; without question and reference where they may not be published."""

    example_id: str
    figure_id: str
    article_id: str
    task: str
    image_condition: str
    question: str | None
    reference: str | None
    prediction: str | None
    finish_reason: str
    answer_kind: NotRequired[str]
    options: NotRequired[list[str] | None]


class PublishedPair(TypedDict):
    """A row of results/paired_items.jsonl."""

    example_id: str
    image_condition: str
    base: dict[str, float | None]
    tuned: dict[str, float | None]
    base_answer: str | None
    base_finish_reason: str
    base_error: NotRequired[str | None]
    base_said: list[run_folder.Said]


PREDICTIONS = Kind(PublishedPrediction, "ldrt publish RUN ORG/NAME")
PAIRED = Kind(PublishedPair, "ldrt compare BASE {folder}")


@dataclass(frozen=True)
class Published:
    """The results of a model repository. What it does not have is None or empty."""

    manifest: dict[str, Any]
    scores: dict[str, Any]
    comparison: dict[str, Any] | None
    human: dict[str, Any] | None
    card: Card | None
    made: list[Made]  # the other repositories of its study
    predictions: list[Prediction]  # one a place; of those in `bare` question and reference are ""
    bare: frozenset[Place]  # whose question and reference are not known
    evidence: dict[str, Evidence]
    judgements: list[Judgement]
    verdicts: list[Verdict]
    items: dict[Place, ItemRow]
    pairs: dict[Place, PublishedPair]

    @property
    def pinned(self) -> dict[str, str]:
        """Dataset of its study -> the commit at which the card names it."""
        return {one["id"]: one["commit"] for one in self.made if one["type"] == "dataset" and one["commit"]}

    def filled(self, texts: Mapping[str, tuple[str, str]], evidence: Mapping[str, Evidence]) -> "Published":
        """With the questions and references of `texts` (by example), and their figures' evidence, where they lack."""
        predictions = [_filled(row, texts) if place(row) in self.bare else row for row in self.predictions]
        known = {row["figure_id"] for row in predictions if place(row) in self.bare and row["example_id"] in texts}
        found = {name: evidence[name] for name in known if name in evidence}
        left = frozenset(one for one in self.bare if one[1] not in texts)
        return replace(self, predictions=predictions, bare=left, evidence=self.evidence | found)


def read_published(repository: Repository) -> Published:
    """Raises FileNotFoundError without results, ValueError, in one line, for files that are not those of a run."""
    folder = repository.folder / RESULTS
    files = {path.name: repository.path(f"{RESULTS}/{path.name}") for path in folder.glob("*.json*")}
    at = {name: files.get(name, folder / name) for name in _NAMES}
    if not at[run_folder.MANIFEST].is_file():
        raise FileNotFoundError(
            f"{repository.name} has no {RESULTS}/{run_folder.MANIFEST}: only what `ldrt publish` sent with its results "
            "can be verified"
        )
    rows = latest(cast("list[Prediction]", list(PREDICTIONS.rows(at[run_folder.PREDICTIONS]))))
    bare = frozenset(place(row) for row in rows if row["question"] is None or row["reference"] is None)
    return Published(
        manifest=dict(result_files.MANIFEST.read(at[run_folder.MANIFEST])),
        scores=dict(result_files.SCORES.read(at[run_folder.SCORES])),
        comparison=_if_there(result_files.COMPARISON, at[run_folder.COMPARISON]),
        human=_if_there(result_files.HUMAN, at[run_folder.HUMAN]),
        card=CARD.read_if_there(at["card.json"]),
        made=(MADE.read_if_there(at[MADE_NAME]) or {"made": []})["made"],
        predictions=[_filled(row, {row["example_id"]: ("", "")}) if place(row) in bare else row for row in rows],
        bare=bare,
        evidence={row["figure_id"]: row for row in EVIDENCE_FILE.rows(at[run_folder.EVIDENCE])},
        judgements=list(JUDGEMENT_FILE.rows(at[run_folder.JUDGEMENTS])),
        verdicts=list(VERDICT_FILE.rows(at[run_folder.PAIRWISE])),
        items={_place(row): row for row in ITEM_FILE.rows(at[run_folder.ITEMS])},
        pairs={_place(row): row for row in PAIRED.rows(at[run_folder.PAIRED])},
    )


_NAMES = (
    *(run_folder.MANIFEST, run_folder.PREDICTIONS, run_folder.EVIDENCE, run_folder.JUDGEMENTS, run_folder.PAIRWISE),
    *(
        run_folder.ITEMS,
        run_folder.SCORES,
        run_folder.COMPARISON,
        run_folder.PAIRED,
        run_folder.HUMAN,
        "card.json",
        MADE_NAME,
    ),
)


def _if_there(kind: Kind[Any], path: Any) -> dict[str, Any] | None:
    found = kind.read_if_there(path)
    return None if found is None else dict(found)


def _place(row: Mapping[str, Any]) -> Place:
    return row["image_condition"], row["example_id"]


def _filled(row: Prediction, texts: Mapping[str, tuple[str, str]]) -> Prediction:
    question, reference = texts.get(row["example_id"], ("", ""))
    return cast("Prediction", {**row, "question": question, "reference": reference})

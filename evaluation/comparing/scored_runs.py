"""Scored run folders in memory: read, checked for what they must share, paired by example, contrasted."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from evaluation import run_folder
from evaluation.metrics.metric import Scores
from evaluation.run_folder import TRUE_PICTURE, Place, Prediction, Said
from evaluation.scoring.items import ScoredItem, columns_of, identity_of, item_of_row, mean_of_judges
from evaluation.scoring.measures import JUDGE_MEAN, contrast
from evaluation.scoring.rows import shared_metrics


@dataclass(frozen=True)
class Run:
    """A scored run folder."""

    folder: Path
    manifest: dict
    scores: dict  # scores.json
    items: dict[Place, ScoredItem]
    predictions: dict[Place, Prediction]  # the newest of each place


@dataclass(frozen=True)
class PairedItem:
    """A row of paired_items.jsonl: one question, and what both runs' answers to it are worth.

    The scores have the judges of both runs only, and their mean is of those.
    """

    item: ScoredItem  # the tuned run's: whose question it is
    base: Scores
    tuned: Scores
    base_record: Prediction
    tuned_record: Prediction
    base_said: tuple[Said, ...]  # by the judges of the base run

    @property
    def base_answer(self) -> str | None:
        return self.base_record["prediction"]

    @property
    def tuned_answer(self) -> str | None:
        return self.tuned_record["prediction"]

    @property
    def example_id(self) -> str:
        return self.item.example_id

    @property
    def article_id(self) -> str:
        return self.item.article_id

    @property
    def task(self) -> str:
        return self.item.task

    @property
    def image_condition(self) -> str:
        return self.item.image_condition


def read_run(folder: Path) -> Run:
    """Raises FileNotFoundError where it is not scored, ValueError where answers are newer than scores or unfinished."""
    manifest = run_folder.read_manifest(folder)
    scores = dict(run_folder.SCORE_FILE.read(folder / run_folder.SCORES))
    if scores["inputs"] != run_folder.input_hashes(folder):
        raise ValueError(f"{folder}: answers or judgements are newer than its scores: run `ldrt score {folder}` again")
    items = [item_of_row(row) for row in run_folder.ITEM_FILE.rows(folder / run_folder.ITEMS)]
    warning = run_folder.unfinished(folder, manifest, (item.image_condition for item in items))
    if warning:
        raise ValueError(warning)
    predictions = run_folder.read_predictions(folder)
    return Run(
        folder=folder,
        manifest=manifest,
        scores=scores,
        items={item.place: item for item in items},
        predictions={run_folder.place(record): record for record in predictions},
    )


# ---- may they be compared


def check_comparable(base: Run, tuned: Run) -> None:
    """Raises ValueError naming the first thing in which two runs differ that they must share."""
    for key in ("dataset_revision", "split"):
        _check_same(f"{key} is", base.manifest[key], tuned.manifest[key], base, tuned)
    for key in ("rouge", "hedging"):
        _check_same(f"{key} was scored with", base.scores["settings"][key], tuned.scores["settings"][key], base, tuned)
    _check_same_judges(base, tuned)
    _check_same_questions(base, tuned)


def _check_same_judges(base: Run, tuned: Run) -> None:
    """A judge of both runs must be the same model, asked with the same rubric."""
    of_tuned = {judge["judge"]: judge for judge in tuned.scores["judges"]}
    for ours in base.scores["judges"]:
        if ours["judge"] not in of_tuned:
            continue
        theirs = of_tuned[ours["judge"]]
        for key in ("backend", "revision"):
            _check_same(f"{key} of judge {ours['judge']} is", ours[key], theirs[key], base, tuned)
        rubrics, other_rubrics = ours["prompt_sha256"], theirs["prompt_sha256"]
        for task in sorted(rubrics.keys() & other_rubrics.keys()):
            what = f"judge {ours['judge']} used for {task} the rubric"
            _check_same(what, rubrics[task], other_rubrics[task], base, tuned)


def _check_same_questions(base: Run, tuned: Run) -> None:
    """Of the image conditions that both have."""
    shared = {condition for condition, _ in base.items} & {condition for condition, _ in tuned.items}
    if not shared:
        raise ValueError(f"not comparable: {base.folder} and {tuned.folder} have no image condition in common")
    ours = {place for place in base.items if place[0] in shared}
    theirs = {place for place in tuned.items if place[0] in shared}
    if ours != theirs:
        place = min(ours ^ theirs)
        where = base.folder if place in ours else tuned.folder
        raise ValueError(f"not comparable: example {place[1]} (image condition {place[0]}) is in {where} only")
    for place in sorted(ours):
        before, after = base.predictions[place], tuned.predictions[place]
        if before["question"] != after["question"] or before["reference"] != after["reference"]:
            raise ValueError(f"not comparable: question or reference of {place[1]} differ between the two runs")


def _check_same(what: str, ours: object, theirs: object, base: Run, tuned: Run) -> None:
    if ours != theirs:
        raise ValueError(f"not comparable: {what} {ours} in {base.folder}, {theirs} in {tuned.folder}")


# ---- side by side


def pair(base: Run, tuned: Run) -> list[PairedItem]:
    """The examples that both have, sorted."""
    return [_pair(place, base, tuned) for place in sorted(base.items.keys() & tuned.items.keys())]


def _pair(place: Place, base: Run, tuned: Run) -> PairedItem:
    of_base, of_tuned = base.items[place].scores, tuned.items[place].scores
    return PairedItem(
        item=tuned.items[place],
        base=_of_shared_judges(of_base, of_tuned),
        tuned=_of_shared_judges(of_tuned, of_base),
        base_record=base.predictions[place],
        tuned_record=tuned.predictions[place],
        base_said=base.items[place].said,
    )


def _of_shared_judges(scores: Scores, others: Scores) -> Scores:
    """The measurements without judges that the other run does not have; the mean is of those that both have."""
    if scores.judges.keys() == others.judges.keys():
        return scores
    shared = {
        judge: points for judge, points in scores.judges.items() if judge in others.judges and judge != JUDGE_MEAN
    }
    if len(shared) > 1:
        shared[JUDGE_MEAN] = mean_of_judges(shared.values())
    return Scores(scores.metrics, shared)


def row_of_pair(paired: PairedItem) -> dict:
    """As it stands in paired_items.jsonl."""
    return {
        **identity_of(paired.item),
        "base": columns_of(paired.base),
        "tuned": columns_of(paired.tuned),
        "base_answer": paired.base_answer,
        "tuned_answer": paired.tuned_answer,
        "base_finish_reason": paired.base_record["finish_reason"],
        "base_error": paired.base_record.get("error"),
        "base_said": list(paired.base_said),
        "tuned_said": list(paired.item.said),
    }


def true_pictures(paired: Iterable[PairedItem]) -> list[PairedItem]:
    """The items that were asked with their own picture."""
    return [item for item in paired if item.image_condition == TRUE_PICTURE]


def contrast_paired(paired: list[PairedItem], names: tuple[str, ...] | None = None) -> list[dict]:
    """Rows of `measures.contrast` of the metrics that both runs have; with `names`, of these metrics only."""
    base, tuned = [item.base for item in paired], [item.tuned for item in paired]
    metrics = [metric for metric in shared_metrics(base, tuned) if names is None or metric.name in names]
    if not metrics:
        return []
    return contrast(base, tuned, [item.article_id for item in paired], metrics)

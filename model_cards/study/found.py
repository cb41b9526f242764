"""What a study's folder holds, by the files themselves: datasets, runs, checkpoints, and which belong together.

There is no file that describes a study. A dataset has `pairs/`, a run `predictions.jsonl`, a checkpoint `config.json`
or `adapter_config.json`; which checkpoint a run evaluated its manifest says by the hash of the weights, and the phases
before it, its adapter and its base stand in `lineage.json`.
"""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from model_cards.result_files import MANIFEST, PREDICTIONS, Lineage
from model_cards.staging.checkpoint import is_other_adapter
from model_cards.staging.results import refuse_stale_scores, refuse_taken_down
from trust.handovers import Kind
from trust.places import COMMIT
from trust.weights.checkpoint_files import ADAPTER_CONFIG, CONFIG, LINEAGE, content_hash

_MAX_DEPTH = 4  # folders below the study's, as runs/MODEL/phase1
_LINEAGE = Kind(Lineage, "ldrt train")
_CARD = "README.md"  # of a run: `ldrt card` has written it


@dataclass(frozen=True)
class Run:
    """A run folder and its manifest."""

    folder: Path
    manifest: dict[str, Any]

    @property
    def phases(self) -> list[dict[str, Any]]:
        """Of the lineage of the model that answered; [] of a base model."""
        return (self.manifest["lineage"] or {"phases": []})["phases"]

    @property
    def has_card(self) -> bool:
        return (self.folder / _CARD).is_file()


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint's folder and its lineage."""

    folder: Path
    lineage: dict[str, Any] | None  # None: a model that was not made here

    @property
    def is_adapter(self) -> bool:
        return (self.folder / ADAPTER_CONFIG).is_file()

    @property
    def phases(self) -> list[dict[str, Any]]:
        return (self.lineage or {"phases": []})["phases"]


@dataclass
class Study:
    """What is published of a folder; what is not there is None, and `missing` says it."""

    folder: Path
    run: Run  # of the tuned model, with the card
    runs: list[Run]  # all of them, that one too
    checkpoint: Path
    adapter: Path | None
    before: dict[str, Path]  # "phase1", "base" -> a checkpoint that came before, and is a folder here
    base: str | None  # Hub id of the base model, where that is not a folder here
    dataset: Path | None
    hub_dataset: tuple[str, str] | None = None  # id and commit, where the rows are on the Hub already
    missing: list[str] = field(default_factory=list)


def read_study(folder: Path, run: Path | None) -> Study:
    """Find out what a study's folder holds; `run` is the run to publish where several have a card.

    Raises FileNotFoundError where there is no such folder, no run with a card, or not the checkpoint that it evaluated,
    naming the command that makes it; ValueError where several runs have a card, one quotes what was taken down, or was
    scored before it changed.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"no folder {folder}: give the one that holds dataset, checkpoints and runs of a study")
    datasets, runs, checkpoints = _read(folder)
    tuned = _the_run(folder, runs, run)
    checkpoint, adapter = _evaluated(folder, tuned, checkpoints)
    study = Study(folder, tuned, runs, checkpoint, adapter, {}, None, None)
    _find_before(study, checkpoints)
    _find_dataset(study, datasets)
    for of_study in runs:
        refuse_taken_down(of_study.folder, study.dataset)
        refuse_stale_scores(of_study.folder)
    _find_missing(study)
    return study


def _read(folder: Path) -> tuple[list[Path], list[Run], list[Checkpoint]]:
    datasets, runs, checkpoints = [], [], []
    for path in _folders(folder):
        if any((path / "pairs").glob("*.parquet")):
            datasets.append(path)
        elif (path / "predictions.jsonl").is_file():
            runs.append(Run(path, dict(MANIFEST.read(path / "manifest.json"))))
        elif (path / CONFIG).is_file() or (path / ADAPTER_CONFIG).is_file():
            lineage = _LINEAGE.read_if_there(path / LINEAGE)
            checkpoints.append(Checkpoint(path, None if lineage is None else dict(lineage)))
    return datasets, runs, checkpoints


def _folders(folder: Path) -> Iterator[Path]:
    """The folder and those below it, without hidden ones; none inside of a dataset, a run or a checkpoint."""
    for here, names, files in os.walk(folder):
        path = Path(here)
        yield path
        is_whole = "pairs" in names or {"predictions.jsonl", CONFIG, ADAPTER_CONFIG} & set(files)
        is_deep = len(path.relative_to(folder).parts) >= _MAX_DEPTH
        names[:] = [] if is_whole or is_deep else sorted(name for name in names if not name.startswith("."))


# ---- what belongs together


def _the_run(folder: Path, runs: list[Run], asked: Path | None) -> Run:
    tuned = [run for run in runs if run.has_card and (run.phases or run.manifest["adapter_of"])]
    if asked is not None:
        tuned = [run for run in tuned if run.folder.resolve() == asked.resolve()]
    if not tuned:
        where = asked or folder
        raise FileNotFoundError(f"{where} has no run of a tuned model with a card: run `ldrt card RUN` for it first")
    if len(tuned) > 1:
        named = ", ".join(str(run.folder) for run in tuned)
        raise ValueError(
            f"{folder} has {len(tuned)} runs with a card ({named}): say which, `ldrt publish RUN --study …`"
        )
    return tuned[0]


def _evaluated(folder: Path, run: Run, checkpoints: list[Checkpoint]) -> tuple[Path, Path | None]:
    """The checkpoint that a run evaluated, and the adapter of the same phases beside it."""
    revision = str(run.manifest["revision"])
    same = [one for one in checkpoints if one.phases and one.phases == run.phases]
    whole = [one.folder for one in same if not one.is_adapter]
    adapters = [one.folder for one in same if one.is_adapter]
    for path in (*whole, *adapters):
        if content_hash(path) == revision:
            others = [one for one in adapters if one != path and not is_other_adapter(run.manifest["lineage"], one)]
            return path, others[0] if others else None
    raise FileNotFoundError(
        f"{folder} does not hold the checkpoint that {run.folder} evaluated ({run.manifest['model']}, "
        f"{revision[:15]}…): give the folder that holds both"
    )


def _find_before(study: Study, checkpoints: list[Checkpoint]) -> None:
    """The checkpoints that the published one was made from, phase by phase."""
    phases, lineage = study.run.phases, study.run.manifest["lineage"] or {}
    for number in range(1, len(phases)):
        earlier = [c.folder for c in checkpoints if not c.is_adapter and c.phases == phases[:number]]
        if earlier:
            study.before[f"phase{number}"] = earlier[0]
    base = str(lineage.get("base_model"))
    if lineage.get("base_revision"):
        study.base = base
    else:
        here = [c.folder for c in checkpoints if not c.phases and not c.is_adapter and c.folder.name == Path(base).name]
        if here:
            study.before["base"] = here[0]


def _find_dataset(study: Study, datasets: list[Path]) -> None:
    """The dataset that the run's questions are from: a folder here, or the Hub's at a commit."""
    name, revision = study.run.manifest["dataset"], study.run.manifest["dataset_revision"]
    if "/" in name and COMMIT.fullmatch(str(revision)):
        study.hub_dataset = name, revision
        return
    here = [path for path in datasets if path.name == Path(name).name]
    if here:
        study.dataset = here[0]


def _unfinished(run: Run) -> Iterator[str]:
    """What a run that was stopped in the middle has not."""
    places = {(row["image_condition"], row["example_id"]) for row in PREDICTIONS.rows(run.folder / "predictions.jsonl")}
    answered = Counter(condition for condition, _ in places)
    for condition, asked in run.manifest["image_conditions"].items():
        if answered[condition] < asked["items"]:
            n = f"{asked['items'] - answered[condition]} of {asked['items']} answers (image condition {condition})"
            yield f"{n} of {run.folder}: give its `ldrt generate` again"
    if not (run.folder / "scores.json").is_file():
        yield f"scores of {run.folder}: `ldrt score {run.folder}`"


def _find_missing(study: Study) -> None:
    """What a study can have and this one has not, and which command makes it."""
    manifest, missing = study.run.manifest, study.missing
    missing += [line for run in study.runs for line in _unfinished(run)]
    if study.dataset is None and study.hub_dataset is None:
        missing.append(f"dataset {manifest['dataset']}: no folder of that name is in {study.folder}")
    if not any(not run.phases for run in study.runs):
        missing.append("answers of the base model: `ldrt generate --model BASE`, then `ldrt compare`")
    if not any((run.folder / "judgements.jsonl").is_file() for run in study.runs):
        missing.append("judge transcripts: `ldrt judge RUN`")
    if study.adapter is None and not manifest["adapter_of"]:
        missing.append("adapter: no folder has one of the same training")
    if not (study.folder / "CITATION.cff").is_file():
        missing.append(f"citation: write {study.folder}/CITATION.cff, and it goes into every repository")

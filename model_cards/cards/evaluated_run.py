"""The result files of an evaluation run, as card and plots read them."""

from dataclasses import dataclass
from pathlib import Path

from model_cards import result_files
from trust.handovers import Kind


@dataclass(frozen=True)
class EvaluatedRun:
    """A run folder's JSON files; what an evaluation may leave out is None. The JSON lines are read where needed."""

    folder: Path
    manifest: dict  # what answered: model, dataset, settings, lineage
    scores: dict  # every metric by task and image condition, with intervals
    comparison: dict | None  # against the base run
    human: dict | None  # people's ratings


def read_run(folder: Path) -> EvaluatedRun:
    """Raises FileNotFoundError for a run without scores or manifest, naming the command that makes them, and ValueError
    for files that are not theirs."""
    return EvaluatedRun(
        folder=folder,
        scores=dict(result_files.SCORES.read(folder / "scores.json")),
        manifest=dict(result_files.MANIFEST.read(folder / "manifest.json")),
        comparison=_if_there(result_files.COMPARISON, folder / "comparison.json"),
        human=_if_there(result_files.HUMAN, folder / "human.json"),
    )


def _if_there(kind: Kind, path: Path) -> dict | None:
    found = kind.read_if_there(path)
    return None if found is None else dict(found)

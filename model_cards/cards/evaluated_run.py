"""The result files of an evaluation run, as card and plots read them."""

from dataclasses import dataclass
from pathlib import Path

from model_cards.files import read_json


@dataclass(frozen=True)
class EvaluatedRun:
    """A run folder's JSON files; what an evaluation may leave out is None. The JSON lines are read where needed."""

    folder: Path
    manifest: dict  # what answered: model, dataset, settings, lineage
    scores: dict  # every metric by task and image condition, with intervals
    comparison: dict | None  # against the base run
    human: dict | None  # people's ratings


def read_run(folder: Path) -> EvaluatedRun:
    """Raises FileNotFoundError for a run without scores or manifest, naming the command that makes them."""
    scores = _required(folder / "scores.json", f"ldrt score {folder}")
    manifest = _required(folder / "manifest.json", f"ldrt generate --output {folder}")
    comparison, human = read_json(folder / "comparison.json"), read_json(folder / "human.json")
    return EvaluatedRun(folder, manifest, scores, comparison, human)


def _required(path: Path, command: str) -> dict:
    content = read_json(path)
    if content is None:
        raise FileNotFoundError(f"{path} is absent: run `{command}` first")
    return content

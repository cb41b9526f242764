"""The YAML of a sweep: where it starts from, how it is launched, and what each run changes."""

from pathlib import Path
from typing import Any

import yaml
from typing_extensions import TypedDict

from dataset_builder.files.nearest import nearest
from trust.errors import UsageError
from trust.handovers import Kind

KEYS = ("recipe", "accelerate", "dataset", "output", "every_run", "generate", "runs")
NEEDED = ("recipe", "accelerate", "dataset", "output", "runs")


class Sweep(TypedDict):
    """The file's content."""

    recipe: str
    accelerate: str
    dataset: str  # whose held-out questions every run answers
    output: str
    every_run: dict[str, Any]  # options of recipes/sft.py
    generate: dict[str, Any]  # options of `ldrt generate`
    runs: dict[str, dict[str, Any] | None]  # name -> what it changes: options of recipes/sft.py, or `recipe`


class Run(TypedDict):
    """All that decides a run: compared with what sweep.json holds."""

    recipe: str
    changes: dict[str, Any]  # options of recipes/sft.py
    accelerate: str
    dataset: str
    generate: dict[str, Any]


class Entry(Run):
    """A run in sweep.json; of a finished one there are results, too."""

    name: str
    error: str | None


class Finished(TypedDict):
    """What is read of sweep.json."""

    runs: list[Entry]


FINISHED_FILE = Kind(Finished, "ldrt sweep")


def read_sweep(path: Path) -> Sweep:
    """The file's content. Raises FileNotFoundError, or ValueError naming what is wrong."""
    if not path.is_file():
        raise FileNotFoundError(f"no sweep {path}; recipes/sweeps/ has some")
    try:
        sweep = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise UsageError(f"{path} is no YAML: {error}") from error
    if not isinstance(sweep, dict) or not isinstance(sweep.get("runs"), dict):
        raise UsageError(f"{path}: expected `runs:` with a name and changes for each run")
    unknown, absent = set(sweep) - set(KEYS), set(NEEDED) - set(sweep)
    if unknown:
        raise UsageError(f"{path}: no key {min(unknown)!r}{nearest(str(min(unknown)), KEYS)}")
    if absent:
        raise UsageError(f"{path}: the key {min(absent)!r} is absent")
    return {"every_run": {}, "generate": {}, **sweep}  # type: ignore[typeddict-item]  # the keys were checked


def asked_of(sweep: Sweep, name: str) -> Run:
    """What the sweep asks of one of its runs."""
    changes = sweep["every_run"] | (sweep["runs"][name] or {})
    return {
        "recipe": changes.pop("recipe", sweep["recipe"]),
        "changes": changes,
        "accelerate": sweep["accelerate"],
        "dataset": sweep["dataset"],
        "generate": sweep["generate"],
    }


def finished_runs(path: Path) -> dict[str, Run]:
    """name -> what was asked, of the runs that an earlier call finished: `path` is its sweep.json."""
    found = FINISHED_FILE.read_if_there(path) or {"runs": []}
    return {entry["name"]: _asked_then(entry) for entry in found["runs"] if not entry["error"]}


def _asked_then(entry: Entry) -> Run:
    return {
        "recipe": entry["recipe"],
        "changes": entry["changes"],
        "accelerate": entry["accelerate"],
        "dataset": entry["dataset"],
        "generate": entry["generate"],
    }

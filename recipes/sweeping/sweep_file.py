"""The YAML of a sweep: where it starts from, how it is launched, and what each run changes."""

import json
from pathlib import Path
from typing import Any

import yaml
from typing_extensions import TypedDict

from dataset_builder.files.nearest import nearest
from recipes.keys.check import check_launch, check_options
from recipes.keys.sources import fields_of
from recipes.project_files import find_file
from trust.errors import UsageError
from trust.places import is_dataset_folder

KEYS = ("recipe", "accelerate", "dataset", "output", "every_run", "generate", "runs")
_OF_SWEEP = dict.fromkeys(("model", "dataset", "output"), "the sweep gives it to each run")  # of `ldrt generate`
_TEXT = ("recipe", "accelerate", "dataset", "output")
NEEDED = (*_TEXT, "runs")


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
    """What the sweep asks of a run: in sweep.json with its results."""

    recipe: str
    changes: dict[str, Any]  # options of recipes/sft.py
    accelerate: str
    dataset: str
    generate: dict[str, Any]


def read_sweep(path: Path) -> Sweep:
    """The file's content. Raises FileNotFoundError, or ValueError naming what is wrong."""
    if not path.is_file():
        raise FileNotFoundError(f"no sweep {path}; recipes/sweeps/ has some")
    try:
        sweep = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (ValueError, yaml.YAMLError) as error:
        raise UsageError(f"{path} is no YAML: {error}") from error
    if not isinstance(sweep, dict) or not isinstance(sweep.get("runs"), dict):
        raise UsageError(f"{path}: expected `runs:` with a name and changes for each run")
    unknown, absent = set(sweep) - set(KEYS), set(NEEDED) - set(sweep)
    if unknown:
        raise UsageError(f"{path}: no key {min(unknown)!r}{nearest(str(min(unknown)), KEYS)}")
    if absent:
        raise UsageError(f"{path}: the key {min(absent)!r} is absent")
    wrong = [key for key in _TEXT if not isinstance(sweep[key], str)]
    if wrong:
        raise UsageError(f"{path}: {wrong[0]} {sweep[wrong[0]]!r}: give a text")
    whole: Sweep = {"every_run": {}, "generate": {}, **sweep}  # type: ignore[typeddict-item]  # the keys were checked
    _check_runs(path, whole)
    return whole


def check_dataset(path: Path, sweep: Sweep) -> None:
    """Raises UsageError for a dataset that can only be a folder, which is not there, or has no rows."""
    try:
        is_dataset_folder(sweep["dataset"])
    except FileNotFoundError as error:
        raise UsageError(f"{path}: {error}") from error


def _check_runs(path: Path, sweep: Sweep) -> None:
    """Raises UsageError for a key or value of a run that its commands would refuse, perhaps hours later."""
    for name, changes in sweep["runs"].items():
        where = f"{path}: run {name}"
        if not all(isinstance(keys, dict) for keys in (changes or {}, sweep["every_run"], sweep["generate"])):
            raise UsageError(f"{where}: runs, every_run and generate hold `key: value` lines")
        run = asked_of(sweep, name)
        try:
            recipe, _ = find_file(run["recipe"]), find_file(run["accelerate"])
            check_launch(recipe, ["--output_dir", sweep["output"], *words_of(run["changes"])])
            check_options(words_of(run["generate"]), fields_of("evaluation.generate", "Options"), _OF_SWEEP)
        except (FileNotFoundError, UsageError) as error:
            raise UsageError(f"{where}: {error}") from error


def words_of(options: dict[str, Any]) -> list[str]:
    """{"lora_r": 32, "bf16": True, "lora_target_modules": ["q", "v"]} -> ["--lora_r", "32", "--bf16", "true",
    "--lora_target_modules", "q", "v"]."""
    words = []
    for key, value in options.items():
        values = value if isinstance(value, list) else [value]
        words += [f"--{key}", *(one if isinstance(one, str) else json.dumps(one) for one in values)]
    return words


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

"""`ldrt sweep FILE.yaml`: one recipe trained several times with changes; every run answers the same held-out questions.

    ldrt sweep recipes/sweeps/lora-rank.yaml

Writes OUTPUT/sweep.json (for each run its changes, training time and scores) and OUTPUT/plots/sweep.png, quality
against training time. Run it again after any interruption: finished runs are kept, a started one goes on. A run that
fails is recorded and the others go on.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import yaml

_ROOT = Path(__file__).parent.parent
_STDERR = 2  # file descriptor: the table alone goes to stdout
FILE = "sweep.json"
# Keys of the file: where it starts from, how it is launched, what every run and what each run changes.
KEYS = ("recipe", "accelerate", "dataset", "output", "every_run", "generate", "runs")
NEEDED = ("recipe", "accelerate", "dataset", "output", "runs")


@dataclass
class Options:
    """Options of `ldrt sweep`."""

    sweep: str = field(metadata={"help": "YAML file that names the runs (recipes/sweeps/)", "positional": True})


def run(options: Options) -> str:
    """Train, ask and score what is not done yet; returns the table.

    Raises FileNotFoundError or ValueError for a file that is no sweep, RuntimeError when no run finished.
    """
    sweep = read_sweep(Path(options.sweep))
    output = Path(sweep["output"])
    output.mkdir(parents=True, exist_ok=True)
    before = _finished_runs(output / FILE)
    entries = []
    for number, (name, changes) in enumerate(sweep["runs"].items(), 1):
        asked = _asked(sweep, changes or {})
        print(f"\n[{number}/{len(sweep['runs'])}] {name}: {json.dumps(changes or {})}", file=sys.stderr, flush=True)
        error = None if before.get(name) == asked else _train_and_score(output / name, asked)
        entries.append({"name": name, **asked, "error": error} | ({} if error else _results(output / name)))
        _write(output, sweep, entries)
    if all(entry["error"] for entry in entries):
        raise RuntimeError(f"no run of {options.sweep} finished; the first: {entries[0]['error']}")
    _call([sys.executable, "-m", "model_cards.cards.plots", str(output)])
    return _table(entries) + f"\n\nin {output}: {FILE}, plots/sweep.png"


def read_sweep(path: Path) -> dict:
    """The file's content. Raises FileNotFoundError, or ValueError naming what is wrong."""
    if not path.is_file():
        raise FileNotFoundError(f"no sweep {path}; recipes/sweeps/ has some")
    try:
        sweep = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ValueError(f"{path} is no YAML: {error}") from error
    if not isinstance(sweep, dict) or not isinstance(sweep.get("runs"), dict):
        raise ValueError(f"{path}: expected `runs:` with a name and changes for each run")
    unknown, absent = set(sweep) - set(KEYS), set(NEEDED) - set(sweep)
    if unknown or absent:
        raise ValueError(
            f"{path}: " + (f"no key {min(unknown)!r}" if unknown else f"the key {min(absent)!r} is absent")
        )
    return {"every_run": {}, "generate": {}} | sweep


def _asked(sweep: dict, changes: dict) -> dict:
    """All that decides a run: compared with what sweep.json holds."""
    changes = sweep["every_run"] | changes
    recipe = changes.pop("recipe", sweep["recipe"])
    keys = ("accelerate", "dataset", "generate")
    return {"recipe": recipe, "changes": changes, **{key: sweep[key] for key in keys}}


def _finished_runs(path: Path) -> dict[str, dict]:
    """name -> what was asked, of the runs that an earlier call finished."""
    if not path.exists():
        return {}
    runs = json.loads(path.read_text(encoding="utf-8"))["runs"]
    asked = ("recipe", "changes", "accelerate", "dataset", "generate")
    return {run["name"]: {key: run[key] for key in asked} for run in runs if not run["error"]}


def _train_and_score(folder: Path, asked: dict) -> str | None:
    """Run the three commands; returns None, or which one failed. Each goes on where it was interrupted."""
    checkpoint, answers = str(folder / "checkpoint"), str(folder / "run")
    accelerate = [sys.executable, "-m", "accelerate.commands.accelerate_cli", "launch"]
    accelerate += ["--config_file", _file(asked["accelerate"]), str(_ROOT / "recipes" / "sft.py")]
    ldrt = [sys.executable, "-m", "ldrt"]
    generate = ["--model", checkpoint, "--dataset", asked["dataset"], "--output", answers]
    commands = {
        "training": [*accelerate, "--config", _file(asked["recipe"]), "--output_dir", checkpoint]
        + _words(asked["changes"]),
        "ldrt generate": [*ldrt, "generate", *generate, *_words(asked["generate"])],
        "ldrt score": [*ldrt, "score", answers],
    }
    for name, command in commands.items():
        if status := _call(command):
            return f"{name} failed with exit status {status}: see its message above"
    return None


def _call(command: list[str]) -> int:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(_ROOT), os.environ.get("PYTHONPATH", "")])}
    return subprocess.run(command, env=environment, stdout=_STDERR, check=False).returncode


def _file(path: str) -> str:
    """A path as given, or below the project's folder where the command runs elsewhere."""
    return path if Path(path).is_file() else str(_ROOT / path)


def _words(options: dict) -> list[str]:
    """{"lora_r": 32, "bf16": True} -> ["--lora_r", "32", "--bf16", "true"]."""
    values = {key: value if isinstance(value, str) else json.dumps(value) for key, value in options.items()}
    return [word for key, value in values.items() for word in (f"--{key}", value)]


def _results(folder: Path) -> dict:
    """What the run's files say, read anew every time: scores of judges may have come in between.

    `train_seconds` is the time of a step since the last start, times all steps: an interruption does not count.
    """
    read = {name: json.loads((folder / name).read_text(encoding="utf-8")) for name in _RESULT_FILES}
    timing, scores = read["checkpoint/timing.json"], read["run/scores.json"]["scores"]
    phase = read["checkpoint/lineage.json"]["phases"][-1]
    seconds = timing["seconds_per_step"]
    columns = ("metric", "task", "judge", "value", "ci_low", "ci_high", "n")
    return {
        "train_seconds": None if seconds is None else round(seconds * timing["steps"], 2),
        "processes": timing["world_size"],
        "steps": phase["steps"],
        "rows": phase["rows"]["kept"],
        "train_loss": phase["train_loss"],
        "trained_parameters": read["checkpoint/trainable.json"]["parameters"],
        "scores": [
            {column: row.get(column) for column in columns} for row in scores if row["image_condition"] == "true"
        ],
    }


_RESULT_FILES = ("checkpoint/timing.json", "checkpoint/lineage.json", "checkpoint/trainable.json", "run/scores.json")


def _write(output: Path, sweep: dict, entries: list[dict]) -> None:
    from dataset_builder.files.jsonfiles import write_json

    write_json(output / FILE, {"dataset": sweep["dataset"], "runs": entries})


def _table(entries: list[dict]) -> str:
    lines = [f"{'run':<24} {'rows':>7} {'trained':>13} {'train s':>9} {'loss':>7} {'ROUGE-L':>8} {'judges':>7}"]
    for entry in entries:
        if entry["error"]:
            lines.append(f"{entry['name']:<24} {entry['error']}")
            continue
        rouge, judged = (_overall(entry["scores"], metric) for metric in ("rougeL", "judge_score"))
        seconds = _number(entry["train_seconds"], ".0f")
        lines.append(
            f"{entry['name']:<24} {entry['rows']:>7} {entry['trained_parameters']:>13,} {seconds:>9} "
            f"{_number(entry['train_loss'], '.3f'):>7} {_number(rouge, '.3f'):>8} {_number(judged, '.2f'):>7}"
        )
    return "\n".join(lines)


def _overall(scores: list[dict], metric: str) -> float | None:
    """The metric over all tasks; of judges the mean over them, or the only one."""
    rows = [row for row in scores if row["metric"] == metric and row["task"] == "all"]
    rows = [row for row in rows if row["judge"] == "mean"] or rows
    return rows[0]["value"] if rows else None


def _number(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)

"""What the runs of a sweep have come to: read from their files, and as a table."""

from pathlib import Path
from typing import Annotated, Any

from annotated_types import Len
from typing_extensions import TypedDict

from evaluation.run_folder import SCORE_FILE
from trust.handovers import Kind

SCORE_COLUMNS = ("metric", "task", "judge", "value", "ci_low", "ci_high", "no_interval", "n", "n_unscored")


class Timing(TypedDict):
    """timing.json of recipes/sft.py."""

    steps: int
    seconds_per_step: float | None
    world_size: int


class KeptRows(TypedDict):
    kept: int


class TrainedPhase(TypedDict):
    """What a table says of an entry of lineage.json."""

    steps: int
    rows: KeptRows
    train_loss: float | None


class Trained(TypedDict):
    phases: Annotated[list[TrainedPhase], Len(min_length=1)]


class Trainable(TypedDict):
    """What a table says of trainable.json."""

    parameters: int


_MADE_BY = "recipes/sft.py --output_dir {folder}"
TIMING_FILE, TRAINED_FILE = Kind(Timing, _MADE_BY), Kind(Trained, _MADE_BY)
TRAINABLE_FILE = Kind(Trainable, _MADE_BY)


def read_results(folder: Path) -> dict[str, Any]:
    """What the run's files say, read anew every time: scores of judges may have come in between.

    `train_seconds` is the time of a step since the last start, times all steps: an interruption does not count.
    """
    timing = TIMING_FILE.read(folder / "checkpoint/timing.json")
    phase = TRAINED_FILE.read(folder / "checkpoint/lineage.json")["phases"][-1]
    trainable = TRAINABLE_FILE.read(folder / "checkpoint/trainable.json")
    scores = SCORE_FILE.read(folder / "run/scores.json")["scores"]
    seconds = timing["seconds_per_step"]
    of_true_pictures = [row for row in scores if row["image_condition"] == "true"]
    return {
        "train_seconds": None if seconds is None else round(seconds * timing["steps"], 2),
        "processes": timing["world_size"],
        "steps": phase["steps"],
        "rows": phase["rows"]["kept"],
        "train_loss": phase["train_loss"],
        "trained_parameters": trainable["parameters"],
        "scores": [{column: row.get(column) for column in SCORE_COLUMNS} for row in of_true_pictures],
    }


def table(entries: list[dict[str, Any]]) -> str:
    """One line a run of sweep.json."""
    lines = [f"{'run':<24} {'rows':>7} {'trained':>13} {'train s':>9} {'loss':>7} {'ROUGE-L':>8} {'judges':>7}"]
    for entry in entries:
        if entry["error"]:
            lines.append(f"{entry['name']:<24} {entry['error']}")
            continue
        seconds = _number(entry["train_seconds"], ".0f")
        loss = _number(entry["train_loss"], ".3f")
        rouge = _number(_overall(entry["scores"], "rougeL"), ".3f")
        judged = _number(_overall(entry["scores"], "judge_score"), ".2f")
        lines.append(
            f"{entry['name']:<24} {entry['rows']:>7} {entry['trained_parameters']:>13,} {seconds:>9} "
            f"{loss:>7} {rouge:>8} {judged:>7}"
        )
    return "\n".join(lines)


def _overall(scores: list[dict[str, Any]], metric: str) -> float | None:
    """The metric over all tasks; of judges the mean over them, or the only one."""
    rows = [row for row in scores if row["metric"] == metric and row["task"] == "all"]
    means = [row for row in rows if row["judge"] == "mean"]
    chosen = means or rows
    return chosen[0]["value"] if chosen else None


def _number(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)

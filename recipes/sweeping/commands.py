"""The commands of one run of a sweep: training, answers to the held-out questions, scores."""

import os
import subprocess
import sys
from pathlib import Path

from recipes.project_files import ROOT, find_file
from recipes.sweeping.sweep_file import Run, words_of

_STDERR = 2  # file descriptor: the sweep's table alone goes to stdout
_LDRT = [sys.executable, "-m", "ldrt"]


def train_and_score(folder: Path, run: Run) -> str | None:
    """Run the three commands; returns None, or which one failed. Each goes on where it was interrupted."""
    checkpoint, answers = str(folder / "checkpoint"), str(folder / "run")
    launch = ["--launch", str(find_file(run["accelerate"]))]
    recipe = ["--config", str(find_file(run["recipe"])), "--output_dir", checkpoint, *words_of(run["changes"])]
    asked = ["--model", checkpoint, "--dataset", run["dataset"], "--output", answers, *words_of(run["generate"])]
    commands = {
        "training": [*_LDRT, "train", *launch, *recipe],
        "ldrt generate": [*_LDRT, "generate", *asked],
        "ldrt score": [*_LDRT, "score", answers],
    }
    for name, command in commands.items():
        if status := _call(command):
            return f"{name} failed with exit status {status}: see its message above"
    return None


def draw(output: Path) -> None:
    """Draw OUTPUT/plots/sweep.png from OUTPUT/sweep.json."""
    _call([sys.executable, "-m", "model_cards.cards.plots", str(output)])


def _call(command: list[str]) -> int:
    """Run a command with the project's modules in reach, whatever the working folder; returns its exit status."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    return subprocess.run(command, env=environment, stdout=_STDERR, check=False).returncode

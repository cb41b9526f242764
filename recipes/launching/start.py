"""Which launch config a run gets, and the launcher's start and end."""

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import yaml

from dataset_builder.files.errors import UsageError
from recipes.launching.outcome import FOLDER, failure
from recipes.project_files import LAUNCH_CONFIGS, ROOT, find_file, project_file
from trust.command_words import options_of
from trust.places import check_writable, is_folder

ONE_GPU, CPU = f"{LAUNCH_CONFIGS}/single_gpu.yaml", f"{LAUNCH_CONFIGS}/cpu.yaml"
ALL_GPUS = f"{LAUNCH_CONFIGS}/ddp.yaml"


class Chosen(NamedTuple):
    """A launch config, and why it is that one where nobody has named it."""

    path: str
    why: str


def choose(gpus: int, on_cpu: bool) -> Chosen:
    """By the number of GPUs that there are; `on_cpu`: the recipe asks for a CPU."""
    if on_cpu:
        return Chosen(CPU, "the recipe says use_cpu: true")
    if gpus == 0:
        return Chosen(CPU, "no GPU is found here")
    more = f" of {gpus}; for all of them --launch {ALL_GPUS}" if gpus > 1 else ""
    return Chosen(ONE_GPU, f"1 GPU{more}")


def find_launch(path: str) -> Path:
    """A launch config. Raises UsageError, naming those that there are."""
    try:
        return find_file(path)
    except FileNotFoundError as error:
        names = ", ".join(sorted(file.name for file in (ROOT / LAUNCH_CONFIGS).glob("*.yaml")))
        raise UsageError(f"--launch: {error}; {LAUNCH_CONFIGS}/ has {names}") from error


def find_recipe(path: str) -> Path:
    """A phase's YAML. Raises UsageError."""
    try:
        return find_file(path)
    except FileNotFoundError as error:
        raise UsageError(f"--config: {error}; recipes/README.md lists the recipes") from error


def asks_for_cpu(recipe: Path, options: list[str]) -> bool:
    """Whether a recipe, or the options that win over it, say `use_cpu: true`. False for a file that is no YAML."""
    said = _value(recipe, options, "use_cpu")
    return str(said).lower() in ("true", "1", "yes", "")


def check_places(recipe: Path, options: list[str]) -> None:
    """Raises UsageError for a dataset or a model that can only be a folder, which is not there, and for an output
    folder that cannot be written to: at once, and not after the imports of every process."""
    check_dataset(recipe, options)
    _check_place(recipe, options, "model_name_or_path", "model")
    output = _value(recipe, options, "output_dir")
    if output and isinstance(output, str):
        check_writable(output, "--output_dir")


def check_dataset(recipe: Path, options: list[str]) -> None:
    """Raises UsageError for a dataset that can only be a folder, which is not there."""
    _check_place(recipe, options, "dataset_name", "dataset")


def _check_place(recipe: Path, options: list[str], key: str, of: str) -> None:
    name = _value(recipe, options, key)
    try:
        if name and isinstance(name, str):
            is_folder(name, of)
    except FileNotFoundError as error:
        raise UsageError(f"{key}: {error}") from error


def next_step(recipe: Path, options: list[str]) -> str:
    """The command that takes what this training makes."""
    output = shlex.quote(str(_value(recipe, options, "output_dir")))
    if _value(recipe, options, "trainable") == "projector":
        return f"ldrt train --config RECIPE_OF_PHASE_2 --model_name_or_path {output} --output_dir RUN"
    return f"ldrt merge {output} --output MERGED"


def _value(recipe: Path, options: list[str], key: str) -> object:
    """What the options say of a key, else the recipe; "" for an option that is given alone, None for neither."""
    given = [values for name, values in options_of(options) if name == key]
    return next(iter(given[-1]), "") if given else _keys(recipe).get(key)


def script_of(recipe: Path) -> str:
    """The script that a recipe is for, a path in the project."""
    return "recipes/dpo.py" if asks_for_pairs(recipe) else "recipes/sft.py"


def asks_for_pairs(recipe: Path) -> bool:
    """Whether a recipe trains which of two answers is better."""
    return _keys(recipe).get("trainable") == "preference"


def _keys(recipe: Path) -> dict:
    """The keys of a recipe; none of a file that is no YAML: the training says what is wrong with it."""
    try:
        keys = yaml.safe_load(recipe.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return {}
    return keys if isinstance(keys, dict) else {}


def launch(config: Path, processes: int | None, script: str, words: list[str]) -> None:
    """Run a script with `words` in the processes of a launch config, `processes` where they are not its own.

    Raises UsageError or RuntimeError with the one line of the process that failed. When this process is interrupted or
    ends, all that it has started ends.
    """
    number = [] if processes is None else ["--num_processes", str(processes)]
    options = ["launch", "--config_file", str(config), *number, str(project_file(script)), *words]
    with tempfile.TemporaryDirectory(prefix="ldrt-train-") as told:
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
            FOLDER: told,
        }
        launcher = subprocess.Popen(
            [sys.executable, "-m", "recipes.launching.launcher", *options],
            env=environment,
            stdin=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for this process, which ends the others in order
        )
        try:
            status = launcher.wait()
        finally:
            assert launcher.stdin is not None
            launcher.stdin.close()
            launcher.wait()
        if status:
            raise failure(Path(told), status)

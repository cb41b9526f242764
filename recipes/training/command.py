"""How a phase was started, for the card's commands: launch config, recipe, and the options given beside it.

Paths of the machine stay out of it: of a file of the project its path there, of any other its name.
"""

from pathlib import Path

import psutil
import yaml
from typing_extensions import TypedDict

from recipes.keys.check import recipe_path
from recipes.project_files import ROOT, name_in_project
from trust.command_words import LAUNCH, NOT_SETTINGS, Given, options_of

SCRIPTS = {"sft.py", "dpo.py"}
_LAUNCHERS = ("launch", "accelerate-launch", "accelerate.commands.launch")  # of accelerate


class Command(TypedDict):
    """The words of a phase's command line besides model, dataset and output."""

    launch: list[str] | None  # options of `accelerate launch`; None: something else started the script
    recipe: list[str]  # --config and the recipe, where it is the project's own
    options: list[str]  # those beside it; all of a recipe that is not the project's


def describe_command(argv: list[str]) -> Command:
    """What started this process with the arguments `argv`."""
    recipe, options = _recipe(recipe_path(argv))
    options += [word for option in options_of(argv) if option[0] not in NOT_SETTINGS for word in _words(option)]
    return {"launch": _launch(), "recipe": recipe, "options": options}


def _recipe(path: str | None) -> tuple[list[str], list[str]]:
    """`--config` for one of the project's recipes; for any other its settings, which nobody else has a file of."""
    if path is None:
        return [], []
    if Path(path).resolve().is_relative_to(ROOT.resolve()):
        return ["--config", name_in_project(Path(path))], []
    settings = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    given = [(str(key), _values(value)) for key, value in settings.items() if value is not None]
    return [], [word for option in given if option[0] not in NOT_SETTINGS for word in _words(option)]


def _values(value: object) -> list[str]:
    """A YAML value as words of a command line."""
    if isinstance(value, list):
        return [word for inner in value for word in _values(inner)]
    return [str(value).lower() if isinstance(value, bool) else str(value)]


def _words(option: Given) -> list[str]:
    name, values = option
    return [f"--{name}", *(name_in_project(Path(value)) if Path(value).is_file() else value for value in values)]


# ---- who started it


def _launch() -> list[str] | None:
    """The options of the `accelerate launch` above this process; None where there is none, or it cannot be seen."""
    try:
        lines = [process.cmdline() for process in psutil.Process().parents()]
    except psutil.Error:
        return None
    found = [options for line in lines if (options := launch_options(line)) is not None]
    return found[0] if found else None


def launch_options(line: list[str]) -> list[str] | None:
    """[…, "accelerate", "launch", "--config_file", "X.yaml", "recipes/sft.py", …] -> ["--config_file", "X.yaml"].

    None for another command.
    """
    names = [Path(word).name for word in line]
    launcher = next((number for number, name in enumerate(names) if name in _LAUNCHERS), len(names))
    script = next((number for number, name in enumerate(names) if number > launcher and name in SCRIPTS), None)
    if script is None:
        return None
    options = line[launcher + 1 : script]
    return [word for option in options_of(options) if option[0] in LAUNCH for word in _words(option)]

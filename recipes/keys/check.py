"""A wrong key or value of a recipe, told before torch is imported: names, types, choices, bounds, what is missing."""

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from dataset_builder.files.nearest import nearest
from dataset_builder.files.plain_yaml import read_entries
from dataset_builder.files.values import Kind, read_plain, read_words, shown
from recipes.keys.recipe import BOUNDS, CHOICES, DPO_KEYS, MODEL_KEYS, NEW_NAMES, SFT_KEYS, Keys
from recipes.keys.sources import Fields, fields_of
from recipes.launching.start import asks_for_pairs
from trust.command_words import options_of
from trust.errors import UsageError

_OF_RUN = ("model_name_or_path", "output_dir")  # have a default in TRL, and none that trains anything


def check_launch(recipe: Path, options: list[str]) -> None:
    """As `check_recipe`, of the script that a recipe is for."""
    check_recipe(["--config", str(recipe), *options], DPO_KEYS if asks_for_pairs(recipe) else SFT_KEYS)


def check_recipe(argv: list[str], keys: Keys) -> None:
    """Look at a recipe as a training script is given it: `--config FILE`, and options beside it.

    Raises UsageError, naming the nearest key or value, for what the script cannot have, and for a key that is missing.
    """
    fields = fields_of_recipe(keys)
    given = set()
    path = recipe_path(argv)
    if path is not None:
        given |= _check_file(path, keys, fields)
    given |= check_options(argv, fields, keys.refused)
    missing = [key for key in _needed(keys) if key not in given]
    if missing:
        raise UsageError(f"missing {', '.join(missing)}: in the recipe or as options")


def recipe_path(argv: list[str]) -> str | None:
    """FILE of `--config FILE`, None where there is none."""
    return argv[argv.index("--config") + 1] if "--config" in argv[:-1] else None


def all_fields() -> Fields:
    """Every key that a recipe of one of the scripts may have; of both, as recipes/sft.py takes it."""
    return fields_of_recipe(DPO_KEYS) | fields_of_recipe(SFT_KEYS)


def fields_of_recipe(keys: Keys) -> Fields:
    """Every key that a script's recipe may have, and what it takes."""
    own = fields_of(keys.recipe.__module__, keys.recipe.__name__)
    trainer, model = fields_of(*keys.trainer), fields_of("trl", "ModelConfig")
    found = own | trainer | {key: model[key] for key in MODEL_KEYS}
    found |= {new: found[old] for old, new in NEW_NAMES.items() if old in found and new not in found}
    return {key: _narrowed(key, kind) for key, kind in found.items() if key not in keys.refused}


def _narrowed(key: str, kind: Kind | None) -> Kind | None:
    """What these scripts take of what TRL would."""
    if key == "report_to":
        return Kind(list, items=Kind(str, choices=CHOICES[key]))
    if kind is None:
        return None
    changes: dict[str, Any] = {"choices": CHOICES[key]} if key in CHOICES else {}
    return dataclasses.replace(kind, bounds=BOUNDS.get(key, kind.bounds), **changes)


def _needed(keys: Keys) -> Iterable[str]:
    fields = dataclasses.fields(keys.recipe)
    return (*(field.name for field in fields if field.default is dataclasses.MISSING), *_OF_RUN)


def _check_file(path: str, keys: Keys, fields: Fields) -> set[str]:
    """Check a YAML's keys and values; returns the keys."""
    entries = read_entries(path)
    for key, plain, typed in entries:
        label = f"{path}: {key}"
        kind = _kind_of_key(key, fields, keys.refused, f"{path}: ")
        if kind is None:
            continue
        if kind.choices and typed is not None and not isinstance(typed, str):
            raise UsageError(f"{label}: YAML reads {plain} as {str(typed).lower()}: write it in quotes")
        _check_steps(key, read_plain(plain, typed, kind, label), label)
    return {key for key, _, typed in entries if typed is not None}


def check_options(argv: list[str], fields: Fields, refused: Mapping[str, str]) -> set[str]:
    """Check the options of a command line, `refused` with the reason for each; returns their names.

    Raises UsageError.
    """
    given = set()
    for name, words in options_of(argv):
        bare = words[1:] if name == "config" else [] if name else words
        if bare:
            raise UsageError(f"{shown(bare[0])} is no option{nearest(bare[0].lstrip('-'), fields, '--')}")
        if name in ("", "config"):
            continue
        given.add(name)
        kind = _kind_of_key(name, fields, refused)
        if kind is not None:
            _check_words(name, words, kind)
    return given


def _kind_of_key(key: str, fields: Fields, refused: Mapping[str, str], where: str = "") -> Kind | None:
    if key in refused:
        raise UsageError(f"{where}{key} is not for this script: {refused[key]}")
    if key not in fields:
        raise UsageError(f"{where}no key {key!r}{nearest(key, fields)}")
    return fields[key]


def _check_words(name: str, words: list[str], kind: Kind) -> None:
    """Raises UsageError for a value that the key cannot have, for none, and for one too many."""
    label = f"--{name}"
    if not words and kind.type is not bool:
        raise UsageError(f"{label} needs a value: {kind.words()}")
    if len(words) > 1 and kind.type is not list:
        raise UsageError(f"{label} takes one value, not {len(words)}: {' '.join(words)}")
    _check_steps(name, read_words(words, dataclasses.replace(kind, is_optional=False), label), label)


def _check_steps(key: str, value: object, label: str) -> None:
    if key == "max_steps" and value == 0:
        raise UsageError(f"{label} 0 trains nothing: give 1 or more, or -1 for num_train_epochs")

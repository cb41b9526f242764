"""What a command's options are: the fields of its dataclass.

What a field's metadata says, besides `help`:
    positional   may be given without its name; the last of them several times where it is a list
    rest         takes the options that are no fields, as they are; a function that has their names and kinds
    path         what kind of path it is (ldrt/paths.py)
    pattern      a regular expression that its text must match; `help` says it in words
    group        the heading that it stands under in the help; without one among the first
"""

import dataclasses
import typing
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass
from typing import Any

from dataset_builder.files.values import Kind, kind_of

SHORT = {"output": "o"}  # field -> its letter
METADATA = {"help", "positional", "rest", "path", "pattern", "group"}
CONFIG = "config"


@dataclass(frozen=True)
class Option:
    """One field of a stage's dataclass."""

    name: str
    kind: Kind
    help: str
    default: Any
    is_required: bool
    is_positional: bool
    rest: Callable[[], Mapping[str, Kind | None]] | None
    path: str | None
    pattern: str | None
    group: str | None

    @property
    def label(self) -> str:
        """As messages name it."""
        return self.name.upper() if self.is_positional else f"--{self.name}"

    @property
    def text(self) -> str:
        """What text stands for, in words."""
        return (self.path or "text").removeprefix("new ")

    @property
    def takes_rest(self) -> bool:
        return self.rest is not None

    @property
    def takes_words(self) -> bool:
        return self.kind.type is list and not self.takes_rest


def options_of(stage: type) -> dict[str, Option]:
    """Name -> option of every field of a stage's dataclass, and `config` for a YAML where it has no such field."""
    hints = typing.get_type_hints(stage, include_extras=True)
    found = {given.name: _option(given, hints[given.name]) for given in dataclasses.fields(stage)}
    return found if CONFIG in found else found | {CONFIG: CONFIG_OPTION}


def _option(given: dataclasses.Field, hint: Any) -> Option:
    said = given.metadata
    factory: Any = given.default_factory
    default = given.default if factory is MISSING else factory()
    return Option(
        name=given.name,
        kind=kind_of(hint),
        help=said.get("help", ""),
        default=default,
        is_required=default is MISSING,
        is_positional=said.get("positional", False),
        rest=said.get("rest"),
        path=said.get("path"),
        pattern=said.get("pattern"),
        group=said.get("group"),
    )


CONFIG_OPTION = Option(
    name=CONFIG,
    kind=Kind(str, is_optional=True),
    help="YAML with any of these options",
    default=None,
    is_required=False,
    is_positional=False,
    rest=None,
    path="file",
    pattern=None,
    group=None,
)

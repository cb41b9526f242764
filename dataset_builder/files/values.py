"""What an option takes, and its value from a word of the command line or of a YAML: types, choices, bounds.

A YAML's values are read from the words that stand in it, so that both ways have the same rules and the same messages:
`split: on` is the word "on" where an option takes text, and true where it is a flag.
"""

import math
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from annotated_types import Ge, Gt, Le, Lt

from dataset_builder.files.nearest import nearest
from trust.errors import UsageError

TRUE, FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")
_MAX_INT = 2**63 - 1  # what a table, a seed and a C library can hold
_SHOWN_CHARS = 80  # of a wrong value in a message
_SHOWN_CHOICES = 12  # of what an option takes, in a message; `--help` has all
_SIGNS = {Ge: ("ge", "at least"), Gt: ("gt", "above"), Le: ("le", "at most"), Lt: ("lt", "below")}

Bound = Ge | Gt | Le | Lt


@dataclass(frozen=True)
class Kind:
    """What an option takes."""

    type: type  # str, int, float, bool, list or dict
    choices: tuple[str, ...] = ()
    bounds: tuple[Bound, ...] = ()
    is_optional: bool = False  # may be None
    items: "Kind | None" = None  # of a list, or of a dict whose values have one type

    def words(self, of_text: str = "text") -> str:
        """ "whole number, at least 1"; `of_text` is what text stands for: a file, a folder."""
        if self.type is list and self.items is not None:
            return f"several of {', '.join(self.items.choices)}" if self.items.choices else _plural(of_text)
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        name = {int: "whole number", float: "number", bool: "flag", dict: "NAME VALUE"}.get(self.type, of_text)
        return ", ".join([name, *map(_bound_words, self.bounds)])


def _plural(of_text: str) -> str:
    """ "text" -> "words", "folder" -> "folders"."""
    return "words" if of_text == "text" else " or ".join(f"{word}s" for word in of_text.split(" or "))


def _bound_words(bound: Bound) -> str:
    attribute, words = _SIGNS[type(bound)]
    return f"{words} {getattr(bound, attribute):g}"


def kind_of(hint: Any) -> Kind:
    """The kind of a dataclass field's type: str, int, float, bool, a Literal, `X | None`, list[X] or dict[str, X];
    numbers with bounds as Annotated[int, Ge(1)]."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        (given,) = (argument for argument in arguments if argument is not types.NoneType)
        kind = kind_of(given)
        return Kind(kind.type, kind.choices, kind.bounds, True, kind.items)
    if origin is typing.Annotated:
        bounds = tuple(extra for extra in arguments[1:] if isinstance(extra, Ge | Gt | Le | Lt))
        return Kind(arguments[0], bounds=bounds)
    if origin is typing.Literal:
        return Kind(str, choices=arguments)
    if origin in (list, dict):
        of = arguments[-1]
        return Kind(origin, items=None if of is Any else kind_of(of))
    return Kind(hint)


def read_word(word: str, kind: Kind, name: str) -> Any:
    """The value of one word. Raises UsageError that says what `name` takes, and the nearest value."""
    if kind.is_optional and word == "null":
        return None
    if not word.strip():
        raise UsageError(f"{name} is empty: {_give(kind)}")
    if kind.choices:
        return _choice(word, kind.choices, name)
    if kind.type is bool:
        return _flag(word, name)
    if kind.type in (int, float):
        return _number(word, kind, name)
    return word


def _give(kind: Kind) -> str:
    return "give true or false" if kind.type is bool else f"give {_article(kind.words())}"


def _article(words: str) -> str:
    return f"a {words}" if words.startswith(("whole", "number")) else words


def _choice(word: str, choices: tuple[str, ...], name: str) -> str:
    if word in choices:
        return word
    more = f" and {len(choices) - _SHOWN_CHOICES} others" if len(choices) > _SHOWN_CHOICES else ""
    some = ", ".join(choices[:_SHOWN_CHOICES])
    raise UsageError(f"{name}: no {shown(word)}{nearest(word, choices)}; one of {some}{more}")


def _flag(word: str, name: str) -> bool:
    if word.lower() in (*TRUE, *FALSE):
        return word.lower() in TRUE
    raise UsageError(f"{name} {shown(word)}: give true or false{nearest(word.lower(), ('true', 'false'))}")


def _number(word: str, kind: Kind, name: str) -> int | float:
    try:
        number = kind.type(word)
        is_one = math.isfinite(number) and (kind.type is float or abs(number) <= _MAX_INT)
    except (ValueError, OverflowError):
        is_one = False
    if not is_one or not all(_holds(bound, number) for bound in kind.bounds):
        raise UsageError(f"{name} {shown(word)}: {_give(kind)}")
    return number


def _holds(bound: Bound, number: float) -> bool:
    if isinstance(bound, Ge):
        return number >= bound.ge  # type: ignore[operator]
    if isinstance(bound, Gt):
        return number > bound.gt  # type: ignore[operator]
    return number <= bound.le if isinstance(bound, Le) else number < bound.lt  # type: ignore[operator]


def shown(word: object) -> str:
    """A value as a message has it: in quotes, and not all of a long one."""
    text = str(word)
    return repr(text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}…")


def read_words(words: list[str], kind: Kind, name: str) -> Any:
    """The value of the words that follow an option. Raises UsageError."""
    if kind.type is list:
        assert kind.items is not None
        return [read_word(word, kind.items, name) for word in _listed(words)]
    if kind.type is bool and not words:
        return True
    (word,) = words
    return _read_object(word, name, kind) if kind.type is dict else read_word(word, kind, name)


def _listed(words: list[str]) -> list[str]:
    """["[a, b]"] -> ["a", "b"], as a YAML has a list; other words are the list."""
    if len(words) != 1 or not (words[0].startswith("[") and words[0].endswith("]")):
        return words
    import yaml

    try:
        found = yaml.load(words[0], yaml.BaseLoader)
    except yaml.YAMLError:
        return words
    return list(map(str, found))


def words_of_object(name: str) -> str:
    """How the command line is given a dict."""
    return f'JSON, {{"NAME": VALUE}}, or {name}.NAME VALUE'


def _read_object(word: str, name: str, kind: Kind) -> dict[str, Any]:
    import yaml

    try:
        plain, typed = yaml.load(word, yaml.BaseLoader), yaml.safe_load(word)
    except yaml.YAMLError as error:
        raise UsageError(f"{name} {shown(word)}: give {words_of_object(name)}") from error
    if not isinstance(plain, Mapping):
        raise UsageError(f"{name} {shown(word)}: give {words_of_object(name)}")
    return read_plain(plain, typed, kind, name)


def read_plain(plain: Any, typed: Any, kind: Kind, name: str) -> Any:
    """A value of a YAML: `plain` has every scalar as the word that stands there, `typed` as YAML understands it.

    Raises UsageError.
    """
    if typed is None and kind.is_optional:
        return None
    if kind.type is list and isinstance(plain, list | str):
        assert kind.items is not None
        if isinstance(plain, str):  # a list of one may be written as that one
            plain, typed = [plain], [typed]
        return [read_plain(*pair, kind.items, name) for pair in zip(plain, typed, strict=True)]
    if kind.type is dict and isinstance(plain, Mapping):
        if kind.items is None:  # values of any type
            return {str(key): value for key, value in typed.items()}
        return {key: read_plain(value, value, kind.items, f"{name}.{key}") for key, value in plain.items()}
    if kind.type in (list, dict) or not isinstance(plain, str):
        shapes: dict[type, str] = {list: "give a list, as [A, B]", dict: "give NAME: VALUE lines"}
        raise UsageError(f"{name} {shown(plain)}: {shapes.get(kind.type) or _give(kind)}")
    return read_word(plain, replace(kind, is_optional=False), name)  # what stands there is no null

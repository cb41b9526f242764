"""JSON objects in a judge's reply."""

import ast
import json
import math
import re

from .grammar import (
    BROKEN,
    DUPLICATES,
    HIGHEST,
    LOWEST,
    NOT_ONE,
    OUT_OF_RANGE,
    SCALE,
    TWO,
    Form,
    UnreadableError,
    Value,
    ends,
    undressed,
)
from .words import QUALIFIERS, SCALE_KEYS

_START = re.compile(r"\{(?=\s*(?:[\"']|\}))")
_STRING_OR_TRAILING_COMMA = re.compile(r'"(?:\\.|[^"\\])*"|,(?=\s*[}\]])', re.S)
_FLAT = re.compile(r"\{[^{}]*\}")
PLACE = "\0"  # stands in an object's place
Pairs = list[tuple[str, object]]


class _Object(list):
    """The pairs of a JSON object, duplicates too."""


def take_objects(text: str, form: Form) -> tuple[str, list[Pairs]]:
    """(the text with PLACE for each object, the objects that stand in no other).

    Raises UnreadableError for an object with the word of `form` that is broken or cut off.
    """
    outside: list[str] = []
    objects: list[Pairs] = []
    position = 0
    keys = re.finditer(rf"[\"'](?:{form.labels})[\"']\s*:", text, re.I)
    last_key = max((key.start() for key in keys), default=-1)
    start = _START.search(text)
    while start is not None:
        found = _object_at(text, start.start())
        if found is None and start.start() < last_key:
            raise UnreadableError(BROKEN, text[start.start() :])
        if found is not None:
            pairs, end = found
            outside += [text[position : start.start()], PLACE]
            objects.append(pairs)
            position = end
        start = _START.search(text, max(position, start.end()))
    return "".join([*outside, text[position:]]), objects


def _object_at(text: str, start: int) -> tuple[Pairs, int] | None:
    """(pairs, where it ends) of the object that begins at `start`; None where it is none."""
    try:
        return json.JSONDecoder(strict=False, object_pairs_hook=_Object).raw_decode(text, start)
    except RecursionError as error:
        raise UnreadableError(BROKEN) from error
    except ValueError:
        flat = _FLAT.match(text, start)
        pairs = _forgiven(flat[0]) if flat else None
    return (pairs, flat.end()) if flat and pairs is not None else None


def _forgiven(written: str) -> Pairs | None:
    """The pairs of an object with commas before its end or in Python's quotes; None where it is neither."""
    without = _STRING_OR_TRAILING_COMMA.sub(lambda found: "" if found[0] == "," else found[0], written)
    try:
        return json.loads(without, strict=False, object_pairs_hook=_Object)
    except ValueError:
        pass
    try:
        tree = ast.parse(written, mode="eval").body
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None
    if not isinstance(tree, ast.Dict):
        return None
    try:
        keys = [ast.literal_eval(key) for key in tree.keys if key is not None]
        values = [ast.literal_eval(value) for value in tree.values]
    except (ValueError, TypeError, RecursionError, MemoryError):
        return None
    return list(zip(keys, values, strict=True)) if len(keys) == len(values) else None


def claimed_value(pairs: Pairs, form: Form) -> Value | None:
    """The value that an object claims; None where it does not have the word.

    Raises UnreadableError for a key that is there twice, and for a value that is none or on another scale.
    """
    keys = [_plain_key(key) for key, _ in pairs]
    if len(set(keys)) < len(keys):
        raise UnreadableError(DUPLICATES)
    label = re.compile(rf"(?:(?:{QUALIFIERS})\s+)*(?:{form.labels})", re.I)
    values = {_value(value, form) for key, (_, value) in zip(keys, pairs, strict=True) if label.fullmatch(key)}
    if len(values) > 1:
        raise UnreadableError(TWO)
    if values and form.name == "score":
        _check_scale(keys, pairs, form)
    return next(iter(values), None)


def _plain_key(key: object) -> str:
    return re.sub(r"[\s_-]+", " ", str(key)).strip().casefold()


def _value(value: object, form: Form) -> Value:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise UnreadableError(NOT_ONE, str(value))
    if form.name == "score" and not isinstance(value, str):
        if not math.isfinite(value):
            raise UnreadableError(NOT_ONE, str(value))
        if not LOWEST <= value <= HIGHEST:
            raise UnreadableError(OUT_OF_RANGE, str(value))
        return float(value)
    found = form.read(undressed(str(value)))
    if found is None or not ends(found[1]):
        raise UnreadableError(NOT_ONE, str(value))
    return found[0]


def _check_scale(keys: list[str], pairs: Pairs, form: Form) -> None:
    """Raises UnreadableError where the object says that the highest score is another: `"max_score": 5`."""
    whose = rf"(?:possible\s+)?(?:{form.labels}|value)"
    scale = re.compile(rf"(?:{SCALE_KEYS})(?:\s+{whose})?|(?:{form.labels})\s+(?:{SCALE_KEYS})", re.I)
    for key, (_, value) in zip(keys, pairs, strict=True):
        numbers = form.hints(str(value)) if scale.fullmatch(key) else set()
        if numbers - {float(LOWEST)} and numbers - {float(LOWEST)} != {float(HIGHEST)}:
            raise UnreadableError(SCALE, f"{key}: {value}")

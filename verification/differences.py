"""Where two JSON contents differ, in words: what was published beside what was made again from it."""

import math
from collections.abc import Iterator

# Sums of the same numbers in another order, by another version of a library, differ by this share and no more.
TOLERANCE = 1e-6
# What names a row among others, in the order in which it is said.
_NAMES = ("metric", "judge", "task", "image_condition", "versus", "run", "first", "second", "bin")
_LATER = {"label"}  # names that rows did not have before, and no number
_SHOWN_CHARS = 80  # of a value in a message


def is_same(published: object, again: object) -> bool:
    """Whether two values are equal, numbers within `TOLERANCE`."""
    numbers = (int, float)
    if isinstance(published, numbers) and isinstance(again, numbers) and not isinstance(published, bool):
        return math.isclose(published, again, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return published == again


def differences(published: object, again: object, where: str = "") -> Iterator[str]:
    """A line for each value that differs: "judges 0 controls: 3 is published, 4 when made again".

    Keys that only `published` has are let be: a later version may write more, and what cannot be made again is not
    given. So are keys of `_LATER` that it has not: it is of an earlier version.
    """
    if isinstance(published, dict) and isinstance(again, dict):
        for key in [key for key in again if key in published or key not in _LATER]:
            yield from differences(published.get(key), again[key], f"{where} {key}".strip())
    elif isinstance(published, list) and isinstance(again, list) and _are_rows(published, again):
        for number, (one, other) in enumerate(zip(published, again, strict=True)):
            yield from differences(one, other, f"{where} {_name(other, number)}".strip())
    elif not is_same(published, again):
        yield f"{where}: {shown(published)} is published, {shown(again)} when made again"


def _are_rows(published: list, again: list) -> bool:
    return len(published) == len(again)


def _name(row: object, number: int) -> str:
    """ "rougeL, all, true" where the row says it, else its number."""
    named = [str(row[key]) for key in _NAMES if row.get(key)] if isinstance(row, dict) else []
    return ", ".join(named) or str(number)


def shown(value: object) -> str:
    """A value in a message, one line."""
    text = " ".join(f"{value:.6g}".split() if isinstance(value, float) else repr(value).split())
    return text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}…"

"""Saying which known word a mistyped one is closest to."""

import difflib
from collections.abc import Iterable


def nearest(word: str, known: Iterable[str], prefix: str = "", cutoff: float = 0.5) -> str:
    """ ", did you mean PREFIXword?" to append to an error message; empty when no known word is near;
    `cutoff`: the least likeness that is near, 0 to 1."""
    match = difflib.get_close_matches(word, list(known), n=1, cutoff=cutoff)
    return f", did you mean {prefix}{match[0]}?" if match else ""

"""Saying which known word a mistyped one is closest to."""

import difflib
import re
from collections.abc import Iterable


def nearest(word: str, known: Iterable[str], prefix: str = "", cutoff: float = 0.5) -> str:
    """ ", did you mean PREFIXword?" to append to an error message; empty when no known word is near;
    `cutoff`: the least likeness that is near, 0 to 1. Several known words with commas or in one pair of quotes are told
    that a list is words."""
    words, parts = list(known), re.split(r"[,\s]+", word.strip())
    if len(parts) > 1 and set(parts) <= set(words):
        return f", did you mean {prefix}{' '.join(parts)}, without comma or quotes?"
    match = difflib.get_close_matches(word, words, n=1, cutoff=cutoff)
    return f", did you mean {prefix}{match[0]}?" if match else ""

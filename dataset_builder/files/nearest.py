"""Saying which known word a mistyped one is closest to."""

import difflib
from collections.abc import Iterable


def nearest(word: str, known: Iterable[str], prefix: str = "") -> str:
    """ ", did you mean PREFIXword?" to append to an error message; empty when no known word is near."""
    match = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f", did you mean {prefix}{match[0]}?" if match else ""

"""Counting hedges ("may", "appears to", "möglicherweise") in plain Python. The words are in `lexicon.py`."""

import re
import unicodedata
from collections import Counter, defaultdict
from functools import lru_cache
from typing import NamedTuple

from .lexicon import EXCLUSIONS, LEXICON

LANGUAGES = tuple(LEXICON)

# Chinese characters, kana, letters of Thai, Lao, Burmese and Khmer: written without spaces, so each counts as one word.
_UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")
_MARKS = ("Mn", "Mc")  # Unicode categories of vowel signs and accents


class Hedge(NamedTuple):
    """One hedge: where it is in the text (characters), its entry of the lexicon, and the entry's category."""

    start: int
    end: int
    entry: str
    category: str


def find_hedges(text: str, languages: tuple[str, ...] = LANGUAGES) -> list[Hedge]:
    """The hedges of `text` in order, the longest entry at each place, none overlapping; excluded contexts left out.

    Raises ValueError for a language that the lexicon does not have.
    """
    entries_at, categories, exclusions = _patterns(tuple(languages))
    found, end = [], 0
    for word in _WORD.finditer(text):
        entries = entries_at.get(word.group().casefold())
        match = entries.match(text, word.start()) if entries and word.start() >= end else None
        if match:
            end = match.end()
            entry = " ".join(match.group().casefold().split())
            found.append(Hedge(match.start(), end, entry, categories[entry]))
    excluded = [match.span() for match in exclusions.finditer(text)] if found else []
    return [hedge for hedge in found if not any(start < hedge.end and hedge.start < end for start, end in excluded)]


def count_words(text: str) -> int:
    """Number of words; of a script without spaces each letter counts as one."""
    return len(_WORD.findall(_without_marks(text)))


def _without_marks(text: str) -> str:
    """Vowel signs and accents are part of the letter before them, but no letters to `re`: they would end a word."""
    marks = {ord(sign): None for sign in set(text) if unicodedata.category(sign) in _MARKS}
    return text.translate(marks) if marks else text


def hedging(texts: list[str], languages: tuple[str, ...] = LANGUAGES) -> dict:
    """Hedges of several texts together.

    Returns `hedges` and `words` (counts), `hedges_per_1k_words`, `hedged_share` (share of the texts with at least one
    hedge, 0–1), `by_word` and `by_category` (counts).
    """
    found = [find_hedges(text, languages) for text in texts]
    n_hedges, n_words = sum(map(len, found)), sum(map(count_words, texts))
    return {
        "hedges": n_hedges,
        "words": n_words,
        "hedges_per_1k_words": 1000 * n_hedges / n_words if n_words else 0.0,
        "hedged_share": sum(map(bool, found)) / len(texts) if texts else 0.0,
        "by_word": dict(Counter(hedge.entry for hedges in found for hedge in hedges).most_common()),
        "by_category": dict(Counter(hedge.category for hedges in found for hedge in hedges).most_common()),
    }


@lru_cache
def _patterns(languages: tuple[str, ...]) -> tuple[dict[str, re.Pattern], dict[str, str], re.Pattern]:
    """First word -> pattern of the entries that begin with it, entry -> category, and the pattern of the exclusions."""
    unknown = [language for language in languages if language not in LEXICON]
    if unknown or not languages:
        raise ValueError(f"no hedge lexicon for {', '.join(unknown) or 'nothing'}: it has {', '.join(LEXICON)}")
    categories = {
        entry: category
        for language in reversed(languages)  # the first language wins where two share a word
        for category, entries in LEXICON[language].items()
        for entry in entries
    }
    by_first_word: dict[str, list[str]] = defaultdict(list)
    for entry in sorted(categories, key=lambda entry: (-len(entry), entry)):
        first = _WORD.match(entry)
        assert first is not None, f"the lexicon's entry {entry!r} does not begin with a word"
        by_first_word[first.group().casefold()].append(_entry_pattern(entry))
    entries_at = {word: re.compile("|".join(entries), re.IGNORECASE) for word, entries in by_first_word.items()}
    exclusions = re.compile("|".join(pattern for language in languages for pattern in EXCLUSIONS[language]) or r"(?!)")
    return entries_at, {entry.casefold(): category for entry, category in categories.items()}, exclusions


def _entry_pattern(entry: str) -> str:
    words = re.escape(entry).replace(r"\ ", r"\s+")
    return words if re.match(f"[{_UNSPACED}]", entry) else rf"{words}(?!\w)"

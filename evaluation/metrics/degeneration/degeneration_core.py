"""Answers that are no answers: those that repeat themselves, are empty, or were cut at the token limit."""

import re
import unicodedata

MAX_PERIOD_WORDS = 40  # longest repeated phrase that is looked for
MIN_COPIES = 3
MIN_SPAN_WORDS = 8  # all copies together: "very, very, very" is no loop

_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_WORD = re.compile(rf"[{_CJK}]|[^\W_{_CJK}]+")
_MARKS = ("Mn", "Mc")  # Unicode categories of vowel signs and accents


def has_loop(text: str) -> bool:
    """Whether a phrase of up to `MAX_PERIOD_WORDS` words comes at least `MIN_COPIES` times in a row."""
    words = [word.casefold() for word in _WORD.findall(_without_marks(text))]
    return any(_longest_span(words, period) >= max(MIN_COPIES * period, MIN_SPAN_WORDS) for period in _periods(words))


def _without_marks(text: str) -> str:
    """Vowel signs and accents are part of the letter before them, but no letters to `re`: they would end a word."""
    marks = {ord(sign): None for sign in set(text) if unicodedata.category(sign) in _MARKS}
    return text.translate(marks) if marks else text


def is_empty(text: str) -> bool:
    """Whether there is no word in it."""
    return _WORD.search(text) is None


def _periods(words: list[str]) -> range:
    return range(1, min(MAX_PERIOD_WORDS, len(words) // MIN_COPIES) + 1)


def _longest_span(words: list[str], period: int) -> int:
    """Words in the longest stretch in which every word equals the one `period` before it."""
    longest = run = 0
    for before, word in zip(words, words[period:], strict=False):
        run = run + 1 if word == before else 0
        longest = max(longest, run)
    return longest + period if longest else 0

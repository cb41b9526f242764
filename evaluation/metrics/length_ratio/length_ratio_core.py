"""How long an answer is against its reference, in words."""

import re
import unicodedata

# Chinese characters, kana, letters of Thai, Lao, Burmese and Khmer: written without spaces, so each counts as one word.
_UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")
_MARKS = ("Mn", "Mc")  # Unicode categories of vowel signs and accents


def count_words(text: str) -> int:
    """Number of words; of a script without spaces each letter counts as one."""
    return len(_WORD.findall(_without_marks(text)))


def _without_marks(text: str) -> str:
    """Vowel signs and accents are part of the letter before them, but no letters to `re`: they would end a word."""
    marks = {ord(sign): None for sign in set(text) if unicodedata.category(sign) in _MARKS}
    return text.translate(marks) if marks else text


def length_ratio(prediction: str, reference: str) -> float | None:
    """Words of the answer divided by words of the reference; None where the reference has no word."""
    n_reference_words = count_words(reference)
    return count_words(prediction) / n_reference_words if n_reference_words else None

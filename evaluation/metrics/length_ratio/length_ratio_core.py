"""How long an answer is against its reference, in words."""

import re

# Chinese characters and kana are written without spaces: each counts as one word.
_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_WORD = re.compile(rf"[{_CJK}]|[^\W_{_CJK}]+")


def count_words(text: str) -> int:
    """Number of words; each Chinese character or kana counts as one."""
    return len(_WORD.findall(text))


def length_ratio(prediction: str, reference: str) -> float | None:
    """Words of the answer divided by words of the reference; None where the reference has no word."""
    n_reference_words = count_words(reference)
    return count_words(prediction) / n_reference_words if n_reference_words else None

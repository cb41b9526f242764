"""Token recall and F1 of an answer to an open question, as LLaVA-Med's evaluation script computes them.

The counts are the script's own (`llava/eval/eval_metrics/evaluate_metrics.py` of github.com/microsoft/LLaVA-Med): a
word of the answer that is in the reference counts as often as the *answer* has it, so that repeating one raises recall.
The words are those of the VQA challenge: lower case, no articles and signs, numbers up to ten as digits. Its table that
puts apostrophes back ("dont" -> "don't") is left out.
"""

import re
from collections import Counter
from typing import NamedTuple

_SIGNS = (";", "/", "[", "]", '"', "{", "}", "(", ")", "=", "+", "\\", "_", "-", ">", "<", "@", "`", ",", "?", "!")
_COMMA_IN_NUMBER = re.compile(r"\d,\d")
_FULL_STOP = re.compile(r"\.(?!\d)")
_MOST_FULL_STOPS = 32  # the script passes re.UNICODE, which is 32, where the most replacements are asked for
_NUMBER_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_NUMBERS = {"none": "0"} | {word: str(number) for number, word in enumerate(_NUMBER_WORDS)}
_ARTICLES = ("a", "an", "the")


class Overlap(NamedTuple):
    """Shares, 0 to 1."""

    precision: float
    recall: float
    f1: float


def tokens(text: str) -> list[str]:
    """The words that are compared."""
    bare, has_comma_in_number = text, _COMMA_IN_NUMBER.search(text) is not None
    for sign in _SIGNS:
        is_at_an_edge = f"{sign} " in text or f" {sign}" in text or has_comma_in_number
        bare = bare.replace(sign, "" if is_at_an_edge else " ")
    words = _FULL_STOP.sub("", bare, count=_MOST_FULL_STOPS).lower().split()
    return [_NUMBERS.get(word, word) for word in words if word not in _ARTICLES]


def overlap(prediction: str, reference: str) -> Overlap:
    """Zeros where they have no word in common, or one of them has none at all."""
    said, wanted = Counter(tokens(prediction)), Counter(tokens(reference))
    shared = sum(said[word] for word in said if word in wanted)
    if not shared:
        return Overlap(0.0, 0.0, 0.0)
    missed = sum(wanted[word] for word in wanted if word not in said)
    precision, recall = shared / said.total(), shared / (shared + missed)
    return Overlap(precision, recall, 2 * precision * recall / (precision + recall))

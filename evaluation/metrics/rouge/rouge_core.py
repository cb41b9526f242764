"""ROUGE-1, ROUGE-2 and ROUGE-L of one answer against its reference, in plain Python.

Same definitions as Google's rouge_score 0.1.2 (https://github.com/google-research/google-research/tree/master/rouge)
without the stemmer; the longest common subsequence is counted with the bits of one big integer
(Hyyrö 2004, "Bit-parallel LCS-length computation revisited"), which is what makes it fast.
"""

import re
import unicodedata
from collections import Counter, defaultdict
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

TOKENIZERS = ("unicode", "google")
METRICS = ("rouge1", "rouge2", "rougeL")

# NFKC would turn 10⁵ into 105 and m² into m2: keep the exponent apart.
_SUPERSCRIPTS = {sign: f"^{digit}" for digit, sign in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")} | {"⁻": "^-"}
_SUPERSCRIPT = re.compile(f"[{''.join(_SUPERSCRIPTS)}]")
# Between letters, and not seen: soft hyphen, joiners (Hindi, Persian), variation selectors.
_INVISIBLE = re.compile("[\u00ad\u200c\u200d\u2060\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_MARKS = ("Mn", "Mc")  # Unicode categories of vowel signs and accents: part of the letter before them
# Chinese characters, kana and the letters of Thai, Lao, Burmese and Khmer are written without spaces: one token each.
# Numbers stay whole and apart from their unit (0.5 Gy and 0.5Gy agree, 0.5 and 0.6 differ); names that begin with a
# letter keep their digits (IL6, p53).
_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
_UNSPACED = rf"{_CJK}\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
_NUMBER = r"\d+(?:[.,]\d+)*"
_UNICODE_TOKEN = re.compile(
    rf"[^\W\d_{_UNSPACED}][^\W_{_UNSPACED}]*|{_NUMBER}|[{_UNSPACED}]"
)  # the most frequent first
_ASCII_TOKEN = re.compile(rf"[a-z][a-z0-9]*|{_NUMBER}")  # the same for plain text, and faster
_GOOGLE_TOKEN = re.compile(r"[a-z0-9]+")


class Score(NamedTuple):
    """Shares between 0 and 1."""

    precision: float
    recall: float
    fmeasure: float


def tokenize(text: str, tokenizer: str = "unicode") -> list[str]:
    """Words of `text`, lower case.

    `unicode` keeps the words of every script with their vowel signs: TNF-α and TNF-β differ, and so do पिता and पीता.
    `google` keeps only a–z and 0–9, as rouge_score does, for comparison with published numbers. Raises ValueError for
    another name.
    """
    if tokenizer == "google":
        return _GOOGLE_TOKEN.findall(text.lower())
    if tokenizer == "unicode" and text.isascii():
        return _ASCII_TOKEN.findall(text.lower())
    if tokenizer == "unicode":
        text = _SUPERSCRIPT.sub(lambda match: _SUPERSCRIPTS[match.group()], text)  # str.translate is ten times slower
        text = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text)).casefold()
        return _words(unicodedata.normalize("NFC", text))  # casefold takes letters apart
    raise ValueError(f"no tokenizer {tokenizer!r}: choose one of {', '.join(TOKENIZERS)}")


def _words(text: str) -> list[str]:
    marks = [sign for sign in set(text) if not sign.isascii() and unicodedata.category(sign) in _MARKS]
    return _token_with("".join(sorted(marks))).findall(text) if marks else _UNICODE_TOKEN.findall(text)


@lru_cache(maxsize=256)
def _token_with(marks: str) -> re.Pattern[str]:
    """As `_UNICODE_TOKEN`, with the marks of a text: there are 2,000 of them, a pattern of all takes long to make."""
    letter = rf"[^\W\d_{_UNSPACED}]"
    rest = rf"(?:[^\W_{_UNSPACED}]+|[{marks}]+)*"
    unspaced = rf"(?=[{_UNSPACED}])[^{marks}][{marks}]*"
    return re.compile(rf"{letter}{rest}|{_NUMBER}|{unspaced}")


def rouge(prediction: str, reference: str, tokenizer: str = "unicode") -> dict[str, Score]:
    """{"rouge1": Score, "rouge2": Score, "rougeL": Score}; all zero where a text has no (n-gram of) words."""
    predicted, wanted = tokenize(prediction, tokenizer), tokenize(reference, tokenizer)
    return {
        "rouge1": _overlap(predicted, wanted),
        "rouge2": _overlap(list(pairwise(predicted)), list(pairwise(wanted))),
        "rougeL": _score(lcs_length(predicted, wanted), len(predicted), len(wanted)),
    }


def lcs_length(first: list[str], second: list[str]) -> int:
    """Length of the longest common subsequence, in tokens."""
    positions: dict[str, int] = defaultdict(int)
    for i, token in enumerate(second):
        positions[token] |= 1 << i
    full = (1 << len(second)) - 1
    row = full  # a cleared bit: the subsequence grows by one at this token of `second`
    for places in [positions[token] for token in first if token in positions]:
        matches = row & places
        row = row + matches | row - matches  # carries above the last token of `second` do no harm
    return len(second) - (row & full).bit_count()


def _overlap(predicted: list, wanted: list) -> Score:
    """n-grams in common, each as often as it is in both."""
    left, common = Counter(wanted), 0
    for gram in predicted:
        n_left = left.get(gram, 0)
        if n_left:
            left[gram] = n_left - 1
            common += 1
    return _score(common, len(predicted), len(wanted))


def _score(common: int, n_predicted: int, n_wanted: int) -> Score:
    if not common:
        return Score(0.0, 0.0, 0.0)
    precision, recall = common / n_predicted, common / n_wanted
    return Score(precision, recall, 2 * precision * recall / (precision + recall))

"""What a teacher sees of a figure, and how much of an answer stands in it."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, TypedDict

from dataset_builder.text.sentences import split_sentences
from dataset_builder.text.vocabulary import any_spaced, every

TASKS = ("detail", "reasoning")


class Evidence(TypedDict):
    """A sentence that an answer rests on."""

    source: str  # caption | context
    sentence: int  # its number in that source, from 0


class Answer(TypedDict):
    """What a teacher made of one figure for one task."""

    question: str
    answer: str
    evidence: list[Evidence]


_TIME = any_spaced(lambda it: it.teaching.units)
_TERM = re.compile(
    r"\d+(?:[.,]\d+)*"  # numbers, with their units
    rf"(?:\s?(?:%|‰|[µμmkcn]?(?:Gy|m|g|L|l|M|Bq|V|s|Hz|W)\b|h\b|min\b|(?:{_TIME})\b))?"
    r"|[A-Za-z]*[Α-ω]+[\w-]*"  # Greek
    r"|\b\w*[A-Z]\w*[A-Z]\w*\b"  # abbreviations
    r"|\b[^\W\d_]{6,}\b"  # long words
)
_NO_TERMS = {noun.lower() for noun in every(lambda it: it.teaching.the_figure.noun)}  # "figure" needs no evidence


def evidence_sentences(row: Mapping[str, Any]) -> list[tuple[str, int, str]]:
    """(source, number, sentence) of a row of `pairs`: the caption's sentences, then the context's."""
    caption = [("caption", i, sentence) for i, sentence in enumerate(split_sentences(row["caption"] or ""))]
    context = [("context", i, sentence) for i, sentence in enumerate(row["context"])]
    return caption + context


def support(answer: str, evidence: Iterable[str]) -> float | None:
    """Share of the answer's numbers (with units), Greek terms, abbreviations and long words that stand in `evidence`.

    0 to 1; None when the answer has no such term.
    """
    terms = {_folded(term) for term in _TERM.findall(answer)} - _NO_TERMS
    known = _folded(" ".join(evidence))
    return sum(term in known for term in terms) / len(terms) if terms else None


def _folded(text: str) -> str:
    return re.sub(r"\s+", "", text).lower()

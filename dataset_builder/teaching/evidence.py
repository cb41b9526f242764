"""What a teacher sees of a figure, and how much of an answer stands in it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NotRequired, TypedDict

from dataset_builder.teaching.facts import Known, facts
from dataset_builder.text.sentences import split_sentences

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
    visually_answerable: NotRequired[bool | None]  # what the teacher says of it, if it does


def example_id(row: Mapping[str, Any], task: str, number: int = 1) -> str:
    """The id of the example that question `number`, from 1, about a figure or one of its panels gives."""
    panel = f"/{row['panel']}" if row.get("panel") else ""
    return f"{row['figure_id']}{panel}/{task}" + (f"-{number}" if number > 1 else "")


def place(row: Mapping[str, Any]) -> tuple[str, str | None]:
    """The figure and the panel (None: the whole figure) that a row or an example is about."""
    return row["figure_id"], row.get("panel")


def evidence_sentences(row: Mapping[str, Any]) -> list[tuple[str, int, str]]:
    """(source, number, sentence) of a row of `pairs`: the caption's sentences, then the context's."""
    caption = [("caption", i, sentence) for i, sentence in enumerate(split_sentences(row["caption"] or ""))]
    context = [("context", i, sentence) for i, sentence in enumerate(row["context"])]
    return caption + context


def caption_sentences(rows: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """figure_id and caption of each row, the caption in the sentences that `Evidence` counts: a page marks them."""
    for row in rows:
        sentences = [text for source, _, text in evidence_sentences(row) if source == "caption"]
        yield {"figure_id": row["figure_id"], "sentences": sentences}


def support(answer: str, evidence: Iterable[str], language: str | None) -> float | None:
    """Share of the answer's facts that stand in `evidence`, the sentences that it names.

    Facts are numbers with their units, Greek terms, abbreviations and names (`teaching/facts.py`), each counted once.
    0 to 1; None when the answer has none: it says nothing that could be looked up.
    """
    return Known(evidence, language).share(facts(answer, language))

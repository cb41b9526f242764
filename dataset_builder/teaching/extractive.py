"""The extractive teacher: it picks sentences of the article by rules, offline, and says so (`teacher: extractive`)."""

import hashlib
import re
from typing import Any

from dataset_builder.teaching.evidence import Answer, Evidence, evidence_sentences
from dataset_builder.teaching.the_figure import beside_the_figure
from dataset_builder.teaching.wording import GENERAL, Wording, question_language
from dataset_builder.text.mentions import mentioned_keys
from dataset_builder.text.vocabulary import LANGUAGES, any_spaced, any_unspaced

MAX_ANSWER_CHARS = 1500  # about 400 tokens: with 576 image tokens well within LLaVA's 2,048

_REASONS = re.compile(
    rf"\b(?:{any_spaced(lambda it: it.teaching.reasons)})\b|{any_unspaced(lambda it: it.teaching.reasons)}", re.I
)


def extractive(row: dict[str, Any], task: str, wording: Wording = GENERAL) -> Answer | None:
    """Question, answer and evidence for `task`, made of the article's own sentences; None where they do not suffice.

    `detail` takes the caption and what the context describes, `reasoning` the sentences of the context that give
    reasons. Sentences that mention several figures are left out, citations and figure numbers are removed. Question and
    answer are in the article's language.
    """
    chosen = _chosen(row, task)
    if task == "detail" and not any(source == "caption" for source, _, _ in chosen):
        return None
    answer = ""
    kept: list[Evidence] = []
    for source, number, sentence in chosen:
        if len(answer) + len(sentence) < MAX_ANSWER_CHARS:
            answer += _gap(answer, row["language"]) + sentence
            kept.append({"source": source, "sentence": number})
    if not answer:
        return None
    return {"question": _question(row, task, wording), "answer": answer, "evidence": kept}


def _chosen(row: dict[str, Any], task: str) -> list[tuple[str, int, str]]:
    """(source, number, sentence without figure numbers) of the sentences that answer the task."""
    chosen = []
    for source, number, sentence in evidence_sentences(row):
        gives_reasons = source == "context" and bool(_REASONS.search(sentence))
        max_mentions = 1 if source == "context" else 0
        if gives_reasons != (task == "reasoning") or len(mentioned_keys(sentence)) > max_mentions:
            continue
        if said := beside_the_figure(sentence, row["language"]):
            chosen.append((source, number, said))
    return chosen


def _gap(before: str, language: str | None) -> str:
    """What stands between two sentences: nothing behind one in a language that puts no spaces between words."""
    spaces = LANGUAGES[question_language(language)].spaces
    return " " if before and (spaces or before[-1].isascii()) else ""


def _question(row: dict[str, Any], task: str, wording: Wording) -> str:
    """One of the questions of the article's language, drawn by the figure's id."""
    choices = wording.choices(row["language"], task)
    drawn = int(hashlib.sha256(f"{row['figure_id']}/{task}".encode()).hexdigest(), 16)
    return choices[drawn % len(choices)]

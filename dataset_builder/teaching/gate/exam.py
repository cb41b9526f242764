"""What the gate looks at, what it may object, and its limits."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from dataset_builder.teaching.evidence import Evidence, evidence_sentences
from dataset_builder.teaching.examples import EXTRACTIVE
from dataset_builder.teaching.facts import Known
from dataset_builder.teaching.the_figure import beside_the_figure

CountTokens = Callable[[str], int]


class Objection(NamedTuple):
    """Why an example is left out: the rule's name, what it saw, and the limit that it compared with."""

    reason: str
    value: float | str | None
    threshold: float | None


@dataclass(frozen=True)
class Limits:
    """Limits in the units of their names; a value may reach its limit."""

    min_support: float = 0.7  # share of the answer's facts; copied sentences have 1.0, made-up ones mostly below 0.5
    max_new_numbers: int = 0  # of the answer, that its evidence has not: a wrong number is the costliest error
    max_answer_chars: int = 3000  # an LLM's 1,024 tokens are more; a description of a figure is not
    max_example_tokens: int = 1400  # 2,048 of the recipe less 576 of the picture and those of the chat template
    min_repeated_words: int = 3  # before and behind a word, to say that the evidence has another in its place
    max_likeness: float = 0.9  # of two answers with the same facts, 0 to 1: above it one is a copy
    max_figures_an_answer: int = 1  # of an LLM, which has a standing phrase where it has nothing to say
    max_figures_a_quotation: int = 5  # articles repeat themselves; more, and a model learns the phrase, not to look
    max_question_likeness: float = 0.9  # of an answer and its question
    answer_language: str | None = None  # that the teacher was asked to write in; None: that of the caption
    min_language_chars: int = 100  # of an answer; below it the detector guesses


@dataclass(frozen=True)
class Exam:
    """One example with the figure that it is about."""

    task: str  # align | detail | reasoning
    is_quotation: bool  # of the article, as the extractive teacher's answers are
    question: str  # "" in `align`, which asks nothing
    answer: str
    evidence: Sequence[Evidence]
    sentences: Mapping[tuple[str, int], str]  # (source, number) -> what the teacher was given of the figure
    language: str | None  # of the article
    visually_answerable: bool | None  # as the teacher says; None: it does not
    support: float | None  # the column: share of the answer's facts in the evidence that it names
    n_tokens: int  # of question and answer
    examples: frozenset[str]  # texts of the prompt itself, which no answer may repeat

    @property
    def texts(self) -> tuple[str, ...]:
        """What the teacher wrote."""
        return (self.answer,) if self.task == "align" else (self.question, self.answer)

    @cached_property
    def named(self) -> list[str]:
        """The sentences that the answer names as its evidence, those that exist."""
        keys = [(e["source"], e["sentence"]) for e in self.evidence]
        return [self.sentences[key] for key in dict.fromkeys(keys) if key in self.sentences]

    @cached_property
    def known(self) -> Known:
        """What they say, as printed and as they read beside the figure."""
        said = [beside_the_figure(sentence, self.language) for sentence in self.named]
        return Known([*self.named, *said], self.language)


def exam_of(
    example: Mapping[str, Any], row: Mapping[str, Any], count_tokens: CountTokens, examples: frozenset[str]
) -> Exam:
    """The exam of a training example; `row` is its figure's, with the context that the teacher was given."""
    question, answer = example["prompt"][0]["content"], example["completion"][0]["content"]
    return Exam(
        task=example["task"],
        is_quotation=example["teacher"] == EXTRACTIVE,
        question=question,
        answer=answer,
        evidence=example["evidence"] or (),
        sentences={(source, number): text for source, number, text in evidence_sentences(row)},
        language=row["language"],
        support=example["support"],
        n_tokens=count_tokens(question) + count_tokens(answer),
        visually_answerable=example.get("visually_answerable"),
        examples=examples,
    )

"""Rows of `pairs` + a teacher's answers -> training examples, the rows of the configs align, detail and reasoning."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol

from dataset_builder.teaching.evidence import TASKS, Answer, Evidence, evidence_sentences, example_id, place, support
from dataset_builder.teaching.extractive import extractive
from dataset_builder.teaching.wording import Wording
from trust.text import cleaned

EXTRACTIVE = "extractive"  # the teacher that picks sentences of the article
GIVEN = "given"  # no teacher: the question and its answer came with the picture
_UNASKED = {"prompt_sha256": None, "kind": None, "context_of": None}


class Told(NamedTuple):
    """What came of asking a teacher: its answer, or why there is none."""

    answer: Answer | None
    why_not: str = ""


class Teacher(Protocol):
    """Whoever answers questions about figures, one at a time, when the answer is needed."""

    name: str  # as the column has it: `extractive`, `given`, or id@revision

    def tell(self, row: dict, task: str, number: int) -> Told:
        """What it says to the task's question `number`, from 1, about the figure of a row."""


class Extractive:
    """Answers made of the article's own sentences, where these suffice; the same to each question of a task."""

    name = EXTRACTIVE

    def __init__(self, wording: Wording):
        self._wording = wording

    def tell(self, row: dict, task: str, number: int) -> Told:
        """As `Teacher` says."""
        return Told(extractive(row, task, self._wording), "no sentence stands alone")


class Nobody:
    """The teacher where only those questions count that came with figures."""

    name = GIVEN

    def tell(self, row: dict, task: str, number: int) -> Told:
        """As `Teacher` says."""
        return Told(None, "no question came with it")


class Question(NamedTuple):
    """What a teacher is asked: the task's question `number`, from 1, about the figure or panel of a row."""

    row: dict
    task: str
    number: int


def questions_to_ask(rows: Iterable[dict], a_figure: int = 1) -> Iterator[Question]:
    """`a_figure` questions of each task about the figures that have something to go on and came without questions."""
    to_ask = (row for row in rows if _says_something(row) and not row["questions"])
    return (Question(row, task, 1 + i) for row in to_ask for task in TASKS for i in range(a_figure))


def _says_something(row: Mapping[str, Any]) -> bool:
    return bool(row["caption"] or row["context"])


def align_examples(rows: Iterable[dict]) -> Iterator[dict]:
    """LLaVA's first phase: picture in, caption out, nothing asked. Figures without a caption have no example."""
    for row in rows:
        if row["caption"]:
            evidence = [Evidence(source=s, sentence=i) for s, i, _ in evidence_sentences(row) if s == "caption"]
            answer = Answer(question="", answer=row["caption"], evidence=evidence)
            yield _example(row, "align", answer) | _UNASKED | {"teacher": EXTRACTIVE}


def instruction_examples(
    rows: Iterable[dict],
    task: str,
    teacher: Teacher,
    wording: Wording,
    a_figure: int = 1,
    on_silence: Callable[[str, str], None] = lambda _figure_id, _why: None,
) -> Iterator[dict]:
    """The examples of one task, in the order of the rows.

    Figures that came with questions have these, and none of the teacher's; others have `a_figure` of its answers at
    most. `prompt_sha256` is the hash of the files that the question, or the LLM's prompt, comes from. `on_silence` is
    told each figure about which the teacher does not answer, and why.
    """
    for row in rows:
        yield from _given_examples(row, task)
        if not _says_something(row):
            on_silence(row["figure_id"], "neither caption nor context")
        elif not row["questions"]:
            for number in range(1, a_figure + 1):
                told = teacher.tell(row, task, number)
                if told.answer is None:
                    on_silence(row["figure_id"], told.why_not)
                else:
                    asked = _asked(row, task, number, teacher.name, wording)
                    by_it = {"teacher": teacher.name, "context_of": row["context_of"]}
                    yield _example(row, task, told.answer, number) | by_it | asked


def _asked(row: Mapping[str, Any], task: str, number: int, teacher: str, wording: Wording) -> dict[str, str | None]:
    """The columns that say how the teacher was asked."""
    if teacher == EXTRACTIVE:
        return {"prompt_sha256": wording.questions_sha256(row["language"], task), "kind": None}
    kind = wording.kind(task, example_id(row, task), number)
    return {"prompt_sha256": wording.prompt_sha256(task), "kind": kind}


def _given_examples(row: Mapping[str, Any], task: str) -> Iterator[dict[str, Any]]:
    """The examples of the questions that came with a figure: they rest on no evidence that is known."""
    none = {"evidence": None, "support": None, **_UNASKED}
    of_task = [question for question in row["questions"] or () if question["task"] == task]
    for number, given in enumerate(of_task, 1):
        answer = Answer(question=given["question"], answer=given["answer"], evidence=[])
        yield _example(row, task, answer, number) | none | {"teacher": GIVEN}


def with_rows(examples: Iterable[dict], rows: Iterable[dict]) -> Iterator[tuple[dict, dict]]:
    """Each example with the row of its figure or panel; `rows` come in the order of the examples."""
    given, row = iter(rows), None
    for example in examples:
        while row is None or place(row) != place(example):
            row = next(given)
        yield example, row


def without_special_tokens(examples: Iterable[dict], n_changed: Counter[str]) -> Iterator[dict]:
    """The examples whose texts no trainer takes for markup (`trust/text.py`); counts the changed ones by task.

    The original text stays in `pairs`, an LLM's in its ledger.
    """
    for example in examples:
        harmless = example | {name: cleaned(example[name]) for name in ("prompt", "completion")}
        n_changed[example["task"]] += harmless != example
        yield harmless


def _example(row: Mapping[str, Any], task: str, answer: Answer, number: int = 1) -> dict[str, Any]:
    """The columns that do not depend on the teacher, with `split`, the panel's box and what only the gate looks at."""
    sentences = {(source, i): text for source, i, text in evidence_sentences(row)}
    named = [sentences.get((e["source"], e["sentence"]), "") for e in answer["evidence"]]
    return {
        "split": row["split"],
        "prompt": [{"role": "user", "content": answer["question"]}],
        "completion": [{"role": "assistant", "content": answer["answer"]}],
        "task": task,
        "example_id": example_id(row, task, number),
        "figure_id": row["figure_id"],
        "panel": row.get("panel"),
        "panel_bbox": row.get("panel_bbox"),
        "article_id": row["article_id"],
        "license": row["license"],
        "licenses": row["licenses"],
        "rights": row["rights"],
        "evidence": answer["evidence"],
        "support": support(answer["answer"], named, row["language"]),
        "visually_answerable": answer.get("visually_answerable"),
    }

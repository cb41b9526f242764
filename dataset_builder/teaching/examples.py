"""Rows of `pairs` + a teacher's answers -> training examples, the rows of the configs align, detail and reasoning."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dataset_builder.teaching.evidence import TASKS, Answer, Evidence, evidence_sentences, support
from dataset_builder.teaching.extractive import extractive
from dataset_builder.teaching.wording import Wording
from trust.text import cleaned

EXTRACTIVE = "extractive"  # the teacher that picks sentences of the article
GIVEN = "given"  # no teacher: the question and its answer came with the picture


Answers = Mapping[tuple[str, str], Answer]  # (figure_id, task) -> answer


def questions_to_ask(rows: Iterable[dict]) -> Iterator[tuple[dict, str]]:
    """(row, task): what a teacher is asked, of the figures that have something to go on and came without questions."""
    to_ask = (row for row in rows if (row["caption"] or row["context"]) and not row["questions"])
    return ((row, task) for row in to_ask for task in TASKS)


def extractive_answers(rows: Iterable[dict], wording: Wording) -> dict[tuple[str, str], Answer]:
    """The answers made of the article's own sentences, where these suffice."""
    answers = {}
    for row, task in questions_to_ask(rows):
        answer = extractive(row, task, wording)
        if answer:
            answers[row["figure_id"], task] = answer
    return answers


def align_examples(rows: Iterable[dict]) -> Iterator[dict]:
    """LLaVA's first phase: picture in, caption out, nothing asked. Figures without a caption have no example."""
    for row in rows:
        if row["caption"]:
            evidence = [Evidence(source=s, sentence=i) for s, i, _ in evidence_sentences(row) if s == "caption"]
            answer = Answer(question="", answer=row["caption"], evidence=evidence)
            yield _example(row, "align", answer) | {"teacher": EXTRACTIVE, "prompt_sha256": None, "context_of": None}


def instruction_examples(
    rows: Iterable[dict], task: str, answers: Answers, teacher: str, wording: Wording
) -> Iterator[dict]:
    """The examples of one task, in the order of the rows; `teacher` as the column has it: `extractive`, or id@revision.

    Figures that came with questions have these, and none of the teacher's. `prompt_sha256` is the hash of the file that
    the question, or the LLM's prompt, comes from.
    """
    for row in rows:
        yield from _given_examples(row, task)
        answer = answers.get((row["figure_id"], task))
        if answer:
            is_extractive = teacher == EXTRACTIVE
            asked = wording.questions_sha256(row["language"], task) if is_extractive else wording.prompt_sha256(task)
            own = {"teacher": teacher, "prompt_sha256": asked, "context_of": row["context_of"]}
            yield _example(row, task, answer) | own


def _given_examples(row: Mapping[str, Any], task: str) -> Iterator[dict[str, Any]]:
    """The examples of the questions that came with a figure: they rest on no evidence that is known."""
    none = {"evidence": None, "support": None, "prompt_sha256": None, "context_of": None}
    of_task = [question for question in row["questions"] or () if question["task"] == task]
    for number, given in enumerate(of_task, 1):
        answer = Answer(question=given["question"], answer=given["answer"], evidence=[])
        numbered = {"example_id": f"{row['figure_id']}/{task}" + (f"-{number}" if number > 1 else "")}
        yield _example(row, task, answer) | none | numbered | {"teacher": GIVEN}


def without_special_tokens(examples: Iterable[dict], n_changed: Counter[str]) -> Iterator[dict]:
    """The examples whose texts no trainer takes for markup (`trust/text.py`); counts the changed ones by task.

    The original text stays in `pairs`, an LLM's in its ledger.
    """
    for example in examples:
        harmless = example | {name: cleaned(example[name]) for name in ("prompt", "completion")}
        n_changed[example["task"]] += harmless != example
        yield harmless


def _example(row: Mapping[str, Any], task: str, answer: Answer) -> dict[str, Any]:
    """The columns that do not depend on the teacher, with `split` and what only the gate looks at."""
    sentences = {(source, i): text for source, i, text in evidence_sentences(row)}
    named = [sentences.get((e["source"], e["sentence"]), "") for e in answer["evidence"]]
    return {
        "split": row["split"],
        "prompt": [{"role": "user", "content": answer["question"]}],
        "completion": [{"role": "assistant", "content": answer["answer"]}],
        "task": task,
        "example_id": f"{row['figure_id']}/{task}",
        "figure_id": row["figure_id"],
        "article_id": row["article_id"],
        "license": row["license"],
        "licenses": row["licenses"],
        "rights": row["rights"],
        "evidence": answer["evidence"],
        "support": support(answer["answer"], named, row["language"]),
        "visually_answerable": answer.get("visually_answerable"),
    }

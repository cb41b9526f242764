"""Questions under an image condition, and how they are had answered: each answer is appended as it comes."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from datasets import Dataset
from PIL import Image

from dataset_builder.files.jsonfiles import append_jsonl
from dataset_builder.files.progress import progress
from evaluation.answering.questions import BLANK_COLOUR, first_picture, image_donors, question, reference
from evaluation.run_folder import PREDICTION_FILE, Evidence, Prediction
from trust.handovers import stamped
from trust.licenses import combined, in_order, of_row
from trust.pictures.encoding import encode
from trust.pictures.opener import UnreadablePicture
from trust.pictures.stored import StoredPicture, whole_size
from trust.text import cleaned

CAPTION_ONLY = "Caption of the figure: {caption}\n{question}"  # what image condition `none` asks
LENGTH_HINT = "{question} Answer in about {n_words} words."  # what --length_hint asks


@dataclass
class Question:
    """One question as the model gets it; the picture stays in the dataset until its batch is due."""

    row: dict  # of the dataset, without the picture
    messages: list[dict]  # conversational; each content a list of parts, {"type": "image"} where the picture goes
    picture: int | None  # index of the row whose picture is shown; None: no picture
    shown: dict | None  # that row, without the picture


@dataclass
class Answer:
    """What came back for one question."""

    text: str | None
    finish_reason: str  # "stop", "length" (cut at the token limit), or "error": no answer
    new_tokens: int | None  # with the stop token; None where the server does not count
    error: str | None = None  # why there is none


Show = Callable[[Question], StoredPicture | None]  # the picture that goes with a question; raises UnreadablePicture
Keep = Callable[[list[tuple[Question, Answer]]], None]  # writes answers down


class Answerer(Protocol):
    """Who answers: `local.py`, a checkpoint loaded here, or `served.py`, a server."""

    packages: tuple[str, ...]  # whose versions the manifest keeps

    @property
    def dtype_name(self) -> str | None:
        """Of the weights; None where only a server knows."""

    @property
    def facts(self) -> dict:
        """What the run's manifest says of the model."""

    def clean(self, text: str) -> str:
        """Text of strangers, without what the model would take for special tokens."""

    def answer(self, todo: list[Question], show: Show, keep: Keep) -> None:
        """Answer all of `todo`, in any order, and hand the answers to `keep` as they come."""


def ask(
    rows: Dataset, condition: str, evidence: dict[str, Evidence], seed: int, length_hint: int | None = None
) -> list[Question]:
    """All rows as questions under one image condition, in the dataset's order.

    `evidence` (figure_id -> caption and context) gives the caption for condition `none`; `length_hint`: words to ask
    for. Raises ValueError where the condition cannot be made: captions absent, too few articles to shuffle.
    """
    if condition == "none" and not evidence:
        raise ValueError("image condition none needs captions, and the dataset has no config `pairs`")
    pictures = image_donors(rows["article_id"], seed) if condition == "shuffled" else range(len(rows))
    without_pictures = list(rows.remove_columns("images"))
    asked = []
    for row, picture in zip(without_pictures, pictures, strict=True):
        if condition == "none":
            known = evidence.get(row["figure_id"])
            caption = (known["caption"] if known else None) or ""
            asked.append(Question(row, to_messages(row["prompt"], length_hint, caption), None, None))
        else:
            messages = to_messages(row["prompt"], length_hint)
            asked.append(Question(row, messages, picture, without_pictures[picture]))
    return asked


def to_messages(prompt: list[dict], length_hint: int | None = None, caption: str | None = None) -> list[dict]:
    """A dataset's prompt as messages with lists of parts: the picture before the text of the first user message, where
    TRL puts it in training; with a caption, the caption and no picture."""
    messages = [{"role": m["role"], "content": [{"type": "text", "text": m["content"]}]} for m in prompt]
    if length_hint is not None:
        last = messages[-1]["content"][0]
        last["text"] = LENGTH_HINT.format(question=last["text"], n_words=length_hint)
    content = next(message["content"] for message in messages if message["role"] == "user")
    if caption is None:
        content.insert(0, {"type": "image"})
    else:
        content[0]["text"] = CAPTION_ONLY.format(caption=caption, question=content[0]["text"])
    return messages


def disarm(asked: list[Question], answerer: Answerer) -> tuple[list[Question], int]:
    """The questions without special tokens in their text, and how many had some (`trust/text.py`)."""
    harmless = [replace(one, messages=cleaned(one.messages, answerer.clean)) for one in asked]
    n_changed = sum(one.messages != before.messages for one, before in zip(harmless, asked, strict=True))
    return harmless, n_changed


def first_of_each_task(asked: list[Question], limit: int | None) -> list[Question]:
    """At most `limit` questions of each task, in their order; all of them without a limit."""
    of_task: Counter[str] = Counter()
    kept = []
    for one in asked:
        of_task[one.row["task"]] += 1
        if limit is None or of_task[one.row["task"]] <= limit:
            kept.append(one)
    return kept


def missing(asked: list[Question], path: Path, condition: str) -> list[Question]:
    """The questions that have no answer in `path` yet."""
    done = set()
    for record in PREDICTION_FILE.rows(path):
        if record["image_condition"] == condition and record["prediction"] is not None:
            done.add(record["example_id"])
    return [question for question in asked if question.row["example_id"] not in done]


@dataclass(frozen=True)
class Constants:
    """What every record of one call of `ldrt generate` says."""

    model: str
    revision: str | None
    generation: dict  # parameters
    image_condition: str


def answer(todo: list[Question], rows: Dataset, answerer: Answerer, path: Path, constants: Constants) -> int:
    """Have the questions answered and append one record each to `path` as they come; returns how many failed.

    A question whose picture cannot be read, or that gets no answer, has a record with `prediction` None and `error`,
    and is asked again by the next run.
    """
    pictures, condition = rows.select_columns("images"), constants.image_condition
    n_failed = 0
    with progress(len(todo), "answers", "generate") as bar:

        def keep(answered: list[tuple[Question, Answer]]) -> None:
            nonlocal n_failed
            append_jsonl(path, [stamped(_record(*one, constants)) for one in answered])
            n_failed += sum(answer.text is None for _, answer in answered)
            bar.update(len(answered))

        answerer.answer(todo, lambda asked: _shown(asked, pictures, condition), keep)
    return n_failed


def unreadable(asked: Question, problem: UnreadablePicture) -> Answer:
    """The answer to a question whose picture cannot be read."""
    return Answer(None, "error", 0, f"{asked.row['example_id']}: unreadable picture: {problem}")


def _shown(asked: Question, pictures: Dataset, condition: str) -> StoredPicture | None:
    """The picture of the question's row as it is stored; under `blank` one of the same size without content."""
    if asked.picture is None:
        return None
    picture = first_picture(pictures[asked.picture])
    return blank_like(picture) if condition == "blank" else picture


def blank_like(picture: StoredPicture | None) -> StoredPicture:
    """A picture of the same size without content. Raises UnreadablePicture for one that cannot be opened."""
    return _blank(whole_size(picture))


@lru_cache(maxsize=16)
def _blank(size: tuple[int, int]) -> StoredPicture:
    return {"bytes": encode(Image.new("RGB", size, BLANK_COLOUR)), "path": None}


def _record(asked: Question, answered: Answer, constants: Constants) -> Prediction:
    row = asked.row
    shown = asked.shown if constants.image_condition != "blank" else None
    licenses = list(in_order((*of_row(row), *of_row(shown or row))))
    record: Prediction = {
        "example_id": row["example_id"],
        "figure_id": row["figure_id"],
        "article_id": row["article_id"],
        "task": row["task"],
        "license": combined(licenses),
        "licenses": licenses,
        "question": question(row),
        "reference": reference(row),
        "prediction": answered.text,
        "finish_reason": answered.finish_reason,
        "new_tokens": answered.new_tokens,
        "model": constants.model,
        "revision": constants.revision,
        "generation": constants.generation,
        "image_condition": constants.image_condition,
        "image_figure_id": shown["figure_id"] if shown else None,
    }
    if "answer_kind" in row:
        record |= {"answer_kind": row["answer_kind"], "options": row["options"]}
    if answered.error is not None:
        record["error"] = answered.error
    return record

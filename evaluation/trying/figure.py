"""Questions about a figure of the user's own: asked as `ldrt generate` asks those of a dataset."""

from dataclasses import dataclass
from pathlib import Path

from evaluation.answering.answers import Answer, Answerer, Question, blank_like, disarm, to_messages
from evaluation.metrics.rouge.rouge_core import lcs_length, tokenize
from trust.pictures.encoding import encode
from trust.pictures.opener import open_picture_file
from trust.pictures.stored import StoredPicture


def read_figure(path: Path) -> StoredPicture:
    """A picture file as a dataset holds it. Raises UnreadablePicture, in one line that begins with the file's name."""
    return {"bytes": encode(open_picture_file(path)), "path": None}


def ask_about(answerer: Answerer, figure: StoredPicture, text: str, with_blank: bool = False) -> list[Answer]:
    """The answer to `text` about the figure; with `with_blank`, after it, the one to a blank picture of the same size.

    Raises ValueError for a question without words, RuntimeError where the model gives no answer.
    """
    if not text.strip():
        raise ValueError("the question is empty: say what you want to know of the figure")
    pictures = [figure, blank_like(figure)] if with_blank else [figure]
    asked, _ = disarm([_question(text, place) for place in range(len(pictures))], answerer)
    answers: dict[int, Answer] = {}

    def show(one: Question) -> StoredPicture:
        return pictures[_place(one)]

    def keep(answered: list[tuple[Question, Answer]]) -> None:
        answers.update((_place(one), answer) for one, answer in answered)

    answerer.answer(asked, show, keep)
    failed = next((answer.error for answer in answers.values() if answer.text is None), None)
    if failed is not None:
        raise RuntimeError(failed)
    return [answers[place] for place in range(len(pictures))]


def _question(text: str, place: int) -> Question:
    """The question as a row of a dataset would ask it; `place` is that of its picture."""
    return Question({"example_id": f"picture {place}"}, to_messages([{"role": "user", "content": text}]), place, None)


def _place(asked: Question) -> int:
    assert asked.picture is not None, "every question here has its picture"
    return asked.picture


@dataclass(frozen=True)
class Change:
    """How much of an answer the picture changed: of its words, those that the answer to a blank picture has not."""

    n_changed: int
    n_words: int

    def describe(self) -> str:
        if self.n_changed == 0:
            return "nothing: a blank picture gets the same words"
        return f"{self.n_changed} of {self.n_words} words are not in the answer to a blank picture"


def what_changed(answer: str, to_blank: str) -> Change:
    """Words are compared in their order (their longest common subsequence), whatever their case and punctuation."""
    words, of_blank = tokenize(answer), tokenize(to_blank)
    return Change(len(words) - lcs_length(words, of_blank), len(words))

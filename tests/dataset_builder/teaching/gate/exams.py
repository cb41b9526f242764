"""Exams for the tests of the rules: a good answer, in which a test changes what it is about."""

from typing import Any

from dataset_builder.teaching.examples import Told, instruction_examples
from dataset_builder.teaching.gate.exam import Exam, exam_of
from dataset_builder.teaching.gate.gate import quoted
from dataset_builder.teaching.gate.tokens import estimated_tokens
from dataset_builder.teaching.wording import GENERAL

CAPTION = "Edema of the left paw after 0.5 Gy (n = 12). The control group had 3.1 mm and the treated group 1.9 mm."
CONTEXT = ["Swelling decreased in all mice that were irradiated.", "IL-6 was lower after 1 Gy than after 0.5 Gy."]
ANSWER = "The treated group shows 1.9 mm of edema in the left paw, the control group 3.1 mm."


def row(caption: str = CAPTION, context: list[str] | None = None, **columns: Any) -> dict:
    """A row as a teacher is given it."""
    own = {"figure_id": "a/fig1", "article_id": "a", "language": "en", "split": "train", "license": "CC-BY-4.0"}
    own |= {"licenses": ["CC-BY-4.0"], "rights": None, "context_of": "a/fig1", "questions": [], "caption": caption}
    return own | {"context": CONTEXT if context is None else context} | columns


def example(answer: str = ANSWER, question: str = "What does this figure show?", given: dict | None = None, **said):
    """A training example before the gate; its evidence is everything that the figure has, unless said otherwise."""
    given = given or row()
    everything = [{"source": "caption", "sentence": i} for i in range(1 + (given["caption"] == CAPTION))]
    everything += [{"source": "context", "sentence": i} for i in range(len(given["context"]))]
    made = {"question": question, "answer": answer, "evidence": everything} | said
    (one,) = instruction_examples([given], "detail", Says(made), GENERAL)
    return one


class Says:
    """A teacher called `model` who always gives the same answer."""

    name = "model"

    def __init__(self, answer: dict | None):
        self.answer = answer

    def tell(self, row: dict, task: str, number: int) -> Told:
        return Told(self.answer, "silent")


def exam(
    answer: str = ANSWER, question: str = "What does this figure show?", given: dict | None = None, **said
) -> Exam:
    given = given or row()
    prompt = '{"question": "…", "answer": "the answer goes here"}'
    return exam_of(example(answer, question, given, **said), given, estimated_tokens, quoted(prompt))

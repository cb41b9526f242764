"""What an LLM as teacher is asked about the figures of a dataset."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dataset_builder.llm.requests import Request, Server
from dataset_builder.teaching.asking.llm_teacher import request
from dataset_builder.teaching.context import GivenRows
from dataset_builder.teaching.examples import Question, questions_to_ask
from dataset_builder.teaching.panels import with_picture_urls
from dataset_builder.teaching.wording import Wording


@dataclass(frozen=True)
class Asking:
    """The questions to one LLM, made anew each time that they are asked for: none are held."""

    rows: GivenRows
    wording: Wording
    server: Server
    a_figure: int = 1  # questions of each task
    pictures_of: Path | None = None  # dataset whose pictures are sent, too; None: none are

    @property
    def name(self) -> str:
        """The teacher as the column of that name has it."""
        model, revision = self.server.model, self.server.revision
        return f"{model}@{revision}" if revision else model

    def wanted(self) -> Iterator[tuple[str, Request]]:
        """The requests by their keys in the ledger."""
        for question in self._questions(self.pictures_of):
            asked = request(question.row, question.task, self.wording, question.number)
            yield self.server.key(asked), asked

    def questions(self) -> Iterator[Question]:
        """What the requests ask, in their order; the rows without pictures."""
        return self._questions(None)

    def _questions(self, pictures_of: Path | None) -> Iterator[Question]:
        rows = with_picture_urls(self.rows, pictures_of) if pictures_of else self.rows
        return questions_to_ask(rows, self.a_figure)

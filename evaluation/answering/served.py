"""Answers of a model behind an OpenAI-compatible server that takes pictures, such as vLLM.

The server renders the chat template and prepares the pictures: what it does there is its own affair, and the run's
manifest says so (`chat_template_sha256` null). Its replies go to RUN/replies.jsonl as they come, so that nothing is
asked for twice after a kill; RUN/predictions.jsonl is made from them.
"""

import base64
import io
from pathlib import Path

from datasets import Dataset
from PIL import Image

from dataset_builder.llm import client
from dataset_builder.llm.ledger import answered
from dataset_builder.llm.requests import Request, Server, by_key
from evaluation.answering.answers import Answer, Question
from evaluation.answering.questions import public_name
from trust import text as strangers

ROUNDS_AHEAD = 8  # so many times --concurrency questions are handed over at once, their pictures in memory


class Endpoint:
    """A model as the server names it, asked greedily (temperature 0)."""

    packages: tuple[str, ...] = ("aiohttp", "datasets", "pillow")
    dtype_name: str | None = None  # known to the server alone

    def __init__(self, server: Server, ledger: Path, image_condition: str):
        """Replies go to `ledger`; `image_condition` says which pictures they are about."""
        self.server, self.ledger, self.image_condition = server, ledger, image_condition
        self.batch_size = ROUNDS_AHEAD * server.concurrency
        self._has_answered = False

    @property
    def facts(self) -> dict:
        """What the run's manifest says of it; null is what only the server knows."""
        known = {"backend": "openai", "model": public_name(self.server.model), "revision": self.server.revision}
        return known | dict.fromkeys(("adapter_of", "lineage", "processor", "chat_template_sha256", "device"))

    def clean(self, text: str) -> str:
        """Of the server's model only the name is known: the words of common chat formats."""
        return strangers.clean(text)

    def length(self, asked: Question, rows: Dataset) -> int:
        """Characters of the text."""
        return sum(len(part.get("text", "")) for message in asked.messages for part in message["content"])

    def prepare(self, asked: Question, picture: Image.Image | None) -> Request:
        """The picture becomes a PNG data URL, before the text."""
        messages = asked.messages
        if picture is not None:
            image = {"type": "image_url", "image_url": {"url": data_url(picture)}}
            messages = [_with_picture(message, image) for message in messages]
        about = {
            "example_id": asked.row["example_id"],
            "image_condition": self.image_condition,
            "max_new_tokens": self.server.max_tokens,
        }
        return Request(messages, about)

    def replies(self, prepared: list[Request]) -> list[Answer]:
        """Raises what `client.ask` raises, and RuntimeError where all fail from the start: a wrong model name, a model
        that takes no pictures."""
        wanted = by_key(prepared, self.server.model, self.server.revision, self.server.temperature)
        in_ledger = answered(self.ledger, wanted)
        records = {key: record for key, record in in_ledger.items() if _is_answer(record)}
        todo = [request for key, request in wanted.items() if key not in records]
        records |= client.ask(todo, self.server, self.ledger, result="reply")
        answers = [_answer(records[key]) for key in wanted]
        self._has_answered |= any(answer.text is not None for answer in answers)
        if not self._has_answered:
            raise RuntimeError(f"{self.server.base_url} gives no answer as {self.server.model}: {answers[0].error}")
        return answers


def _with_picture(message: dict, image: dict) -> dict:
    """The message with `image` in the picture's place."""
    parts = [image if part["type"] == "image" else part for part in message["content"]]
    return {**message, "content": parts}


def data_url(picture: Image.Image) -> str:
    """The picture as a PNG, which loses nothing, in a URL."""
    file = io.BytesIO()
    picture.save(file, "PNG", compress_level=1)  # nearly twice as fast as the default, a tenth larger
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def _is_answer(record: dict) -> bool:
    """For a judge a reply that is cut at the token limit or empty is none; here it is what the model says."""
    return record["status"] in ("ok", "truncated", "unparsable")


def _answer(record: dict) -> Answer:
    if not _is_answer(record):
        return Answer(None, "error", 0, record.get("error") or record["status"])
    finish_reason = "length" if record["status"] == "truncated" else "stop"
    new_tokens = (record["usage"] or {}).get("completion_tokens")
    return Answer((record["reply"] or "").strip(), finish_reason, new_tokens)

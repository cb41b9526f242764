"""Answers of a model behind an OpenAI-compatible server that takes pictures, such as vLLM.

The server renders the chat template and prepares the pictures: what it does there is its own affair, and the run's
manifest says so (`chat_template_sha256` null). Its replies go to RUN/replies.jsonl as they come, so that nothing is
asked for twice after a kill; RUN/predictions.jsonl is made from them.

Requests are made shortly before it is their turn: a picture goes as it is stored where servers take it so
(`trust/pictures/derived.py`), else it is encoded, once for all questions about it, while others are under way.
"""

import hashlib
import os
from collections import deque
from collections.abc import Generator, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dataset_builder.llm import client
from dataset_builder.llm.ledger import Reply
from dataset_builder.llm.requests import Request, Server
from evaluation.answering.answers import Answer, Keep, Question, Show, unreadable
from evaluation.answering.questions import public_name
from trust import text as strangers
from trust.handovers import Kind
from trust.pictures.derived import data_url
from trust.pictures.opener import UnreadablePicture
from trust.pictures.stored import StoredPicture

AHEAD_OF_EACH = 2  # pictures that are made ready for each request under way
ENCODERS = min(4, os.cpu_count() or 1)  # threads; two encode 40 pictures of 1200 x 900 pixels a second
WRITTEN_AT_ONCE = 64  # answers; until then they are safe in the ledger
IN_VAIN_AFTER = 32  # requests of which none had an answer: a wrong model name, a model that takes no pictures

REPLY_FILE = Kind(Reply, "ldrt generate --output {folder}")


class Endpoint:
    """A model as the server names it, asked greedily (temperature 0)."""

    packages: tuple[str, ...] = ("aiohttp", "datasets", "pillow")
    dtype_name: str | None = None  # known to the server alone

    def __init__(self, server: Server, ledger: Path, image_condition: str):
        """Replies go to `ledger`; `image_condition` says which pictures they are about."""
        self.server, self.ledger, self.image_condition = server, ledger, image_condition

    @property
    def facts(self) -> dict:
        """What the run's manifest says of it; null is what only the server knows."""
        known = {"backend": "openai", "model": public_name(self.server.model), "revision": self.server.revision}
        return known | dict.fromkeys(("adapter_of", "lineage", "processor", "chat_template_sha256", "device"))

    def clean(self, text: str) -> str:
        """Of the server's model only the name is known: the words of common chat formats."""
        return strangers.clean(text)

    def answer(self, todo: list[Question], show: Show, keep: Keep) -> None:
        """As many requests at once as the server's `concurrency`, from the first to the last.

        Raises what `client.ask_each` raises, and RuntimeError where all fail from the start.
        """
        sheet = _Sheet(self.server, keep)
        requests = self._requests(todo, show, sheet)
        try:
            client.ask_each(requests, len(todo), self.server, self.ledger, "reply", sheet.take, stops_refused=False)
        finally:
            requests.close()
            sheet.write()
        sheet.check()

    def _requests(
        self, todo: list[Question], show: Show, sheet: "_Sheet"
    ) -> Generator[tuple[str, Request], None, None]:
        """What is to be asked, by its key; what needs no request goes to the sheet."""
        known = {row["key"]: dict(row) for row in REPLY_FILE.rows(self.ledger) if _is_answer(row)}
        for asked, coming in _with_pictures(todo, show, AHEAD_OF_EACH * self.server.concurrency):
            try:
                sent = coming.result()
            except UnreadablePicture as problem:
                sheet.add(asked, unreadable(asked, problem))
                continue
            key = self.server.key(
                self._request(asked, sent.sha256 if sent else None)
            )  # which is quicker than of all bytes
            if key in known:
                sheet.add(asked, _answer(known[key]))
            else:
                sheet.expect(key, asked)
                yield key, self._request(asked, sent.url if sent else None)

    def _request(self, asked: Question, url: str | None) -> Request:
        """The question with its picture, or what stands for it, before the text."""
        messages = asked.messages
        if url is not None:
            image = {"type": "image_url", "image_url": {"url": url}}
            messages = [_with_picture(message, image) for message in messages]
        about = {
            "example_id": asked.row["example_id"],
            "image_condition": self.image_condition,
            "max_new_tokens": self.server.max_tokens,
        }
        return Request(messages, about)


class _Sheet:
    """Answers on their way to predictions.jsonl; nothing is written before the first that is one."""

    def __init__(self, server: Server, keep: Keep):
        self._server, self._keep = server, keep
        self._expected: dict[str, Question] = {}  # by the request's key
        self._answered: list[tuple[Question, Answer]] = []
        self._n_failed = 0  # requests, before the first that is answered
        self._is_of_use = False

    def expect(self, key: str, asked: Question) -> None:
        """A request of this key is on its way."""
        self._expected[key] = asked

    def take(self, record: dict) -> None:
        """The reply to a request, from the ledger. Raises as `check` does where the first requests all failed."""
        answer = _answer(record)
        if answer.text is None and not self._is_of_use:
            self._n_failed += 1
        self.add(self._expected.pop(record["key"]), answer)
        if self._n_failed >= IN_VAIN_AFTER:
            self.check()

    def add(self, asked: Question, answer: Answer) -> None:
        self._is_of_use |= answer.text is not None
        self._answered.append((asked, answer))
        if len(self._answered) >= WRITTEN_AT_ONCE:
            self.write()

    def write(self) -> None:
        if self._answered and (self._is_of_use or not self._n_failed):
            self._keep(self._answered)
            self._answered = []

    def check(self) -> None:
        """Raises RuntimeError where requests were sent and none had an answer."""
        if self._n_failed and not self._is_of_use:
            reason = next(answer.error for _, answer in reversed(self._answered) if answer.error)
            raise RuntimeError(f"{self._server.base_url} gives no answer as {self._server.model}: {reason}")


# ---- pictures


@dataclass(frozen=True)
class _Sent:
    """A picture as it is sent."""

    url: str
    sha256: str


_Coming = Future[_Sent | None]  # None: the question goes without a picture


def _sent(picture: StoredPicture | None) -> _Sent:
    url = data_url(picture)
    return _Sent(url, hashlib.sha256(url.encode()).hexdigest())


def _with_pictures(todo: list[Question], show: Show, n_ahead: int) -> Iterator[tuple[Question, _Coming]]:
    """Each question with its picture, `n_ahead` of which are being made ready; questions about one picture stand
    together."""
    encoders, coming = _Encoders(), deque[tuple[Question, _Coming]]()
    try:
        for asked in sorted(todo, key=_by_picture):
            coming.append((asked, encoders.picture(asked, show)))
            if len(coming) > n_ahead:
                yield coming.popleft()
        yield from coming
    finally:
        encoders.stop()


def _by_picture(asked: Question) -> tuple[str, str]:
    return asked.shown["figure_id"] if asked.shown else "", asked.row["example_id"]


class _Encoders:
    """Threads that make pictures ready to be sent; one that comes several times in a row is made ready once."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(ENCODERS)
        self._last: bytes | None = None
        self._coming: _Coming = Future()

    def picture(self, asked: Question, show: Show) -> _Coming:
        """The question's picture; its result may raise UnreadablePicture."""
        if asked.picture is None:
            return self._threads.submit(lambda: None)
        try:
            picture = show(asked)
        except UnreadablePicture as problem:
            failed: _Coming = Future()
            failed.set_exception(problem)
            return failed
        data = picture["bytes"] if picture else None
        if data is None or data != self._last:
            self._coming, self._last = self._threads.submit(_sent, picture), data
        return self._coming

    def stop(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


# ---- requests and replies


def _with_picture(message: dict, image: dict) -> dict:
    """The message with `image` in the picture's place."""
    parts = [image if part["type"] == "image" else part for part in message["content"]]
    return {**message, "content": parts}


def _is_answer(record: Mapping[str, Any]) -> bool:
    """For a judge a reply that is cut at the token limit or empty is none; here it is what the model says."""
    return record["status"] in ("ok", "truncated", "unparsable")


def _answer(record: dict) -> Answer:
    if not _is_answer(record):
        return Answer(None, "error", 0, record.get("error") or record["status"])
    finish_reason = "length" if record["status"] == "truncated" else "stop"
    new_tokens = (record["usage"] or {}).get("completion_tokens")
    return Answer((record["reply"] or "").strip(), finish_reason, new_tokens)

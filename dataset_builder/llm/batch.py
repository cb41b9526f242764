"""Asking through the OpenAI Batch API: half the price, an answer within a day.

Each step is on disk before the next (`batches.py`), so a run that is killed goes on where it was: what was submitted is
waited for, not submitted again. https://platform.openai.com/docs/guides/batch
"""

import asyncio
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

import aiohttp

from dataset_builder.files.jsonfiles import append_jsonl
from dataset_builder.files.progress import progress
from dataset_builder.llm import http
from dataset_builder.llm.batches import Batch, Part, Replies, keys_of, saved
from dataset_builder.llm.client import ask_each, body_of
from dataset_builder.llm.ledger import Index
from dataset_builder.llm.limits import Budget
from dataset_builder.llm.replies import error_reason, failed, read_completion, record_of
from dataset_builder.llm.requests import Request, Server
from dataset_builder.llm.structured import NONE, known_form

_MOST_REQUESTS = 50_000  # of a batch: the API's limits
_MOST_BYTES = 150_000_000  # the API takes 200 MB
_ROUNDS = 3  # what the server failed at is submitted again so many times
_FIRST_POLL_S, _LONGEST_POLL_S, _SLOWER = 1.0, 60.0, 1.5  # between two looks at a batch
_LINES_A_WRITE = 500  # records on their way to the ledger
_ENDED = ("completed", "failed", "expired", "cancelled")
_NAME_CHARS = 16  # of a sha256, hexadecimal

_Requests = Callable[[], Iterable[tuple[str, Request]]]  # all that is wanted, by key, as often as it is called


def ask_left(
    wanted: _Requests,
    server: Server,
    ledger: Path,
    in_batches: bool,
    result: str = "parsed",
    stops_refused: bool = True,
) -> float:
    """Ask what the ledger does not settle, one by one or in batches; returns the money that has been spent.

    Raises what `client.ask_each` and `ask_in_batches` raise. The replies are in the ledger.
    """
    if in_batches:
        return ask_in_batches(wanted, server, ledger, result)
    index = Index(ledger)
    left = sum(not index.is_settled(key, server) for key, _ in wanted())
    todo = ((key, request) for key, request in wanted() if not index.is_settled(key, server))
    return ask_each(todo, left, server, ledger, result, stops_refused=stops_refused)


def ask_in_batches(wanted: _Requests, server: Server, ledger: Path, result: str = "parsed") -> float:
    """Ask all that the ledger does not settle, in batches; returns when their replies are in the ledger.

    Gives the money that has been spent. Raises RuntimeError with the server's reason where it refuses a batch,
    BudgetReached where more may cost too much, ConnectionError and PermissionError as `client.ask`. Run again, it goes
    on.
    """
    run = _Run(wanted, server, ledger, result)
    asyncio.run(run.all())
    return run.budget.spent


class _Run:
    def __init__(self, wanted: _Requests, server: Server, ledger: Path, result: str):
        self._wanted, self._server, self._ledger, self._result = wanted, server, ledger, result
        self._folder = ledger.with_suffix(".batches")
        self.budget = Budget(server)
        self._settled: set[bytes] = set()  # keys that have got a reply in this run, whatever it says

    async def all(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        async with http.open_session(self._server) as self._session:
            self._read_ended()
            n_rounds = 0
            while n_rounds < _ROUNDS:
                await self._submit()
                if not self._open():
                    break
                await self._wait_for(self._open())
                self._read_ended()
                n_rounds += not self.budget.is_reached  # then more may fit now that the price is known
        self.budget.check()

    # ---- there

    async def _submit(self) -> None:
        """Batches of all that has no answer and is in none; those that a kill has stopped half-way first."""
        self.budget.is_reached = False
        for batch in saved(self._folder, self._server.base_url):
            await self._send(batch)
        form = NONE
        for lines in self._parts():
            first = next(lines, None)
            if first is None:
                return
            key, request = first
            if request.schema is not None:
                form = await known_form(self._session, self._server, self._ledger.parent)
            batch = self._write(key, request, lines, form)
            await self._send(batch)

    def _parts(self) -> Iterator[Iterator[tuple[str, Request]]]:
        """What is left to ask, again and again the same iterator: each part takes as much of it as it holds."""
        todo = self._todo()
        while not self.budget.is_reached:
            yield todo

    def _todo(self) -> Iterator[tuple[str, Request]]:
        under_way = {bytes.fromhex(key) for batch in self._open() for key in keys_of(batch.requests(self._folder))}
        index = Index(self._ledger)
        for key, request in self._wanted():
            digest = bytes.fromhex(key)
            if index.is_settled(key, self._server) or digest in under_way or digest in self._settled:
                continue
            under_way.add(digest)
            if not self.budget.reserve(self.budget.dearest(request)):
                self.budget.is_reached = True
                return
            yield key, request

    def _open(self) -> list[Batch]:
        return [batch for batch in saved(self._folder, self._server.base_url) if batch.n_replies is None]

    def _write(self, key: str, request: Request, rest: Iterator[tuple[str, Request]], form: str) -> Batch:
        part, sha256 = Part(self._folder), hashlib.sha256()
        while True:
            body = body_of(self._server, request, form)
            asked = {"custom_id": key, "method": "POST", "url": "/v1/chat/completions", "body": body}
            line = json.dumps(asked).encode() + b"\n"
            sha256.update(line)
            part.add(line)
            is_full = part.n >= _MOST_REQUESTS or part.n_bytes >= _MOST_BYTES
            following = None if is_full else next(rest, None)
            if following is None:
                return part.close(sha256.hexdigest()[:_NAME_CHARS], self._server.base_url)
            key, request = following

    async def _send(self, batch: Batch) -> None:
        """Upload and create, as far as that is not done."""
        if batch.batch_id is not None:
            return
        if batch.file_id is None:
            batch.file_id = (await self._call("POST", "/files", self._form(batch)))["id"]
            batch.save(self._folder)
        batch.batch_id = await self._created(batch)
        batch.save(self._folder)

    def _form(self, batch: Batch) -> Callable[[], aiohttp.FormData]:
        def form() -> aiohttp.FormData:
            data = aiohttp.FormData({"purpose": "batch"})
            path = batch.requests(self._folder)
            data.add_field("file", path.open("rb"), filename=path.name, content_type="application/jsonl")
            return data

        return form

    async def _created(self, batch: Batch) -> str:
        """The batch's id; a batch that the server may have made of the same file is looked for before one is made."""
        asked = {"input_file_id": batch.file_id, "endpoint": "/v1/chat/completions", "completion_window": "24h"}
        for _ in range(self._server.max_retries + 1):
            if batch.is_creating and (known := await self._made_of(batch.file_id)):
                return known
            batch.is_creating = True
            batch.save(self._folder)
            answer = await http.fetch(self._session, self._server, 0, "POST", "/batches", asked)
            if answer.status == 200:
                return json.loads(answer.text)["id"]
            if not answer.is_down:
                raise RuntimeError(f"{self._server.base_url} refuses a batch: {answer.refusal}")
            await asyncio.sleep(_FIRST_POLL_S)
        raise ConnectionError(f"{self._server.base_url} makes no batch ({answer.text}); run again later")

    async def _made_of(self, file_id: str | None) -> str | None:
        after = ""
        while True:
            page = await self._call("GET", f"/batches?limit=100{after}")
            for made in page["data"]:
                if made["input_file_id"] == file_id:
                    return made["id"]
            if not page.get("has_more") or not page["data"]:
                return None
            after = f"&after={page['data'][-1]['id']}"

    # ---- and back

    async def _wait_for(self, batches: list[Batch]) -> None:
        pause_s = _FIRST_POLL_S
        with progress(len(batches), "batches", self._server.model) as bar:
            while batches:
                for batch in batches:
                    made = await self._call("GET", f"/batches/{batch.batch_id}")
                    if made["status"] in _ENDED:
                        await self._fetch(batch, made)
                        bar.update(1)
                batches = [batch for batch in batches if batch.n_replies is None]
                if batches:
                    await asyncio.sleep(pause_s)
                    pause_s = min(pause_s * _SLOWER, _LONGEST_POLL_S)

    async def _fetch(self, batch: Batch, made: dict) -> None:
        ids = [made[name] for name in ("output_file_id", "error_file_id") if made.get(name)]
        if made["status"] == "failed" and not ids:
            batch.forget(self._folder)  # nothing was asked, nothing paid for
            reasons = (made.get("errors") or {}).get("data") or [{"message": "no reason given"}]
            raise RuntimeError(f"batch {batch.batch_id} failed: {error_reason(json.dumps(reasons[0]))}")
        for number, file_id in enumerate(ids):
            to = batch.replies(self._folder, number)
            await http.download(self._session, self._server, f"/files/{file_id}/content", to)
        batch.n_replies = len(ids)
        batch.save(self._folder)

    def _read_ended(self) -> None:
        for batch in saved(self._folder, self._server.base_url):
            if batch.n_replies is not None:
                self._read(batch)

    def _read(self, batch: Batch) -> None:
        """Replies -> ledger. A batch whose questions are not all wanted any more is kept: they may be again."""
        assert batch.n_replies is not None, "it has ended"
        replies = Replies([batch.replies(self._folder, number) for number in range(batch.n_replies)])
        index, n_known = Index(self._ledger), 0
        ready = self._records(replies, index)
        while records := list(islice(ready, _LINES_A_WRITE)):
            append_jsonl(self._ledger, [record for record in records if record is not None])
            n_known += len(records)
        if n_known == len(replies):
            batch.forget(self._folder)

    def _records(self, replies: Replies, index: Index) -> Iterator[dict | None]:
        """The record of each reply to what is wanted; None for one that the ledger has."""
        for key, request in self._wanted():
            if key not in replies:
                continue
            if index.is_ok(key):
                yield None
                continue
            found, is_settled = _found(replies.read(key), request, self._result)
            if is_settled:
                self._settled.add(bytes.fromhex(key))
            self.budget.pay(request, self.budget.dearest(request), found.get("usage"))
            yield record_of(key, request, self._result, found | {"latency_s": None})

    async def _call(self, method: str, path: str, body: Callable[[], aiohttp.FormData] | None = None) -> dict:
        answer = await http.fetch(self._session, self._server, self._server.max_retries, method, path, body)
        if answer.is_down:
            raise ConnectionError(f"{self._server.base_url} does not answer ({answer.text}); run again later")
        if answer.status != 200:
            raise RuntimeError(f"{self._server.base_url}{path} refuses: {answer.refusal}")
        return json.loads(answer.text)


def _found(line: dict, request: Request, result: str) -> tuple[dict, bool]:
    """What the record says, and whether that is the last word: what the server failed at is submitted again."""
    response = line.get("response")
    if not response:
        return failed(None, error_reason(json.dumps(line.get("error")))), False
    body = json.dumps(response["body"])
    if response["status_code"] == 200:
        return read_completion(body, request, result), True
    answer = http.Answer(response["status_code"], body)
    return failed(answer.status, body), not answer.is_down

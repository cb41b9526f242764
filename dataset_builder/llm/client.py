"""The one client for LLMs (teacher and judges): any OpenAI-compatible server, every reply kept, nothing paid for twice.

Replies go to a ledger (`ledger.py`). A request whose key has an `ok` line there is answered from there; one that failed
is asked again by the next run, one whose reply was paid for and cannot be read only where that is asked for.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import ClientSession

from dataset_builder.files.jsonfiles import append_jsonl
from dataset_builder.files.progress import progress
from dataset_builder.llm import http
from dataset_builder.llm.ledger import answered, is_settled
from dataset_builder.llm.limits import Budget, Pace
from dataset_builder.llm.replies import failed, read_completion, record_of
from dataset_builder.llm.requests import Request, Server
from dataset_builder.llm.structured import NONE, known_form, response_format
from dataset_builder.llm.tokens import used_tokens

_DEAD_AFTER = 8  # requests in a row, each after the client's own retries, that the server was gone, busy or broken for
_REFUSED_AFTER = 8  # requests in a row that the server refuses in the same words: none will do
_LATENCY_DIGITS = 3  # of seconds, in the ledger
_UNWRITTEN_A_WORKER = 2  # requests and replies: one on its way, one for the disk; more would be lost when that is full

_Incoming = dict | None  # a record on its way to the ledger; None: no more will come
_Todo = Iterator[tuple[str, Request]]  # key and request


def ask(requests: Iterable[Request], server: Server, ledger: Path, result: str = "parsed") -> dict[str, dict]:
    """Ask the server all that the ledger does not answer yet; returns key -> record of every request.

    A record holds `key`, what the request is `about`, `status` (ok | refused | unparsable | truncated | error), `reply`
    (raw text), the parsed reply or None under the name `result`, `usage`, `finish_reason`, `latency_s` (with retries),
    `model` (as served) and, where there is one, `error` and `reasoning`. A request that fails never stops the others.
    Raises ConnectionError when the server is not there or has failed many requests in a row, PermissionError when it
    rejects the API key, BudgetReached where more may cost too much, OSError when the ledger cannot be written; what was
    answered before is kept.
    """
    wanted = {server.key(request): request for request in requests}
    records = answered(ledger, wanted)
    todo = {key: request for key, request in wanted.items() if not is_settled(records.get(key), server)}

    def keep(record: dict) -> None:
        records[record["key"]] = record

    ask_each(iter(todo.items()), len(todo), server, ledger, result, keep, stops_refused=False)
    return records


def ask_each(
    todo: Iterator[tuple[str, Request]],
    n: int,
    server: Server,
    ledger: Path,
    result: str = "parsed",
    keep: Callable[[dict], None] = lambda _: None,
    stops_refused: bool = True,
) -> float:
    """As `ask`, for any number of requests by their keys: each is drawn when it is its turn, and nothing is held.

    Returns the money that has been spent, with what was spent before. All `n` of `todo` are asked, whatever the ledger
    says. A record is in the ledger when `keep` gets it. `stops_refused`: raises RuntimeError when the server refuses
    many requests in a row in the same words.
    """
    first = next(todo, None)
    if first is None:
        return server.spent_before
    ledger.parent.mkdir(parents=True, exist_ok=True)
    run = _Run(server, ledger, result, keep, _chain(first, todo), n, stops_refused)
    asyncio.run(_ask_all(run))
    return run.budget.spent


def _chain(first: tuple[str, Request], rest: _Todo) -> _Todo:
    yield first
    yield from rest


@dataclass
class _Run:
    """What workers and writer share."""

    server: Server
    ledger: Path
    result: str
    keep: Callable[[dict], None]
    todo: _Todo
    n: int
    stops_refused: bool
    form: str = NONE  # of the replies (structured.py)
    replies: asyncio.Queue[_Incoming] = field(default_factory=asyncio.Queue)

    def __post_init__(self) -> None:
        self.pace, self.budget = Pace(self.server), Budget(self.server)
        self.watch = _Watch(self.server.base_url, self.stops_refused)
        self.unwritten = asyncio.Semaphore(_UNWRITTEN_A_WORKER * self.server.concurrency)


async def _ask_all(run: _Run) -> None:
    """`concurrency` workers ask, one writer appends; a worker waits for the disk only where it has fallen behind."""
    async with http.open_session(run.server) as session:
        await http.check(session, run.server)
        await _settle_form(run, session)
        writer = asyncio.create_task(_write(run))
        workers = [asyncio.create_task(_work(run, session)) for _ in range(run.server.concurrency)]
        asking = asyncio.gather(*workers)
        ends: list[asyncio.Future] = [asking, writer]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(asking, *workers, return_exceptions=True)
            run.replies.put_nowait(None)  # what has come in is still written
            await writer
        await asking
    run.budget.check()


async def _settle_form(run: _Run, session: ClientSession) -> None:
    """The server is asked what it honours where the first request has a schema: then all have."""
    first = next(run.todo)
    if first[1].schema is not None:
        run.form = await known_form(session, run.server, run.ledger.parent)
    run.todo = _chain(first, run.todo)


async def _work(run: _Run, session: ClientSession) -> None:
    for key, request in run.todo:
        await run.unwritten.acquire()
        cost = await run.budget.take(request)
        if cost is None:
            return
        n_tokens = run.budget.tokens_in(request) + run.server.longest_reply
        await run.pace.turn(n_tokens)
        start = time.monotonic()
        answer = await _ask_one(run, session, request, n_tokens)
        latency_s = round(time.monotonic() - start, _LATENCY_DIGITS)
        is_reply = answer.status == 200
        found = read_completion(answer.text, request, run.result) if is_reply else failed(answer.status, answer.text)
        run.budget.pay(request, cost, found.get("usage"))
        run.pace.give_back(n_tokens - sum(used_tokens(found["usage"])) if found.get("usage") else 0)
        record = record_of(key, request, run.result, found | {"latency_s": latency_s})
        run.replies.put_nowait(record)
        run.watch.see(answer, record.get("error", ""))


async def _ask_one(run: _Run, session: ClientSession, request: Request, n_tokens: float) -> http.Answer:
    async def before_retry() -> None:
        await run.pace.turn(n_tokens)

    body = body_of(run.server, request, run.form)
    return await http.fetch(
        session, run.server, run.server.max_retries, "POST", "/chat/completions", body, before_retry
    )


def body_of(server: Server, request: Request, form: str) -> dict:
    """The body of the request to the server; `form` is what it honours (`structured.py`)."""
    asked = response_format(form, request.schema) if request.schema is not None else {}
    return {"model": server.model, "messages": request.messages, **asked, **server.sampling}


async def _write(run: _Run) -> None:
    """Append replies as they come, all that came in during one flush with the next, up to None."""
    ended = False
    with progress(run.n, "replies", run.server.model) as bar:
        while not ended:
            batch, ended = await _next_batch(run.replies)
            try:
                await asyncio.to_thread(append_jsonl, run.ledger, batch)
            except OSError as error:
                raise OSError(f"{run.ledger} cannot be written ({error.strerror}): make room and run again") from error
            for record in batch:
                run.keep(record)
                run.unwritten.release()
            bar.update(len(batch))


class _Watch:
    """Ends a run that is in vain."""

    def __init__(self, base_url: str, stops_refused: bool):
        self._base_url, self._stops_refused = base_url, stops_refused
        self._n_down = self._n_refused = 0  # in a row
        self._refusal: str | None = None

    def see(self, answer: http.Answer, error: str) -> None:
        """Raises ConnectionError for a server that is down, RuntimeError for one that refuses in the same words."""
        self._n_down = self._n_down + 1 if answer.is_down else 0
        if self._n_down >= _DEAD_AFTER:
            raise ConnectionError(f"{self._base_url} does not answer ({error}); run again later")
        is_as_before = answer.refusal is not None and answer.refusal == self._refusal
        self._n_refused = self._n_refused + 1 if is_as_before else 1
        self._refusal = answer.refusal
        if self._stops_refused and self._refusal and self._n_refused >= _REFUSED_AFTER:
            raise RuntimeError(f"{self._base_url} refuses {self._n_refused} requests in a row: {self._refusal}")


async def _next_batch(replies: asyncio.Queue[_Incoming]) -> tuple[list[dict], bool]:
    """All replies that are there, at least one, and whether they are the last."""
    waiting = [await replies.get()]
    while not replies.empty():
        waiting.append(replies.get_nowait())
    batch = [reply for reply in waiting if reply is not None]
    return batch, len(batch) < len(waiting)

"""The one client for LLMs (teacher and judges): any OpenAI-compatible server, every reply kept, nothing paid for twice.

Replies go to a ledger (`ledger.py`). A request whose key has an `ok` line there is answered from there; every other
status is asked again by the next run.
"""

import asyncio
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from aiohttp import ClientSession

from dataset_builder.files.jsonfiles import append_jsonl
from dataset_builder.files.progress import progress
from dataset_builder.llm import http
from dataset_builder.llm.ledger import answered, is_ok
from dataset_builder.llm.replies import MAX_ERROR_CHARS, is_moderated, read_completion, storable
from dataset_builder.llm.requests import Request, Server, by_key
from trust.handovers import stamped

_DEAD_AFTER = 8  # requests in a row, each after the client's own retries, that the server was gone, busy or broken for
_LATENCY_DIGITS = 3  # of seconds, in the ledger

# A reply on its way to the ledger: its record, and whether the server itself is the reason that there is none.
# None: no more will come.
_Incoming = tuple[dict, bool] | None


def ask(requests: Iterable[Request], server: Server, ledger: Path, result: str = "parsed") -> dict[str, dict]:
    """Ask the server all that the ledger does not answer yet; returns key -> record of every request.

    A record holds `key`, what the request is `about`, `status` (ok | refused | unparsable | truncated | error), `reply`
    (raw text), the parsed reply or None under the name `result`, `usage`, `finish_reason`, `latency_s` (with retries),
    `model` (as served) and, where there is one, `error`. A request that fails never stops the others. Raises
    ConnectionError when the server is not there or has failed many requests in a row, PermissionError when it rejects
    the API key, OSError when the ledger cannot be written; what was answered before is kept.
    """
    wanted = by_key(requests, server.model, server.revision, server.temperature)
    records = answered(ledger, wanted)
    todo = {key: request for key, request in wanted.items() if not is_ok(records, key)}
    if todo:
        ledger.parent.mkdir(parents=True, exist_ok=True)
        asyncio.run(_ask_all(todo, server, ledger, result, records))
    return records


async def _ask_all(todo: dict[str, Request], server: Server, ledger: Path, result: str, records: dict) -> None:
    """`concurrency` workers ask, one writer appends: no request waits for the disk, and nothing unwritten counts."""
    queue = iter(todo.items())
    replies: asyncio.Queue[_Incoming] = asyncio.Queue()
    async with http.open_session(server) as session:
        await http.check(session, server)
        writer = asyncio.create_task(_write(replies, ledger, records, server, len(todo)))
        workers = [
            asyncio.create_task(_work(queue, replies, session, server, result))
            for _ in range(min(server.concurrency, len(todo)))
        ]
        asking = asyncio.gather(*workers)
        ends: list[asyncio.Future] = [asking, writer]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(asking, *workers, return_exceptions=True)
            replies.put_nowait(None)  # what has come in is still written
            await writer
        await asking


async def _work(
    queue: Iterator[tuple[str, Request]],
    replies: asyncio.Queue[_Incoming],
    session: ClientSession,
    server: Server,
    result: str,
) -> None:
    for key, request in queue:
        start = time.monotonic()
        found, is_down = await _ask_one(session, server, request, result)
        found["latency_s"] = round(time.monotonic() - start, _LATENCY_DIGITS)
        empty = {"status": "error", "reply": None, result: None}
        record = stamped({"key": key, **request.about, **empty, **storable(found)})
        replies.put_nowait((record, is_down))


async def _write(replies: asyncio.Queue[_Incoming], ledger: Path, records: dict, server: Server, n: int) -> None:
    """Append replies as they come, all that came in during one flush with the next, up to None."""
    down_in_a_row, ended = 0, False
    with progress(n, "replies", server.model) as bar:
        while not ended:
            batch, ended = await _next_batch(replies)
            try:
                await asyncio.to_thread(append_jsonl, ledger, [record for record, _ in batch])
            except OSError as error:
                raise OSError(f"{ledger} cannot be written ({error.strerror}): make room and run again") from error
            for record, is_down in batch:
                records[record["key"]] = record
                down_in_a_row = down_in_a_row + 1 if is_down else 0
                if down_in_a_row >= _DEAD_AFTER:
                    raise ConnectionError(f"{server.base_url} does not answer ({record['error']}); run again later")
            bar.update(len(batch))


async def _next_batch(replies: asyncio.Queue[_Incoming]) -> tuple[list[tuple[dict, bool]], bool]:
    """All replies that are there, at least one, and whether they are the last."""
    waiting = [await replies.get()]
    while not replies.empty():
        waiting.append(replies.get_nowait())
    batch = [reply for reply in waiting if reply is not None]
    return batch, len(batch) < len(waiting)


async def _ask_one(session: ClientSession, server: Server, request: Request, result: str) -> tuple[dict, bool]:
    """What the reply adds to the record, and whether the server itself is the reason that there is none."""
    sampling = {"temperature": server.temperature, "max_tokens": server.max_tokens}
    question = {"model": server.model, "messages": request.messages, **sampling}
    answer = await http.fetch(session, server, server.max_retries, "POST", "/chat/completions", question)
    if answer.status == 200:
        return read_completion(answer.text, request, result), False
    said = answer.text if answer.status is None else f"HTTP {answer.status}: {answer.text}"
    status = "refused" if is_moderated(answer.status, answer.text) else "error"
    return {"error": said[:MAX_ERROR_CHARS], "status": status}, answer.is_down

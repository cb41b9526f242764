"""The one client for LLMs (teacher and judges): any OpenAI-compatible server, every reply kept, nothing paid for twice.

Replies go to an append-only JSONL ledger, one line each, on the disk before they count. A request whose key has an
`ok` line in the ledger is answered from there; every other status is asked again by the next run.

HTTP is aiohttp's: the package openai takes ten times the CPU time for a request (2.6 ms against 0.2 ms) and a second to
import, which cost 5 % of the time of 128 requests side by side.
"""

import asyncio
import hashlib
import json
import os
import random
import re
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from dataset_builder.files.jsonfiles import append_jsonl, read_jsonl
from dataset_builder.files.progress import progress

_DEAD_AFTER = 8  # requests in a row, each after the client's own retries, that the server was gone, busy or broken for
_CHECK_RETRIES = 2  # 1.5 s: a server that is not there is told before the first request
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 8.0  # before a request is tried again, doubled each time
_LONGEST_ASKED_WAIT_S = 120.0
_MAX_ERROR_CHARS = 500  # some servers send whole pages
_REFUSAL = "content_filter"
# What starts and ends our blocks and the special tokens of chat templates: <|im_end|>, </s>, [INST] …
_MARKUP = re.compile(r"[<>]|\[(?=/?[A-Z_]+\])")


@dataclass(frozen=True)
class Server:
    """An OpenAI-compatible server and how to sample from it. The API key comes from the environment variable
    `OPENAI_API_KEY` (servers without keys ignore it)."""

    base_url: str
    model: str
    revision: str | None = None
    temperature: float = 0.0
    max_tokens: int = 1024
    concurrency: int = 16
    timeout_s: float = 300.0
    max_retries: int = 5


@dataclass(frozen=True)
class Request:
    """One question to the LLM and how to read its reply.

    `about` (JSON values) stands in the record of the reply and is part of the request's identity. `parse` makes a JSON
    value of the reply's text and raises ValueError for text that it cannot use.
    """

    messages: list[dict]
    about: dict = field(default_factory=dict)
    parse: Callable[[str], object] = str

    def key(self, model: str, revision: str | None, temperature: float) -> str:
        """sha256 of all that a whole reply depends on; `max_tokens` only decides whether it is whole."""
        text = json.dumps([[model, revision, temperature], self.messages, self.about], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def quote(value) -> str:
    """Text (or a list of texts, or None) of strangers as JSON on one line, for a prompt's block `<<<NAME … NAME>>>`.

    No text can end the block or its own line, nor write a special token of a chat template: besides what JSON asks for,
    `<`, `>`, the bracket of `[INST]` and its like, and all that does not print (line separators, direction marks,
    hidden characters) are escaped as \\uXXXX. json.loads gives the value back.
    """
    text = json.dumps(value, ensure_ascii=False)
    text = "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)
    return _MARKUP.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def ask(requests: Iterable[Request], server: Server, ledger: Path, result: str = "parsed") -> dict[str, dict]:
    """Ask the server all that the ledger does not answer yet; returns key -> record of every request.

    A record holds `key`, what the request is `about`, `status` (ok | refused | unparsable | truncated | error), `reply`
    (raw text), the parsed reply or None under the name `result`, `usage`, `finish_reason`, `latency_s` (with retries),
    `model` (as served) and, where there is one, `error`. A request that fails never stops the others. Raises
    ConnectionError when the server is not there or has failed many requests in a row, PermissionError when it rejects
    the API key, OSError when the ledger cannot be written; what was answered before is kept.
    """
    wanted = {request.key(server.model, server.revision, server.temperature): request for request in requests}
    records = answered(ledger, wanted)
    todo = {key: request for key, request in wanted.items() if records.get(key, {}).get("status") != "ok"}
    if todo:
        ledger.parent.mkdir(parents=True, exist_ok=True)
        asyncio.run(_ask_all(todo, server, ledger, result, records))
    return records


def answered(ledger: Path, wanted: Iterable[str]) -> dict[str, dict]:
    """key -> its record in the ledger, for the keys `wanted` that have one: the newest, an `ok` one before others."""
    records, keys = {}, set(wanted)
    for record in read_jsonl(ledger):
        key = record.get("key")
        if key in keys and (record["status"] == "ok" or records.get(key, {}).get("status") != "ok"):
            records[key] = record
    return records


async def _ask_all(todo: dict[str, Request], server: Server, ledger: Path, result: str, records: dict) -> None:
    """`concurrency` workers ask, one writer appends: no request waits for the disk, and nothing unwritten counts."""
    import aiohttp

    queue, replies = iter(todo.items()), asyncio.Queue()
    settings = {"timeout": aiohttp.ClientTimeout(total=server.timeout_s), "proxy": _proxy(server.base_url)}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), **settings) as session:
        await _check(session, server)
        writer = asyncio.create_task(_write(replies, ledger, records, server, len(todo)))
        workers = [
            asyncio.create_task(_work(queue, replies, session, server, result))
            for _ in range(min(server.concurrency, len(todo)))
        ]
        asking = asyncio.gather(*workers)
        try:
            await asyncio.wait([asking, writer], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(asking, *workers, return_exceptions=True)
            replies.put_nowait(None)  # what has come in is still written
            await writer
        await asking


async def _check(session, server: Server) -> None:
    """Raises ConnectionError or PermissionError where no request can succeed; any answer will do, not every server
    lists its models."""
    status, text = await _fetch(session, server, _CHECK_RETRIES, "GET", "/models")
    if status is None:
        raise ConnectionError(f"{server.base_url} does not answer ({text})")


async def _work(queue, replies: asyncio.Queue, session, server: Server, result: str) -> None:
    for key, request in queue:
        start = time.monotonic()
        found, is_down = await _ask_one(session, server, request, result)
        found["latency_s"] = round(time.monotonic() - start, 3)
        empty = {"status": "error", "reply": None, result: None}
        replies.put_nowait(({"key": key, **request.about, **empty, **_storable(found)}, is_down))


async def _write(replies: asyncio.Queue, ledger: Path, records: dict, server: Server, n: int) -> None:
    """Append replies as they come, all that came in during one flush with the next, up to None."""
    down_in_a_row, ended = 0, False
    with progress(n, "replies", server.model) as bar:
        while not ended:
            batch = [await replies.get()]
            while not replies.empty():
                batch.append(replies.get_nowait())
            ended = batch[-1] is None
            batch = batch[:-1] if ended else batch
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


async def _ask_one(session, server: Server, request: Request, result: str) -> tuple[dict, bool]:
    """What the reply adds to the record, and whether the server itself is the reason that there is none."""
    sampling = {"temperature": server.temperature, "max_tokens": server.max_tokens}
    question = {"model": server.model, "messages": request.messages, **sampling}
    status, text = await _fetch(session, server, server.max_retries, "POST", "/chat/completions", json=question)
    if status == 200:
        return _read(text, request, result), False
    error = {"error": (text if status is None else f"HTTP {status}: {text}")[:_MAX_ERROR_CHARS]}
    is_refused = status is not None and status < 500 and f'"{_REFUSAL}"' in text  # moderated before the model saw it
    return error | {"status": "refused" if is_refused else "error"}, _is_worth_retrying(status)


async def _fetch(session, server: Server, retries: int, method: str, path: str, **body) -> tuple[int | None, str]:
    """HTTP status and text of the answer; None and why, where none came. Raises PermissionError for a rejected key.

    Busy or broken servers and lost connections are tried again, after the time that the server asks for.
    """
    import aiohttp

    headers = {"Authorization": f"Bearer {os.environ.get('OPENAI_API_KEY', 'none')}"}
    for attempt in range(retries + 1):
        wait_s = min(_FIRST_WAIT_S * 2**attempt, _LONGEST_WAIT_S) * random.uniform(0.75, 1)
        try:
            address = server.base_url.rstrip("/") + path
            async with session.request(method, address, headers=headers, **body) as response:
                status, text = response.status, (await response.read()).decode(errors="replace")
                wait_s = _asked_wait_s(response.headers) or wait_s
        except (aiohttp.ClientError, TimeoutError) as error:
            status, text = None, str(error) or type(error).__name__
        if status == 401:
            said = text[:_MAX_ERROR_CHARS]
            raise PermissionError(f"{server.base_url} rejects the API key; set OPENAI_API_KEY ({said})")
        if not _is_worth_retrying(status) or attempt == retries:
            break
        await asyncio.sleep(wait_s)
    return status, text


def _is_worth_retrying(status: int | None) -> bool:
    return status in (None, 408, 409, 429) or status >= 500


def _asked_wait_s(headers) -> float | None:
    """How long the server asks to wait, up to two minutes; None where it does not ask, or for a date."""
    for name, unit_s in (("Retry-After-Ms", 1e-3), ("Retry-After", 1.0)):
        value = headers.get(name, "")
        if value.isdecimal() and 0 < int(value) * unit_s <= _LONGEST_ASKED_WAIT_S:
            return int(value) * unit_s
    return None


def _proxy(url: str) -> str | None:
    """The proxy that the environment (HTTPS_PROXY, NO_PROXY …) names for this address."""
    parts = urllib.parse.urlsplit(url)
    if not parts.hostname or urllib.request.proxy_bypass(parts.hostname):
        return None
    return urllib.request.getproxies().get(parts.scheme)


def _read(body: str, request: Request, result: str) -> dict:
    """Status, reply and the rest of a chat completion; whatever else a server sends is an error."""
    try:
        completion = json.loads(body)
        choice = completion["choices"][0]
        message, reason = choice["message"], choice.get("finish_reason")
        reply, refusal = message.get("content"), message.get("refusal")
        found = {"reply": reply, "usage": completion.get("usage"), "finish_reason": reason}
        found["model"] = completion.get("model")
        text = "" if reply is None else reply.strip()
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return {"error": f"no chat completion: {body[:_MAX_ERROR_CHARS]!r}"}
    if reason == _REFUSAL or refusal:
        return found | {"status": "refused"}
    if reason == "length":
        return found | {"status": "truncated"}
    if not text:
        return found | {"status": "unparsable", "error": "the reply is empty"}
    try:
        return found | {"status": "ok", result: request.parse(text)}
    except (ValueError, ArithmeticError, RecursionError) as error:
        return found | {"status": "unparsable", "error": str(error)[:_MAX_ERROR_CHARS]}


def _storable(found: dict) -> dict:
    """The same in what a UTF-8 JSON file can hold: half a surrogate pair becomes `?`, an infinite number its name."""
    return json.loads(json.dumps(found, ensure_ascii=False).encode(errors="replace"), parse_constant=str)

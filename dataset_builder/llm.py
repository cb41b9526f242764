"""The one client for LLMs (teacher and judges): any OpenAI-compatible server, every reply kept, nothing paid for twice.

Replies go to an append-only JSONL ledger, one line each, flushed to disk as they come. A request whose key has an `ok`
line in the ledger is answered from there; every other status is asked again by the next run.
"""

import asyncio
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from dataset_builder.jsonfiles import append_jsonl, read_jsonl
from dataset_builder.progress import progress

_DEAD_AFTER = 8  # failures to connect in a row, each after the client's own retries
_REFUSAL = "content_filter"


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
    """One question to the LLM; `about` (JSON values) is stored with the reply and is part of the request's identity."""

    messages: list[dict]
    about: dict = field(default_factory=dict)

    def key(self, server: Server) -> str:
        """sha256 of everything the reply depends on: model, revision, sampling, messages and `about`."""
        sampling = [server.model, server.revision, server.temperature, server.max_tokens]
        text = json.dumps([sampling, self.messages, self.about], sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()


def ask(requests: Iterable[Request], server: Server, ledger: Path, parse: Callable[[str], object]) -> dict[str, dict]:
    """Ask the server all that the ledger does not answer yet; returns key -> record of every request.

    A record holds `key`, `about`, `status` (ok | refused | unparsable | truncated | error), `reply` (raw text),
    `parsed` (what `parse` made of it; `parse` raises ValueError for text it cannot use), `usage`, `finish_reason`,
    `latency_s`, `model` (as served) and, for errors, `error`. Raises ConnectionError when the server does not answer
    at all, PermissionError when it rejects the API key; what was answered before is kept.
    """
    wanted = {request.key(server): request for request in requests}
    ledger.parent.mkdir(parents=True, exist_ok=True)
    records = {key: record for key, record in read_ledger(ledger).items() if key in wanted}
    todo = [key for key in wanted if records.get(key, {}).get("status") != "ok"]
    if todo:
        asyncio.run(_ask_all({key: wanted[key] for key in todo}, server, ledger, parse, records))
    return records


def read_ledger(ledger: Path) -> dict[str, dict]:
    """key -> latest record."""
    return {record["key"]: record for record in read_jsonl(ledger)}


async def _ask_all(todo: dict[str, Request], server: Server, ledger: Path, parse, records: dict[str, dict]) -> None:
    import openai

    key = os.environ.get("OPENAI_API_KEY", "none")
    client = openai.AsyncOpenAI(
        base_url=server.base_url, api_key=key, timeout=server.timeout_s, max_retries=server.max_retries
    )
    queue, failures = iter(todo.items()), 0

    async def worker(bar) -> None:
        nonlocal failures
        for key, request in queue:
            record = await _ask_one(client, server, key, request, parse)
            failures = failures + 1 if record.pop("dead", False) else 0
            if failures >= _DEAD_AFTER:
                raise ConnectionError(f"{server.base_url} does not answer ({record['error']}); run again to continue")
            append_jsonl(ledger, [record])
            records[key] = record
            bar.update()

    with progress(len(todo), "replies", server.model) as bar:
        async with client:
            workers = [asyncio.create_task(worker(bar)) for _ in range(min(server.concurrency, len(todo)))]
            try:
                await asyncio.gather(*workers)
            finally:
                for task in workers:
                    task.cancel()
                await asyncio.gather(*workers, return_exceptions=True)


async def _ask_one(client, server: Server, key: str, request: Request, parse) -> dict:
    import openai

    record = {"key": key, "about": request.about, "status": "error", "reply": None, "parsed": None}
    start = time.monotonic()
    try:
        completion = await client.chat.completions.create(
            model=server.model,
            messages=request.messages,
            temperature=server.temperature,
            max_tokens=server.max_tokens,
        )
    except (openai.AuthenticationError, openai.PermissionDeniedError) as error:
        raise PermissionError(f"{server.base_url} rejects the API key; set OPENAI_API_KEY ({error})") from error
    except openai.APIConnectionError as error:
        return record | {"error": str(error.__cause__ or error), "dead": True}
    except (openai.APIError, ValueError) as error:  # ValueError: a reply that is no JSON
        return record | {"error": str(error)}
    record |= {"latency_s": round(time.monotonic() - start, 3), "model": completion.model}
    return record | _judge_reply(completion, parse)


def _judge_reply(completion, parse) -> dict:
    if not completion.choices:
        return {"error": "the server's reply has no choices"}
    choice = completion.choices[0]
    text = choice.message.content
    found = {
        "reply": text,
        "finish_reason": choice.finish_reason,
        "usage": completion.usage.model_dump(exclude_none=True) if completion.usage else None,
    }
    if choice.finish_reason == _REFUSAL or getattr(choice.message, "refusal", None):
        return found | {"status": "refused"}
    if choice.finish_reason == "length":
        return found | {"status": "truncated"}
    try:
        return found | {"status": "ok", "parsed": parse(text or "")}
    except ValueError as error:
        return found | {"status": "unparsable", "error": str(error)}

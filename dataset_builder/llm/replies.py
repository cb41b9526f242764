"""What an LLM's server sends -> what the record of the reply says."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from dataset_builder.llm.requests import Request
from trust.handovers import stamped

MAX_ERROR_CHARS = 500  # some servers send whole pages
_REFUSAL = "content_filter"
_REASONING = ("reasoning_content", "reasoning")  # where servers put it, of one meaning
_END_OF_THOUGHT = "</think>"
_STRING_OR_TRAILING_COMMA = re.compile(r'"(?:\\.|[^"\\])*"|,(?=\s*[}\]])', re.S)


def read_completion(body: str, request: Request, result: str) -> dict:
    """Status, reply and the rest of a chat completion; whatever else a server sends is an error.

    Where the status is `ok`, the parsed reply is there under the name `result`. What a model thought before its answer
    is kept as `reasoning` where the server tells it apart.
    """
    try:
        completion = json.loads(body)
        choice = completion["choices"][0]
        message, reason = choice["message"], choice.get("finish_reason")
        reply, refusal = message.get("content"), message.get("refusal")
        found = {"reply": reply, "usage": completion.get("usage"), "finish_reason": reason}
        found["model"] = completion.get("model")
        found |= _reasoning(message)
        text = "" if reply is None else reply.strip()
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return {"error": f"no chat completion: {body[:MAX_ERROR_CHARS]!r}"}
    if reason == _REFUSAL or refusal:
        return found | {"status": "refused"}
    if reason == "length":
        return found | {"status": "truncated"}
    if not text:
        return found | {"status": "unparsable", "error": "the reply is empty"}
    try:
        return found | {"status": "ok", result: request.parse(text)}
    except (ValueError, ArithmeticError, RecursionError) as error:
        return found | {"status": "unparsable", "error": str(error)[:MAX_ERROR_CHARS]}


def record_of(key: str, request: Request, result: str, found: dict) -> dict:
    """The ledger's line: `found` (see `read_completion`) about the request with this key."""
    empty = {"status": "error", "reply": None, result: None}
    return stamped({"key": key, **request.about, **empty, **storable(found)})


def failed(status: int | None, text: str) -> dict:
    """What the record says where an HTTP status other than 200, or none, came back."""
    said = text if status is None else f"HTTP {status}: {text}"
    return {"error": said[:MAX_ERROR_CHARS], "status": "refused" if is_moderated(status, text) else "error"}


def only_object(reply: str, keys: Iterable[str]) -> dict[str, Any]:
    """The one JSON object with these keys in a reply: bare, fenced, with words around it, behind `</think>`.

    Forgiven is what leaves no doubt of the content: a comma before a closing bracket, line ends within strings. Raises
    ValueError where there is no such object, or more than one that differ.
    """
    wanted = set(keys)
    found: list[dict[str, Any]] = []
    for value in _objects(answer_of(reply)):
        if wanted <= value.keys() and value not in found:
            found.append(value)
    if len(found) != 1:
        count = "several JSON objects" if found else "no JSON object"
        raise ValueError(f"{count} with {', '.join(sorted(wanted))}")
    return found[0]


def answer_of(reply: str) -> str:
    """The reply without what the model thought before it, which ends with `</think>`; nothing where it never ends."""
    if _END_OF_THOUGHT in reply:
        return reply.rpartition(_END_OF_THOUGHT)[2]
    return "" if reply.lstrip().startswith("<think>") else reply


def read_message(body: str) -> str:
    """The text of a chat completion without thoughts; empty where there is none."""
    reply = read_completion(body, Request([]), "reply").get("reply")
    return answer_of(reply) if isinstance(reply, str) else ""


def error_reason(text: str) -> str:
    """The message in a server's answer to a request that it refuses, on one line; else the answer itself."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = text
    for name in ("error", "message", "detail"):
        value = value.get(name) or value if isinstance(value, dict) else value
    said = value if isinstance(value, str) else json.dumps(value)
    return " ".join(said.split())[:MAX_ERROR_CHARS]


def is_moderated(status: int | None, text: str) -> bool:
    """Whether an HTTP error says that the server's moderation refused the question before the model saw it."""
    return status is not None and status < 500 and f'"{_REFUSAL}"' in text


def storable(found: dict) -> dict:
    """The same in what a UTF-8 JSON file can hold: half a surrogate pair becomes `?`, an infinite number its name."""
    return json.loads(json.dumps(found, ensure_ascii=False).encode(errors="replace"), parse_constant=str)


def _reasoning(message: dict) -> dict[str, str]:
    thoughts = [message[name] for name in _REASONING if isinstance(message.get(name), str)]
    return {"reasoning": thoughts[0]} if thoughts else {}


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """The JSON objects in a text that stand in no other."""
    start = text.find("{")
    while start >= 0:
        try:
            value, end = _object_at(text, start)
            yield value
        except json.JSONDecodeError:
            end = start + 1
        start = text.find("{", end)


def _object_at(text: str, start: int) -> tuple[dict[str, Any], int]:
    """The object that begins at `start`, and where it ends; without its trailing commas where it is none with them."""
    decoder = json.JSONDecoder(strict=False, object_pairs_hook=_without_doubt)
    try:
        return decoder.raw_decode(text, start)
    except json.JSONDecodeError:
        commas = [match.start() for match in _STRING_OR_TRAILING_COMMA.finditer(text, start) if match[0] == ","]
        if not commas:
            raise
    pieces = [text[a:b] for a, b in zip([start, *(i + 1 for i in commas)], [*commas, len(text)], strict=True)]
    value, end = decoder.raw_decode("".join(pieces))
    end += start
    for comma in commas:
        end += comma < end
    return value, end


def _without_doubt(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("a key of the JSON object is there twice")
    return value

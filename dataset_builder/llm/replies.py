"""What an LLM's server sends -> what the record of the reply says."""

import json

from dataset_builder.llm.requests import Request

MAX_ERROR_CHARS = 500  # some servers send whole pages
_REFUSAL = "content_filter"


def read_completion(body: str, request: Request, result: str) -> dict:
    """Status, reply and the rest of a chat completion; whatever else a server sends is an error.

    Where the status is `ok`, the parsed reply is there under the name `result`.
    """
    try:
        completion = json.loads(body)
        choice = completion["choices"][0]
        message, reason = choice["message"], choice.get("finish_reason")
        reply, refusal = message.get("content"), message.get("refusal")
        found = {"reply": reply, "usage": completion.get("usage"), "finish_reason": reason}
        found["model"] = completion.get("model")
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


def is_moderated(status: int | None, text: str) -> bool:
    """Whether an HTTP error says that the server's moderation refused the question before the model saw it."""
    return status is not None and status < 500 and f'"{_REFUSAL}"' in text


def storable(found: dict) -> dict:
    """The same in what a UTF-8 JSON file can hold: half a surrogate pair becomes `?`, an infinite number its name."""
    return json.loads(json.dumps(found, ensure_ascii=False).encode(errors="replace"), parse_constant=str)

"""The form of a reply: whether a server holds a model to a JSON schema.

Found by asking once, and remembered beside the ledger: some servers ignore `response_format` without a word
(transformers serve), some refuse it, some know `json_object` alone.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp

from dataset_builder.files.jsonfiles import write_json
from dataset_builder.llm import http
from dataset_builder.llm.replies import error_reason, read_message
from dataset_builder.llm.requests import Server

JSON_SCHEMA, JSON_OBJECT, NONE = "json_schema", "json_object", "none"
_REMEMBERED = "llm_servers.json"
# A model that nothing holds to the schema says "blue", or has another key.
_SCHEMA = {
    "type": "object",
    "properties": {"ldrt_probe": {"type": "string", "enum": ["green", "violet"]}},
    "required": ["ldrt_probe"],
    "additionalProperties": False,
}
_QUESTION = "Which colour is a clear sky at noon? Answer in one word."
_QUESTION_JSON = "Which colour is a clear sky at noon? Reply with one JSON object."


def response_format(form: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a request's body that ask for this form."""
    if form == NONE:
        return {}
    if form == JSON_OBJECT:
        return {"response_format": {"type": JSON_OBJECT}}
    named = {"name": "reply", "strict": True, "schema": dict(schema)}
    return {"response_format": {"type": JSON_SCHEMA, "json_schema": named}}


async def known_form(session: aiohttp.ClientSession, server: Server, folder: Path) -> str:
    """json_schema, json_object or none: what the server honours for this model; asked once a `folder`.

    Raises RuntimeError with the server's reason where it refuses the plain question, too, ConnectionError where it
    gives no answer.
    """
    if "response_format" in server.request:  # the user's own
        return NONE
    path, name = folder / _REMEMBERED, f"{server.model} at {server.base_url}"
    forms = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if name not in forms:
        forms[name] = await _probe(session, server)
        write_json(path, forms)
    return forms[name]


async def _probe(session: aiohttp.ClientSession, server: Server) -> str:
    said = await _said(session, server, _QUESTION, response_format(JSON_SCHEMA, _SCHEMA))
    if isinstance(said, dict) and said.get("ldrt_probe") in ("green", "violet"):
        return JSON_SCHEMA
    said = await _said(session, server, _QUESTION_JSON, response_format(JSON_OBJECT, _SCHEMA))
    if isinstance(said, dict):
        return JSON_OBJECT
    if said is None:  # refused: for the form, or for a reason that no form mends?
        answer = await _ask(session, server, _QUESTION, {})
        if answer.status != 200:
            raise RuntimeError(f"{server.base_url} refuses: HTTP {answer.status}: {error_reason(answer.text)}")
    return NONE


async def _said(session: aiohttp.ClientSession, server: Server, question: str, form: dict[str, Any]) -> object:
    """What the model says: the JSON value, the text where it is none, None where the server refuses."""
    answer = await _ask(session, server, question, form)
    if answer.status != 200:
        return None
    text = read_message(answer.text)
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


async def _ask(session: aiohttp.ClientSession, server: Server, question: str, form: dict[str, Any]) -> http.Answer:
    messages = [{"role": "user", "content": question}]
    body = {"model": server.model, "messages": messages, **server.sampling, **form}
    answer = await http.fetch(session, server, server.max_retries, "POST", "/chat/completions", body)
    if answer.is_down and not 500 <= (answer.status or 0) < 600:
        raise ConnectionError(f"{server.base_url} does not answer ({answer.text}); run again later")
    return answer

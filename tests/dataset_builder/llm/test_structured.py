"""What a server honours of `response_format` is found by asking once."""

import json

import pytest

from dataset_builder.llm.client import ask
from dataset_builder.llm.requests import Request, Server
from tests.dataset_builder.llm_server import completion, serve

SCHEMA = {"type": "object", "properties": {"score": {"type": "integer"}}, "required": ["score"]}


def questions(n: int, schema=SCHEMA) -> list[Request]:
    return [Request([{"role": "user", "content": f"question {i}"}], {"item": i}, json.loads, schema) for i in range(n)]


@pytest.mark.parametrize("honours", ["json_schema", "json_object", "none", "refused"])
def test_what_the_server_honours_is_sent_and_nothing_else(tmp_path, honours):
    with serve(lambda _: completion('{"score": 1}'), honours=honours) as (url, seen):
        ask(questions(3), Server(url, "m"), tmp_path / "ledger.jsonl")
    formats = [request.get("response_format") for request in seen]
    whole = {"type": "json_schema", "json_schema": {"name": "reply", "strict": True, "schema": SCHEMA}}
    expected = {"json_schema": whole, "json_object": {"type": "json_object"}}.get(honours)
    assert formats == [expected] * 3


def test_the_finding_is_remembered_by_server_and_model(tmp_path):
    ledger = tmp_path / "ledger.jsonl"
    with serve(lambda _: completion("1"), honours="json_schema") as (url, _):
        ask(questions(1), Server(url, "m"), ledger)
        remembered = json.loads((tmp_path / "llm_servers.json").read_text())
        assert remembered == {f"m at {url}": "json_schema"}
        (tmp_path / "llm_servers.json").write_text(json.dumps({f"m at {url}": "none"}))
        ask(questions(2), Server(url, "m"), ledger)
        assert json.loads((tmp_path / "llm_servers.json").read_text()) == {f"m at {url}": "none"}  # not asked again
        ask(questions(2), Server(url, "other"), ledger)
    assert json.loads((tmp_path / "llm_servers.json").read_text())[f"other at {url}"] == "json_schema"


def test_requests_without_a_schema_and_formats_of_ones_own_are_left_alone(tmp_path):
    with serve(lambda _: completion("1"), honours="json_schema") as (url, seen):
        ask(questions(1, schema=None), Server(url, "m"), tmp_path / "ledger.jsonl")
        own = {"response_format": {"type": "text"}}
        ask(questions(1), Server(url, "m", request=own), tmp_path / "ledger.jsonl")
    assert [request.get("response_format") for request in seen] == [None, {"type": "text"}]
    assert not (tmp_path / "llm_servers.json").exists()


def test_fields_of_the_request_are_added_replaced_and_left_out(tmp_path):
    ledger = tmp_path / "ledger.jsonl"
    with serve(lambda _: completion("1")) as (url, seen):
        ask(questions(1, None), Server(url, "m"), ledger)
        ask(questions(1, None), Server(url, "m", request={"max_completion_tokens": 7}), ledger)  # no other reply
        assert len(seen) == 1
        ask(questions(1, None), Server(url, "m", request={"max_completion_tokens": 7, "temperature": None}), ledger)
        ask(questions(1, None), Server(url, "m", request={"top_p": 0.5, "max_tokens": 9}), ledger)
        ask(questions(1, None), Server(url, "m", request={"top_p": 0.5}), ledger)
    sent = [{k: v for k, v in request.items() if k not in ("model", "messages")} for request in seen]
    assert sent == [
        {"temperature": 0.0, "max_tokens": 1024},
        {"max_completion_tokens": 7},
        {"temperature": 0.0, "max_tokens": 9, "top_p": 0.5},
    ]


@pytest.mark.parametrize("name", ["model", "messages", "stream", "n"])
def test_what_is_no_matter_of_sampling_cannot_be_set(name):
    with pytest.raises(ValueError, match=f"{name} cannot be set by --request"):
        Server("http://127.0.0.1:9/v1", "m", request={name: 1})


def test_thoughts_are_kept_and_never_the_answer(tmp_path):
    thought = [
        completion(None, reasoning_content='{"score": 1}'),
        completion("2", reasoning="so"),
        completion(None, "length", reasoning_content="too long"),
    ]
    with serve(lambda request: thought[int(request["messages"][0]["content"][-1])]) as (url, _):
        records = list(ask(questions(3, None), Server(url, "m"), tmp_path / "ledger.jsonl").values())
    assert {(record["status"], record["parsed"], record["reasoning"]) for record in records} == {  # as they come
        ("unparsable", None, '{"score": 1}'),
        ("ok", 2, "so"),
        ("truncated", None, "too long"),
    }

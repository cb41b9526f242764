"""The LLM client against a real HTTP server: statuses, resuming, and paying once."""

import contextlib
import json
import resource
import threading
import time

import pytest

from dataset_builder.files.jsonfiles import read_jsonl
from dataset_builder.llm.client import ask
from dataset_builder.llm.requests import Request, Server
from tests.dataset_builder.llm_server import completion, serve


def questions(n: int, parse=json.loads) -> list[Request]:
    return [Request([{"role": "user", "content": f"question {i}"}], {"item": i}, parse) for i in range(n)]


def run(url: str, requests, ledger, **options) -> list[dict]:
    server = Server(url, "judge", max_retries=options.pop("max_retries", 2), **options)
    return sorted(ask(requests, server, ledger).values(), key=lambda record: record["item"])


BAD_REPLIES = {
    "eight": (completion("Eight, I think."), "unparsable"),
    "nothing": (completion(""), "unparsable"),
    "null": (completion(None), "unparsable"),
    "cut": (completion('{"score":', "length"), "truncated"),
    "filtered": (completion("", "content_filter"), "refused"),
    "too long": (400, "error"),
    "no such model": (404, "error"),
    "broken": (500, "error"),
    "busy": (429, "error"),
    "dropped": (None, "error"),
    "broken off": (b'{"choices": [', "error"),
    "no JSON": ('{"choices": [', "error"),
    "a page": ("<html>502</html>", "error"),
    "another object": ({"choices": None}, "error"),
    "a list": ("[]", "error"),
    "no text": (completion(["part"]), "error"),
    "nested": ("[" * 100_000, "error"),
}


def test_every_status_is_told_apart_and_none_stops_the_others(tmp_path):
    good = questions(len(BAD_REPLIES) + 1)[-1]
    requests = [*questions(len(BAD_REPLIES)), good]
    replies = [reply for reply, _ in BAD_REPLIES.values()] + [completion('{"score": 8}')]
    with serve(lambda request: replies[int(request["messages"][0]["content"].split()[1])]) as (url, _):
        records = run(url, requests, tmp_path / "ledger.jsonl", max_retries=0)
    *bad, ok = records
    assert {name: r["status"] for name, r in zip(BAD_REPLIES, bad, strict=True)} == {
        name: status for name, (_, status) in BAD_REPLIES.items()
    }
    assert all(record["parsed"] is None for record in bad)
    assert bad[0]["reply"] == "Eight, I think."
    assert all("error" in record for record in bad if record["status"] == "error")
    assert ok["parsed"] == {"score": 8}
    assert ok["usage"]["total_tokens"] == 15
    assert ok["model"] == "served"
    assert list(read_jsonl(tmp_path / "ledger.jsonl"))
    assert ok["latency_s"] >= 0


def test_a_refusal_by_the_moderation_before_the_model_is_one(tmp_path):
    moderated = completion("I cannot") | {}
    moderated["choices"][0]["message"]["refusal"] = "no"
    with serve(lambda _: moderated) as (url, _):
        assert [r["status"] for r in run(url, questions(1), tmp_path / "ledger.jsonl")] == ["refused"]


def test_a_reply_that_no_file_can_hold_is_kept_with_question_marks(tmp_path):
    body = json.dumps(completion('"half \\ud83d"') | {"usage": {"total_tokens": float("inf")}})
    with serve(lambda _: body) as (url, _):
        (record,) = run(url, questions(1), tmp_path / "ledger.jsonl")
    assert record["status"] == "ok"
    assert record["parsed"] == "half ?"
    assert list(read_jsonl(tmp_path / "ledger.jsonl")) == [record]


def test_only_what_is_missing_is_asked_again(tmp_path):
    ledger, good = tmp_path / "ledger.jsonl", threading.Event()

    def answer(request):
        odd = int(request["messages"][0]["content"][-1]) % 2
        return completion("1") if good.is_set() or not odd else 400

    with serve(answer) as (url, seen):
        assert [r["status"] for r in run(url, questions(4), ledger)] == ["ok", "error"] * 2
        good.set()
        assert [r["status"] for r in run(url, questions(4), ledger)] == ["ok"] * 4
        assert len(seen) == 6
        run(url, questions(4), ledger)
        run(url, questions(4), ledger, max_tokens=2048)  # what is whole would be no other with more room
        assert len(seen) == 6
        run(url, questions(4), ledger, temperature=0.5)  # another setting is another question
        assert len(seen) == 10


UNREAD = {  # reply, settings of the next run, whether it is asked again
    "talk": (completion("Eight, I think."), {}, False),
    "empty, paid for all the same": (completion(""), {}, False),
    "talk, and another try is asked for": (completion("Eight."), {"retry_unparsable": True}, True),
    "talk, and another prompt": (completion("Eight."), {"temperature": 0.5}, True),
    "cut where it would be cut again": (completion('{"a', "length"), {}, False),
    "cut, and now there is more room": (completion('{"a', "length"), {"max_tokens": 6}, True),
    "cut, and another try is asked for": (completion('{"a', "length"), {"retry_unparsable": True}, True),
    "refused": (completion("", "content_filter"), {}, True),
    "an error of the server": (500, {}, True),
    "refused for its form": (400, {}, True),
    "no completion": ("{}", {}, True),
}


@pytest.mark.parametrize("case", UNREAD)
def test_a_reply_that_was_paid_for_and_cannot_be_read_is_not_paid_for_twice(tmp_path, case):
    reply, changed, is_asked_again = UNREAD[case]
    ledger, settings = tmp_path / "ledger.jsonl", {"max_tokens": 5, "max_retries": 0}  # `completion` has 5 tokens
    with serve(lambda _: reply) as (url, seen):
        first = run(url, questions(1), ledger, **settings)
        run(url, questions(1), ledger, **settings | changed)
        assert len(seen) == 1 + is_asked_again
        if not is_asked_again:
            assert run(url, questions(1), ledger, **settings) == first  # and its record is still there


def test_a_good_reply_is_never_replaced_by_a_later_failure(tmp_path):
    ledger = tmp_path / "ledger.jsonl"
    with serve(lambda _: completion("1")) as (url, seen):
        (record,) = run(url, questions(1), ledger)
        with ledger.open("a") as file:
            file.write(json.dumps(record | {"status": "error"}) + "\n")
        assert run(url, questions(1), ledger) == [record]
        assert len(seen) == 1


def test_a_torn_last_line_is_cut_and_its_request_asked_again(tmp_path):
    ledger = tmp_path / "ledger.jsonl"
    with serve(lambda _: completion("1")) as (url, seen):
        run(url, questions(3), ledger, concurrency=1)
        ledger.write_bytes(ledger.read_bytes()[:-20])
        assert [r["status"] for r in run(url, questions(3), ledger)] == ["ok"] * 3
        assert len(seen) == 4
    assert all(json.loads(line) for line in ledger.read_text().splitlines())


def test_busy_servers_and_dropped_connections_are_tried_again(tmp_path):
    failures = iter([429, None, 500])
    with serve(lambda _: next(failures, completion("1"))) as (url, _):
        records = run(url, questions(1), tmp_path / "ledger.jsonl", max_retries=4)
    assert records[0]["status"] == "ok"


def test_a_dead_server_stops_the_run_in_one_line(tmp_path):
    with pytest.raises(ConnectionError, match="127.0.0.1:9/v1 does not answer"):
        run("http://127.0.0.1:9/v1", questions(50), tmp_path / "ledger.jsonl")
    assert not (tmp_path / "ledger.jsonl").exists()


@pytest.mark.parametrize("failure", [None, 429, 503])
def test_a_server_that_dies_stops_the_run_and_what_it_said_is_kept(tmp_path, failure):
    replies = iter([completion("1")] * 10)
    stops = pytest.raises(ConnectionError, match="does not answer .* run again later")
    with serve(lambda _: next(replies, failure)) as (url, seen), stops:
        run(url, questions(500), tmp_path / "ledger.jsonl", max_retries=0, concurrency=4)
    assert [r["status"] for r in read_jsonl(tmp_path / "ledger.jsonl")].count("ok") == 10
    assert len(seen) < 200


def test_a_rejected_key_stops_the_run(tmp_path):
    with serve(lambda _: 401) as (url, seen), pytest.raises(PermissionError, match="OPENAI_API_KEY"):
        run(url, questions(50), tmp_path / "ledger.jsonl", concurrency=2)
    assert len(seen) <= 4


def test_the_key_comes_from_the_environment(tmp_path, monkeypatch):
    with serve(lambda _: completion("1"), api_key="secret") as (url, _):
        monkeypatch.delenv("OPENAI_API_KEY", raising=False)
        with pytest.raises(PermissionError, match="OPENAI_API_KEY"):
            run(url, questions(1), tmp_path / "ledger.jsonl")
        monkeypatch.setenv("OPENAI_API_KEY", "secret")
        assert [r["status"] for r in run(url, questions(1), tmp_path / "ledger.jsonl")] == ["ok"]
    assert "secret" not in (tmp_path / "ledger.jsonl").read_text()


def test_a_server_is_left_alone_as_long_as_it_asks(tmp_path):
    moments = []

    def busy_once(_):
        moments.append(time.monotonic())
        return 429 if len(moments) == 1 else completion("1")

    with serve(busy_once, retry_after_ms=900) as (url, _):
        run(url, questions(1), tmp_path / "ledger.jsonl")
    assert moments[1] - moments[0] >= 0.9  # by itself it would have waited for half a second at most


@contextlib.contextmanager
def largest_file(n_bytes: int):
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)


def test_a_full_disk_stops_the_run_in_one_line_and_it_goes_on_from_there(tmp_path):
    ledger = tmp_path / "ledger.jsonl"
    with serve(lambda _: completion(json.dumps("x" * 1000))) as (url, seen):
        with largest_file(10_000), pytest.raises(OSError, match="ledger.jsonl cannot be written .* run again"):
            run(url, questions(200), ledger, concurrency=4)
        asked = len(seen)
        kept = sum(record["status"] == "ok" for record in read_jsonl(ledger))
        assert 0 < kept < asked < 50
        assert [r["status"] for r in run(url, questions(200), ledger)] == ["ok"] * 200
    assert len(seen) == asked + 200 - kept


def test_requests_run_side_by_side(tmp_path):
    together = threading.Barrier(8, timeout=600)  # breaks unless eight requests are under way at once

    def answer(_):
        together.wait()
        return completion("1")

    with serve(answer) as (url, _):
        assert len(run(url, questions(16), tmp_path / "ledger.jsonl", concurrency=8)) == 16

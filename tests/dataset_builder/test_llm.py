"""The LLM client against a real HTTP server: statuses, resuming, and paying once."""

import json
import threading

import pytest

from dataset_builder.llm import Request, Server, ask, read_ledger
from tests.dataset_builder.llm_server import completion, serve


def questions(n: int) -> list[Request]:
    return [Request([{"role": "user", "content": f"question {i}"}], {"item": i}) for i in range(n)]


def run(url: str, requests, ledger, parse=json.loads, **options) -> list[dict]:
    server = Server(url, "judge", max_retries=options.pop("max_retries", 2), **options)
    records = ask(requests, server, ledger, parse)
    return sorted(records.values(), key=lambda record: record["about"]["item"])


def test_every_status_is_told_apart_and_kept(tmp_path):
    replies = {
        "question 0": completion('{"score": 8}'),
        "question 1": completion("Eight, I think."),
        "question 2": completion('{"score":', "length"),
        "question 3": completion("", "content_filter"),
        "question 4": 400,
    }
    with serve(lambda request: replies[request["messages"][0]["content"]]) as (url, _):
        records = run(url, questions(5), tmp_path / "ledger.jsonl")
    assert [record["status"] for record in records] == ["ok", "unparsable", "truncated", "refused", "error"]
    assert records[0]["parsed"] == {"score": 8} and records[1]["reply"] == "Eight, I think."
    assert records[0]["usage"]["total_tokens"] == 15 and records[0]["model"] == "served"
    assert len(read_ledger(tmp_path / "ledger.jsonl")) == 5


def test_only_what_is_missing_is_asked_again(tmp_path):
    ledger, good = tmp_path / "ledger.jsonl", threading.Event()

    def answer(request):
        odd = int(request["messages"][0]["content"][-1]) % 2
        return completion("1") if good.is_set() or not odd else completion("one")

    with serve(answer) as (url, seen):
        assert [r["status"] for r in run(url, questions(4), ledger)] == ["ok", "unparsable"] * 2
        good.set()
        assert [r["status"] for r in run(url, questions(4), ledger)] == ["ok"] * 4
        assert len(seen) == 6
        run(url, questions(4), ledger)
        assert len(seen) == 6
        run(url, questions(4), ledger, temperature=0.5)  # another setting is another question
        assert len(seen) == 10


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
    with pytest.raises(ConnectionError, match="does not answer .* run again to continue"):
        run("http://127.0.0.1:9/v1", questions(50), tmp_path / "ledger.jsonl", max_retries=0)


def test_a_rejected_key_stops_the_run(tmp_path):
    with serve(lambda _: 401) as (url, seen), pytest.raises(PermissionError, match="OPENAI_API_KEY"):
        run(url, questions(50), tmp_path / "ledger.jsonl", concurrency=2)
    assert len(seen) <= 4


def test_requests_run_side_by_side(tmp_path):
    together = threading.Barrier(8, timeout=20)  # breaks unless eight requests are under way at once

    def answer(_):
        together.wait()
        return completion("1")

    with serve(answer) as (url, _):
        assert len(run(url, questions(16), tmp_path / "ledger.jsonl", concurrency=8)) == 16

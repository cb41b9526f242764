"""The Batch API: nothing is submitted twice, whatever is killed when."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter

import pytest

from dataset_builder.files.jsonfiles import read_jsonl
from dataset_builder.llm import batch as batch_module
from dataset_builder.llm.batch import ask_in_batches
from dataset_builder.llm.limits import BudgetReached
from dataset_builder.llm.requests import Price, Request, Server
from tests.dataset_builder.batch_server import Batches
from tests.dataset_builder.llm_server import completion, serve

# What a process of its own asks, so that it can be killed.
ASK = """
import json, sys
from pathlib import Path
from dataset_builder.llm.batch import ask_in_batches
from tests.dataset_builder.llm.test_batch import questions, wanted
from dataset_builder.llm.requests import Server
ask_in_batches(wanted(questions(5), Server(sys.argv[1], "m")), Server(sys.argv[1], "m"), Path(sys.argv[2]))
"""


def questions(n: int, word: str = "question") -> list[Request]:
    return [Request([{"role": "user", "content": f"{word} {i}"}], {"item": i}, json.loads) for i in range(n)]


def wanted(requests: list[Request], server: Server):
    return lambda: ((server.key(request), request) for request in requests)


def statuses(ledger) -> list[tuple[int, str]]:
    return sorted((record["item"], record["status"]) for record in read_jsonl(ledger))


def number(request: dict) -> int:
    return int(request["messages"][0]["content"].split()[1])


def test_replies_come_back_in_any_order_and_files_are_gone(tmp_path):
    ledger, api = tmp_path / "ledger.jsonl", Batches(polls=2)
    with serve(lambda request: completion(str(number(request))), batches=api) as (url, seen):
        server = Server(url, "m")
        ask_in_batches(wanted(questions(5), server), server, ledger)
        ask_in_batches(wanted(questions(5), server), server, ledger)
    assert seen == []
    assert [(r["item"], r["parsed"]) for r in sorted(read_jsonl(ledger), key=lambda r: r["item"])] == [
        (i, i) for i in range(5)
    ]
    assert len(api.made) == 1
    assert list((tmp_path / "ledger.batches").iterdir()) == []


@pytest.mark.parametrize("step", ["upload", "create", "poll", "fetch"])
def test_a_kill_after_any_step_submits_nothing_twice(tmp_path, step):
    ledger, child = tmp_path / "ledger.jsonl", []

    def stop(done: str) -> None:
        if done == step and child:
            os.kill(child.pop(), signal.SIGKILL)

    api = Batches(stop=stop)
    with serve(lambda _: completion("1"), batches=api) as (url, _):
        command = [sys.executable, "-c", ASK, url, str(ledger)]
        with subprocess.Popen(command) as process:
            child.append(process.pid)
        assert process.returncode == -signal.SIGKILL
        subprocess.run(command, check=True)
    assert statuses(ledger) == [(i, "ok") for i in range(5)]
    assert Counter(api.asked()).most_common(1)[0][1] == 1
    assert len(api.made) == 1


def test_a_kill_while_replies_are_written_loses_none_and_repeats_none(tmp_path):
    ledger, api = tmp_path / "ledger.jsonl", Batches()
    with serve(lambda _: completion("1"), batches=api) as (url, _):
        server = Server(url, "m")
        other = tmp_path / "whole.jsonl"
        ask_in_batches(wanted(questions(5), server), server, other)
        lines = other.read_text().splitlines(keepends=True)
        ledger.write_text("".join(lines[:2]) + lines[2][:20])  # torn in the third line
        ask_in_batches(wanted(questions(5), server), server, ledger)
    assert statuses(ledger) == [(i, "ok") for i in range(5)]
    assert len(api.asked()) == 5 + 3


def test_what_the_server_failed_at_is_submitted_again_and_what_it_answered_is_not(tmp_path):
    ledger, api, busy = tmp_path / "ledger.jsonl", Batches(lose=1), iter([503])

    def answer(request):
        if number(request) == 1:
            return next(busy, completion("1"))
        return {2: 400, 3: completion("no number")}.get(number(request), completion("1"))

    with serve(answer, batches=api) as (url, _):
        server = Server(url, "m")
        ask_in_batches(wanted(questions(5), server), server, ledger)
    newest = {record["item"]: record["status"] for record in read_jsonl(ledger)}
    assert newest == {0: "ok", 1: "ok", 2: "error", 3: "unparsable", 4: "ok"}
    assert len(api.asked()) == 5 + 2
    first = next(record for record in read_jsonl(ledger) if record["item"] == 0)
    assert first["error"] == "too late"


def test_a_batch_that_fails_says_why_and_may_be_tried_again(tmp_path):
    ledger, api = tmp_path / "ledger.jsonl", Batches(failure="quota is used up")
    with serve(lambda _: completion("1"), batches=api) as (url, _):
        server = Server(url, "m")
        with pytest.raises(RuntimeError, match="batch batch-0 failed: quota is used up"):
            ask_in_batches(wanted(questions(5), server), server, ledger)
        api.failure = None
        ask_in_batches(wanted(questions(5), server), server, ledger)
    assert statuses(ledger) == [(i, "ok") for i in range(5)]


def test_replies_to_questions_that_changed_meanwhile_are_kept_for_when_they_are_asked_again(tmp_path):
    ledger, api, child = tmp_path / "ledger.jsonl", Batches(), []
    api.stop = lambda done: os.kill(child.pop(), signal.SIGKILL) if done == "create" and child else None
    with serve(lambda _: completion("1"), batches=api) as (url, _):
        server = Server(url, "m")
        with subprocess.Popen([sys.executable, "-c", ASK, url, str(ledger)]) as process:
            child.append(process.pid)
        ask_in_batches(wanted(questions(5, "other"), server), server, ledger)
        assert len(list(read_jsonl(ledger))) == 5
        ask_in_batches(wanted(questions(5), server), server, ledger)
    assert len(list(read_jsonl(ledger))) == 10
    assert Counter(api.asked()).most_common(1)[0][1] == 1


def test_a_batch_holds_no_more_than_the_api_takes(tmp_path, monkeypatch):
    monkeypatch.setattr(batch_module, "_MOST_REQUESTS", 2)
    ledger, api = tmp_path / "ledger.jsonl", Batches()
    with serve(lambda _: completion("1"), batches=api) as (url, _):
        server = Server(url, "m")
        ask_in_batches(wanted(questions(5), server), server, ledger)
    assert statuses(ledger) == [(i, "ok") for i in range(5)]
    assert [len(api._lines(made["input_file_id"])) for made in api.made] == [2, 2, 1]


def test_batches_keep_to_the_budget(tmp_path):
    ledger, api = tmp_path / "ledger.jsonl", Batches()
    with serve(lambda _: completion("1"), batches=api) as (url, _):
        server = Server(url, "m", max_tokens=20, price=Price(1e4, 1e4), max_cost=1.0)  # 0.15 a reply, 0.30 at most
        with pytest.raises(BudgetReached, match=r"0\.75 spent on 5 replies"):
            ask_in_batches(wanted(questions(50), server), server, ledger)
    assert [len(api._lines(made["input_file_id"])) for made in api.made] == [4, 1]
    assert len(statuses(ledger)) == 5

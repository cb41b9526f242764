"""How fast and for how much money a server is asked."""

import json
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from dataset_builder.files.jsonfiles import read_jsonl
from dataset_builder.llm.client import ask, ask_each
from dataset_builder.llm.cost import estimate
from dataset_builder.llm.limits import BudgetReached
from dataset_builder.llm.requests import Price, Request, Server
from dataset_builder.llm.tokens import prompt_tokens
from tests.dataset_builder.llm_server import completion, serve


def questions(n: int) -> list[Request]:
    return [Request([{"role": "user", "content": f"question {i}"}], {"item": i}, json.loads) for i in range(n)]


def moments(server_options: dict, replies=lambda _: completion("1"), n: int = 6, folder=None, **serve_options):
    """When the server got each request."""
    seen_at = []

    def answer(request):
        seen_at.append(time.monotonic())
        return replies(request)

    with serve(answer, **serve_options) as (url, _):
        ask(questions(n), Server(url, "m", **server_options), folder / "ledger.jsonl")
    return seen_at


def test_no_more_requests_a_minute_than_allowed_retries_among_them(tmp_path):
    failures = iter([429, 500])
    seen_at = moments({"requests_per_minute": 600}, lambda _: next(failures, completion("1")), n=6, folder=tmp_path)
    assert len(seen_at) == 8
    assert seen_at[-1] - seen_at[0] >= 7 * 0.1 - 0.02  # one each tenth of a second; the client's clock is another
    assert min(b - a for a, b in zip(seen_at, seen_at[2:], strict=False)) > 0.1


def test_no_more_tokens_a_minute_than_allowed_and_unused_ones_are_free_again(tmp_path):
    start = time.monotonic()
    # the first waits for nobody; after its reply of 15 tokens, the next need not wait for the 1,003 it might have had
    seen_at = moments({"tokens_per_minute": 6000, "max_tokens": 1000, "concurrency": 1}, n=4, folder=tmp_path)
    assert seen_at[-1] - seen_at[0] >= 3 * 0.15 - 0.02
    assert time.monotonic() - start < 10  # not 3 × 10 s


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({"Retry-After": "1"}, 1),
        ({"Retry-After": "0.8"}, 0.8),
        ({"Retry-After-Ms": "900", "Retry-After": "7"}, 0.9),
        ({"Retry-After": "DATE"}, 1),  # at 2 s, told to the second
    ],
)
def test_a_server_is_left_alone_as_long_as_it_asks(tmp_path, headers, wait_s):
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    busy = iter([429])
    seen_at = moments(
        {},
        lambda _: next(busy, completion("1")),
        n=1,
        folder=tmp_path,
        error_headers={name: value.replace("DATE", date) for name, value in headers.items()},
    )
    assert wait_s - 0.2 <= seen_at[1] - seen_at[0] < 6


def test_a_server_that_asks_for_an_hour_ends_the_run_and_is_not_asked_again(tmp_path):
    with (
        serve(lambda _: 429, error_headers={"Retry-After": "3600"}) as (url, seen),
        pytest.raises(ConnectionError, match="asks to wait for 3600 s"),
    ):
        ask(questions(100), Server(url, "m", concurrency=4), tmp_path / "ledger.jsonl")
    assert len(seen) < 30


def test_a_run_costs_no_more_than_its_budget_and_goes_on_with_more(tmp_path):
    ledger = tmp_path / "ledger.jsonl"
    price = Price(per_million_in=1e4, per_million_out=1e4)  # a reply of 10 + 5 tokens costs 0.15
    with serve(lambda _: completion("1")) as (url, seen):
        server = Server(url, "m", max_tokens=20, concurrency=8, price=price, max_cost=1.0)
        with pytest.raises(BudgetReached, match="--max_cost 1 does not cover the next call: 0.75 spent on 5 replies"):
            ask(questions(50), server, ledger)
        assert len(seen) == 5  # 0.75 spent; the next could cost 10 tokens in, as counted, and 20 out: 0.3
        assert [record["status"] for record in read_jsonl(ledger)] == ["ok"] * 5
        with pytest.raises(BudgetReached):
            ask(questions(50), server, ledger)
        assert len(seen) == 10
        ask(questions(50), Server(url, "m", price=price), ledger)
        assert len(seen) == 50


def test_the_estimate_says_tokens_money_and_the_time_that_limits_take(tmp_path):
    server = Server(
        "http://127.0.0.1:9/v1", "m", concurrency=10, price=Price(2.0, 8.0), requests_per_minute=1, max_tokens=100
    )
    keyed = ((server.key(request), request) for request in questions(300))
    cost = estimate(keyed, tmp_path / "ledger.jsonl", server)
    assert (cost.tokens_in, cost.tokens_out) == (900, 30_000)  # a reply is no longer than max_tokens
    assert cost.money == pytest.approx(900 * 2e-6 + 30_000 * 8e-6)
    assert cost.minutes == 300
    assert "about 5.0 h with 10 at once" in str(cost)
    assert str(cost).endswith("about 30000 tokens of reply (assumed); about 0.24 at 2 in and 8 out a million")


def test_tokens_of_scripts_without_spaces_are_counted_by_character():
    chinese = "图一显示照射后三周的肺部剂量" * 10
    assert prompt_tokens(Request([{"role": "user", "content": chinese}]), Server("", "m")) > 140


@pytest.mark.parametrize("status", [400, 404, 422])
def test_a_server_that_refuses_in_the_same_words_ends_the_run_in_one_line(tmp_path, status):
    server_said = pytest.raises(RuntimeError, match=f"refuses 8 requests in a row: HTTP {status}: no")
    with serve(lambda _: status) as (url, seen), server_said:
        server = Server(url, "m", concurrency=4)
        asked = [(server.key(request), request) for request in questions(500)]
        ask_each(iter(asked), 500, server, tmp_path / "ledger.jsonl")
    assert len(seen) < 100


def test_refusals_of_single_requests_end_nothing(tmp_path):
    def answer(request):
        return 400 if int(request["messages"][0]["content"].split()[1]) % 8 else completion("1")

    with serve(answer) as (url, _):
        server = Server(url, "m", concurrency=1)
        asked = [(server.key(request), request) for request in questions(40)]
        ask_each(iter(asked), 40, server, tmp_path / "ledger.jsonl")
    statuses = [record["status"] for record in read_jsonl(tmp_path / "ledger.jsonl")]
    assert (statuses.count("ok"), statuses.count("error")) == (5, 35)

"""What a `--dry_run` says that a teacher or a judge will cost."""

import dataclasses
import json

import pytest
from transformers.models.qwen2_vl.image_processing_qwen2_vl import smart_resize

from dataset_builder.llm.client import ask
from dataset_builder.llm.cost import estimate
from dataset_builder.llm.limits import BudgetReached
from dataset_builder.llm.requests import Price, Request, Server, by_key
from dataset_builder.llm.tokens import prompt_tokens
from tests.dataset_builder.llm_server import completion, serve


def test_only_what_the_ledger_does_not_answer_costs(tmp_path):
    ledger = tmp_path / "ledger.jsonl"
    requests = [Request([{"role": "user", "content": "word " * n}], {"item": n}, json.loads) for n in (1, 2, 3, 4)]
    wanted = by_key(requests, "judge", None, 0.0)
    server = Server("http://127.0.0.1:9/v1", "judge", concurrency=2)
    before = estimate(wanted.items(), ledger, server)
    assert (before.n_calls, before.n_answered, before.prompt_words, before.latency_s) == (4, 0, 10, 5.0)
    assert str(before) == (
        "4 calls with 10 words of prompt (about 15 tokens), 0 already answered; about 0 min with 2 at once and 5.0 s a "
        "call (assumed); about 1000 tokens of reply (assumed)"
    )
    with serve(lambda request: completion("1" if len(request["messages"][0]["content"]) > 10 else "no")) as (url, seen):
        ask(requests, Server(url, "judge"), ledger)  # the replies to two of four cannot be read
        assert len(seen) == 4

    after = estimate(wanted.items(), ledger, server)
    assert (after.n_calls, after.n_answered, after.tokens_in) == (0, 4, 0)  # all were paid for
    again = estimate(wanted.items(), ledger, dataclasses.replace(server, retry_unparsable=True))
    assert (again.n_calls, again.n_answered, again.prompt_words) == (2, 2, 3)
    assert 0 <= again.latency_s < 5.0
    measured_in = round(4.5 * 40 / 15)  # the server counted 10 tokens in each of the four prompts, of 10 words in all
    assert f"2 calls with 3 words of prompt (about {measured_in} tokens), 2 already answered; about 0 min" in str(again)
    assert str(again).endswith("(as 4 calls before); about 10 tokens of reply (as 4 calls before)")


def shown(width: int, height: int) -> Request:
    picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{width}x{height}"}}
    content = [picture, {"type": "text", "text": "two words"}]
    return Request([{"role": "user", "content": content}], {}, json.loads, None, [(width, height)])


def tokens(model: str, width: int, height: int, **settings) -> float:
    """Of the picture alone."""
    server = Server("", model, **settings)
    return prompt_tokens(shown(width, height), server) - 3  # two words


@pytest.mark.parametrize(
    ("model", "width", "height", "expected"),
    [
        ("gpt-4o", 1024, 1024, 765),  # the examples of OpenAI's guide
        ("gpt-4o", 2048, 4096, 1105),
        ("gpt-4o-2024-08-06", 512, 512, 255),
        ("openai/gpt-4.1", 600, 300, 425),
        ("gpt-4o-mini", 512, 512, 8500),
        ("gpt-4.1-mini", 1024, 1024, 1024 * 1.62),
        ("gpt-4.1-mini", 4000, 4000, 1536 * 1.62),
        ("o4-mini", 64, 32, 2 * 1.72),
        ("o1", 512, 512, 225),
        ("unknown-vl", 1024, 1024, 765),
    ],
)
def test_a_picture_has_as_many_tokens_as_its_makers_say(model, width, height, expected):
    assert tokens(model, width, height) == pytest.approx(expected)


@pytest.mark.parametrize("size", [(28, 28), (300, 200), (1000, 37), (5000, 5000), (20, 20), (2800, 1400), (9000, 60)])
@pytest.mark.parametrize(
    ("model", "cell", "least", "most"),
    [("Qwen/Qwen2.5-VL-7B", 28, 56 * 56, 28 * 28 * 16384), ("Qwen/Qwen3-VL-8B", 32, 65536, 16777216)],
)
def test_qwens_grid_is_that_of_transformers(size, model, cell, least, most):
    width, height = size
    tall, wide = smart_resize(height, width, cell, least, most)
    assert tokens(model, width, height) == tall // cell * (wide // cell) + 2


def test_a_number_of_ones_own_takes_the_place_of_the_rule_and_what_is_measured_that_of_both(tmp_path):
    assert tokens("gpt-4o", 1024, 1024, picture_tokens=1601) == 1601
    ledger, requests = tmp_path / "ledger.jsonl", [shown(1024, 1024), shown(512, 512)]
    server = Server("http://127.0.0.1:9/v1", "other", price=Price(1e6 / 1e3, 0))
    before = estimate([(server.key(request), request) for request in requests], ledger, server)
    assert before.tokens_in == 765 + 255 + 2 * 3
    assert "2 pictures (tiles of 512 px, 85 + 170 each, assumed; see --picture_tokens: 1020 tokens)" in str(before)
    reply = completion("1") | {"usage": {"prompt_tokens": 2 * (765 + 3), "completion_tokens": 5}}
    with serve(lambda _: reply) as (url, _):
        ask(requests[:1], Server(url, "other"), ledger)
    after = estimate([(server.key(request), request) for request in requests], ledger, server)
    assert after.tokens_in == 2 * (255 + 3)
    assert "1 pictures (as measured)" in str(after)


def test_a_budget_goes_by_the_tokens_of_pictures_that_the_server_counts(tmp_path):
    requests = [shown(512, 400 + i) for i in range(20)]
    reply = completion("1") | {"usage": {"prompt_tokens": 4000, "completion_tokens": 5}}
    with serve(lambda _: reply) as (url, seen):
        server = Server(url, "gpt-4o", max_tokens=5, concurrency=1, price=Price(1e3, 1e3), max_cost=10.0)
        with pytest.raises(BudgetReached, match="spent on 2 replies"):
            ask(requests, server, tmp_path / "ledger.jsonl")
    assert len(seen) == 2  # 4 money each: by the rule alone the third, and many more, would have been sent


def test_replies_of_another_model_or_revision_are_no_answers(tmp_path):
    ledger = tmp_path / "ledger.jsonl"
    requests = [Request([{"role": "user", "content": "one two"}])]
    with serve(lambda _: completion("1")) as (url, _):
        ask(requests, Server(url, "judge"), ledger)
    server = Server(url, "judge")
    assert estimate(by_key(requests, "judge", None, 0.0).items(), ledger, server).n_calls == 0
    for model, revision, temperature in (("other", None, 0.0), ("judge", "r2", 0.0), ("judge", None, 0.5)):
        assert estimate(by_key(requests, model, revision, temperature).items(), ledger, server).n_calls == 1

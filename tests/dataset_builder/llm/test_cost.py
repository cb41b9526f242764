"""What a `--dry_run` says that a teacher or a judge will cost."""

import json

from dataset_builder.llm.client import ask
from dataset_builder.llm.cost import estimate
from dataset_builder.llm.requests import Request, Server, by_key
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
    assert (after.n_calls, after.n_answered, after.prompt_words) == (2, 2, 3)
    assert 0 <= after.latency_s < 5.0
    measured_in = round(4.5 * 20 / 10.5)  # the server counted 10 tokens in each prompt of 3 and 4 words
    assert f"2 calls with 3 words of prompt (about {measured_in} tokens), 2 already answered; about 0 min" in str(after)
    assert str(after).endswith("(as 2 calls before); about 10 tokens of reply (as 2 calls before)")


def test_replies_of_another_model_or_revision_are_no_answers(tmp_path):
    ledger = tmp_path / "ledger.jsonl"
    requests = [Request([{"role": "user", "content": "one two"}])]
    with serve(lambda _: completion("1")) as (url, _):
        ask(requests, Server(url, "judge"), ledger)
    server = Server(url, "judge")
    assert estimate(by_key(requests, "judge", None, 0.0).items(), ledger, server).n_calls == 0
    for model, revision, temperature in (("other", None, 0.0), ("judge", "r2", 0.0), ("judge", None, 0.5)):
        assert estimate(by_key(requests, model, revision, temperature).items(), ledger, server).n_calls == 1

"""Teacher and judge are a real model behind a real server (tests/real_llm.py).

So small a model answers badly, and may answer nothing of use: nothing here is about what it says, all about what the
commands make of it.
"""

import json
from pathlib import Path

import pyarrow.parquet as parquet
import pytest

import ldrt
from dataset_builder.files.jsonfiles import read_jsonl
from dataset_builder.teaching.asking.llm_teacher import parse
from dataset_builder.teaching.evidence import TASKS
from tests import real_llm
from tests.dataset_builder.test_instruct_teacher import contents, rows
from tests.evaluation.runs import make_run, read_records

pytestmark = pytest.mark.slow

N_FIGURES = 3  # one a split; each is asked about once a task
FREE = '{"response_format": {"type": "text"}}'  # as if the server knew no schemas
GONE = "http://127.0.0.1:9/v1"  # the port of "discard", where nobody listens
KEYS = ["answer", "evidence", "question"]  # of the schema
STATUSES = {"ok", "refused", "unparsable", "truncated"}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with real_llm.serve(tmp_path_factory.mktemp("llm")) as url:
        yield url


@pytest.fixture
def figures(sample_dataset) -> Path:
    """The sample's dataset with the first figure of each split."""
    paths = sorted((sample_dataset / "pairs").glob("*.parquet"))
    assert len(paths) == N_FIGURES
    for path in paths:
        parquet.write_table(parquet.read_table(path).slice(0, 1), path)
    return sample_dataset


def teach(dataset: Path, url: str, capsys, *words: str) -> tuple[int, str, list[str]]:
    """Exit status of `ldrt instruct`, what it prints, and its lines of error."""
    options = ["--teacher", "openai", "--base_url", url, "--model", real_llm.MODEL]
    options += ["--max_tokens", "160", "--concurrency", "1", *words]
    status = ldrt.main(["instruct", str(dataset), *options])
    said = capsys.readouterr()
    return status, said.out, [line for line in said.err.splitlines() if line.startswith("ldrt instruct:")]


@pytest.mark.parametrize("words", [[], ["--request", FREE]], ids=["schema", "free"])
def test_every_reply_is_kept_and_the_outcome_is_clear(server, figures, capsys, words):
    before, n_asked = contents(figures), N_FIGURES * len(TASKS)
    outcome = teach(figures, server, capsys, *words)
    check_outcome(figures, before, outcome)
    records = ledger(figures)
    assert len(records) == len({record["key"] for record in records}) == n_asked
    for record in records:
        check_record(record)

    again = teach(figures, server, capsys, *words)
    assert len(ledger(figures)) == n_asked  # all were paid for, those that cannot be read, too
    assert again[0] == outcome[0]


def test_the_server_holds_the_model_to_the_schema(server, figures, capsys):
    teach(figures, server, capsys)
    forms = json.loads((figures / ".work" / "llm_servers.json").read_text())
    assert forms == {f"{real_llm.MODEL} at {server}": "json_schema"}
    whole = [record for record in ledger(figures) if record["status"] != "truncated"]
    assert all(sorted(json.loads(record["reply"])) == KEYS for record in whole)


def test_without_the_server_what_is_answered_stands(server, figures, capsys):
    status, _, _ = teach(figures, server, capsys)
    records, published = ledger(figures), contents(figures)
    again, _, errors = teach(figures, GONE, capsys)
    assert ledger(figures) == records
    assert again == status
    assert contents(figures) == published
    again, _, errors = teach(figures, GONE, capsys, "--retry_unparsable", "true")
    if any(record["status"] != "ok" for record in records):  # some are asked again, in vain
        assert (again, len(errors)) == (1, 1)
        assert GONE in errors[0]
        assert contents(figures) == published


def ledger(dataset: Path) -> list[dict]:
    return list(read_jsonl(dataset / ".work" / "teacher.jsonl"))


def check_record(record: dict) -> None:
    """A reply is in the ledger with all that was paid for, and with a reason where it is of no use."""
    assert record["status"] in STATUSES, record
    assert record["task"] in TASKS
    assert isinstance(record["reply"], str)
    assert record["usage"]["prompt_tokens"] > 0 < record["usage"]["completion_tokens"]
    assert record["latency_s"] > 0
    assert (record["status"] == "truncated") == (record["finish_reason"] == "length")
    if record["status"] == "ok":
        assert record["parsed"] == parse(record["reply"])
    elif record["status"] == "unparsable":
        assert record["error"]


def check_outcome(dataset: Path, before: dict[str, str], outcome: tuple[int, str, list[str]]) -> None:
    """Either nothing has changed and one line says why, or each usable answer is an example or has a reason."""
    status, text, errors = outcome
    if status:
        assert status == 1
        assert len(errors) == 1
        assert "no usable reply for" in errors[0] or "passed the gate (rejected: " in errors[0]
        assert contents(dataset) == before
        return
    assert not errors
    examples = [row for task in TASKS for row in rows(dataset, task)]
    rejected = list(read_jsonl(dataset / "provenance" / "rejected_examples.jsonl"))
    of_teacher = [row for row in rejected if row["task"] in TASKS]
    answers = [r for r in ledger(dataset) if r["status"] == "ok" and r["parsed"]["answer"] is not None]
    assert len(examples) + len(of_teacher) == len(answers)
    assert examples  # else the status is 1
    assert all(row["reason"] for row in rejected)
    assert all(row["teacher"] == real_llm.MODEL for row in examples)
    assert all(f"{task} " in text for task in TASKS)


def test_judge(server, tmp_path, capsys):
    run = make_run(tmp_path / "run", "tuned", 0.6)
    options = ["--judge", real_llm.MODEL, "--base_url", server, "--max_tokens", "96", "--concurrency", "1"]
    command = ["judge", str(run), *options, "--limit", "2", "--controls", "1"]
    ldrt.main([*command, "--dry_run", "true"])
    n_asked = int(capsys.readouterr().out.split(" calls")[0].split()[-1])
    status = ldrt.main(command)
    said = capsys.readouterr()
    records = read_records(run, "judgements.jsonl")
    assert len(records) == len({record["key"] for record in records}) == n_asked
    assert {record["control"] for record in records} >= {None, "reference", "retest"}
    for record in records:
        assert (record["score"] is not None) == (record["status"] == "ok")
        assert record["score"] is None or 0 <= record["score"] <= 10
        assert record["reply"] is not None
        assert record["usage"]["completion_tokens"] > 0
    n_scored = sum(record["status"] == "ok" for record in records)
    assert status == (0 if n_scored else 1)
    assert real_llm.MODEL in (said.out if n_scored else said.err)

    ldrt.main(command)
    assert len(read_records(run, "judgements.jsonl")) == n_asked
    ldrt.main([*command, "--retry_unparsable", "true"])
    assert len(read_records(run, "judgements.jsonl")) == n_asked + n_asked - n_scored

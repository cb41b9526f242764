"""`ldrt instruct --teacher openai`: a teacher that fails changes nothing, and what was paid for is kept."""

import dataclasses
import hashlib
import json
import re
import shutil
from pathlib import Path

import pyarrow.parquet as parquet
import pytest

import ldrt
from dataset_builder import instruct
from dataset_builder.files.jsonfiles import read_jsonl
from tests.dataset_builder.batch_server import Batches
from tests.dataset_builder.llm_server import completion, serve

_SENTENCE = re.compile(r"^\[(caption|context) (\d+)\] (.*)$", re.M)


def good(request: dict) -> dict:
    """A scripted LLM that answers by the first sentence of its evidence."""
    evidence_block = request["messages"][0]["content"].partition("<<<EVIDENCE")[2]  # few-shot examples come before
    source, number, sentence = _SENTENCE.search(evidence_block).groups()
    evidence = [{"source": source, "sentence": int(number)}]
    return completion(json.dumps({"question": "Why?", "answer": json.loads(sentence), "evidence": evidence}))


def declines(_: dict) -> dict:
    return completion(json.dumps({"question": "", "answer": None, "evidence": []}))


def contents(dataset: Path) -> dict[str, str]:
    """What of the dataset is published, by name."""
    files = [path for path in dataset.rglob("*") if path.is_file() and ".work" not in path.parts]
    return {str(path.relative_to(dataset)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def rows(dataset: Path, task: str) -> list[dict]:
    return [row for path in sorted((dataset / task).glob("*.parquet")) for row in parquet.read_table(path).to_pylist()]


def teach(dataset: Path, url: str, *words: str) -> int:
    return ldrt.main(["instruct", str(dataset), "--teacher", "openai", "--base_url", url, "--model", "m", *words])


FAILURES = {
    "a model that is not there": (lambda _: 404, "refuses 8 requests in a row: HTTP 404: no"),
    "talk": (lambda _: completion("I would rather not."), "no usable reply for `detail`"),
    "too short": (lambda _: completion('{"que', "length"), "see --max_tokens"),
    "one task alone": (
        lambda request: good(request) if "detailed description" in str(request) else completion("no"),
        "no usable reply for `reasoning`",
    ),
    "all rejected": (
        lambda _: completion(json.dumps({"question": "Why?", "answer": "As an AI, I cannot see it.", "evidence": []})),
        "no example of m passed the gate (rejected: ",
    ),
    "gone": (lambda _: None, "does not answer"),
    "a rejected key": (lambda _: 401, "OPENAI_API_KEY"),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_a_teacher_that_fails_leaves_everything_as_it_was(sample_dataset, capsys, failure, monkeypatch):
    answer, reason = FAILURES[failure]
    before = contents(sample_dataset)
    monkeypatch.setattr("dataset_builder.llm.http._FIRST_WAIT_S", 0.01)
    with serve(answer) as (url, _):
        assert teach(sample_dataset, url) == 1
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("ldrt instruct:")]
    assert reason in line
    assert contents(sample_dataset) == before


def test_a_teacher_that_declines_has_not_failed(sample_dataset):
    def answer(request: dict) -> dict:
        return declines(request) if "takes reasoning" in str(request) else good(request)

    with serve(answer) as (url, _):
        assert teach(sample_dataset, url) == 0
    assert rows(sample_dataset, "detail")
    assert not (sample_dataset / "reasoning").exists()


@pytest.mark.parametrize("name", ["set [1] of *", "a{b}?c", "daten 'ä'"])
def test_a_downloaded_dataset_is_enough_whatever_its_path(sample_dataset, tmp_path, name):
    dataset = tmp_path / name
    shutil.copytree(sample_dataset, dataset, ignore=shutil.ignore_patterns(".work", "provenance"))
    n_pairs = len(rows(dataset, "pairs"))
    with serve(good) as (url, _):
        assert teach(dataset, url) == 0
    assert 0 < len(rows(dataset, "detail")) <= n_pairs
    pictures = {row["figure_id"]: row["image"]["bytes"] for row in rows(dataset, "pairs")}
    assert all(row["images"][0]["bytes"] == pictures[row["figure_id"]] for row in rows(dataset, "detail"))


def test_a_changed_prompt_asks_only_what_it_changes(sample_dataset, tmp_path):
    domain = tmp_path / "domain.yaml"
    domain.write_text((Path(__file__).parents[2] / "recipes/domains/ldrt.yaml").read_text() + "prompts: prompts\n")
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "detail.md").write_text("Describe it, as JSON.\n{{ evidence }}\n")
    with serve(good) as (url, seen):
        teach(sample_dataset, url)
        n_first = len(seen)
        teach(sample_dataset, url, "--domain", str(domain))
        assert len(seen) == n_first + n_first // 2
        assert all("Describe it, as JSON" in str(request) for request in seen[n_first:])
        teach(sample_dataset, url)  # and back: all of it is paid for
        assert len(seen) == n_first + n_first // 2


def test_fields_of_the_request_come_from_the_command_line(sample_dataset):
    with serve(good, honours="json_schema") as (url, seen):
        assert teach(sample_dataset, url, "--request", '{"max_completion_tokens": 99, "temperature": null}') == 0
    assert {name for name in seen[0] if name not in ("model", "messages")} == {
        "max_completion_tokens",
        "response_format",
    }
    schema = seen[0]["response_format"]["json_schema"]["schema"]
    assert schema["required"] == [*schema["properties"]] == ["question", "answer", "evidence", "visually_answerable"]
    stage = json.loads((sample_dataset / "provenance" / "manifest.json").read_text())["stages"]["instruct"]
    assert stage["options"]["request"] == {"max_completion_tokens": 99, "temperature": None}


def test_a_budget_stops_the_run_changes_nothing_and_says_how_to_go_on(sample_dataset, capsys):
    before = contents(sample_dataset)
    with serve(good) as (url, seen):
        assert teach(sample_dataset, url, "--max_cost", "1") == 1
        assert "--max_cost needs --price_in and --price_out" in capsys.readouterr().err
        prices = ["--price_in", "1e4", "--price_out", "1e4", "--max_tokens", "10"]  # 0.15 a reply
        assert teach(sample_dataset, url, *prices, "--max_cost", "20") == 1
        assert "Run again with a --max_cost" in capsys.readouterr().err
        n_paid = len(seen)
        assert 0 < n_paid * 0.15 <= 20
        assert len(list(read_jsonl(sample_dataset / ".work" / "teacher.jsonl"))) == n_paid
        assert contents(sample_dataset) == before
        assert teach(sample_dataset, url, *prices) == 0
        assert len(seen) == 2 * len(rows(sample_dataset, "pairs"))


def test_a_batch_gives_what_single_requests_give(sample_dataset, tmp_path):
    other = Path(shutil.copytree(sample_dataset, tmp_path / "other"))
    with serve(good) as (url, _):
        teach(sample_dataset, url)
    with serve(good, batches=Batches()) as (url, seen):
        options = instruct.Options(str(other), "openai", url, "m", batch=True)
        summary = instruct.run(options)
        assert "0 calls with" in instruct.run(dataclasses.replace(options, dry_run=True))
        assert seen == []
    assert "detail" in summary
    for task in ("detail", "reasoning"):
        assert rows(other, task) == rows(sample_dataset, task)

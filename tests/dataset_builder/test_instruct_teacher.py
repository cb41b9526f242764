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


def refuses(request: dict) -> dict:
    return completion(json.dumps({"question": "Why?", "answer": "As an AI, I cannot see it.", "evidence": []}))


def of_task(detail, reasoning):
    return lambda request: (detail if "detailed description" in str(request) else reasoning)(request)


@pytest.mark.parametrize("kept", ["detail", "reasoning"])
def test_a_task_of_which_all_examples_are_rejected_keeps_its_config_and_says_so(sample_dataset, capsys, kept):
    other = "reasoning" if kept == "detail" else "detail"
    before = rows(sample_dataset, kept)
    with serve(of_task(**{kept: refuses, other: good})) as (url, _):
        assert teach(sample_dataset, url) == 0
    said = capsys.readouterr().out
    n_pairs = len(rows(sample_dataset, "pairs"))
    assert f"Warning: `{kept}` is left as it was, with {len(before)} examples: all that m gave were rejected" in said
    assert f"({n_pairs} refusal)" in said
    assert rows(sample_dataset, kept) == before
    assert {row["teacher"] for row in rows(sample_dataset, other)} == {"m"}
    stage = json.loads((sample_dataset / "provenance" / "manifest.json").read_text())["stages"]["instruct"]
    assert stage["left_as_before"] == [kept]
    assert stage["counts"][kept] == len(before)
    rejected = read_jsonl(sample_dataset / "provenance" / "rejected_examples.jsonl")
    assert {row["reason"] for row in rejected if row["task"] == kept} == {"refusal"}


def test_a_task_that_never_had_a_config_has_none_after_all_are_rejected(sample_dataset, capsys):
    shutil.rmtree(sample_dataset / "reasoning")
    with serve(of_task(detail=good, reasoning=refuses)) as (url, _):
        assert teach(sample_dataset, url) == 0
    assert "left as it was" not in capsys.readouterr().out
    assert not (sample_dataset / "reasoning").exists()


def test_one_example_that_passes_replaces_the_config(sample_dataset):
    replies = iter([good])

    with serve(of_task(detail=good, reasoning=lambda request: next(replies, refuses)(request))) as (url, _):
        assert teach(sample_dataset, url, "--concurrency", "1") == 0
    (row,) = rows(sample_dataset, "reasoning")
    assert row["teacher"] == "m"


def test_figures_without_an_example_are_counted_by_reason(sample_dataset, capsys):
    n_pairs = len(rows(sample_dataset, "pairs"))
    numbers = iter(range(10_000))
    kinds = [refuses, declines, lambda _: completion("no"), lambda _: completion('{"q', "length"), lambda _: 400]

    def answer(request: dict) -> dict | int:
        number = next(numbers) // 2  # detail and reasoning of a figure are asked one behind the other
        return kinds[number](request) if number < len(kinds) else good(request)

    with serve(answer) as (url, _):
        assert teach(sample_dataset, url, "--concurrency", "1") == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "figures have no example" in line]
    n_copies = (
        n_pairs
        - len(kinds)
        - len({row["figure_id"] for t in ("detail", "reasoning") for row in rows(sample_dataset, t)})
    )
    reasons = ["declined", "error", "refusal", "truncated", "unparsable"]
    listed = ", ".join(f"1 {reason}" for reason in reasons)
    copies = f"{n_copies} near_duplicate, " if n_copies > 1 else ""
    assert line == f"{len(kinds) + n_copies} of {n_pairs} figures have no example of a task: {copies}{listed}"


def test_the_extractive_teacher_says_why_figures_have_no_example(sample_dataset, capsys):
    path = next((sample_dataset / "pairs").glob("train-*.parquet"))
    table = parquet.read_table(path)
    captions = [None, "Dose map.", "Dose map.", *table["caption"].to_pylist()[3:]]
    column = table.schema.get_field_index("caption")
    parquet.write_table(table.set_column(column, table.schema.field(column), [captions]), path)
    assert ldrt.main(["instruct", str(sample_dataset), "--context", "none"]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "figures have no example" in line]
    n_pairs = len(rows(sample_dataset, "pairs"))
    assert line == (
        f"3 of {n_pairs} figures have no example of a task: 2 no sentence stands alone, 1 neither caption nor context"
    )


def upholds(_: dict) -> dict:
    return completion('{"verdict": "supported"}')


def calls(text: str) -> list[int]:
    return [int(n) for n in re.findall(r"(\d+) calls with", text)]


def test_a_dry_run_counts_the_verifiers_calls_before_and_after_the_teachers(sample_dataset, capsys):
    n_pairs = len(rows(sample_dataset, "pairs"))
    with serve(good) as (url, seen), serve(upholds) as (other, read):
        prices = ["--price_in", "2", "--price_out", "8", "--verifier", "judge", "--verifier_url", other]
        assert teach(sample_dataset, url, *prices, "--dry_run", "true") == 0
        before = capsys.readouterr().out
        assert calls(before) == [2 * n_pairs, 2 * n_pairs]  # a call an answer, at most
        teacher, verifier, in_all = before.splitlines()
        assert verifier.startswith("verifier judge: ")
        money = [float(re.search(r"about ([\d.]+) at 2 in", line)[1]) for line in (teacher, verifier)]
        assert float(in_all.removeprefix("in all about ")) == pytest.approx(sum(money), abs=0.011)
        assert teach(sample_dataset, url) == 0  # the teacher alone
        capsys.readouterr()
        assert teach(sample_dataset, url, *prices, "--dry_run", "true") == 0
        left = calls(capsys.readouterr().out)
        assert left[0] == 0
        assert seen
        assert read == []
        assert teach(sample_dataset, url, *prices) == 0
        assert len(read) == left[1]  # those that the gate lets through
        assert teach(sample_dataset, url, *prices, "--dry_run", "true") == 0
        assert calls(capsys.readouterr().out.partition("\nin all")[0])[-2:] == [0, 0]


def test_a_dry_run_with_the_extractive_teacher_counts_what_the_verifier_would_read(sample_dataset, capsys):
    with serve(upholds) as (url, read):
        words = ["instruct", str(sample_dataset), "--verifier", "judge", "--verifier_url", url]
        assert ldrt.main([*words, "--dry_run", "true"]) == 0
        (left,) = calls(capsys.readouterr().out)
        assert read == []
        assert ldrt.main(words) == 0
    assert len(read) == left > 0


def test_a_budget_is_of_teacher_and_verifier_together(sample_dataset, capsys):
    before, n_calls = contents(sample_dataset), 2 * len(rows(sample_dataset, "pairs"))
    with serve(good) as (url, seen), serve(upholds) as (other, read):
        words = ["--price_in", "1e4", "--price_out", "1e4", "--max_tokens", "10"]  # 0.15 a reply
        words += ["--verifier", "judge", "--verifier_url", other, "--max_cost"]
        enough_for_the_teacher = 0.15 * n_calls + 10
        assert teach(sample_dataset, url, *words, str(enough_for_the_teacher)) == 1
        error = capsys.readouterr().err
        assert len(seen) == n_calls
        assert 0 < 0.15 * len(read) <= 10
        assert f"{0.15 * len(read):.4g} spent on {len(read)} replies and {0.15 * n_calls:.4g} on another model" in error
        assert contents(sample_dataset) == before
        assert teach(sample_dataset, url, *words, "1000") == 0
        assert len(seen) == n_calls


def test_pictures_are_counted_before_they_are_sent(sample_dataset, capsys):
    n_pairs = len(rows(sample_dataset, "pairs"))
    with serve(good) as (url, seen):
        assert teach(sample_dataset, url, "--dry_run", "true") == 0
        text_alone = capsys.readouterr().out
        for words in ([], ["--picture_tokens", "1000"]):
            assert teach(sample_dataset, url, "--see_picture", "true", *words, "--dry_run", "true") == 0
        by_rule, by_number = capsys.readouterr().out.splitlines()
        assert seen == []
    in_text, in_rule, in_number = (
        int(re.search(r"about (\d+) tokens\), 0 already", line)[1]) for line in (text_alone, by_rule, by_number)
    )
    assert f"and {2 * n_pairs} pictures (tiles of 512 px, 85 + 170 each, assumed; see --picture_tokens" in by_rule
    assert in_rule - in_text > 2 * n_pairs * 255  # a tile and its base, at least, and what the prompt says of pictures
    assert in_number - in_text >= 2 * n_pairs * 1000


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
        assert teach(sample_dataset, url, "--max_cost", "1") == 2
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
        options = instruct.Options(str(other), "openai", "m", base_url=url, batch=True)
        summary = instruct.run(options)
        assert "0 calls with" in instruct.run(dataclasses.replace(options, dry_run=True))
        assert seen == []
    assert "detail" in summary
    for task in ("detail", "reasoning"):
        assert rows(other, task) == rows(sample_dataset, task)

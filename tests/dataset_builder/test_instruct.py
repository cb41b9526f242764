"""`ldrt instruct`: the configs that the extractive teacher and an LLM as teacher give."""

import dataclasses
import json
import re
from pathlib import Path

import yaml
from datasets import load_dataset

import ldrt
from dataset_builder import build, instruct
from dataset_builder.files.jsonfiles import read_jsonl
from dataset_builder.schema import EXAMPLES
from dataset_builder.teaching.evidence import TASKS
from model_cards.cards.dataset_card import write_dataset_card
from tests.dataset_builder.llm_server import completion, serve


def load(dataset: Path, config: str, split: str):
    return load_dataset(str(dataset), config, split=split, cache_dir=str(dataset / ".work" / "cache"))


def test_the_configs_hold_what_trl_wants(sample_dataset):
    pairs = {row["figure_id"]: row for row in load(sample_dataset, "pairs", "test")}
    for task in ("align", "detail", "reasoning"):
        rows = load(sample_dataset, task, "test")
        assert rows.features == EXAMPLES
        assert len(rows) > 0
        for row in rows:
            pair = pairs[row["figure_id"]]
            (image,) = row["images"]
            assert image.tobytes() == pair["image"].tobytes()
            assert [m["role"] for m in row["prompt"] + row["completion"]] == ["user", "assistant"]
            assert (row["task"], row["example_id"]) == (task, f"{row['figure_id']}/{task}")
            assert row["teacher"] == "extractive"
            assert row["support"] in (1, None)  # None: no number, no name
            if task == "align":
                assert (row["prompt"][0]["content"], row["completion"][0]["content"]) == ("", pair["caption"])
    both = len(load(sample_dataset, "detail", "train")) + len(load(sample_dataset, "reasoning", "train"))
    assert len(load(sample_dataset, "instruct", "train")) == both


def test_without_context_training_answers_rest_on_captions_and_held_out_ones_stay(sample_dataset):
    before = {task: load(sample_dataset, task, "test").remove_columns("images").to_list() for task in TASKS}
    own = load(sample_dataset, "detail", "train")
    assert all(row["context_of"] in (row["figure_id"], None) for row in own.remove_columns("images"))
    instruct.run(instruct.Options(str(sample_dataset), context="none"))
    write_dataset_card(sample_dataset)
    rows = load(sample_dataset, "detail", "train")
    assert len(rows) > 0
    assert set(rows["context_of"]) == {None}
    assert {e["source"] for row in rows["evidence"] for e in row} == {"caption"}
    assert sum(map(len, own["evidence"])) > sum(map(len, rows["evidence"]))
    assert not list((sample_dataset / "reasoning").glob("train-*"))  # the rules find no reasons in a caption
    for task, was in before.items():
        assert load(sample_dataset, task, "test").remove_columns("images").to_list() == was


def test_questions_never_give_the_answer_away(sample_articles, sample_dataset):
    truth = list(read_jsonl(sample_articles / "truth.jsonl"))
    values = {value for row in truth for value in row["attributes"].values() if isinstance(value, str)}
    for split in ("train", "test"):
        for row in load(sample_dataset, "instruct", split):
            words = set(row["prompt"][0]["content"].lower().split())
            assert not words & values


def test_the_test_tasks_are_declared(sample_dataset):
    tasks = yaml.safe_load((sample_dataset / "eval.yaml").read_text())["tasks"]
    assert tasks == [{"id": t, "config": t, "split": "test"} for t in ("detail", "reasoning")]


def _teacher(request: dict) -> dict:
    """A scripted LLM: it answers from the first line of evidence, declines without one, and sometimes talks."""
    prompt = request["messages"][0]["content"]
    lines = [line for line in prompt.split("<<<EVIDENCE")[1].splitlines() if line.startswith("[caption 0]")]
    if "hot spot" in prompt:
        return completion("I would rather talk about something else.")
    answer = json.loads(lines[0].removeprefix("[caption 0] ")) if lines else None
    evidence = [{"source": "caption", "sentence": 0}]
    if "reasoning" in prompt:
        evidence.append({"source": "context", "sentence": 99})
    return completion("```json\n" + json.dumps({"question": "Why?", "answer": answer, "evidence": evidence}) + "\n```")


def test_an_llm_as_teacher_is_asked_once_and_its_answers_are_kept(sample_dataset):
    with serve(_teacher) as (url, seen):
        options = instruct.Options(
            str(sample_dataset), teacher="openai", base_url=url, model="Qwen/Qwen2", revision="r1"
        )
        summary = instruct.run(options)
        asked = len(seen)
        assert instruct.run(options) == summary
    pairs = sum(len(load(sample_dataset, "pairs", split)) for split in ("train", "validation", "test"))
    unparsable = int(summary.split("unparsable")[1].split()[0])
    assert asked == 2 * pairs
    assert unparsable > 0
    assert len(seen) == asked  # what could not be read was paid for, too
    assert "\n--retry_unparsable asks again where a reply could not be read\nopen: " in summary
    card = write_dataset_card(sample_dataset).read_text()
    row = load(sample_dataset, "detail", "train")[0]
    assert row["teacher"] == "Qwen/Qwen2@r1"
    assert row["prompt"][0]["content"] == "Why?"
    assert row["evidence"] == [{"source": "caption", "sentence": 0}]
    assert {row["teacher"] for row in load(sample_dataset, "reasoning", "train")} == {"extractive"}  # as it was:
    rejected = list(read_jsonl(sample_dataset / "provenance" / "rejected_examples.jsonl"))  # sentence 99 is not there
    assert {row["reason"] for row in rejected if row["task"] == "reasoning"} == {"evidence_out_of_range"}
    assert all(row["question"] == "Why?" and row["answer"] and row["teacher"] == "Qwen/Qwen2@r1" for row in rejected)
    stage = json.loads((sample_dataset / "provenance" / "manifest.json").read_text())["stages"]["instruct"]
    assert sum(stage["rejected"].values()) == len(rejected)
    assert f"| – `evidence_out_of_range` | {stage['rejected']['evidence_out_of_range']} |" in card


def test_a_verifier_takes_out_what_the_evidence_contradicts(sample_dataset):
    def verifier(request: dict) -> dict:
        contradicted = (
            "caption" not in request["messages"][0]["content"] and "dose" in request["messages"][0]["content"]
        )
        return completion(json.dumps({"verdict": "contradicted" if contradicted else "supported"}))

    with serve(verifier) as (url, seen):
        options = instruct.Options(
            str(sample_dataset), base_url="http://127.0.0.1:9/v1", verifier="J", verifier_url=url
        )
        summary = instruct.run(options)
        n_asked = len(seen)
        assert instruct.run(options) == summary
        assert len(seen) == n_asked
    rejected = list(read_jsonl(sample_dataset / "provenance" / "rejected_examples.jsonl"))
    contradicted = [row for row in rejected if row["reason"] == "verifier"]
    assert contradicted
    assert f"contradicted {len(contradicted):>15} answers, says the verifier" in summary
    kept = {row["example_id"] for split in ("train", "test") for row in load(sample_dataset, "instruct", split)}
    assert kept
    assert kept.isdisjoint(row["example_id"] for row in contradicted)


def test_a_verifier_of_the_teachers_family_is_one_clear_line(sample_dataset, capsys):
    command = ["instruct", str(sample_dataset), "--teacher", "openai", "--model", "Qwen/Qwen2-72B"]
    assert ldrt.main([*command, "--verifier", "Qwen/QwQ-32B"]) == 2
    assert "are of one family (qwen)" in capsys.readouterr().err


def test_new_pairs_take_the_rejected_examples_away(sample_articles, sample_dataset):
    path, page = sample_dataset / "provenance" / "rejected_examples.jsonl", sample_dataset / "examples.html"
    page.write_text("it shows them")
    assert path.exists()
    sharpest = max(load(sample_dataset, "pairs", "train")["sharpness"])
    build.run(build.Options(str(sample_articles), str(sample_dataset), min_sharpness=sharpest / 4))
    assert not path.exists()  # it may name figures that are gone
    assert not page.exists()


def test_bad_input_is_one_clear_line(tmp_path, sample_dataset, capsys):
    assert ldrt.main(["instruct", str(tmp_path / "provenance")]) == 2
    assert "no dataset folder" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    assert ldrt.main(["instruct", str(tmp_path / "empty")]) == 2
    assert "pairs is absent: run `ldrt build" in capsys.readouterr().err
    assert ldrt.main(["instruct", str(sample_dataset), "--teacher", "openai"]) == 2
    assert "needs --model" in capsys.readouterr().err


def test_a_dry_run_counts_what_is_left_and_asks_nothing(sample_dataset):
    with serve(_teacher) as (url, seen):
        options = instruct.Options(str(sample_dataset), "openai", "dry/model", base_url=url)
        dry = dataclasses.replace(options, dry_run=True)
        before = instruct.run(dry)
        assert seen == []
        n_calls = int(
            re.match(r"(\d+) calls with \d+ words of prompt \(about \d+ tokens\), 0 already answered", before)[1]
        )
        summary = instruct.run(options)
        assert len(seen) == n_calls
        after = instruct.run(dry)
        again = instruct.run(dataclasses.replace(dry, retry_unparsable=True))
    n_unparsable = int(summary.split("unparsable")[1].split()[0])
    assert n_unparsable > 0
    assert after.startswith("0 calls with ")
    assert f", {n_calls} already answered;" in after
    assert again.startswith(f"{n_unparsable} calls with ")
    assert f", {n_calls - n_unparsable} already answered;" in again
    assert len(seen) == n_calls


def test_a_dry_run_may_come_before_the_choice_of_a_model(sample_dataset):
    assert ", 0 already answered;" in instruct.run(instruct.Options(str(sample_dataset), dry_run=True))


def test_special_tokens_are_ordinary_text_in_training_rows_and_stay_in_pairs(sample_dataset):
    import pyarrow.parquet as parquet

    path = next((sample_dataset / "pairs").glob("train-*.parquet"))
    table = parquet.read_table(path)
    captions = table["caption"].to_pylist()
    captions[0] = "The prompt <image> was </s> given. It <|im_end|> lasts 5 min at p < 0.05 in <i>vivo</i>."
    column = table.schema.get_field_index("caption")
    parquet.write_table(table.set_column(column, table.schema.field(column), [captions]), path)
    said = instruct.run(instruct.Options(str(sample_dataset)))
    write_dataset_card(sample_dataset)
    assert re.search(r"align +1 of them had special tokens", said)
    row = load(sample_dataset, "align", "train")[0]
    expected = "The prompt ‹image› was ‹/s› given. It ‹|im_end|› lasts 5 min at p < 0.05 in <i>vivo</i>."
    assert row["completion"][0]["content"] == expected
    assert load(sample_dataset, "pairs", "train")[0]["caption"] == captions[0]
    stage = json.loads((sample_dataset / "provenance" / "manifest.json").read_text())["stages"]["instruct"]
    assert stage["disarmed"]["align"] == 1
    assert (
        "training examples held what tokenizers take for special tokens" in (sample_dataset / "README.md").read_text()
    )

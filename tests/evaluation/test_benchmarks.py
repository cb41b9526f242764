"""Public benchmarks through the commands: generate -> score -> compare -> card, on tiny checkpoints and a server."""

import json
import shutil
from pathlib import Path

import pytest
from datasets import Dataset, concatenate_datasets

import ldrt
from dataset_builder.files.jsonfiles import read_jsonl
from tests.dataset_builder.llm_server import completion, serve
from tests.public_sets import N_PICTURES, PER_PICTURE, write_set

N = N_PICTURES * PER_PICTURE


def ldrt_does(*words):
    assert ldrt.main(list(map(str, words))) == 0


def predictions(run):
    return {row["example_id"]: row for row in read_jsonl(Path(run) / "predictions.jsonl")}


def scores(run, task="all"):
    rows = json.loads((Path(run) / "scores.json").read_text())["scores"]
    return {row["metric"]: row for row in rows if row["task"] == task}


def answer_all(text_of, folder, name, run, *words):
    """generate --benchmark NAME on a copy in a folder, by a server that answers with `text_of` the question."""
    copy = write_set(name, folder)
    with serve(lambda request: completion(text_of(request["messages"][0]["content"][-1]["text"]))) as (url, seen):
        ldrt_does(
            "generate", "--model", "m", "--base_url", url, "--benchmark", name, "--dataset", copy, "--output", run
        )
    ldrt_does("score", run)
    return seen


def test_closed_and_open_questions_of_vqa_rad_are_scored_as_such(tmp_path):
    def say(question):
        return "Yes, it is." if "yes or no" in question else "The left lung"

    seen = answer_all(say, tmp_path, "vqa-rad", tmp_path / "run")
    assert len(seen) == N
    records = predictions(tmp_path / "run")
    assert records["vqa-rad/0"]["question"] == "the dose of lesion 0 ?\nAnswer with yes or no."
    assert (records["vqa-rad/1"]["answer_kind"], records["vqa-rad/1"]["options"]) == ("closed", ["yes", "no"])
    assert (records["vqa-rad/2"]["answer_kind"], records["vqa-rad/2"]["options"]) == ("open", None)
    found = scores(tmp_path / "run")
    assert (found["accuracy"]["value"], found["accuracy"]["n"]) == (0.5, 6)
    assert found["unreadable_share"]["value"] == 0
    assert (found["token_recall"]["value"], found["token_recall"]["n"]) == (0.5, 6)  # left lung; in the heart
    assert "3 articles" in found["accuracy"]["no_interval"]  # of pictures, which stand for articles
    assert scores(tmp_path / "run", "open")["token_f1"]["n"] == 6
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert (manifest["tasks"], manifest["split"]) == (["closed", "open"], "test")
    assert manifest["benchmark"]["title"] == "VQA-RAD"
    assert manifest["data_licenses"] == {"CC0-1.0": N}
    assert str(tmp_path) not in (tmp_path / "run" / "manifest.json").read_text()


@pytest.mark.parametrize(
    ("name", "reply", "accuracy", "unreadable", "n"),
    [
        ("pmc-vqa", "B. left", 1, 0, N),
        ("pmc-vqa", "(A)", 0, 0, N),
        ("pmc-vqa", "A or B", 0, 1, N),
        ("medvlthinker-eval", "Answer: B", 1, 0, N - 1),
        ("lab-bench-figqa", "red", 1, 0, N),
        ("lab-bench-figqa", "Insufficient information to answer the question", 0, 0, N),
    ],
)
def test_options_are_read_by_letter_and_text(name, reply, accuracy, unreadable, n, tmp_path):
    answer_all(lambda _: reply, tmp_path, name, tmp_path / "run")
    found = scores(tmp_path / "run")
    assert found["accuracy"]["value"] == accuracy
    assert found["unreadable_share"]["value"] == unreadable
    assert found["accuracy"]["n"] == n


def test_no_question_of_a_benchmark_without_a_licence_to_quote_is_on_a_card(tmp_path):
    answer_all(lambda _: "red", tmp_path, "lab-bench-figqa", tmp_path / "run")
    ldrt_does("card", tmp_path / "run")
    card = (tmp_path / "run" / "README.md").read_text()
    assert "Which curve is lowest" not in card
    assert "Accuracy on closed questions" in card


def test_a_local_checkpoint_answers_any_dataset_by_its_columns(tiny_llava, tmp_path, capsys):
    copy = write_set("medvlthinker-eval", tmp_path)
    words = ["--model", tiny_llava, "--dataset", copy, "--device", "cpu", "--max_new_tokens", 4]
    columns = ["--image_column", "images", "--options_column", "options"]
    ldrt_does("generate", *words, *columns, "--output", tmp_path / "run")
    assert "left out: 1 with several pictures or none" in capsys.readouterr().out
    assert len(predictions(tmp_path / "run")) == N - 1
    ldrt_does("score", tmp_path / "run")
    assert "accuracy" in scores(tmp_path / "run")


def test_a_benchmark_is_answered_under_every_picture_it_can_be(tiny_llava, tmp_path, capsys):
    copy = write_set("path-vqa", tmp_path)
    words = ["--model", tiny_llava, "--benchmark", "path-vqa", "--dataset", copy, "--device", "cpu"]
    words += ["--max_new_tokens", 2, "--output", tmp_path / "run"]
    for condition in ("true", "blank", "shuffled"):
        ldrt_does("generate", *words, "--image_condition", condition)
    records = list(read_jsonl(tmp_path / "run" / "predictions.jsonl"))
    assert len(records) == 3 * N
    assert all(record["prediction"] is not None for record in records)
    shuffled = [record for record in records if record["image_condition"] == "shuffled"]
    assert all(record["image_figure_id"] != record["figure_id"] for record in shuffled)
    assert ldrt.main(["generate", *map(str, words), "--image_condition", "none"]) == 1
    assert "image condition none needs captions" in capsys.readouterr().err


def test_benchmarks_fill_the_tables_of_forgetting_and_transfer(tiny_llava, tiny_llava_next, dataset_folder, tmp_path):
    copies = {name: write_set(name, tmp_path) for name in ("vqa-rad", "pmc-vqa")}
    for model, who in ((tiny_llava, "base"), (tiny_llava_next, "tuned")):
        words = ["--model", model, "--device", "cpu", "--max_new_tokens", 4]
        ldrt_does("generate", *words, "--dataset", dataset_folder, "--output", tmp_path / who)
        ldrt_does("score", tmp_path / who)
        for name, copy in copies.items():
            run = tmp_path / f"{who}-{name}"
            ldrt_does("generate", *words, "--benchmark", name, "--dataset", copy, "--output", run)
            ldrt_does("score", run)
    runs = {name: f"[{tmp_path}/base-{name}, {tmp_path}/tuned-{name}]" for name in copies}
    tables = ["--general", runs["vqa-rad"], "--transfer", runs["pmc-vqa"]]
    ldrt_does("compare", tmp_path / "base", tmp_path / "tuned", *tables)
    comparison = json.loads((tmp_path / "tuned" / "comparison.json").read_text())
    assert {row["metric"] for row in comparison["forgetting"]} >= {"accuracy", "token_recall", "token_f1"}
    assert [row["n"] for row in comparison["transfer"] if row["metric"] == "accuracy"] == [N]
    ldrt_does("card", tmp_path / "tuned")
    card = (tmp_path / "tuned" / "README.md").read_text()
    assert "### What it forgot" in card
    assert card.count("| Accuracy on closed questions |") == 2
    assert "it is the same in every article" in card  # why there is no interval


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "give --dataset, or --benchmark"),
        (["--benchmark", "vqa_rad"], "no benchmark 'vqa_rad', did you mean vqa-rad?"),
        (["--benchmark", "slake", "--tasks", "[detail]"], "a benchmark has no --tasks"),
        (
            ["--dataset", "no/such/folder", "--question_column", "q"],
            "there is no folder no/such/folder: give the dataset's folder",
        ),
    ],
)
def test_wrong_words_are_one_clear_line(words, message, tmp_path, capsys):
    assert ldrt.main(["generate", "--model", "org/m", "--output", str(tmp_path / "run"), *words]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_ids_that_are_there_twice_are_told(dataset_folder, tmp_path, capsys):
    """Of questions, and of the figures whose captions go with them."""
    for config, column in (("detail", "example_id"), ("pairs", "figure_id")):
        folder = shutil.copytree(dataset_folder, tmp_path / config)
        path = folder / config / "test-00000-of-00001.parquet"
        rows = Dataset.from_parquet(str(path))
        concatenate_datasets([rows, rows.select([3, 5])]).to_parquet(path)
        words = ["--model", "m", "--base_url", "http://x/v1", "--dataset", str(folder)]
        assert ldrt.main(["generate", *words, "--output", str(tmp_path / "run")]) == 1
        error = capsys.readouterr().err
        assert f"each {column} must be there once, and 2 are not: '{rows[3][column]}' (2 rows)" in error

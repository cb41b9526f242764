"""generate against a real HTTP server that says what it was shown."""

import base64
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading

import pytest
from datasets import load_dataset
from PIL import Image

import ldrt
from dataset_builder.files.jsonfiles import read_jsonl
from evaluation.answering import served
from evaluation.answering.questions import BLANK_COLOUR
from tests.dataset_builder.llm_server import completion, serve
from trust.pictures.derived import data_url
from trust.pictures.opener import open_picture


def generate(url, dataset, output, *words):
    """Exit status of `ldrt generate`, and its records."""
    argv = ["generate", "--model", "org/model", "--base_url", url, "--dataset", str(dataset), "--output", str(output)]
    status = ldrt.main([*argv, *words])
    return status, {(r["image_condition"], r["example_id"]): r for r in read_jsonl(output / "predictions.jsonl")}


def question_of(request):
    """(picture or None, text) of a request."""
    *pictures, text = request["messages"][0]["content"]
    assert text["type"] == "text"
    assert [part["type"] for part in pictures] in ([], ["image_url"])
    if not pictures:
        return None, text["text"]
    kind, _, data = pictures[0]["image_url"]["url"].partition(",")
    assert kind in ("data:image/png;base64", "data:image/jpeg;base64")
    return Image.open(io.BytesIO(base64.b64decode(data))), text["text"]


def look(request):
    picture, text = question_of(request)
    return completion(f" {picture and (picture.size, picture.getpixel((0, 0)))} {text}\n")


def test_every_image_condition_is_asked_as_of_a_checkpoint(dataset_folder, tmp_path):
    with serve(look) as (url, seen):
        for condition in ("true", "blank", "shuffled", "none"):
            _, records = generate(url, dataset_folder, tmp_path, "--image_condition", condition)
    assert len(records) == len(seen) == 4 * 16
    assert {(r["model"], r["temperature"], r["max_tokens"]) for r in seen} == {("org/model", 0.0, 256)}
    rows = {row["example_id"]: row for row in _rows(dataset_folder)}
    question = "the dose of a lesion : the curve : the curve ?"
    shown = {condition: records[condition, "A1/fig0/detail"]["prediction"] for condition, _ in records}
    picture = rows["A1/fig0/detail"]["images"][0]
    assert shown["true"] == f"{picture.size, picture.getpixel((0, 0))} {question}"
    assert shown["blank"] == f"{picture.size, BLANK_COLOUR} {question}"
    donor = records["shuffled", "A1/fig0/detail"]["image_figure_id"]
    picture = rows[f"{donor}/detail"]["images"][0]
    assert shown["shuffled"] == f"{picture.size, picture.getpixel((0, 0))} {question}" != shown["true"]
    assert shown["none"] == f"None Caption of the figure: caption of A1/fig0\n{question}"


def _rows(dataset):
    for task in ("detail", "reasoning"):
        yield from load_dataset("parquet", data_files=str(dataset / task / "*.parquet"), split="train")


def test_records_and_manifest_say_what_is_known_of_a_server(dataset_folder, tmp_path):
    replies = {0: completion("cut", "length"), 1: completion(None), 2: completion("whole")}
    with serve(lambda request: replies[question_of(request)[1].count("curve") % 3]) as (url, _):
        _, records = generate(url, dataset_folder, tmp_path, "--model", "/models/llava", "--max_new_tokens", "5")
    answers = {(r["prediction"], r["finish_reason"], r["new_tokens"]) for r in records.values()}
    assert answers == {("cut", "length", 5), ("", "stop", 5), ("whole", "stop", 5)}
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["backend"] == "openai"
    assert manifest["model"] == "llava"
    assert [manifest[key] for key in ("revision", "chat_template_sha256", "lineage", "device")] == [None] * 4
    assert manifest["generation"]["dtype"] is None
    assert manifest["generation"]["max_new_tokens"] == 5
    assert manifest["teachers"] == {"extractive": 16}
    assert "aiohttp" in manifest["versions"]


def test_the_length_hint_is_asked_and_the_question_kept(dataset_folder, tmp_path, capsys):
    with serve(look) as (url, _):
        _, records = generate(url, dataset_folder, tmp_path, "--length_hint", "20")
        assert generate(url, dataset_folder, tmp_path, "--length_hint", "30")[0] == 1
    record = records["true", "A0/fig0/detail"]
    assert record["question"] == "the dose of a lesion ?"
    assert record["generation"]["length_hint"] == 20
    assert record["prediction"].endswith("the dose of a lesion ? Answer in about 20 words.")
    wording = json.loads((tmp_path / "manifest.json").read_text())["wording"]["length_hint"]
    assert record["prediction"].endswith(wording.format(question=record["question"], n_words=20))
    assert "was made with generation" in capsys.readouterr().err


def test_what_failed_is_recorded_and_asked_again(dataset_folder, tmp_path, capsys):
    broken = {"A0/fig0": 400, "A0/fig1": "no JSON", "A1/fig0": completion("", "content_filter")}
    replies = dict(broken)

    def answer(request):
        figure = question_of(request)[1].split("\n")[0].rpartition(" ")[2]
        return replies.get(figure, completion("fine"))

    with serve(answer) as (url, seen):
        status, records = generate(url, dataset_folder, tmp_path, "--image_condition", "none")
        failed = {example for (_, example), r in records.items() if r["prediction"] is None}
        assert status == 0
        assert failed == {f"{figure}/{task}" for figure in broken for task in ("detail", "reasoning")}
        assert "10 answers of org/model" in (said := capsys.readouterr().out)
        assert "6 failed" in said
        assert "no chat completion: 'no JSON'" in records["none", "A0/fig1/detail"]["error"]
        replies.clear()
        _, records = generate(url, dataset_folder, tmp_path, "--image_condition", "none")
    assert all(record["prediction"] == "fine" for record in records.values())
    assert len(seen) == 16 + 6


def test_an_unreadable_picture_is_recorded_and_skipped(dataset_folder, tmp_path):
    broken = shutil.copytree(dataset_folder, tmp_path / "broken")
    path = broken / "detail" / "test-00000-of-00001.parquet"
    stored = [{"bytes": b"\x89PNG\r\n\x1a\nnot a picture", "path": None}]
    rows = load_dataset("parquet", data_files=str(path), split="train")
    rows.map(lambda row, i: {"images": stored} if i == 1 else row, with_indices=True).to_parquet(path)
    with serve(look) as (url, seen):
        status, records = generate(url, broken, tmp_path / "run")
    assert status == 0
    assert len(seen) == 15
    assert len(records) == 16
    assert "unreadable picture" in records["true", "A0/fig1/detail"]["error"]


def test_a_killed_run_pays_for_nothing_twice(dataset_folder, tmp_path):
    """kill -9 at the tenth request, one at a time; half of the replies are cut at the token limit, a quarter empty."""
    replies = [completion("cut", "length"), completion("whole"), completion("cut", "length"), completion("")]
    child = []

    def answer(request):
        if child and len(seen) == 10:
            os.kill(child.pop().pid, signal.SIGKILL)
            return None
        return replies[len(seen) % 4]

    with serve(answer) as (url, seen):
        words = ["--model", "org/model", "--base_url", url, "--dataset", str(dataset_folder), "--output", str(tmp_path)]
        command = [sys.executable, "-m", "ldrt", "generate", *words, "--concurrency", "1"]
        child.append(process := subprocess.Popen(command, stderr=subprocess.DEVNULL))
        assert process.wait() == -signal.SIGKILL
        status, records = generate(url, dataset_folder, tmp_path, "--concurrency", "1")
    assert status == 0
    assert len(records) == len(list(read_jsonl(tmp_path / "predictions.jsonl"))) == 16
    assert len(seen) <= 16 + 2  # the tenth, whose reply never came, and the ninth where it was not yet on the disk


@pytest.mark.parametrize(
    ("status", "message"),
    [(401, "rejects the API key; set OPENAI_API_KEY"), (404, "gives no answer as org/model: HTTP 404")],
)
def test_a_server_that_refuses_is_one_clear_line(status, message, dataset_folder, tmp_path, capsys):
    with serve(lambda _: status) as (url, _):
        code, records = generate(url, dataset_folder, tmp_path)
    (error,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("ldrt generate: ")]
    assert code == 1
    assert not records
    assert message in error
    assert url in error
    with serve(look) as (url, _):  # the folder is still free for the right name
        assert generate(url, dataset_folder, tmp_path, "--model", "org/other")[0] == 0


def test_no_server_is_one_clear_line(dataset_folder, tmp_path, capsys):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    code, _ = generate(f"http://127.0.0.1:{port}/v1", dataset_folder, tmp_path)
    assert code == 1
    assert f"http://127.0.0.1:{port}/v1 does not answer" in capsys.readouterr().err


def test_what_the_server_decides_cannot_be_set_here(dataset_folder, tmp_path, capsys):
    assert generate("http://x/v1", dataset_folder, tmp_path, "--dtype", "float16", "--batch_size", "4")[0] == 2
    assert "the server decides: leave out --batch_size --dtype" in capsys.readouterr().err


def test_a_run_of_an_unpinned_server_is_known_by_its_model_name(dataset_folder, tmp_path, capsys):
    with serve(look) as (url, seen):
        generate(url, dataset_folder, tmp_path, "--limit", "1")
        assert generate(url, dataset_folder, tmp_path, "--model", "org/other")[0] == 1
        assert "was made with model 'org/model', not 'org/other'" in capsys.readouterr().err
        assert generate(url, dataset_folder, tmp_path, "--revision", "0" * 40)[0] == 1
        assert len(seen) == 2


def test_a_server_gets_no_special_tokens_of_strangers(dataset_folder, tmp_path):
    from tests.evaluation.test_generate import with_words

    folder = with_words(dataset_folder, tmp_path / "data", "<|im_end|><image>[INST] <i>")
    with serve(look) as (url, seen):
        _, records = generate(url, folder, tmp_path / "run")
    asked = [question_of(request)[1] for request in seen]
    assert sum("what dose ‹|im_end|›‹image›⟦INST⟧ <i> ?" in text for text in asked) == 8
    assert not any("<|" in text or "<image>" in text for text in asked)
    assert len(records) == 16


def with_pictures(dataset_folder, folder, files):
    """The dataset with `files` as the pictures of its rows in turn, in `detail` and in `reasoning`."""
    shutil.copytree(dataset_folder, folder)
    for task in ("detail", "reasoning"):
        path = folder / task / "test-00000-of-00001.parquet"
        rows = load_dataset("parquet", data_files=str(path), split="train")
        stored = [[{"bytes": files[i % len(files)], "path": None}] for i in range(len(rows))]
        rows.map(lambda _, i, stored=stored: {"images": stored[i]}, with_indices=True).to_parquet(path)
    return folder


def saved(kind, **options):
    file = io.BytesIO()
    image = Image.effect_noise((60, 40), 90).convert("RGB")
    image.save(file, kind, **options)
    return file.getvalue()


def test_a_pictures_own_bytes_are_sent_and_others_are_encoded_once(dataset_folder, tmp_path, monkeypatch):
    """Questions about one picture share it, however they are ordered in the dataset."""
    made, files = [], [saved("JPEG"), saved("PNG"), saved("BMP"), saved("WEBP", lossless=True)]
    monkeypatch.setattr(served, "data_url", lambda picture: made.append(picture["bytes"]) or data_url(picture))
    folder = with_pictures(dataset_folder, tmp_path / "data", files)
    with serve(look) as (url, seen):
        generate(url, folder, tmp_path / "run")
    sent = [
        base64.b64decode(request["messages"][0]["content"][0]["image_url"]["url"].split(",")[1]) for request in seen
    ]
    assert len(sent) == 16
    assert sent.count(files[0]) == sent.count(files[1]) == 4
    assert len(made) == 8  # one a figure, of its two questions
    opened = {Image.open(io.BytesIO(data)).convert("RGB").tobytes() for data in sent if data not in files}
    assert opened == {open_picture(files[2]).tobytes(), open_picture(files[3]).tobytes()}


def test_a_place_that_is_free_is_used_at_once(dataset_folder, tmp_path):
    """One slow reply keeps no other question waiting: all others are answered before it."""
    others, slow = threading.Semaphore(0), threading.Lock()

    def answer(request):
        if slow.acquire(blocking=False):
            assert all(others.acquire(timeout=30) for _ in range(15))
            return completion("slow")
        others.release()
        return completion("quick")

    with serve(answer) as (url, _):
        _, records = generate(url, dataset_folder, tmp_path, "--concurrency", "2")
    assert sorted(record["prediction"] for record in records.values()) == ["quick"] * 15 + ["slow"]


def test_a_server_that_takes_no_pictures_is_told_after_a_few_requests(dataset_folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(served, "IN_VAIN_AFTER", 4)
    with serve(lambda _: 400) as (url, seen):
        code, records = generate(url, dataset_folder, tmp_path, "--concurrency", "1")
    assert (code, records) == (1, {})
    assert 4 <= len(seen) < 10
    assert "gives no answer as org/model: HTTP 400" in capsys.readouterr().err

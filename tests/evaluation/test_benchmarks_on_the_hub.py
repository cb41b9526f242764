"""Public benchmarks under their own names on a Hub: `generate --benchmark`, and what `build --benchmarks` keeps out."""

import hashlib
import json

import pytest
from datasets import load_dataset

from dataset_builder.benchmarks.benchmark import read_benchmark
from dataset_builder.files.jsonfiles import read_jsonl
from tests.dataset_builder.llm_server import completion, serve
from tests.hub_server.store import lfs_file, regular_file
from tests.public_sets import N_PICTURES, PER_PICTURE, write_set

N = N_PICTURES * PER_PICTURE


@pytest.fixture
def publish(hub):
    """Puts a folder on the Hub, whoever its namespace is; returns the commit."""

    def put(hub_id, folder):
        repo = hub.store.create("dataset", hub_id, private=False, author="alice")
        files = dict(repo.files_at("main"))
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            content = path.read_bytes()
            file = regular_file(content)
            if path.suffix in (".parquet", ".zip"):
                file = lfs_file(hashlib.sha256(content).hexdigest(), len(content))
            hub.store.put_object(file["sha256"] or file["oid"], content)
            files[path.relative_to(folder).as_posix()] = file
        return hub.store.add_commit(repo, "main", files, "upload", "", "alice")

    return put


@pytest.mark.parametrize("name", ["vqa-rad", "pmc-vqa", "lab-bench-figqa"])
def test_a_benchmark_is_asked_by_its_name(name, publish, ldrt_client, hub, tmp_path):
    hub_id = read_benchmark(name).hub_id
    commit = publish(hub_id, write_set(name, tmp_path))
    run = tmp_path / "run"
    with serve(lambda _: completion("A")) as (url, seen):
        words = ["generate", "--model", "m", "--base_url", url, "--benchmark", name, "--dataset_revision", commit]
        done = ldrt_client(*words, "--output", run)
    assert done.status == 0, done.stderr
    assert len(seen) == len(list(read_jsonl(run / "predictions.jsonl"))) == N
    manifest = json.loads((run / "manifest.json").read_text())
    assert (manifest["dataset"], manifest["dataset_revision"]) == (hub_id, commit)
    assert not hub.requests("/data/train-00000")  # no other split is fetched


def test_a_pinned_commit_that_is_gone_is_one_clear_line(publish, ldrt_client, tmp_path):
    publish(read_benchmark("slake").hub_id, write_set("slake", tmp_path))
    words = ["--model", "m", "--base_url", "http://x/v1", "--output", tmp_path / "run"]
    done = ldrt_client("generate", *words, "--benchmark", "slake")
    assert done.status == 1
    assert "mdwiratathya/SLAKE-vqa-english: no dataset there that the Hub lets you read" in done.stderr


def test_pictures_of_a_benchmark_on_the_hub_are_kept_out_of_a_dataset(
    publish,
    ldrt_client,
    sample_articles,
    sample_dataset,
    tmp_path,
):
    figure = load_dataset("parquet", data_files=str(sample_dataset / "pairs" / "train-*.parquet"), split="train")[0]
    rows = load_dataset("parquet", data_files=str(sample_dataset / "detail" / "train-*.parquet"), split="train")
    shown = rows.filter(lambda row: row["figure_id"] == figure["figure_id"]).select([0]).select_columns(["images"])
    folder = tmp_path / "leaky"
    folder.mkdir()
    shown.to_parquet(folder / "test-00000-of-00001.parquet")
    publish("org/leaky", folder)
    done = ldrt_client("build", sample_articles, "--output", tmp_path / "built", "--benchmarks", '["org/leaky"]')
    assert done.status == 0, done.stderr
    rejected = {row["figure_id"]: row for row in read_jsonl(tmp_path / "built" / "provenance" / "rejected.jsonl")}
    assert rejected[figure["figure_id"]]["filter"] == "benchmark"
    proof = json.loads((tmp_path / "built" / "provenance" / "splits.json").read_text())
    assert proof["benchmarks"] == {"org/leaky": {"pictures": 1, "figures_left_out": 1}}

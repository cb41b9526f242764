import json
import os
import signal
import subprocess
import sys
import time

import pyarrow.parquet as parquet
import pytest

from model_cards.cards.dataset_card import write_dataset_card
from model_cards.hub.preflight import front_matter
from model_cards.push import Options, run
from tests import processes
from tests.hub_server import client_env
from tests.hub_server.server import PROJECT
from tests.model_cards.conftest import SPLIT_ROWS

READ_EVERYTHING = """
import hashlib, io, json, sys
from datasets import load_dataset

def plain(value):
    if hasattr(value, "tobytes"):
        return hashlib.sha256(value.tobytes()).hexdigest()
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list) else value

def read(source, config, streaming):
    splits = load_dataset(source, config, streaming=streaming)
    return {name: [plain(row) for row in rows] for name, rows in splits.items()}

sizes = {}
for config in ("pairs", "align", "detail", "reasoning", "instruct"):
    here = read(sys.argv[1], config, True)
    assert read(sys.argv[2], config, False) == here, config
    assert read(sys.argv[2], config, True) == here, config
    sizes[config] = {name: len(rows) for name, rows in here.items()}
print(json.dumps(sizes))
"""


@pytest.mark.parametrize(
    ("name", "content", "error", "message"),
    [
        ("provenance/splits.json", '{"collisions": [{"kind": "image"}]}', ValueError, "1 collisions between splits"),
        ("provenance/splits.json", "{", ValueError, "no leakage certificate|no JSON"),
    ],
)
def test_a_leak_is_not_published(dataset, name, content, error, message):
    (dataset / name).write_text(content)
    with pytest.raises(error, match=message):
        run(Options(str(dataset), "lab/figures", dry_run=True))


def test_no_dataset_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="no dataset repo folder"):
        run(Options(str(tmp_path), "lab/figures"))


@pytest.mark.parametrize("repo_id", ["figures", "a/b/c", "https://host/a/b", "lab/ä", ""])
def test_a_wrong_repository_id(dataset, repo_id):
    with pytest.raises(ValueError, match="no repository id"):
        run(Options(str(dataset), repo_id))


def test_no_row_with_a_fitting_licence(dataset):
    for path in dataset.glob("*/*.parquet"):
        table = parquet.read_table(path)
        parquet.write_table(table.filter([name is None for name in table["license"].to_pylist()]), path)
    with pytest.raises(RuntimeError, match="no row may be published under the policy commercial.*not stated: 16"):
        run(Options(str(dataset), "lab/figures"))


# ---- over HTTP


def test_push_then_load_from_a_clean_cache(hub, ldrt_client, run_client, dataset):
    done = ldrt_client("push", dataset, "lab/figures", "--policy", "all")
    assert done.status == 0, done.stderr
    assert "pairs           24 rows, 0 left out" in done.stdout
    write_dataset_card(dataset)
    hub.fail("GET .*/resolve/.*/pairs/train", truncate_bytes=1000)  # the client takes the rest by a range
    sizes = json.loads(run_client("-c", READ_EVERYTHING, dataset, "lab/figures", home="clean").stdout)
    assert not hub.faults[0].times
    assert sizes == {
        config: {name: n * (2 if config == "instruct" else 1) for name, n in SPLIT_ROWS.items()}
        for config in ("pairs", "align", "detail", "reasoning", "instruct")
    }


def test_private_unless_asked_and_the_second_push_commits_nothing(hub, ldrt_client, dataset):
    assert ldrt_client("push", dataset, "lab/figures", "--tag", "v1").status == 0
    assert hub.repo("dataset", "lab/figures").private
    assert "POST /api/datasets/lab/figures/preupload/main" in {f"{r['method']} {r['path']}" for r in hub.log}
    hub.log.clear()
    again = ldrt_client("push", dataset, "lab/figures", "--tag", "v1")
    assert again.status == 0, again.stderr
    assert "nothing new" in again.stdout
    assert hub.titles("dataset", "lab/figures") == ["Push rows under policy commercial", "initial commit"]
    assert not hub.requests("PUT|commit/|preupload")
    assert not (dataset / ".work" / "push-commercial").exists()


def test_a_repository_of_other_visibility_is_refused(hub, ldrt_client, dataset):
    assert ldrt_client("push", dataset, "lab/figures", "--private", "false").status == 0
    assert not hub.repo("dataset", "lab/figures").private
    refused = ldrt_client("push", dataset, "lab/figures")
    assert refused.status == 1
    assert "lab/figures is public already: pass --private false" in refused.stderr


def test_another_policy_replaces_its_files_and_leaves_others_alone(hub, ldrt_client, dataset):
    assert ldrt_client("push", dataset, "lab/figures", "--policy", "all").status == 0
    repo = hub.repo("dataset", "lab/figures")
    files = dict(repo.files_at("main")) | {"LICENSE": next(iter(repo.files_at("main").values()))}
    hub.store.add_commit(repo, "main", files, "by hand", "", "alice")
    done = ldrt_client("push", dataset, "lab/figures", "--policy", "commercial")
    assert done.status == 0, done.stderr
    after = repo.files_at("main")
    assert after["preview.html"] != files["preview.html"]
    assert {"LICENSE", ".gitattributes"} <= set(after)
    card = hub.store.content_path(after["README.md"]).read_text()
    assert front_matter(card)["license"] == "other"


def test_dry_run_sends_nothing(hub, ldrt_client, dataset):
    done = ldrt_client("push", dataset, "lab/figures", "--dry_run", "true", token=None)
    assert done.status == 0, done.stderr
    assert "pairs/train-00000-of-00001.parquet" in done.stdout
    assert hub.log == []


def test_killed_in_the_middle_then_again(hub, ldrt_client, dataset, tmp_path):
    """kill -9 while files go up, then while the commit is under way; the third run has nothing left to do."""
    command = [sys.executable, "-m", "ldrt", "push", str(dataset), "lab/figures"]
    env = client_env(hub.url, tmp_path / "home", "hf_write")

    def kill_at(pattern):
        client = subprocess.Popen(command, cwd=PROJECT, env=env, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        assert processes.wait(client, until=lambda: hub.requests(pattern)) is None
        os.kill(client.pid, signal.SIGKILL)
        client.wait()

    hub.fail("PUT /lfs", delay_s=1, times=3, skip=5)
    kill_at("PUT /lfs")
    assert hub.titles("dataset", "lab/figures") == ["initial commit"]
    hub.log.clear()
    hub.fail("/commit/main", delay_s=1)
    kill_at("/commit/main")
    time.sleep(1.5)  # the server finishes what it was asked for
    done = ldrt_client("push", dataset, "lab/figures")
    assert done.status == 0, done.stderr
    assert "nothing new" in done.stdout
    assert hub.titles("dataset", "lab/figures") == ["Push rows under policy commercial", "initial commit"]

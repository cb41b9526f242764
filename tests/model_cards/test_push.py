import json
import os
import signal
import subprocess
import sys

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
        (
            "provenance/splits.json",
            '{"splits": {}, "collisions": [{"kind": "image"}]}',
            ValueError,
            "1 collisions between splits",
        ),
        ("provenance/splits.json", "{", ValueError, "is not JSON .* run `ldrt build` again"),
    ],
)
def test_a_leak_is_not_published(dataset, name, content, error, message):
    (dataset / name).write_text(content)
    with pytest.raises(error, match=message):
        run(Options(str(dataset), "lab/figures", dry_run=True))


def test_no_dataset_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="no dataset repo folder"):
        run(Options(str(tmp_path), "lab/figures"))


@pytest.mark.parametrize("repo_id", ["figures", "a/b/c", "https://host/a/b", "lab/ä", "", "lab/-x", "lab/" + "x" * 97])
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


@pytest.mark.parametrize(
    ("words", "asks"),
    [
        (["--policy", "all", "--private", "false"], True),
        (["--policy", "all", "--private", "false", "--i_may_publish_all", "true"], False),
        (["--policy", "all"], False),
        (["--policy", "noncommercial", "--private", "false"], False),
    ],
)
def test_every_row_for_everybody_is_asked_to_be_said_twice(hub, ldrt_client, dataset, words, asks):
    done = ldrt_client("push", dataset, "lab/figures", *words)
    assert done.status == 2 * int(asks), done.stderr
    if asks:
        assert "makes every row public, whatever its licence" in done.stderr
        assert "add --i_may_publish_all" in done.stderr
        assert hub.log == []


# ---- what older states hold


def test_rows_that_an_earlier_policy_published_are_named_and_squashed(hub, ldrt_client, dataset):
    wide = ldrt_client("push", dataset, "lab/figures", "--policy", "all", "--tag", "v1")
    assert "still there" not in wide.stdout
    (dataset / "eval.yaml").unlink()
    ldrt_client("push", dataset, "lab/figures", "--policy", "noncommercial", "--tag", "v2")
    repo = hub.repo("dataset", "lab/figures")
    old = [sha for sha, commit in repo.commits.items() if commit["title"].startswith("Push")]
    narrow = ldrt_client("push", dataset, "lab/figures", "--tag", "v3")
    assert narrow.status == 0, narrow.stderr
    assert "rows that policy commercial leaves out are still there for whoever may read" in narrow.stdout
    assert all(sha[:12] in narrow.stdout for sha in old)
    assert "tags v1, v2" in narrow.stdout
    assert "--squash --delete_tags v1 v2" in narrow.stdout

    refused = ldrt_client("push", dataset, "lab/figures", "--squash", "true", "--delete_tags", "[v1]")
    assert refused.status == 1
    assert "the tags v2 hold rows that policy commercial leaves out" in refused.stderr
    assert set(repo.tags) == {"v1", "v2", "v3"}
    assert len(hub.titles("dataset", "lab/figures")) == 4

    files = repo.files_at("main")
    words = ["push", dataset, "lab/figures", "--squash", "true", "--delete_tags", "[v1, v2, v3]", "--tag", "v3"]
    done = ldrt_client(*words)
    assert done.status == 0, done.stderr
    assert "still there" not in done.stdout
    assert hub.titles("dataset", "lab/figures") == ["Push rows under policy commercial"]
    assert repo.files_at("main") == files
    assert repo.tags == {"v3": repo.branches["main"]}
    again = ldrt_client("push", dataset, "lab/figures", "--squash", "true", "--tag", "v3")
    assert again.status == 0, again.stderr
    assert repo.tags == {"v3": repo.branches["main"]}


def test_a_commit_by_hand_and_a_tag_beside_main_hold_what_was_pushed_before(hub, ldrt_client, dataset):
    ldrt_client("push", dataset, "lab/figures", "--policy", "all")
    repo = hub.repo("dataset", "lab/figures")
    by_hand = hub.store.add_commit(repo, "main", repo.files_at("main"), "by hand", "", "alice")
    repo.tags["paper"] = repo.branches["review"] = by_hand
    done = ldrt_client("push", dataset, "lab/figures", "--squash", "true", "--delete_tags", "[other]")
    assert "the tags paper hold rows" in done.stderr
    repo.tags.clear()
    done = ldrt_client("push", dataset, "lab/figures", "--squash", "true")
    assert done.status == 0, done.stderr
    assert "branches review (delete them by hand)" in done.stdout
    assert "commits" not in done.stdout.split("still there")[1]


@pytest.mark.parametrize("first", ["commercial", "noncommercial"])
def test_a_wider_policy_leaves_nothing_behind(hub, ldrt_client, dataset, first):
    ldrt_client("push", dataset, "lab/figures", "--policy", first, "--tag", "v1")
    done = ldrt_client("push", dataset, "lab/figures", "--policy", "all")
    assert done.status == 0, done.stderr
    assert "still there" not in done.stdout


@pytest.mark.parametrize(
    "fault", [{"match": "super-squash", "status": 503}, {"match": "super-squash", "drop": "after"}], ids=str
)
def test_passing_faults_of_a_squash(hub, ldrt_client, dataset, fault):
    ldrt_client("push", dataset, "lab/figures", "--policy", "all", "--tag", "v1")
    hub.fail(**fault)
    hub.fail("DELETE .*/tag/v1", drop="after")
    done = ldrt_client("push", dataset, "lab/figures", "--squash", "true", "--delete_tags", "[v1]")
    assert done.status == 0, done.stderr
    assert hub.titles("dataset", "lab/figures") == ["Push rows under policy commercial"]
    assert hub.repo("dataset", "lab/figures").tags == {}


def test_a_squash_that_fails_says_that_the_commit_is_there(hub, ldrt_client, dataset):
    ldrt_client("push", dataset, "lab/figures", "--policy", "all")
    hub.fail("super-squash", status=403)
    done = ldrt_client("push", dataset, "lab/figures", "--squash", "true")
    assert done.status == 1
    sha = hub.repo("dataset", "lab/figures").branches["main"]
    assert f"commit {sha} is in place" in done.stderr
    assert "older states are still there: run this again" in done.stderr


def test_tags_go_with_a_squash_alone(hub, ldrt_client, dataset):
    done = ldrt_client("push", dataset, "lab/figures", "--delete_tags", "[v1]")
    assert done.status == 2
    assert "--delete_tags goes with --squash" in done.stderr
    assert hub.log == []


# ---- killed, and side by side


def _start(hub, tmp_path, dataset, *words, token="hf_write"):
    command = [sys.executable, "-m", "ldrt", "push", str(dataset), *words]
    env = client_env(hub.url, tmp_path / "home", token)
    return subprocess.Popen(command, cwd=PROJECT, env=env, text=True, stderr=subprocess.PIPE, stdout=subprocess.PIPE)


@pytest.mark.parametrize(
    "step",
    [
        *("GET /api/whoami", "preupload"),  # the first and the last before anything is written
        *("PUT /lfs", "POST .*/commit/main", "POST .*/super-squash", "DELETE .*/tag/v1", "POST .*/tag/"),
    ],
)
def test_killed_at_any_step_then_again(hub, ldrt_client, dataset, tmp_path, step):
    """kill -9 while the Hub is at a step; the next run ends in the same state as one that nobody killed."""
    assert ldrt_client("push", dataset, "lab/figures", "--policy", "all", "--tag", "v1").status == 0
    words = ["lab/figures", "--squash", "true", "--delete_tags", "[v1]", "--tag", "v2"]
    hub.log.clear()
    hub.fail(step, is_held=True)
    killed = _start(hub, tmp_path, dataset, *words)
    assert processes.wait(killed, until=lambda: hub.requests(step)) is None
    killed.kill()
    killed.communicate()
    hub.release()  # the server finishes what it was asked for
    done = ldrt_client("push", dataset, *words)
    assert done.status == 0, done.stderr
    repo = hub.repo("dataset", "lab/figures")
    assert hub.titles("dataset", "lab/figures") == ["Push rows under policy commercial"]
    assert repo.tags == {"v2": repo.branches["main"]}
    assert not list((dataset / ".work").glob("push-*"))
    files = {path: file["oid"] for path, file in repo.files_at("main").items()}
    assert ldrt_client("push", dataset, "lab/clean").status == 0
    clean = {path: file["oid"] for path, file in hub.repo("dataset", "lab/clean").files_at("main").items()}
    del files["README.md"], clean["README.md"]  # which names the repository
    assert files == clean


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (["lab/figures"], ["lab/figures"]),
        (["lab/figures"], ["lab/other", "--policy", "all"]),
        (["lab/figures"], ["lab/other"]),
        (["lab/figures"], ["lab/figures", "--dry_run", "true"]),
    ],
    ids=["same", "other policy", "other repository", "dry run"],
)
def test_two_pushes_of_one_folder_side_by_side(hub, dataset, ldrt_client, tmp_path, first, second):
    hub.fail("PUT /lfs", is_held=True)
    slow = _start(hub, tmp_path, dataset, *first)
    assert processes.wait(slow, until=lambda: hub.requests("PUT /lfs")) is None
    beside = ldrt_client("push", dataset, *second)
    assert beside.status == 0, beside.stderr
    hub.release()
    _, said = slow.communicate()
    assert slow.returncode == 0, said
    assert hub.titles("dataset", "lab/figures") == ["Push rows under policy commercial", "initial commit"]
    assert not list((dataset / ".work").glob("push-*"))


def test_two_policies_at_once_to_one_repository_are_one_clear_line(hub, dataset, ldrt_client, tmp_path):
    hub.fail("PUT /lfs", is_held=True)
    slow = _start(hub, tmp_path, dataset, "lab/figures")
    assert processes.wait(slow, until=lambda: hub.requests("PUT /lfs")) is None
    assert ldrt_client("push", dataset, "lab/figures", "--policy", "all").status == 0
    hub.release()
    _, said = slow.communicate()
    assert slow.returncode == 1
    assert "somebody else committed to lab/figures meanwhile" in said.splitlines()[-1]


def test_killed_in_the_middle_then_again(hub, ldrt_client, dataset, tmp_path):
    """kill -9 while files go up, then while the commit is under way; the third run has nothing left to do."""
    command = [sys.executable, "-m", "ldrt", "push", str(dataset), "lab/figures"]
    env = client_env(hub.url, tmp_path / "home", "hf_write")

    def kill_at(pattern):
        client = subprocess.Popen(command, cwd=PROJECT, env=env, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        assert processes.wait(client, until=lambda: hub.requests(pattern)) is None
        os.kill(client.pid, signal.SIGKILL)
        client.wait()
        hub.release()  # the server finishes what it was asked for

    hub.fail("PUT /lfs", is_held=True, times=3, skip=5)
    kill_at("PUT /lfs")
    assert hub.titles("dataset", "lab/figures") == ["initial commit"]
    hub.log.clear()
    hub.fail("/commit/main", is_held=True)
    kill_at("/commit/main")
    done = ldrt_client("push", dataset, "lab/figures")
    assert done.status == 0, done.stderr
    assert "nothing new" in done.stdout
    assert hub.titles("dataset", "lab/figures") == ["Push rows under policy commercial", "initial commit"]

"""`ldrt publish --study`: the plan, and all of it over real HTTP, killed and gone on with."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter

import pytest
import yaml

from model_cards.hub.preflight import front_matter
from tests import processes
from tests.hub_server import client_env
from tests.hub_server.server import PROJECT

READ = """
import json, sys
from datasets import load_dataset

found = {}
for config in ("predictions", "judgements", "per_item_scores"):
    try:
        splits = load_dataset(sys.argv[1], config)
    except ValueError:
        continue
    found[config] = {name: list(rows) for name, rows in splits.items()}
print(json.dumps(found))
"""
REPOS = {"dataset": ["lab/s-data", "lab/s-results"], "model": ["lab/s-phase1", "lab/s-base", "lab/s"]}
ALL = [(kind, name) for kind, names in REPOS.items() for name in names]
ALSO = ("--also", "phase1", "--also", "base")


def publish(ldrt_client, study, *words, status: int = 0):
    done = ldrt_client("publish", "--study", study, *words)
    assert done.status == status, done.stdout + done.stderr
    return done.stdout if status == 0 else done.stderr


def text(hub, kind: str, name: str, path: str, revision: str = "main") -> str:
    return hub.store.content_path(hub.repo(kind, name).files_at(revision)[path]).read_text()


def test_the_plan_says_what_goes_where_and_sends_nothing(hub, ldrt_client, study):
    before = sorted(study.rglob("*"))
    said = publish(ldrt_client, study, "--dry_run", "true")
    assert hub.log == []
    assert sorted(study.rglob("*")) == before
    for name, kind, seen, license in (
        ("ORG/study-data", "datasets/", "private", "mixed-see-column-license"),
        ("ORG/study-results", "datasets/", "private", "mixed-see-column-license"),
        ("ORG/study", "", "private", "apache-2.0"),
    ):
        assert f"-> {hub.url}/{kind}{name} ({seen}, licence: {license}, " in said
    assert "pairs           12 rows, 12 left out" in said
    assert "tuned: 2 predictions go without question and reference" in said
    assert "left out: optimizer.pt" in said
    assert "collection ORG/study: model ORG/study, dataset ORG/study-results, dataset ORG/study-data" in said
    assert "not sent: the checkpoints phase1, base (--also phase1 base sends them)" in said
    assert f"missing: citation: write {study}/CITATION.cff" in said
    assert "missing: judge" not in said
    assert "(public, " in publish(ldrt_client, study, "--dry_run", "true", "--private", "false", "--repo_id", "lab/s")


def test_what_is_missing_is_said(hub, ldrt_client, study):
    for name in ("runs/base", "phase2", "dataset"):
        shutil.rmtree(study / name)
    (study / "runs" / "tuned" / "judgements.jsonl").unlink()
    said = publish(ldrt_client, study, "--dry_run", "true")
    missing = [line for line in said.splitlines() if line.startswith("missing: ")]
    assert [line.split()[1].rstrip(":") for line in missing] == ["dataset", "answers", "judge", "adapter", "citation"]
    assert "ORG/study-data" not in said


def test_a_run_that_was_stopped_in_the_middle_is_not_published_as_if_it_were_whole(hub, ldrt_client, study):
    run = study / "runs" / "base"
    (run / "scores.json").unlink()
    rows = (run / "predictions.jsonl").read_text().splitlines()
    (run / "predictions.jsonl").write_text("".join(f"{row}\n" for row in (rows[0], rows[0])))
    said = publish(ldrt_client, study, "--dry_run", "true")
    assert f"missing: 2 of 3 answers (image condition true) of {run}: give its `ldrt generate` again" in said
    assert f"missing: scores of {run}: `ldrt score {run}`" in said


def test_scores_of_before_the_last_judgement_are_not_published(hub, ldrt_client, study):
    run = study / "runs" / "tuned"
    said = (run / "judgements.jsonl").read_bytes()
    inputs = {"judgements.jsonl": hashlib.sha256(said).hexdigest(), "human.jsonl": None}
    (run / "scores.json").write_text(json.dumps(json.loads((run / "scores.json").read_text()) | {"inputs": inputs}))
    publish(ldrt_client, study, "--dry_run", "true")
    (run / "judgements.jsonl").write_bytes(said.replace(b'"j"', b'"k"'))
    said = publish(ldrt_client, study, "--repo_id", "lab/s", status=1)
    assert f"{run}/scores.json is not of the judgements.jsonl that is there now: run `ldrt score {run}` again" in said
    assert hub.log == []


def test_all_of_it_and_again_nothing(hub, ldrt_client, run_client, study):
    (study / "CITATION.cff").write_text("cff-version: 1.2.0\ntitle: Ours\n")
    said = publish(ldrt_client, study, "--repo_id", "lab/s", *ALSO, "--eval_results", "true")
    commits = {}
    for kind, name in ALL:
        repo = hub.repo(kind, name)
        assert repo.private
        assert repo.tags == {"v1": repo.branches["main"]}
        assert len(hub.titles(kind, name)) == 2
        commits[name] = repo.branches["main"]
        assert ("CITATION.cff" in repo.files_at("main")) == (name != "lab/s-data")  # that has its articles' own
    card = text(hub, "model", "lab/s", "README.md")
    for kind, name in ALL[:-1]:
        assert f"| {name} ({kind}) | `{commits[name]}` |" in card
    made = json.loads(text(hub, "model", "lab/s", "results/made.json"))["made"]
    assert [(one["type"], one["id"], one["commit"]) for one in made] == [(*of, commits[of[1]]) for of in ALL[:-1]]
    assert front_matter(card)["datasets"] == ["lab/s-data"]
    assert "--dataset lab/s-data" in card
    shown = yaml.safe_load(text(hub, "model", "lab/s", ".eval_results/ldrt.yaml"))
    assert {entry["dataset"]["id"] for entry in shown} == {"lab/s-data"}
    assert {entry["dataset"]["revision"] for entry in shown} == {commits["lab/s-data"]}
    (collection,) = hub.store.collections.values()
    assert f"collection: {hub.url}/collections/{collection['slug']}" in said
    assert collection["private"]
    assert {(item["type"], item["id"]) for item in collection["items"]} == set(ALL)
    for path, sha256 in json.loads(text(hub, "model", "lab/s", "results/hashes.json"))["files"].items():
        content = hub.store.content_path(hub.repo("model", "lab/s").files_at("main")[path]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == sha256, path
    read = json.loads(run_client("-c", READ, "lab/s-results", home="clean").stdout)
    assert {config: {name: len(rows) for name, rows in of.items()} for config, of in read.items()} == {
        "predictions": {"base": 3, "tuned": 3},
        "judgements": {"tuned": 3},
    }
    assert [row["reference"] for row in read["predictions"]["tuned"]] == ["R.", None, None]
    assert [row["reply"] for row in read["judgements"]["tuned"]] == ["reply 0", None, None]
    assert "metrics/rouge/rouge.py" in hub.repo("dataset", "lab/s-results").files_at("main")

    hub.log.clear()
    again = publish(ldrt_client, study, "--repo_id", "lab/s", *ALSO, "--eval_results", "true")
    assert again.count("nothing new") == len(ALL)
    assert not hub.requests("PUT|/commit/|POST .*/tag/|POST .*/items")


def test_a_change_is_a_new_version_with_its_entry(hub, ldrt_client, study):
    publish(ldrt_client, study, "--repo_id", "lab/s")
    first = hub.repo("dataset", "lab/s-results").branches["main"]
    path = study / "runs" / "tuned" / "judgements.jsonl"
    path.write_text(path.read_text().replace("7.0", "8.0"))
    publish(ldrt_client, study, "--repo_id", "lab/s")
    second = hub.repo("dataset", "lab/s-results").branches["main"]
    assert hub.repo("dataset", "lab/s-results").tags == {"v1": first, "v2": second}
    assert list(hub.repo("dataset", "lab/s-data").tags) == ["v1"]
    assert second in text(hub, "model", "lab/s", "README.md")
    assert first not in text(hub, "model", "lab/s", "README.md")
    heads = [
        line for line in text(hub, "dataset", "lab/s-results", "CHANGELOG.md").splitlines() if line.startswith("#")
    ]
    assert [head.split(",")[0] for head in heads] == ["# Changelog", "## v2", "## v1"]
    assert len(hub.store.collections) == 1


KILLS = {
    "while the dataset goes up": ("PUT /lfs", {"skip": 3}),
    "while answers are committed": ("POST .*lab/s-results/commit/", {}),
    "before the first tag": ("POST .*lab/s-data/tag/", {}),
    "while the weights go up": ("POST /lab/s.git/info/lfs", {}),
    "while the model is committed": ("POST /api/models/lab/s/commit/", {}),
    "while the collection is made": ("POST /api/collections$", {}),
    "while it is filled": ("POST /api/collections/.*/items", {"skip": 1}),
}


@pytest.mark.parametrize("moment", KILLS)
def test_killed_and_gone_on_with(hub, ldrt_client, study, tmp_path, moment):
    """kill -9 while the Hub is at work on a request, which it finishes; then the same command again."""
    pattern, fault = KILLS[moment]
    hub.fail(pattern, is_held=True, **fault)
    command = [sys.executable, "-m", "ldrt", "publish", "--study", str(study), "--repo_id", "lab/s"]
    env = client_env(hub.url, tmp_path / "home", "hf_write")
    with (tmp_path / "said").open("w") as said:
        client = subprocess.Popen(command, cwd=PROJECT, env=env, stdout=said, stderr=said)
        ended = processes.wait(client, until=lambda: len(hub.requests(pattern)) > fault.get("skip", 0))
        assert ended is None, (tmp_path / "said").read_text()
        os.kill(client.pid, signal.SIGKILL)
        client.wait()
    hub.release()  # the Hub finishes what it was asked for
    publish(ldrt_client, study, "--repo_id", "lab/s")
    for kind, name in (("dataset", "lab/s-data"), ("dataset", "lab/s-results"), ("model", "lab/s")):
        assert len(hub.titles(kind, name)) == 2, name
        assert hub.repo(kind, name).tags == {"v1": hub.repo(kind, name).branches["main"]}
    sent = Counter(row["path"] for row in hub.requests("PUT /lfs"))
    assert set(sent.values()) == {1}
    (collection,) = hub.store.collections.values()
    assert [item["id"] for item in collection["items"]] == ["lab/s", "lab/s-results", "lab/s-data"]
    assert not list(study.glob(".publish-*"))


def test_a_card_that_was_written_by_hand_goes_as_it_is(hub, ldrt_client, study):
    path = study / "runs" / "tuned" / "README.md"
    path.write_text(path.read_text() + "\nBy hand.\n")
    said = publish(ldrt_client, study, "--repo_id", "lab/s")
    assert "the card is not as `ldrt card` wrote it: it goes as it is" in said
    card = text(hub, "model", "lab/s", "README.md")
    assert "\nBy hand.\n" in card
    assert "| answers and judgements | lab/s-results" in card


def test_nothing_is_sent_where_one_of_the_repositories_cannot_be_written(hub, ldrt_client, study):
    hub.store.create("dataset", "lab/s-results", False, "alice")
    assert "lab/s-results is public already" in publish(ldrt_client, study, "--repo_id", "lab/s", status=1)
    assert not hub.requests("PUT|/commit/")


@pytest.mark.parametrize(("kind", "name"), [("dataset", "lab/s-data"), ("model", "lab/s")])
def test_a_repository_that_holds_something_else_is_not_overwritten(hub, ldrt_client, study, kind, name):
    repo = hub.store.create(kind, name, True, "alice")
    file = next(iter(repo.files_at("main").values()))
    theirs = {"README.md": file, "data/train.csv": file, ".gitattributes": file}
    hub.store.add_commit(repo, "main", theirs, "theirs", "", "alice")
    said = publish(ldrt_client, study, "--repo_id", "lab/s", status=1)
    assert f"{name} holds something else (1 files, first data/train.csv), which would be replaced" in said
    assert not hub.requests("PUT|/commit/")


def test_a_repository_that_was_only_created_is_published_to(hub, ldrt_client, study):
    repo = hub.store.create("model", "lab/s", True, "alice")
    file = next(iter(repo.files_at("main").values()))
    hub.store.add_commit(repo, "main", {"README.md": file, "LICENSE": file, ".gitattributes": file}, "by hand", "", "a")
    publish(ldrt_client, study, "--repo_id", "lab/s")


@pytest.mark.parametrize("name", ["lab/s-results", "lab/s"])
def test_a_tag_that_one_of_them_has_for_another_state_is_known_before_anything_is_sent(hub, ldrt_client, study, name):
    publish(ldrt_client, study, "--repo_id", "lab/s", "--tag", "paper")
    again = publish(ldrt_client, study, "--repo_id", "lab/s", "--tag", "paper")
    assert again.count("nothing new") == 3
    kind = "model" if name == "lab/s" else "dataset"
    if kind == "dataset":
        del hub.repo("model", "lab/s").tags["paper"]
    for other in {"lab/s-data", "lab/s-results"} - {name}:
        del hub.repo("dataset", other).tags["paper"]
    path = study / "runs" / "tuned" / "judgements.jsonl"
    path.write_text(path.read_text().replace("7.0", "8.0"))
    hub.log.clear()
    said = publish(ldrt_client, study, "--repo_id", "lab/s", "--tag", "paper", status=1)
    assert f"{name} has a tag paper for other content: choose another --tag" in said
    assert not hub.requests("PUT|/commit/|POST .*/tag/")


def _broken_weights(study):
    (study / "phase1" / "model.safetensors").write_bytes(b"cut off")


def _linked(study):
    link(study / "runs/base/predictions.jsonl")


@pytest.mark.parametrize("spoil", [_broken_weights, _linked])
def test_nothing_is_sent_where_a_part_of_it_may_not_be(hub, ldrt_client, study, spoil):
    spoil(study)
    said = publish(ldrt_client, study, "--repo_id", "lab/s", *ALSO, status=1)
    assert len(said.splitlines()) == 1
    assert not hub.requests("PUT|/commit/|POST .*/tag/")
    assert not list(study.glob(".publish-*"))


def test_a_public_collection_does_not_take_what_is_private(hub, ldrt_client, study):
    publish(ldrt_client, study, "--repo_id", "lab/s")
    (collection,) = hub.store.collections.values()
    collection["private"] = False
    assert "is public: change that in its settings" in publish(ldrt_client, study, "--repo_id", "lab/s", status=1)


def _two_cards(study):
    shutil.copytree(study / "runs" / "tuned", study / "runs" / "again")


def _taken_down(study):
    row = {"day": "2026-01-01", "article_id": None, "figure_id": "PMC1/fig1", "figure_ids": ["PMC1/fig1"], "why": "w"}
    (study / "dataset" / "provenance" / "retracted.jsonl").write_text(json.dumps(row) + "\n")


@pytest.mark.parametrize(
    ("spoil", "words", "status", "message"),
    [
        (lambda s: shutil.rmtree(s), (), 2, "no folder "),
        (
            lambda s: (s / "runs/tuned/README.md").unlink(),
            (),
            1,
            "has no run of a tuned model with a card: run `ldrt card",
        ),
        (lambda s: shutil.rmtree(s / "tuned"), (), 1, "does not hold the checkpoint that "),
        (_two_cards, (), 1, "has 2 runs with a card"),
        (lambda s: shutil.rmtree(s / "base"), ("--also", "base"), 1, "--also base: that checkpoint is not in "),
        (lambda s: None, ("--also", "phase7"), 1, "--also phase7: that checkpoint is not in "),
        (_taken_down, (), 1, "has answers about PMC1/fig1, which was taken down"),
        (lambda s: link(s / "runs/base/predictions.jsonl"), (), 1, "predictions.jsonl"),
    ],
)
def test_what_is_refused(hub, ldrt_client, study, spoil, words, status, message):
    spoil(study)
    said = publish(ldrt_client, study, "--dry_run", "true", *words, status=status)
    assert message in said
    assert len(said.splitlines()) == 1


def link(path):
    other = path.parents[3] / path.name
    shutil.move(path, other)
    path.symlink_to(other)


def test_of_several_runs_one_is_named(hub, ldrt_client, study):
    _two_cards(study)
    done = ldrt_client("publish", study / "runs" / "again", "--study", study, "--dry_run", "true")
    assert done.status == 0, done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "missing RUN or ORG/NAME"),
        (("RUN",), "missing RUN or ORG/NAME"),
        (("RUN", "lab/s", "--also", "base"), "go with --study"),
        (("--study", "STUDY"), "missing --repo_id ORG/NAME"),
        (("--study", "STUDY", "--checkpoint", "STUDY"), "--study finds checkpoint and adapter itself"),
    ],
)
def test_wrong_usage(ldrt_client, study, words, message):
    places = {"STUDY": str(study), "RUN": str(study / "runs" / "tuned")}
    done = ldrt_client("publish", *(places.get(word, word) for word in words))
    assert done.status == 2
    assert message in done.stderr

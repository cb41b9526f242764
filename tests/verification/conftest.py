"""A dataset and a tiny model, published to the test Hub once a module, and verified as anybody would."""

import hashlib
import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.evaluation.conftest import tiny_llava, tiny_llava_next  # noqa: F401 - fixtures
from tests.evaluation.runs import judge_run
from tests.hub_server.fixtures import hub_process  # noqa: F401 - fixture
from tests.hub_server.store import lfs_file, regular_file

DATASET, MODEL = "lab/figures", "lab/model"
PHASE = {"trainable": "lora", "dataset": DATASET, "dataset_config": "instruct", "dataset_split": "train"}
PHASE |= {"steps": 3, "settings": {"learning_rate": 0.0002}, "train_loss": 1.5, "licenses": {"CC-BY-4.0": 12}}


class Published:
    """The test Hub with both repositories; `verify` runs the command, `tampered` adds a commit under a new name."""

    def __init__(self, server, client):
        self.server, self.client = server, client

    def ldrt(self, *argv, status: int | None = 0) -> SimpleNamespace:
        self.client.stdin.write(json.dumps({"argv": [str(word) for word in argv], "token": "hf_write"}) + "\n")
        self.client.stdin.flush()
        done = SimpleNamespace(**json.loads(self.client.stdout.readline()))
        assert status is None or done.status == status, done.stdout + done.stderr
        return done

    def text(self, repo_type: str, repo_id: str, path: str) -> str:
        return self.content(repo_type, repo_id, path).decode()

    def content(self, repo_type: str, repo_id: str, path: str) -> bytes:
        file = self.server.repo(repo_type, repo_id).files_at("main")[path]
        return self.server.store.content_path(file).read_bytes()

    def tampered(self, repo_type: str, repo_id: str, **contents: bytes | None) -> str:
        """A commit on a branch of its own, with other contents of some files (None: without it); its sha."""
        repo, store = self.server.repo(repo_type, repo_id), self.server.store
        files = dict(repo.files_at("main"))
        for path, content in contents.items():
            if content is None:
                del files[path]
                continue
            is_lfs = files.get(path, {}).get("sha256") is not None
            sha256 = hashlib.sha256(content).hexdigest()
            files[path] = lfs_file(sha256, len(content)) if is_lfs else regular_file(content)
            store.put_object(sha256 if is_lfs else files[path]["oid"], content)
        return store.add_commit(repo, f"tampered-{len(repo.commits)}", files, "tampered", "", "mallory")


@pytest.fixture(scope="module")
def published(hub_process, _built, tiny_llava, tiny_llava_next, tmp_path_factory) -> Published:  # noqa: F811
    """dataset pushed; base and tuned model asked, judged, scored, compared; the tuned one published with its card."""
    server, client = hub_process
    server.reset()
    made, folder = Published(server, client), tmp_path_factory.mktemp("published")
    dataset = shutil.copytree(_built, folder / "figures")
    made.ldrt("push", dataset, DATASET)
    commit = server.repo("dataset", DATASET).branches["main"]
    tuned = shutil.copytree(tiny_llava_next, folder / "tuned")
    lineage = {"base_model": "tiny-llava", "base_revision": None, "phases": [PHASE | {"dataset_revision": commit}]}
    (tuned / "lineage.json").write_text(json.dumps(lineage))
    runs = folder / "base", folder / "run"
    for model, run in zip((tiny_llava, tuned), runs, strict=True):
        asked = ["--dataset", DATASET, "--dataset_revision", commit, "--max_new_tokens", 6, "--device", "cpu"]
        for condition in ("true", "blank"):
            made.ldrt(
                "generate", "--model", model, *asked, "--output", run, "--limit", 8, "--image_condition", condition
            )
        judge_run(run)
        made.ldrt("score", run)
    made.ldrt("compare", *runs)
    made.ldrt("card", runs[1], "--repo_id", MODEL, "--dataset_id", DATASET)
    made.ldrt("publish", runs[1], MODEL, "--checkpoint", tuned)
    yield made
    server.reset()


@pytest.fixture
def folder_of(published, tmp_path):
    """A repository as a folder on disk: folder_of("model", MODEL)."""

    def download(repo_type: str, repo_id: str) -> Path:
        target = tmp_path / repo_type
        for name in published.server.repo(repo_type, repo_id).files_at("main"):
            path = target / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(published.content(repo_type, repo_id, name))
        return target

    return download

"""The gate before a Hub repository, over HTTP: what is refused costs no download, what passes is pinned."""

import json

import pytest

from tests.trust.conftest import write_adapter, write_checkpoint, write_sharded

OPEN = """
import json, sys
from trust.checkpoints import open_base, open_checkpoint
try:
    found = open_checkpoint(sys.argv[1])
    if found.is_adapter:
        found = open_base(found)
    print(json.dumps({"commit": found.commit, "files": sorted(path.name for path in found.folder.iterdir())}))
except (OSError, ValueError) as error:
    print(json.dumps({"error": str(error), "kind": type(error).__name__}))
"""


@pytest.fixture
def upload(hub):
    return lambda name, folder: hub.put("model", name, {path.name: path.read_bytes() for path in folder.iterdir()})


@pytest.fixture
def open_there(run_client, hub):
    """(what came of it, the files that were asked for)."""

    def ask(name, home="clean"):
        before = len(hub.log)
        told = json.loads(run_client("-c", OPEN, name, home=home).stdout)
        asked = {row["path"].rpartition("/")[2] for row in hub.log[before:] if "/resolve/" in row["path"]}
        return told, asked

    return ask


def test_only_what_may_be_opened_is_downloaded(hub, upload, open_there, tmp_path):
    folder = write_sharded(tmp_path / "model")
    for name in ("pytorch_model.bin", "modeling_llava.py", "model-copy.safetensors", "README.md"):
        (folder / name).write_bytes(b"never")
    upload("lab/model", folder)
    told, asked = open_there("lab/model")
    wanted = {"config.json", "model.safetensors.index.json", "model-1-of-2.safetensors", "model-2-of-2.safetensors"}
    assert set(told["files"]) == asked == wanted
    assert told["commit"] == hub.repo("model", "lab/model").commit_at("main")
    hub.fail("GET /api/models/lab/model", status=503, times=100)
    assert open_there("lab/model")[0] == told  # from the cache, where the Hub does not answer


@pytest.mark.parametrize("kind", ["pickles", "index", "code"])
def test_what_is_refused_is_refused_before_its_weights_are_fetched(upload, open_there, tmp_path, kind):
    folder = write_sharded(tmp_path / "model", **({"b": "weights.bin"} if kind == "index" else {}))
    (folder / "weights.bin").write_bytes(b"\x80\x04.")
    if kind == "code":
        (folder / "config.json").write_text(json.dumps({"model_type": "evil", "auto_map": {"AutoConfig": "evil.C"}}))
    if kind == "pickles":
        for path in folder.glob("model*"):
            path.unlink()
    upload("lab/model", folder)
    told, asked = open_there("lab/model")
    assert told["kind"] == "RefusedError"
    assert not [name for name in asked if name.endswith((".bin", ".safetensors"))]


def test_a_base_on_the_hub_is_one_at_a_commit(hub, upload, open_there, tmp_path):
    upload("lab/base", write_checkpoint(tmp_path / "base"))
    upload("lab/phase1", write_checkpoint(tmp_path / "phase1"))  # somebody took the name
    commit = hub.repo("model", "lab/base").commit_at("main")
    upload("lab/pinned", write_adapter(tmp_path / "pinned", "lab/base", revision=commit))
    upload("lab/bare", write_adapter(tmp_path / "bare", "lab/phase1"))
    assert open_there("lab/pinned")[0]["commit"] == commit
    told, _ = open_there("lab/bare")
    assert "names no commit of the Hub" in told["error"]
    assert not hub.requests("resolve.*lab/phase1|lab/phase1/resolve")


def test_a_model_that_is_not_there_is_one_line(hub, open_there):
    told, _ = open_there("lab/nothing")
    assert told["kind"] == "FileNotFoundError"
    assert "lab/nothing: neither a folder here nor a model that the Hub lets you read" in told["error"]
    assert "\n" not in told["error"]


CHECK_DATASET = """
from trust.dataset_files import check_dataset
try:
    print(check_dataset("lab/set"))
except ValueError as error:
    print(type(error).__name__, error)
"""


@pytest.mark.parametrize("named", ["/private/*.parquet", "../other/*.parquet", "http://127.0.0.1:9/x.parquet"])
def test_a_datasets_card_names_files_of_its_repository_alone(hub, run_client, named):
    def card(data_files):
        text = f"---\nconfigs:\n- config_name: detail\n  data_files: {data_files}\n---\n"
        hub.put("dataset", "lab/set", {"README.md": text.encode()})
        return run_client("-c", CHECK_DATASET, home="clean").stdout.strip()

    assert card("detail/test-*.parquet") == hub.repo("dataset", "lab/set").commit_at("main")
    told = card(named)
    assert told.startswith("RefusedError lab/set: its card reads rows from")

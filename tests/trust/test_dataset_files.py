"""What a dataset's card may name, at the doors that read rows: `load_items`, `load_evidence`, `load_examples`."""

import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from datasets import Dataset

from evaluation.answering.questions import load_answers, load_evidence, load_items
from recipes.training.examples import load_examples
from trust.dataset_files import check_dataset
from trust.errors import RefusedError

DOORS = {
    "items": lambda folder: load_items(str(folder), "test", ["detail"]),
    "answers": lambda folder: load_answers(str(folder), "test", ["detail"]),
    "evidence": lambda folder: load_evidence(str(folder), "test"),
    "examples": lambda folder: load_examples(str(folder), "detail", "test", None),
}
ROW = {
    "images": [{"bytes": b"", "path": None}],
    "prompt": [{"role": "user", "content": "What?"}],
    "completion": [{"role": "assistant", "content": "That."}],
    "task": "detail",
    "example_id": "e1",
    "figure_id": "f1",
    "article_id": "a1",
    "license": "CC0-1.0",
    "teacher": "rules",
}


def write_rows(folder, name="test-00000-of-00001.parquet"):
    folder.mkdir(parents=True, exist_ok=True)
    Dataset.from_list([ROW]).to_parquet(folder / name)


def write_dataset(folder, data_files, **config):
    """A dataset of one split in `detail/`, whose card names `data_files`."""
    write_rows(folder / "detail")
    configs = [{"config_name": name, "data_files": data_files} | config for name in ("detail", "pairs")]
    write_card(folder, configs)
    return folder


def write_card(folder, configs):
    import json

    (folder / "README.md").write_text(f"---\nconfigs: {json.dumps(configs)}\n---\n# Card\n")


@pytest.fixture
def asked():
    """(address of a server on loopback, what it was asked)."""
    paths = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            paths.append(self.path)
            self.send_error(404)

        do_HEAD = do_GET

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", paths
        server.shutdown()


OUTSIDE = {
    "a full path": "{private}/detail/test-*.parquet",
    "above": "../private/detail/*.parquet",
    "above, from within": "detail/../../private/detail/*.parquet",
    "an address": "{server}/x.parquet",
    "an address in an archive": "zip://x.parquet::{server}/x.zip",
    "a scheme": "file://{private}/detail/*.parquet",
    "a scheme without slashes": "file:{private}/detail/test-*.parquet",
    "the Hub": "hf://datasets/somebody/else/x.parquet",
    "letters": "HTTP{address}/x.parquet",
    "no address": "//[x",
}


@pytest.mark.parametrize("kind", OUTSIDE)
@pytest.mark.parametrize("door", DOORS)
def test_a_card_that_names_others_files_is_refused(tmp_path, asked, door, kind):
    server, paths = asked
    write_rows(tmp_path / "private" / "detail")
    named = OUTSIDE[kind].format(private=tmp_path / "private", server=server, address=server.removeprefix("http"))
    folder = write_dataset(tmp_path / "set", [{"split": "test", "path": named}])
    with pytest.raises(RefusedError, match="outside of the dataset") as refused:
        DOORS[door](folder)
    assert "\n" not in str(refused.value)
    assert not paths


@pytest.mark.parametrize("shape", ["text", "list", "paths", "beside", "another config", "data_dir", "settings"])
def test_wherever_it_is_named(tmp_path, shape):
    out = "../private/detail/test-*.parquet"
    own = "detail/test-*.parquet"
    folder = write_dataset(tmp_path / "set", own)
    write_rows(tmp_path / "private" / "detail")
    configs = {
        "text": [{"config_name": "detail", "data_files": out}],
        "list": [{"config_name": "detail", "data_files": [own, out]}],
        "paths": [{"config_name": "detail", "data_files": [{"split": "test", "path": [own, out]}]}],
        "beside": [
            {"config_name": "detail", "data_files": [{"split": "test", "path": own}, {"split": "b", "path": out}]}
        ],
        "another config": [{"config_name": "a", "data_files": out}, {"config_name": "detail", "data_files": own}],
        "data_dir": [{"config_name": "detail", "data_dir": "../private/detail"}],
    }
    if shape == "settings":
        (folder / ".huggingface.yaml").write_text(f"configs:\n- config_name: detail\n  data_files: {out}\n")
    else:
        write_card(folder, configs[shape])
    with pytest.raises(RefusedError, match="outside of the dataset"):
        load_examples(str(folder), "detail", "test", None)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("link", ["file", "folder", "card"])
def test_links_out_are_refused(tmp_path, door, link):
    folder = write_dataset(tmp_path / "set", [{"split": "test", "path": "detail/test-*.parquet"}])
    path = {"file": folder / "detail" / "test-00000-of-00001.parquet", "folder": folder / "detail"}.get(
        link, folder / "README.md"
    )
    path.symlink_to(path.rename(tmp_path / path.name))
    with pytest.raises(RefusedError, match="is a link out of the dataset"):
        DOORS[door](folder)


@pytest.mark.parametrize("name", ["README.md", ".huggingface.yaml"])
def test_a_pipe_does_not_hang(tmp_path, name):
    folder = write_dataset(tmp_path / "set", "detail/*.parquet")
    (folder / name).unlink(missing_ok=True)
    os.mkfifo(folder / name)
    with pytest.raises(RefusedError, match="no regular file"):
        check_dataset(str(folder))


def test_a_pipe_among_the_rows_does_not_hang(tmp_path):
    folder = write_dataset(tmp_path / "set", [{"split": "test", "path": "detail/pipe.parquet"}])
    os.mkfifo(folder / "detail" / "pipe.parquet")
    with pytest.raises((ValueError, FileNotFoundError)):
        load_items(str(folder), "test", ["detail"])


@pytest.mark.parametrize(
    "card", ["configs: [", "configs: &a [*a]", "- 1", "configs: [{config_name: x, data_files: &a [*a]}]"]
)
def test_a_broken_card_is_one_line_or_the_loaders_business(tmp_path, card):
    folder = write_dataset(tmp_path / "set", "detail/*.parquet")
    (folder / "README.md").write_text(f"---\n{card}\n---\n")
    with pytest.raises((ValueError, FileNotFoundError)) as raised:
        load_items(str(folder), "test", ["detail"])
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "named",
    ["detail/test-*.parquet", "./detail/*.parquet", "detail/**", "detail/test..old*.parquet", "*/test-*.parquet"],
)
def test_the_datasets_own_files_pass(tmp_path, named):
    folder = write_dataset(tmp_path / "set", [{"split": "test", "path": named}])
    if ".." in named:
        write_rows(folder / "detail", "test..old-0.parquet")
    assert len(load_items(str(folder), "test", ["detail"]).rows) >= 1
    assert len(load_examples(str(folder), "detail", "test", None)[0]) >= 1


def test_links_within_and_the_layout_of_the_hubs_cache_pass(tmp_path):
    folder = write_dataset(
        tmp_path / "cache" / "snapshots" / ("a" * 40), [{"split": "test", "path": "detail/*.parquet"}]
    )
    rows = folder / "detail" / "test-00000-of-00001.parquet"
    (tmp_path / "cache" / "blobs").mkdir()
    rows.symlink_to(rows.rename(tmp_path / "cache" / "blobs" / "hash"))
    assert len(load_items(str(folder), "test", ["detail"]).rows) == 1


def test_a_folder_without_a_card_passes(tmp_path):
    write_rows(tmp_path / "set")
    assert check_dataset(str(tmp_path / "set")) is None

"""Folders that a stranger has handed over, at the doors of push and publish: links, pipes, other shapes."""

import json
import os
import shutil

import pytest

from model_cards import publish, push
from tests.model_cards.test_publish import checkpoint_template, run_folder  # noqa: F401 - fixtures
from trust.errors import RefusedError

SECRET = "the reader's own words"
OF_DATASET = (
    *("provenance/markdown/zz.md", "provenance/markdown/PMC1.md", "provenance/failed.jsonl", "provenance/zz.jsonl"),
    *("provenance/audit.json", "provenance/manifest.json", "provenance/splits.json", "eval.yaml"),
    *(
        "provenance/rebuild.jsonl",
        "provenance/changelog.jsonl",
        "detail/train-00009-of-00010.parquet",
        "pairs/test-00000-of-00001.parquet",
    ),
)
OF_RUN = (
    *("plots/zz.png", "plots/scores.png", "human.json", "scores.json", "comparison.json", "manifest.json", "README.md"),
    *("predictions.jsonl", "evidence.jsonl"),
)


def pushed(dataset) -> str:
    return push.run(push.Options(str(dataset), "lab/figures", policy="all", dry_run=True))


def published(folder) -> str:
    return publish.run(publish.Options(str(folder), "lab/model", dry_run=True))


def out_of_it(path, tmp_path):
    (tmp_path / "secret.txt").write_text(SECRET)
    path.symlink_to(tmp_path / "secret.txt")


def from_above(path, tmp_path):
    (tmp_path / "secret.txt").write_text(SECRET)
    path.symlink_to(os.path.relpath(tmp_path / "secret.txt", path.parent))


def from_another_part(path, tmp_path):
    """A file of the folder that is not sent is not sent under another's name."""
    private = path.parent / "private" / "notes.txt"
    private.parent.mkdir()
    private.write_text(SECRET)
    path.symlink_to(private)


def by_two_links(path, tmp_path):
    (tmp_path / "secret.txt").write_text(SECRET)
    (path.parent / "between").symlink_to(tmp_path / "secret.txt")
    path.symlink_to("between")


SPOILT = {
    "link": out_of_it,
    "relative link": from_above,
    "link to another folder of it": from_another_part,
    "link to a link": by_two_links,
    "link to a device": lambda path, _: path.symlink_to("/dev/zero"),
    "link to nothing": lambda path, _: path.symlink_to("nothing"),
    "link in a circle": lambda path, _: path.symlink_to(path.name),
    "pipe": lambda path, _: os.mkfifo(path),
    "folder": lambda path, _: path.mkdir(),
}


def spoil(path, kind, tmp_path):
    path.unlink(missing_ok=True)
    SPOILT[kind](path, tmp_path)


def refused(send, folder, path):
    with pytest.raises(RefusedError) as error:
        send(folder)
    assert str(error.value).startswith(f"{path} is ")
    assert "put the file itself there, or remove it" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("kind", SPOILT)
@pytest.mark.parametrize("name", OF_DATASET)
def test_push_sends_the_folders_own_files(dataset, tmp_path, name, kind):
    spoil(dataset / name, kind, tmp_path)
    refused(pushed, dataset, dataset / name)


@pytest.mark.parametrize("kind", SPOILT)
@pytest.mark.parametrize("name", OF_RUN)
def test_publish_sends_the_folders_own_files(run_folder, tmp_path, name, kind):  # noqa: F811 - the fixture
    spoil(run_folder / name, kind, tmp_path)
    refused(published, run_folder, run_folder / name)


@pytest.mark.parametrize("name", ["provenance", "provenance/markdown", "detail"])
def test_a_folder_elsewhere_is_refused_too(dataset, tmp_path, name):
    (dataset / name).rename(tmp_path / "elsewhere")
    (dataset / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RefusedError, match=f"{dataset / name}/.* is a link out of its folder"):
        pushed(dataset)


def test_what_is_not_sent_may_be_a_link_and_so_may_the_folder_and_a_file_beside(dataset, tmp_path):
    (tmp_path / "secret.txt").write_text(SECRET)
    (dataset / "notes.txt").symlink_to(tmp_path / "secret.txt")
    (dataset / "provenance" / ".hidden.jsonl").symlink_to(tmp_path / "secret.txt")
    os.mkfifo(dataset / "pipe")
    rejected = dataset / "provenance" / "rejected.jsonl"
    rejected.rename(rejected.with_name("v2.txt"))
    rejected.symlink_to("v2.txt")
    (tmp_path / "latest").symlink_to(dataset)
    assert "provenance/rejected.jsonl" in pushed(tmp_path / "latest")


DEEP = '{"a":' * 100_000
NO_ROWS = ["[]", "7", "null", '"text"', "{", DEEP, '{"format": 99}']
TERMS = [{"license": ["CC-BY-4.0"]}, {"license": 4}, {"licenses": "CC-BY-4.0"}, {"licenses": [4]}, {"rights": ["x"]}]
REMOVED = {"day": "2026-01-01", "figure_id": "F", "reason": "not_found"}
REJECTED = {"figure_id": "F", "filter": "sharpness", "article_id": "A", "license": None}
WHOLE = {  # file of provenance/ -> a row of it
    "changelog.jsonl": REMOVED,
    "rejected.jsonl": REJECTED,
    "supplementary.jsonl": {"article_id": "A", "license": None},
    "rejected_examples.jsonl": {"figure_id": "F", "reason": "copied", "license": None},
    "skipped.jsonl": {"file": "a.doc", "reason": "hidden files", "detail": None},
    "failed.jsonl": {"article": "a.pdf", "stage": "read pdf", "error": "no PDF"},
}
WITH_TERMS = ("rejected.jsonl", "supplementary.jsonl", "rejected_examples.jsonl")


def one_line(send, folder, *words):
    with pytest.raises(ValueError, match=".") as error:
        send(folder)
    message = str(error.value)
    assert "\n" not in message
    for word in words:
        assert word in message, message


@pytest.mark.parametrize("name", WHOLE)
def test_a_row_of_another_shape_is_named(dataset, name):
    path, good = dataset / "provenance" / name, json.dumps(WHOLE[name]) + "\n"
    path.write_text(good)
    pushed(dataset)
    rows = NO_ROWS + [json.dumps(WHOLE[name] | terms) for terms in TERMS if name in WITH_TERMS]
    for row in rows:
        path.write_text(good + row + "\n")
        one_line(pushed, dataset, f"{path}, line 2", "ldrt")
    path.write_text(json.dumps(WHOLE[name] | {"note": "\ud800"}) + "\n")
    one_line(pushed, dataset, f"{path}, line 1", "take that text out")


@pytest.mark.parametrize("content", ["[]", "7", "null", "a: [", "a: &b [*b", "tasks: 7", "tasks: [7]", "tasks: {}"])
def test_an_eval_yaml_of_another_shape(dataset, content):
    (dataset / "eval.yaml").write_text(content)
    one_line(pushed, dataset, f"{dataset / 'eval.yaml'}", "`ldrt instruct`")


@pytest.mark.parametrize(
    "content", ["[" * 100_000, "tasks: [{config: [detail]}]", "tasks: [{config: 7}]", "\x00", "- a"]
)
def test_an_eval_yaml_that_is_none(dataset, content):
    (dataset / "eval.yaml").write_text(content)
    one_line(pushed, dataset, f"{dataset / 'eval.yaml'}", "`ldrt instruct`")


@pytest.mark.parametrize("config", ["..", "/", "../dataset/pairs", "detail/../pairs", "nothing"])
def test_an_eval_yaml_of_configs_that_are_not_sent_is_not_sent(dataset, config):
    (dataset / "eval.yaml").write_text(json.dumps({"tasks": [{"id": "x", "config": config}]}))
    assert "eval.yaml" not in pushed(dataset)


@pytest.mark.parametrize("content", NO_ROWS + ['{"articles": "3"}', '{"articles": 3}'])
def test_an_audit_of_another_shape(dataset, content):
    (dataset / "provenance" / "audit.json").write_text(content)
    one_line(pushed, dataset, f"{dataset / 'provenance' / 'audit.json'}", "ldrt")


@pytest.mark.parametrize("row", NO_ROWS + ["{}", json.dumps({"figure_id": "F", "license": ["CC0-1.0"]})])
@pytest.mark.parametrize("name", ["predictions.jsonl", "evidence.jsonl"])
def test_rows_of_a_run_of_another_shape(run_folder, name, row):  # noqa: F811 - the fixture
    path = run_folder / name
    path.write_text(path.read_text() + row + "\n")
    one_line(published, run_folder, f"{path}, line 4", "ldrt")


@pytest.mark.parametrize("content", NO_ROWS + ["{}"])
@pytest.mark.parametrize("name", ["scores.json", "comparison.json", "human.json", "manifest.json"])
def test_results_of_another_shape(run_folder, name, content):  # noqa: F811 - the fixture
    (run_folder / name).write_text(content)
    one_line(published, run_folder, str(run_folder / name), "ldrt")


def test_half_a_character_in_a_prediction(run_folder):  # noqa: F811 - the fixture
    path = run_folder / "predictions.jsonl"
    path.write_text(path.read_text().replace("P.", "\\ud800", 1))
    one_line(published, run_folder, f"{path}, line 1")


def test_nothing_is_left_of_a_refused_push(dataset):
    shutil.rmtree(dataset / "provenance" / "markdown")
    (dataset / "provenance" / "audit.json").write_text("7")
    one_line(pushed, dataset)
    assert [path.name for path in (dataset / ".work").iterdir()] == ["rows.jsonl"]

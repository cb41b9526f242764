"""What `ldrt retract` took down stays away from a dataset folder that is rehydrated again, and loses its pictures."""

import json
import shutil

import pytest

import ldrt
from dataset_builder.files.hashes import file_sha256
from dataset_builder.retracted import read_retracted
from tests.dataset_builder.rehydrating.conftest import differences, rehydrate, rows_of

CONFIGS = ("pairs", "align", "detail", "reasoning")


@pytest.fixture
def chosen(published, made_again, tmp_path):
    """A copy of the dataset, and three of its figures: two made again, one that was published."""
    dataset = shutil.copytree(made_again, tmp_path / "dataset")
    open_ids = {row["figure_id"] for row in rows_of(published)}
    rows = rows_of(dataset)
    made = next(row for row in rows if row["figure_id"] not in open_ids)
    other = next(r for r in rows if r["figure_id"] not in open_ids and r["article_id"] != made["article_id"])
    return dataset, made, other, next(row for row in rows if row["figure_id"] in open_ids)


def retract(dataset, *words):
    assert ldrt.main(["retract", str(dataset), *words, "--why", "asked for"]) == 0


def left_of(dataset, articles, figures):
    every = [row for config in CONFIGS for row in rows_of(dataset, config)]
    return [row["figure_id"] for row in every if row["article_id"] in articles or row["figure_id"] in figures]


def test_what_was_taken_down_does_not_come_back(chosen, published, articles, tmp_path):
    dataset, made, single, open_row = chosen
    gone = {made["article_id"], open_row["article_id"]}
    named = [word for article in sorted(gone) for word in ("--article", article)]
    retract(dataset, *named, "--figure", single["figure_id"])
    anew = shutil.copytree(published, tmp_path / "published")  # pushed since: `pairs` and examples are written anew
    (anew / "eval.yaml").touch()
    assert rehydrate(anew, articles, dataset) == 0
    assert not left_of(dataset, gone, {single["figure_id"]})
    assert read_retracted(dataset).articles == gone
    told = {row["figure_id"] for row in differences(dataset) if row["reason"] == "taken down"}
    assert {made["figure_id"], single["figure_id"]} <= told
    assert made["caption"] not in (dataset / ".work" / "made.jsonl").read_text(encoding="utf-8")
    rejected = (dataset / "provenance" / "rejected.jsonl").read_text(encoding="utf-8")
    assert not [line for line in rejected.splitlines() if json.loads(line)["article_id"] in gone]


def test_published_and_own_lists_are_joined(chosen, published, articles, tmp_path):
    dataset, made, _, open_row = chosen
    retract(dataset, "--article", made["article_id"])
    mine = (dataset / "provenance" / "retracted.jsonl").read_text()
    anew = shutil.copytree(published, tmp_path / "published")
    theirs = json.loads(mine) | {"article_id": open_row["article_id"], "names": [], "digests": [], "figure_ids": []}
    (anew / "provenance" / "retracted.jsonl").write_text(json.dumps(theirs) + "\n")
    assert rehydrate(anew, articles, dataset) == 0
    assert read_retracted(dataset).articles == {made["article_id"], open_row["article_id"]}
    assert not left_of(dataset, {made["article_id"], open_row["article_id"]}, ())


def test_a_published_list_that_is_none_is_one_line(chosen, published, articles, tmp_path, capsys):
    dataset, *_ = chosen
    anew = shutil.copytree(published, tmp_path / "published")
    (anew / "provenance" / "retracted.jsonl").write_text('{"article_id": 3}\n')
    assert rehydrate(anew, articles, dataset) == 1
    assert "retracted.jsonl, line 1" in capsys.readouterr().err
    assert rehydrate(published, articles, dataset) == 0


def test_the_picture_of_a_single_figure_goes_from_the_work_folder(chosen):
    dataset, _, single, _ = chosen
    retract(dataset, "--figure", single["figure_id"])
    files = (path for path in dataset.rglob("*") if path.is_file())
    assert single["image_sha256"] not in map(file_sha256, files)

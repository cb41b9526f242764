"""Small copies of the pictures asked about: each once, made once, and a picture that cannot be read stops nothing."""

import base64
import io
import json

from datasets import Dataset
from PIL import Image

from evaluation.answering.questions import load_items
from evaluation.answering.thumbnails import keep_thumbnails
from trust.pictures.stored import as_stored


def read(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_each_picture_is_kept_once_small(dataset_folder, tmp_path):
    rows = load_items(str(dataset_folder), "test", ["detail", "reasoning"]).rows
    path = tmp_path / "thumbnails.jsonl"
    keep_thumbnails(rows, rows["example_id"], path)
    kept = read(path)
    assert sorted(name for row in kept for name in row["example_ids"]) == sorted(rows["example_id"])
    assert len(kept) < len(rows)
    of_figure = next(row["example_ids"] for row in kept if "A1/fig0/detail" in row["example_ids"])
    assert "A1/fig0/reasoning" in of_figure
    for row in kept:
        assert max(Image.open(io.BytesIO(base64.b64decode(row["jpeg"]))).size) <= 320


def test_what_is_there_stays_and_what_is_new_is_added(dataset_folder, tmp_path):
    rows = load_items(str(dataset_folder), "test", ["detail"]).rows
    names, path = rows["example_id"], tmp_path / "thumbnails.jsonl"
    keep_thumbnails(rows, names[:2], path)
    before = path.stat().st_mtime_ns
    keep_thumbnails(rows, names[:1], path)
    assert path.stat().st_mtime_ns == before
    keep_thumbnails(rows, names, path)
    assert {name for row in read(path) for name in row["example_ids"]} == set(names)


def test_a_broken_or_absent_picture_has_its_reason(tmp_path):
    pictures = [[{"bytes": b"no picture", "path": None}], [], [{"bytes": None, "path": "/etc/passwd"}]]
    rows = as_stored(Dataset.from_dict({"example_id": ["a", "b", "c"], "images": pictures}))
    keep_thumbnails(rows, ["a", "b", "c"], tmp_path / "thumbnails.jsonl")
    kept = read(tmp_path / "thumbnails.jsonl")
    assert [(row["jpeg"], bool(row["problem"])) for row in kept] == [(None, True)] * 3
    assert all("\n" not in row["problem"] for row in kept)

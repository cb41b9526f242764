"""Every door through which a stranger's picture comes, with every attack: nothing is followed, started or published,
each failure has its example and its reason, and the rest goes on. (Training: tests/recipes/training/test_pictures.py.)
"""

import base64
import hashlib
import html
import io
import json
import re

import numpy as np
import pytest
from datasets import Image as HubImage
from datasets import load_dataset
from PIL import Image

import ldrt
from dataset_builder import build
from dataset_builder.assembly.leakage import benchmark_keys
from dataset_builder.files.jsonfiles import read_jsonl
from dataset_builder.ldrt import LDRT
from model_cards.preview.page import render_preview
from tests.dataset_builder.llm_server import completion, serve
from tests.evaluation.people.pages import page_items
from tests.trust.pictures import attacks
from tests.trust.pictures.attacks import GREYS, levels
from tests.trust.pictures.traps import GOOD, example_id, set_traps, write_dataset, write_rows
from trust.pictures.opener import UnreadablePicture

NO_THRESHOLDS = {"min_side_px": 1, "min_sharpness": -1.0, "min_contrast": -1.0, "max_text_share": 2.0}
TEXT = {"min_text_chars": 1, "audit": False}


@pytest.fixture
def traps(tmp_path, monkeypatch):
    with set_traps(tmp_path / "traps", monkeypatch) as set_:
        yield set_
        set_.assert_not_sprung()


@pytest.fixture
def dataset(tmp_path, traps):
    return write_dataset(tmp_path / "strangers", traps)


def opened(jpeg: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(jpeg)))


# ---- build


def _article(folder, pictures: dict[str, bytes]):
    """An article with one figure a picture, each in a file called .png whatever it is."""
    folder.mkdir(parents=True)
    figures = []
    for number, (name, data) in enumerate(pictures.items(), 1):
        file = f"f{number}.png"
        (folder / file).write_bytes(data)
        label = f"<label>Figure {number}</label><caption><p>{html.escape(name)}</p></caption>"
        figures.append(f'<fig id="F{number}">{label}<graphic xlink:href="{file}"/></fig>')
    body = "".join(f"<p>See Figure {number}.</p>" for number in range(1, len(figures) + 1)) + "".join(figures)
    text = f'<article xmlns:xlink="http://www.w3.org/1999/xlink"><front/><body>{body}</body></article>'
    (folder / "x.xml").write_text(text, encoding="utf-8")


def test_build(tmp_path, traps):
    held = {name: attack for name, attack in traps.refused.items() if attack.bytes is not None}
    good = attacks.seen()
    _article(tmp_path / "articles" / "a", {name: attack.bytes for name, attack in held.items()} | good)
    dataset = tmp_path / "dataset"
    build.run(build.Options(str(tmp_path / "articles"), str(dataset), workers=1, **NO_THRESHOLDS, **TEXT))
    rejected = {row["caption"]: row for row in read_jsonl(dataset / "provenance/rejected.jsonl")}
    assert set(rejected) & set(held) == set(held)
    for name, attack in held.items():
        assert attack.reason in rejected[name]["value"]
        assert rejected[name]["value"].startswith("f")  # the name of the file
    rows = load_dataset("parquet", data_files=str(dataset / "pairs" / "*.parquet"), split="train")
    shown = {row["caption"]: row for row in rows.cast_column("image", HubImage(decode=False))}
    assert set(shown) == set(good) - set(rejected)
    assert len(shown) > len(good) / 2
    for name, row in shown.items():
        published = row["image"]["bytes"]
        assert attacks.SECRET.encode() not in published, name
        assert hashlib.sha256(published).hexdigest() == row["image_sha256"], name
        assert levels(Image.open(io.BytesIO(published))) == pytest.approx(GREYS, abs=3), name
    assert attacks.SECRET.encode() not in b"".join(path.read_bytes() for path in dataset.rglob("*.jpg"))


def test_pictures_of_benchmarks(tmp_path, traps):
    folder = tmp_path / "VQA"
    folder.mkdir()
    for number, attack in enumerate(traps.refused.values()):
        (folder / f"{number}.png").write_bytes(attack.bytes or b"")
    (folder / "good.png").write_bytes(attacks.talkative_png(attacks.noise()))
    (key,) = benchmark_keys([str(folder)], tmp_path / "cache")
    assert key.figure_id.endswith("good.png")
    bare = attacks.encoded(attacks.noise(), "PNG")
    assert key.image_sha256 == hashlib.sha256(bare).hexdigest()  # as a dataset would hold it


def test_instruct_does_not_publish_what_a_row_names(dataset, traps, tmp_path):
    """`datasets` embeds the files that rows name when it writes Parquet."""
    builder = LDRT(config_name="detail", rows="unused", pairs=str(dataset / "pairs"), cache_dir=str(tmp_path / "cache"))
    with pytest.raises(UnreadablePicture, match="a-path: the row names .* does not hold the picture"):
        list(builder._pictures("test"))


# ---- generate, human export


def _look(request):
    *pictures, _ = request["messages"][0]["content"]
    (picture,) = pictures
    kind, _, data = picture["image_url"]["url"].partition(",")
    assert kind in ("data:image/png;base64", "data:image/jpeg;base64")
    assert attacks.SECRET.encode() not in base64.b64decode(data)
    return completion(json.dumps(levels(opened(data))))


def _generate(url, dataset, output) -> dict[str, dict]:
    argv = ["generate", "--model", "m", "--base_url", url, "--dataset", str(dataset), "--output", str(output)]
    assert ldrt.main([*argv, "--tasks", "[detail]", "--concurrency", "2"]) == 0
    return {record["example_id"]: record for record in read_jsonl(output / "predictions.jsonl")}


def test_generate_and_human_export(dataset, traps, tmp_path, capsys):
    with serve(_look) as (url, seen):
        records = _generate(url, dataset, tmp_path / "run")
    assert len(seen) == len(attacks.seen())
    for name, attack in traps.refused.items():
        record = records[example_id(name)]
        assert record["prediction"] is None
        assert record["error"].startswith(f"{example_id(name)}: unreadable picture: ")
        assert attack.reason in record["error"]
    for name in attacks.seen():
        shown = json.loads(records[example_id(f"{GOOD} {name}")]["prediction"])
        assert tuple(shown) == pytest.approx(GREYS, abs=3), name
    _answer_all(tmp_path / "run")
    _export(tmp_path / "run", dataset, tmp_path / "page", traps, capsys)


def _answer_all(run):
    """As if the model had answered everything: then people are asked about everything."""
    records = list(read_jsonl(run / "predictions.jsonl"))
    answered = [{k: v for k, v in record.items() if k != "error"} | {"prediction": "an answer"} for record in records]
    lines = [json.dumps(record) for record in answered]
    (run / "predictions.jsonl").write_text("\n".join(lines) + "\n")


def _export(run, dataset, output, traps, capsys):
    count = len(list(read_jsonl(run / "predictions.jsonl")))
    argv = ["human", "export", str(run), "--dataset", str(dataset), "--output", str(output)]
    assert ldrt.main([*argv, "--items", str(count), "--repeats", "0"]) == 0
    said = capsys.readouterr().out
    page = (output / "rate.html").read_text()
    pictures = re.findall(r'id="picture-\d+">(.*?)</script>', page)
    assert len(pictures) == len(attacks.seen())
    for picture in pictures:
        assert attacks.SECRET.encode() not in base64.b64decode(picture)
        assert levels(opened(picture)) == pytest.approx(GREYS, abs=8)
    assert sum(item["picture"] is None for item in page_items(page)) == len(traps.refused)
    for name, attack in traps.refused.items():
        (line,) = [line for line in said.splitlines() if f" {example_id(name)}: " in line]
        assert attack.reason in line


# ---- push

MORE_THAN_PIXELS = {
    "talkative jpeg": attacks.seen()["talkative jpeg"],
    "talkative png": attacks.seen()["talkative png"],
    "bytes behind a jpeg": attacks.seen()["jpeg"] + b"more",
    "bytes behind a png": attacks.seen()["png"] + b"more",
    "animated png": attacks.seen()["animated png"],
    "mpo": attacks.seen()["mpo"],
    "tiff": attacks.seen()["tiff"],
    "webp": attacks.seen()["webp"],
}


def _push(dataset):
    return ldrt.main(["push", str(dataset), "lab/figures", "--policy", "all", "--dry_run", "true"])


@pytest.mark.parametrize("data", MORE_THAN_PIXELS.values(), ids=MORE_THAN_PIXELS)
def test_push_sends_pixels_alone(tmp_path, capsys, data):
    plain = {"bytes": attacks.seen()["png"], "path": None}
    write_rows(tmp_path / "dataset", {"plain": plain, "odd": {"bytes": data, "path": None}})
    assert _push(tmp_path / "dataset") != 0
    (line,) = capsys.readouterr().err.splitlines()
    assert "odd: its picture is more than a JPEG's or PNG's pixels" in line


def test_push_sends_no_row_that_names_a_file(tmp_path, traps, capsys):
    write_rows(tmp_path / "dataset", {"odd": traps.refused["a path"].stored})
    assert _push(tmp_path / "dataset") != 0
    assert "odd: the row names" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["png", "grey png", "jpeg", "progressive jpeg", "16 bit png", "palette png"])
def test_push_sends_plain_pictures(tmp_path, name):
    write_rows(tmp_path / "dataset", {name: {"bytes": attacks.seen()[name], "path": None}})
    assert _push(tmp_path / "dataset") == 0


# ---- preview


def test_preview(dataset, traps):
    page = render_preview(dataset)
    data = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)[1])
    rows = {row["figure_id"]: row for row in data["rows"]}
    pictures = dict(re.findall(r'id="picture-(\d+)">(.*?)</script>', page))
    for name, attack in traps.refused.items():
        row = rows[name.replace(" ", "-")]
        assert "picture" not in row
        if attack.bytes is not None or attack.path is not None:
            assert attack.reason in row["picture_problem"]
    for name in attacks.seen():
        thumbnail = pictures[str(rows[f"{GOOD} {name}".replace(" ", "-")]["picture"])]
        assert levels(opened(thumbnail)) == pytest.approx(GREYS, abs=8), name
        assert attacks.SECRET.encode() not in base64.b64decode(thumbnail)


def test_the_preview_of_a_build_shows_no_files_outside_of_its_folder(tmp_path):
    outside = tmp_path / "private.thumb.jpg"
    outside.write_bytes(attacks.encoded(Image.fromarray(np.zeros((9, 9), np.uint8)), "JPEG"))
    work = tmp_path / "dataset" / ".work"
    work.mkdir(parents=True)
    rows = [
        {"figure_id": name, "image_path": path, "context": [], "split": "train"}
        for name, path in (("up", "../private.png"), ("absolute", str(tmp_path / "private.png")), ("none", None))
    ]
    (work / "verdicts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    page = render_preview(tmp_path / "dataset")
    assert 'id="picture-0"' not in page
    assert "private" not in page

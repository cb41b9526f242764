"""`ldrt screen` on drawn figures, with the real OCR where the extra `ocr` is installed."""

import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pyarrow
import pyarrow.parquet as parquet
import pytest
from PIL import Image

from dataset_builder.files.errors import UsageError
from dataset_builder.schema import PAIRS
from dataset_builder.screen import Options, run
from tests.benchmarks.screened_figures import DrawnFigure, with_identifiers, without_identifiers

HAS_OCR = bool(find_spec("rapidocr") and find_spec("onnxruntime"))
with_ocr = pytest.mark.skipif(not HAS_OCR, reason="needs the extra `ocr`")
ROOT = Path(__file__).parents[2]
SEED = 1000  # figures with a name, a birth date and a hospital, and with none


def encoded(image):
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def make_pairs(dataset, pictures):
    """`pairs` of these pictures, bytes each."""
    rows = [
        dict.fromkeys(PAIRS)
        | {"figure_id": f"fig{number}", "image": {"bytes": data, "path": None}}
        | {"image_sha256": hashlib.sha256(data).hexdigest()}
        for number, data in enumerate(pictures)
    ]
    (dataset / "pairs").mkdir(parents=True, exist_ok=True)
    table = pyarrow.Table.from_pylist(rows, PAIRS.arrow_schema)
    parquet.write_table(table, dataset / "pairs" / "train-00000-of-00001.parquet")
    return dataset


def drawn(figure: DrawnFigure) -> bytes:
    return encoded(figure.picture)


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


@with_ocr
def test_what_is_planted_is_found_once_and_never_said(tmp_path, capfd):
    figure = with_identifiers(SEED)
    pictures = [drawn(figure), drawn(without_identifiers(SEED)), b"no picture", drawn(figure)]
    dataset = make_pairs(tmp_path / "dataset", pictures)
    said = run(Options(str(dataset), workers=1))
    assert "3 pictures, 3 of them new, 1 flagged" in said
    assert "1 could not be screened" in said
    rows = lines(dataset / "review.jsonl")
    assert {row["kind"] for row in rows} == {planted.kind for planted in figure.planted}
    assert {(row["figure_id"], row["decision"]) for row in rows} == {("fig0", None)}
    spoken = said + "".join(capfd.readouterr())
    assert not [row["text"] for row in rows if row["text"] in spoken]
    [broken] = [row for row in lines(dataset / "screened.jsonl") if row["problem"]]
    assert "not a readable picture" in broken["problem"]


@with_ocr
def test_a_second_run_looks_at_new_pictures_only(tmp_path):
    dataset = make_pairs(tmp_path / "dataset", [drawn(with_identifiers(SEED))])
    run(Options(str(dataset), workers=1))
    before = (dataset / "review.jsonl").read_text()
    assert "1 pictures, 0 of them new" in run(Options(str(dataset), workers=1))
    assert (dataset / "review.jsonl").read_text() == before
    make_pairs(dataset, [drawn(without_identifiers(SEED)), drawn(with_identifiers(SEED))])
    assert "2 pictures, 1 of them new, 1 flagged" in run(Options(str(dataset), workers=1))
    assert {row["figure_id"] for row in lines(dataset / "review.jsonl")} == {"fig1"}


@with_ocr
@pytest.mark.slow
def test_killed_and_run_again_it_ends_as_if_nothing_had_happened(tmp_path):
    pictures = [drawn(draw(SEED + i)) for i in range(3) for draw in (with_identifiers, without_identifiers)]
    whole = make_pairs(tmp_path / "whole", pictures)
    run(Options(str(whole), workers=2))
    killed = make_pairs(tmp_path / "killed", pictures)
    command = [sys.executable, "-m", "ldrt", "screen", str(killed), "--workers", "1"]
    process = subprocess.Popen(command, cwd=ROOT, start_new_session=True, stderr=subprocess.DEVNULL)
    ledger = killed / "screened.jsonl"
    while not ledger.exists() or ledger.read_text().count("\n") < 2:
        assert process.poll() is None
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    n_done = len(ledger.read_text().splitlines())
    assert f"{len(pictures) - n_done} of them new" in run(Options(str(killed), workers=2))
    assert lines(killed / "review.jsonl") == lines(whole / "review.jsonl")


def test_without_ocr_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr("dataset_builder.screening.ocr.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"ldrt-vlm\[ocr\]"):
        run(Options(str(make_pairs(tmp_path / "dataset", [encoded(Image.new("L", (40, 40)))]))))


def test_no_dataset(tmp_path):
    with pytest.raises(FileNotFoundError, match="no dataset repo folder"):
        run(Options(str(tmp_path)))


@with_ocr
@pytest.mark.parametrize("content", [None, b"no model"])
def test_a_face_model_that_is_none(tmp_path, content):
    dataset, model = make_pairs(tmp_path / "dataset", [encoded(Image.new("L", (40, 40)))]), tmp_path / "faces.onnx"
    if content:
        model.write_bytes(content)
    with pytest.raises(ValueError, match="--face_model.*give YuNet's .onnx"):
        run(Options(str(dataset), face_model=str(model)))


@with_ocr
def test_a_picture_that_is_not_the_one_of_its_row(tmp_path):
    dataset = make_pairs(tmp_path / "dataset", [encoded(Image.new("L", (40, 40)))])
    path = dataset / "pairs" / "train-00000-of-00001.parquet"
    table = parquet.read_table(path)
    rows = [row | {"image_sha256": "0" * 64} for row in table.to_pylist()]
    parquet.write_table(pyarrow.Table.from_pylist(rows, table.schema), path)
    with pytest.raises(ValueError, match="fig0: its picture is not the one whose hash is in its row"):
        run(Options(str(dataset), workers=1))


@with_ocr
@pytest.mark.skipif("LDRT_FACE_MODEL" not in os.environ, reason="set LDRT_FACE_MODEL to YuNet's .onnx")
def test_a_picture_without_a_face_has_none(tmp_path):
    dataset = make_pairs(tmp_path / "dataset", [encoded(Image.new("RGB", (400, 300), "grey"))])
    assert "0 flagged" in run(Options(str(dataset), face_model=os.environ["LDRT_FACE_MODEL"], workers=1))
    [row] = lines(dataset / "screened.jsonl")
    assert row["face_version"] is not None

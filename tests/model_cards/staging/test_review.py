"""What is published of figures in which personal data was found: by what people decided, in every config."""

import hashlib
import io
import json

import imagehash
import numpy as np
import pyarrow
import pyarrow.parquet as parquet
import pytest
from PIL import Image

from dataset_builder.screening.ledger import note_screened, read_screened, write_review
from dataset_builder.screening.screening import figure_ids
from model_cards import export
from model_cards.cards.dataset_card import render_dataset_card
from model_cards.push import Options, run
from model_cards.quotable import permitted_predictions
from model_cards.staging.dataset import stage_dataset
from model_cards.staging.results import refuse_stale_card, result_files
from model_cards.staging.rows import RowCounts
from tests.model_cards.test_publish import ANSWER, RUN
from trust.pictures.derived import cropped
from trust.pictures.opener import open_picture

SECRET = "ZAPHOD^BEEBLEBROX"
CONFIGS = ("pairs", "align", "detail", "reasoning")
BOX = [40.0, 30.0, 100.0, 44.0]
PANEL = {"label": "B", "bbox": [30.5, 20.0, 120.0, 80.0], "caption": None}


def noise(seed=0):
    pixels = np.random.default_rng(seed).integers(0, 256, (90, 160, 3), np.uint8)
    pixels[30:44, 40:100] = (255, 0, 0)  # the text, where BOX is
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def scanned(dataset):
    """Figure PMC0/fig1 is a picture with a box to blur; its reasoning example shows panel B of it."""
    picture = {"bytes": noise(), "path": None}
    for path in sorted(dataset.glob("*/train-*.parquet")):
        table = parquet.read_table(path)
        rows = table.to_pylist()
        for row in rows:
            if row["figure_id"] != "PMC0/fig1":
                continue
            if "image" in row:
                sha256 = hashlib.sha256(picture["bytes"]).hexdigest()
                row |= {"image": picture, "image_sha256": sha256, "panels": [PANEL], "width": 160, "height": 90}
            elif row["task"] == "reasoning":
                row |= {"images": [{"bytes": cropped(picture, PANEL["bbox"]), "path": None}], "panel": "B"}
            else:
                row["images"] = [picture]
        parquet.write_table(pyarrow.Table.from_pylist(rows, table.schema), path)
    return dataset


def screen(dataset, found=("PMC0/fig1",), decision=None, boxes=(BOX,)):
    """As `ldrt screen` leaves it, and then a person."""
    figure_of = figure_ids(dataset)
    findings = [{"kind": "name", "text": SECRET, "box": list(box), "score": 0.9} for box in boxes]
    rows = [
        {
            "picture": picture,
            "text_version": "1",
            "face_version": None,
            "findings": findings if figure_id in found else [],
            "problem": None,
        }
        for picture, figure_id in figure_of.items()
    ]
    note_screened(dataset, rows)
    write_review(dataset, read_screened(dataset), figure_of)
    decide(dataset, decision)


def decide(dataset, decision):
    path = dataset / "review.jsonl"
    rows = [json.loads(line) | {"decision": decision} for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def staged(dataset, tmp_path):
    return stage_dataset(dataset, tmp_path / "staged", "all", "lab/figures")


def rows_of(made, config, figure_id="PMC0/fig1"):
    files = [file for path, file in made.files.items() if path.startswith(f"{config}/")]
    return [row for file in files for row in parquet.read_table(file).to_pylist() if row["figure_id"] == figure_id]


@pytest.mark.parametrize("decision", [None, "drop"])
def test_what_is_dropped_or_not_decided_is_in_no_config(scanned, tmp_path, decision):
    rejected = {"example_id": "x", "figure_id": "PMC0/fig1", "reason": "blank", "licenses": ["CC-BY-4.0"]}
    (scanned / "provenance" / "rejected_examples.jsonl").write_text(json.dumps(rejected) + "\n")
    screen(scanned, decision=decision)
    made = staged(scanned, tmp_path)
    for config in CONFIGS:
        assert made.counts[config] == RowCounts(published=23, left_out=0, held=1)
        assert not rows_of(made, config)
    assert made.files["provenance/rejected_examples.jsonl"].read_text() == ""
    assert "23 rows, 0 left out, 1 held back" in made.describe()
    assert ("1 figures held back until decided" in made.describe()) == (decision is None)


def test_what_is_kept_goes_as_it_is(scanned, tmp_path):
    screen(scanned, decision="keep")
    made = staged(scanned, tmp_path)
    assert rows_of(made, "pairs")[0]["image"]["bytes"] == noise()
    assert made.counts["pairs"] == RowCounts(published=24)
    assert made.notes == []


def test_blurred_pixels_are_gone_everywhere_and_the_hashes_are_the_new_ones(scanned, tmp_path):
    screen(scanned, decision="blur")
    made = staged(scanned, tmp_path)
    [pair] = rows_of(made, "pairs")
    data = pair["image"]["bytes"]
    pixels = np.asarray(open_picture(data))
    inside = pixels[30:44, 40:100].reshape(-1, 3)
    assert len(np.unique(inside, axis=0)) == 1  # one colour, and not the text's
    assert tuple(inside[0]) != (255, 0, 0)
    assert pair["image_sha256"] == hashlib.sha256(data).hexdigest()
    assert pair["phash"] == str(imagehash.phash(open_picture(data).convert("L")))
    far = np.asarray(open_picture(noise()))
    assert np.array_equal(pixels[60:], far[60:])
    assert rows_of(made, "detail")[0]["images"][0]["bytes"] == data
    panel = np.asarray(open_picture(rows_of(made, "reasoning")[0]["images"][0]["bytes"]))
    part = panel[10:24, 10:70].reshape(-1, 3)  # the box, from the panel's corner at (30, 20)
    assert len(np.unique(part, axis=0)) == 1
    assert noise() not in b"".join(file.read_bytes() for file in made.files.values())
    other = parquet.read_table(scanned / "pairs/train-00000-of-00001.parquet").to_pylist()
    assert rows_of(made, "pairs", "PMC1/fig1") == [row for row in other if row["figure_id"] == "PMC1/fig1"]


def test_a_box_outside_a_panel_leaves_the_panel_as_it_is(scanned, tmp_path):
    screen(scanned, decision="blur", boxes=([0.0, 82.0, 20.0, 89.0],))
    made = staged(scanned, tmp_path)
    before = parquet.read_table(scanned / "reasoning/train-00000-of-00001.parquet").to_pylist()
    assert rows_of(made, "reasoning") == [row for row in before if row["figure_id"] == "PMC0/fig1"]
    assert rows_of(made, "detail")[0]["images"][0]["bytes"] != noise()


def test_a_panel_that_nobody_knows_is_not_published_beside_a_blurred_figure(scanned, tmp_path):
    path = scanned / "reasoning" / "train-00000-of-00001.parquet"
    table = parquet.read_table(path)
    rows = [row | {"panel": "Q" if row["panel"] else None} for row in table.to_pylist()]
    parquet.write_table(pyarrow.Table.from_pylist(rows, table.schema), path)
    screen(scanned, decision="blur")
    assert not rows_of(staged(scanned, tmp_path), "reasoning")


def test_what_was_found_is_in_no_file_that_is_sent(scanned, tmp_path, capfd):
    screen(scanned, found=("PMC0/fig1", "PMC1/fig1"), decision=None)
    made = staged(scanned, tmp_path)
    sent = b"".join(file.read_bytes() for file in made.files.values())
    for trace in (SECRET.encode(), b"review.jsonl", b"screened.jsonl"):
        assert trace not in sent
    assert {"review.jsonl", "screened.jsonl", "review.html"}.isdisjoint(made.files)
    assert SECRET not in "".join(capfd.readouterr()) + made.describe()


def test_a_finding_without_its_line_in_review_jsonl_is_not_decided(scanned, tmp_path):
    screen(scanned, decision="keep")
    (scanned / "review.jsonl").unlink()
    assert staged(scanned, tmp_path).counts["pairs"].held == 1


def test_one_picture_in_two_figures_has_one_fate(scanned, tmp_path):
    path = scanned / "pairs" / "train-00000-of-00001.parquet"
    table = parquet.read_table(path)
    rows = table.to_pylist()
    rows[1] |= {name: rows[0][name] for name in ("image", "image_sha256")}
    parquet.write_table(pyarrow.Table.from_pylist(rows, table.schema), path)
    screen(scanned, decision="drop")
    assert staged(scanned, tmp_path).counts["pairs"].held == 2


def test_a_decision_that_is_none_is_one_line(scanned, tmp_path):
    screen(scanned, decision="blurr")
    with pytest.raises(ValueError, match=r"review.jsonl, line 1: `decision`: input should be 'keep', 'drop' or 'blur'"):
        staged(scanned, tmp_path)


def test_nothing_left_is_said(scanned, tmp_path):
    screen(scanned, found=tuple(f"PMC{i}/fig1" for i in range(24)), decision=None)
    with pytest.raises(RuntimeError, match="held back until decided in .*review.html"):
        staged(scanned, tmp_path)


def test_push_says_that_nobody_screened(dataset):
    done = run(Options(str(dataset), "lab/figures", policy="all", dry_run=True))
    [line] = [line for line in done.splitlines() if "not screened" in line]
    assert f"run `ldrt screen {dataset}` first" in line
    assert "Not screened" in render_dataset_card(dataset)


def test_the_card_counts(scanned, tmp_path):
    screen(scanned, found=("PMC0/fig1", "PMC1/fig1"), decision=None)
    lines = (scanned / "review.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    rows[0]["decision"] = "blur"
    (scanned / "review.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    card = staged(scanned, tmp_path).files["README.md"].read_text()
    section = card.split("## Personal data in the pictures")[1].split("\n## ")[0]
    for line in (
        "| screened | 24 |",
        "flagged: name | 2 |",
        "overwritten | 1 |",
        "until decided | 1 |",
        "config | 0 |",
    ):
        assert line in section
    assert section == render_dataset_card(scanned).split("## Personal data in the pictures")[1].split("\n## ")[0]


def test_new_figures_after_a_rebuild_are_named(scanned, tmp_path):
    screen(scanned, decision="keep")
    lines = (scanned / "screened.jsonl").read_text().splitlines(keepends=True)
    (scanned / "screened.jsonl").write_text("".join(lines[:-4]))
    assert "4 of 24 figures are not screened" in staged(scanned, tmp_path).describe()


def test_an_export_holds_back_and_blurs_the_same(scanned, tmp_path):
    screen(scanned, decision="blur")
    options = {"format": "llava", "configs": ["detail", "reasoning"], "policy": "all"}
    export.run(export.Options(str(scanned), output=str(tmp_path / "blurred"), **options))
    pictures = [open_picture(path.read_bytes()) for path in (tmp_path / "blurred" / "images").rglob("*.png")]
    [figure] = [picture for picture in pictures if picture.size == (160, 90)]
    assert len(np.unique(np.asarray(figure)[30:44, 40:100].reshape(-1, 3), axis=0)) == 1
    decide(scanned, None)
    with pytest.raises(ValueError, match="an export of other rows"):
        export.run(export.Options(str(scanned), output=str(tmp_path / "blurred"), **options))
    said = export.run(export.Options(str(scanned), output=str(tmp_path / "held"), **options))
    assert "2 rows held back" in said
    assert len(json.loads((tmp_path / "held" / "detail-train.json").read_text())) == 11


@pytest.mark.parametrize("is_beside", [True, False])
def test_a_run_knows_its_dataset_wherever_it_is_published_from(scanned, tmp_path, monkeypatch, is_beside):
    screen(scanned, decision="drop")
    run_folder = tmp_path / "study" / "runs" / "tuned"
    run_folder.mkdir(parents=True)
    if is_beside:  # a run of before there was a here.json
        scanned.rename(tmp_path / "study" / "figures")
    else:
        (run_folder / "here.json").write_text(json.dumps({"format": 1, "dataset": str(scanned)}))
    (run_folder / "manifest.json").write_text(json.dumps(RUN | {"dataset": "figures"}))  # a name, and no path
    row = ANSWER | {"example_id": "PMC0", "figure_id": "PMC0/fig1"}
    (run_folder / "predictions.jsonl").write_text(json.dumps(row) + "\n")
    evidence = {"figure_id": "PMC0/fig1", "license": "CC-BY-4.0", "caption": "C"}
    (run_folder / "evidence.jsonl").write_text(json.dumps(evidence) + "\n")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert [is_permitted for _, is_permitted in permitted_predictions(run_folder, "commercial")] == [False]


@pytest.mark.parametrize(("decision", "is_shown"), [(None, False), ("drop", False), ("blur", False), ("keep", True)])
def test_a_run_shows_no_picture_that_is_held_or_blurred(scanned, tmp_path, decision, is_shown):
    screen(scanned, decision=decision)
    (tmp_path / "manifest.json").write_text(json.dumps(RUN | {"dataset": str(scanned)}))
    rows = [ANSWER | {"example_id": name, "figure_id": f"{name}/fig1"} for name in ("PMC0", "PMC1")]
    rows.append(rows[1] | {"example_id": "other", "image_figure_id": "PMC0/fig1"})  # asked with another's picture
    (tmp_path / "predictions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    evidence = [{"figure_id": f"{name}/fig1", "license": "CC-BY-4.0", "caption": "C"} for name in ("PMC0", "PMC1")]
    (tmp_path / "evidence.jsonl").write_text("".join(json.dumps(row) + "\n" for row in evidence))
    permitted = {row["example_id"]: is_permitted for row, is_permitted in permitted_predictions(tmp_path, "commercial")}
    assert permitted == {"PMC0": is_shown, "PMC1": True, "other": is_shown}


def written_from(dataset, donor, figure):
    """Let the detail example of `figure` be written from the context of `donor`, and one that was rejected, too."""
    path = dataset / "detail" / "train-00000-of-00001.parquet"
    table = parquet.read_table(path)
    rows = [row | ({"context_of": donor} if row["figure_id"] == figure else {}) for row in table.to_pylist()]
    parquet.write_table(pyarrow.Table.from_pylist(rows, table.schema), path)
    rejected = {key: value for key, value in rows[0].items() if key != "images"}
    rejected |= {"figure_id": figure, "context_of": donor, "filter": "support", "value": 0.1, "threshold": 0.5}
    (dataset / "provenance" / "rejected_examples.jsonl").write_text(json.dumps(rejected) + "\n")


@pytest.mark.parametrize(("decision", "goes"), [("keep", True), ("blur", True), ("drop", False), (None, False)])
def test_what_was_written_from_the_text_of_a_held_figure_is_held(scanned, tmp_path, decision, goes):
    written_from(scanned, donor="PMC0/fig1", figure="PMC1/fig1")
    screen(scanned, decision=decision)
    made = staged(scanned, tmp_path)
    assert bool(rows_of(made, "detail", "PMC1/fig1")) is goes
    assert rows_of(made, "reasoning", "PMC1/fig1")
    rejected = made.files["provenance/rejected_examples.jsonl"].read_text()
    assert bool(rejected) is goes


def run_of(folder, dataset, revision="sha256:" + "a" * 64):
    """A run about PMC0/fig1, asked of the dataset folder."""
    folder.mkdir(parents=True)
    manifest = RUN | {"dataset": dataset.name, "dataset_revision": revision}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "here.json").write_text(json.dumps({"format": 1, "dataset": str(dataset)}))
    row = ANSWER | {"example_id": "PMC0/fig1/detail", "figure_id": "PMC0/fig1", "license": "CC-BY-4.0"}
    (folder / "predictions.jsonl").write_text(json.dumps(row) + "\n")
    evidence = {"figure_id": "PMC0/fig1", "license": "CC-BY-4.0", "licenses": ["CC-BY-4.0"], "caption": "C"}
    (folder / "evidence.jsonl").write_text(json.dumps(evidence) + "\n")
    return folder


def test_a_run_whose_dataset_has_moved_says_that_decisions_are_not_known(scanned, tmp_path):
    screen(scanned, decision="drop")
    made = run_of(tmp_path / "runs" / "tuned", scanned)
    (tmp_path / "sent").mkdir()
    _, notes = result_files(made, "commercial", tmp_path / "sent")
    assert [note for note in notes if "not known" in note] == []
    moved = scanned.rename(tmp_path / "elsewhere")
    _, notes = result_files(made, "commercial", tmp_path / "sent")
    [note] = notes
    assert note.startswith("1 of 1 figures are in no dataset here: what was decided on personal data")
    assert "\n" not in note
    _, notes = result_files(made, "commercial", tmp_path / "sent", moved)  # as a study finds it
    assert [note[:13] for note in notes] == ["1 predictions"]


def test_of_a_dataset_that_was_pushed_there_is_nothing_to_say(scanned, tmp_path):
    made = run_of(tmp_path / "runs" / "tuned", tmp_path / "nowhere", revision="c" * 40)
    (tmp_path / "sent").mkdir()
    assert result_files(made, "commercial", tmp_path / "sent")[1] == []


def test_a_card_that_shows_a_figure_which_was_dropped_since_is_refused(scanned, tmp_path):
    made = run_of(tmp_path / "runs" / "tuned", scanned)
    shown = {"example_id": "PMC0/fig1/detail", "picture": "examples/1.jpg"}
    card = dict.fromkeys(("repo_id", "dataset_id", "base_model", "license")) | {"tags": [], "plots": []}
    (made / "card.json").write_text(json.dumps(card | {"examples": [shown]}))
    screen(scanned, decision="keep")
    refuse_stale_card(made)
    decide(scanned, "drop")
    with pytest.raises(ValueError, match=r"README.md shows PMC0/fig1/detail, .* run `ldrt card .*` again"):
        refuse_stale_card(made)


@pytest.mark.parametrize(
    ("box", "problem"),
    [
        ([200.0, 30.0, 260.0, 44.0], "outside its picture of 160x90 pixels: nothing would be blurred"),
        ([-60.0, 30.0, 0.0, 44.0], "outside its picture"),
        ([100.0, 30.0, 40.0, 44.0], "left < right, top < bottom"),
        ([40.0, 44.0, 100.0, 44.0], "left < right, top < bottom"),
        ([40.0, 30.0, 100.0], "to blur is none"),
        ([40.0, 30.0, 1e999, 44.0], "to blur is none|is no number"),
    ],
)
def test_a_box_that_blurs_nothing_is_refused(scanned, tmp_path, box, problem):
    screen(scanned, decision="keep")
    path = scanned / "review.jsonl"
    row = json.loads(path.read_text()) | {"kind": "face", "decision": "blur", "box": box}
    path.write_text(path.read_text() + json.dumps(row).replace("Infinity", "1e999") + "\n")
    with pytest.raises(ValueError, match=rf"review.jsonl, line 2: .*({problem})"):
        staged(scanned, tmp_path)


@pytest.mark.parametrize(("decisions", "held"), [(("drop", "keep"), 1), (("keep", "drop"), 1), (("keep", None), 0)])
def test_of_two_decisions_on_one_place_the_strictest_counts(scanned, tmp_path, decisions, held):
    screen(scanned)
    path = scanned / "review.jsonl"
    row = json.loads(path.read_text())
    path.write_text("".join(json.dumps(row | {"decision": decision}) + "\n" for decision in decisions))
    assert staged(scanned, tmp_path).counts["pairs"].held == held


@pytest.mark.parametrize(("decision", "held"), [("drop", 1), ("blur", 1), ("keep", 0)])
def test_a_figure_whose_picture_is_another_since_it_was_dropped_or_blurred_is_held_back(
    scanned, tmp_path, decision, held
):
    screen(scanned, decision=decision)
    for name in ("review.jsonl", "screened.jsonl"):  # as if the picture had been another one then
        path = scanned / name
        path.write_text(path.read_text().replace(hashlib.sha256(noise()).hexdigest(), "0" * 64))
    made = staged(scanned, tmp_path)
    assert made.counts["pairs"].held == held
    assert len(rows_of(made, "pairs")) == 1 - held


def test_letters_over_the_edge_of_a_box_go_from_a_panel_beside_it_too(scanned, tmp_path):
    screen(scanned, decision="blur", boxes=([40.0, 5.0, 100.0, 19.0],))  # ends a pixel above panel B
    panel = np.asarray(open_picture(rows_of(staged(scanned, tmp_path), "reasoning")[0]["images"][0]["bytes"]))
    assert len(np.unique(panel[:2, 10:70].reshape(-1, 3), axis=0)) == 1


def test_of_two_panels_of_one_label_nobody_knows_which_is_shown(scanned, tmp_path):
    path = scanned / "pairs" / "train-00000-of-00001.parquet"
    table = parquet.read_table(path)
    rows = table.to_pylist()
    rows[0]["panels"] = [PANEL, PANEL | {"bbox": [0.0, 0.0, 20.0, 20.0]}]
    parquet.write_table(pyarrow.Table.from_pylist(rows, table.schema), path)
    screen(scanned, decision="blur")
    assert not rows_of(staged(scanned, tmp_path), "reasoning")

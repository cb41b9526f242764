import hashlib
import io
import json
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tarfile
import time

import datasets
import pyarrow
import pyarrow.parquet as parquet
import pytest
from PIL import Image, PngImagePlugin

import ldrt
from dataset_builder.schema import features
from model_cards.cards.dataset_card import render_dataset_card
from model_cards.export import Options, run
from model_cards.exporting import files
from tests.hub_server import client_env
from tests.model_cards.exporting.readers import (
    picture_of,
    read_llava,
    read_ranked_sharegpt,
    read_sharegpt,
    read_webdataset,
)
from trust.pictures.metadata import is_bare

PERMITTED = {
    "commercial": {"CC-BY-4.0", "CC0-1.0", "CC-BY-SA-4.0"},
    "noncommercial": {"CC-BY-4.0", "CC0-1.0", "CC-BY-SA-4.0", "CC-BY-NC-4.0"},
}


def export(dataset, form, output, **options):
    return run(Options(str(dataset), form, str(output), **options))


def stored(dataset, config, split, policy="commercial"):
    """The rows that the policy permits, read with nothing of the project's."""
    rows = parquet.read_table(dataset / config / f"{split}-00000-of-00001.parquet").to_pylist()
    return [row for row in rows if row["license"] in PERMITTED[policy]]


def pixels(data):
    with Image.open(io.BytesIO(data)) as image:
        return image.size, image.convert("RGB").tobytes()


def tree(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def change(dataset, config, split, edit):
    """Change the rows of a split: `edit` gets the list of rows."""
    path = dataset / config / f"{split}-00000-of-00001.parquet"
    table = parquet.read_table(path)
    rows = table.to_pylist()
    edit(rows)
    parquet.write_table(pyarrow.Table.from_pylist(rows, table.schema), path)


@pytest.mark.parametrize("policy", ["commercial", "noncommercial"])
def test_llava_json_is_what_the_dataset_holds(dataset, tmp_path, policy):
    said = export(dataset, "llava", tmp_path / "out", policy=policy)
    for config in ("align", "detail", "reasoning"):
        for split in ("train", "validation", "test"):
            wanted = stored(dataset, config, split, policy)
            found = read_llava(tmp_path / "out" / f"{config}-{split}.json", tmp_path / "out")
            assert list(found) == [row["example_id"] for row in wanted]
            assert f"{config}-{split}.json: {len(wanted)} rows" in said
            for row in wanted:
                item = found[row["example_id"]]
                assert item["question"] == row["prompt"][0]["content"]
                assert item["answer"] == row["completion"][0]["content"]
                assert item["picture"][1:] == pixels(row["images"][0]["bytes"])
    n_out = 3 * (24 - 4 * len(PERMITTED[policy]))
    assert f"{n_out} rows left out: their licences do not permit it ({policy})" in said


def test_sharegpt_json_is_what_the_dataset_holds(dataset, tmp_path):
    export(dataset, "sharegpt", tmp_path / "out")
    for config in ("align", "detail", "reasoning"):
        for split in ("train", "validation", "test"):
            wanted, found = stored(dataset, config, split), read_sharegpt(tmp_path / "out", f"{config}_{split}")
            assert len(found) == len(wanted) > 0
            for row, item in zip(wanted, found, strict=True):
                assert (item["question"], item["answer"]) == (
                    row["prompt"][0]["content"],
                    row["completion"][0]["content"],
                )
                assert [one[1:] for one in item["pictures"]] == [pixels(row["images"][0]["bytes"])]


def test_webdataset_tars_are_what_the_dataset_holds(dataset, tmp_path):
    export(dataset, "webdataset", tmp_path / "out")
    for split in ("train", "validation", "test"):
        wanted, found = stored(dataset, "pairs", split), read_webdataset(tmp_path / "out" / f"pairs-{split}-000000.tar")
        for row, sample in zip(wanted, found, strict=True):
            says = json.loads(sample["json"])
            assert sample["txt"].decode() == says["caption"] == row["caption"]
            assert (says["context"], says["attribution"]) == (row["context"], row["attribution"])
            assert picture_of(sample)[1:] == pixels(row["image"]["bytes"])
        wanted, found = (
            stored(dataset, "detail", split),
            read_webdataset(tmp_path / "out" / f"detail-{split}-000000.tar"),
        )
        for row, sample in zip(wanted, found, strict=True):
            says = json.loads(sample["json"])
            assert says["messages"] == row["prompt"] + row["completion"]
            assert (says["example_id"], says["licenses"]) == (row["example_id"], row["licenses"])
            assert picture_of(sample)[1:] == pixels(row["images"][0]["bytes"])


def test_tars_are_cut_where_they_are_large_and_say_nothing_of_the_machine(dataset, tmp_path, monkeypatch):
    monkeypatch.setattr(files, "SHARD_BYTES", 600)
    export(dataset, "webdataset", tmp_path / "out", configs=["pairs"], splits=["train"])
    tars = sorted((tmp_path / "out").glob("pairs-train-*.tar"))
    assert [path.name for path in tars] == [f"pairs-train-{i:06}.tar" for i in range(len(tars))]
    assert len(tars) > 2
    wanted = stored(dataset, "pairs", "train")
    assert [json.loads(one["json"])["figure_id"] for one in read_webdataset(*tars)] == [
        row["figure_id"] for row in wanted
    ]
    for path in tars:
        with tarfile.open(path) as tar:
            facts = {(m.mtime, m.uid, m.gid, m.uname, m.gname, m.mode) for m in tar}
        assert facts == {(0, 0, 0, "", "", 0o644)}


@pytest.mark.parametrize("form", ["llava", "sharegpt", "webdataset"])
def test_the_same_bytes_again_in_another_folder_and_over_the_same(dataset, tmp_path, form):
    export(dataset, form, tmp_path / "one")
    first = tree(tmp_path / "one")
    if form == "webdataset":
        time.sleep(1.1)  # tars hold whole seconds
    export(dataset, form, tmp_path / "two")
    export(dataset, form, tmp_path / "one")
    assert tree(tmp_path / "two") == tree(tmp_path / "one") == first


KILLED = """
import os, signal, sys
import ldrt

left, replace = int(sys.argv[1]), os.replace

def replace_or_die(*paths):
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    replace(*paths)

os.replace = replace_or_die
ldrt.main(["export", *sys.argv[2:]])
"""


@pytest.mark.parametrize("form", ["llava", "webdataset"])
def test_a_killed_run_and_another_give_the_same(dataset, tmp_path, form):
    """kill -9 with the draft of the second file whole, and with that of the ninth."""
    export(dataset, form, tmp_path / "whole")
    for number in (2, 9):
        output = tmp_path / f"killed-{number}"
        words = [str(number), str(dataset), "--format", form, "--output", str(output)]
        done = subprocess.run([sys.executable, "-c", KILLED, *words], capture_output=True, check=False)
        assert done.returncode == -signal.SIGKILL, done.stderr
        export(dataset, form, output)
        assert tree(output) == tree(tmp_path / "whole")


def test_whatever_is_half_done_is_gone_on_with(dataset, tmp_path):
    """Any part of the files there, and the drafts of a run that was killed."""
    export(dataset, "sharegpt", tmp_path / "whole")
    whole = tree(tmp_path / "whole")
    for n in (1, 5, len(whole) // 2, len(whole) - 1):
        output = tmp_path / f"part-{n}"
        (output / ".drafts-0123abcd").mkdir(parents=True)
        (output / ".drafts-0123abcd" / "detail-train.json").write_text("[\n{")
        (output / ".drafts-0123abcd.lock").touch()
        names = sorted(whole, key=lambda name: (name != "export.json", hashlib.sha256(name.encode()).digest()))
        for name in names[:n]:
            (output / name).parent.mkdir(parents=True, exist_ok=True)
            (output / name).write_bytes(whole[name])
        export(dataset, "sharegpt", output)
        assert tree(output) == whole


def test_only_what_is_asked_for(dataset, tmp_path):
    export(dataset, "llava", tmp_path / "out", configs=["instruct"], splits=["train"])
    assert {path.name for path in (tmp_path / "out").glob("*.json")} == {"export.json", "instruct-train.json"}
    wanted = stored(dataset, "detail", "train") + stored(dataset, "reasoning", "train")
    found = read_llava(tmp_path / "out" / "instruct-train.json", tmp_path / "out")
    assert list(found) == [row["example_id"] for row in wanted]


def test_credits_name_every_exported_figure_and_no_other(dataset, tmp_path):
    export(dataset, "llava", tmp_path / "out", splits=["test"])
    rows = [json.loads(line) for line in (tmp_path / "out" / "attribution.jsonl").read_text().splitlines()]
    assert {row["figure_id"] for row in rows} == {row["figure_id"] for row in stored(dataset, "detail", "test")}
    assert {row["attribution"] for row in rows} == {"A. Author et al."}
    assert not {"image", "caption", "context"} & {name for row in rows for name in row}


def test_nothing_that_the_policy_forbids_is_anywhere_in_the_files(dataset, tmp_path):
    for form in ("llava", "sharegpt", "webdataset"):
        export(dataset, form, tmp_path / form)
        everything = b"".join(tree(tmp_path / form).values())
        for number in range(24):
            is_permitted = number % 6 in (0, 1, 5)
            assert (f"Dose curve {number}.".encode() in everything) == is_permitted, (form, number)
        names = {path.name.split(".")[0] for path in (tmp_path / form).glob("images/*/*")}
        for row in parquet.read_table(dataset / "align" / "train-00000-of-00001.parquet").to_pylist():
            name = hashlib.sha256(row["images"][0]["bytes"]).hexdigest()
            assert form == "webdataset" or (name in names) == (row["license"] in PERMITTED["commercial"])


def _with_metadata():
    """Kind -> a picture with more than pixels, and whether its kind stays."""
    image = Image.effect_noise((40, 30), 60).convert("RGB")
    exif = Image.Exif()
    exif[0x010F] = "Camera of somebody"
    plain, turned, comment = io.BytesIO(), io.BytesIO(), PngImagePlugin.PngInfo()
    image.save(plain, "JPEG", exif=exif, comment=b"private words")
    exif[0x0112] = 6
    image.save(turned, "JPEG", exif=exif)
    comment.add_text("Author", "private words")
    png, palette, tiff = io.BytesIO(), io.BytesIO(), io.BytesIO()
    image.save(png, "PNG", pnginfo=comment)
    image.quantize(16).save(palette, "GIF")
    image.save(tiff, "TIFF", description="private words")
    return {
        "jpeg": (plain.getvalue() + b"private words", "JPEG"),
        "turned jpeg": (turned.getvalue(), "PNG"),
        "png": (png.getvalue(), "PNG"),
        "gif": (palette.getvalue(), "PNG"),
        "tiff": (tiff.getvalue(), "PNG"),
    }


@pytest.mark.parametrize("kind", _with_metadata())
def test_pictures_are_pixels_and_nothing_else(dataset, tmp_path, kind):
    data, wanted = _with_metadata()[kind]
    change(dataset, "detail", "test", lambda rows: [r["images"][0].update(bytes=data) for r in rows])
    export(dataset, "llava", tmp_path / "out", configs=["detail"], splits=["test"])
    export(dataset, "webdataset", tmp_path / "tars", configs=["detail"], splits=["test"])
    (path,) = (tmp_path / "out").glob("images/*/*")  # the same in each row, so one file
    assert path.suffix == {"JPEG": ".jpg", "PNG": ".png"}[wanted]
    (sample, *_) = read_webdataset(tmp_path / "tars" / "detail-test-000000.tar")
    assert sample[path.suffix[1:]] == path.read_bytes()
    assert is_bare(path.read_bytes())
    for private in (b"private words", b"Camera of somebody"):
        assert private not in path.read_bytes()
    with Image.open(io.BytesIO(data)) as before, Image.open(path) as after:
        upright = before.rotate(-90, expand=True) if kind == "turned jpeg" else before
        assert after.size == upright.size
        assert after.tobytes() == upright.convert("RGB").tobytes()


def test_the_compressed_pixels_stay_as_they_are(dataset, tmp_path):
    export(dataset, "llava", tmp_path / "out")
    held = {path.read_bytes() for path in (tmp_path / "out").glob("images/*/*")}
    rows = (
        stored(dataset, "detail", "train") + stored(dataset, "detail", "validation") + stored(dataset, "detail", "test")
    )
    assert held == {row["images"][0]["bytes"] for row in rows}


@pytest.mark.parametrize(
    "broken",
    [
        {"bytes": b"no picture", "path": None},
        {"bytes": None, "path": "/etc/passwd"},
        {"bytes": None, "path": None},
        {"bytes": b"", "path": "http://127.0.0.1:9/a.png"},
        {"bytes": b"%!PS-Adobe-3.0 EPSF-3.0\n", "path": "a.eps"},
    ],
)
@pytest.mark.parametrize("form", ["llava", "sharegpt", "webdataset"])
def test_a_row_whose_picture_cannot_be_opened_is_named_and_the_rest_goes_on(dataset, tmp_path, broken, form):
    change(dataset, "detail", "train", lambda rows: rows[0]["images"].__setitem__(0, broken))
    said = export(dataset, form, tmp_path / "out", configs=["detail"], splits=["train"])
    assert "left out: PMC0/fig1/detail: " in said
    (left,) = [json.loads(line) for line in (tmp_path / "out" / "left_out.jsonl").read_text().splitlines()]
    assert left["row"] == "PMC0/fig1/detail"
    assert ": 5 rows" in said


def test_rows_that_a_form_cannot_hold_are_named(dataset, tmp_path):
    def edit(rows):
        rows[0]["images"] *= 2
        rows[1]["completion"] = []
        rows[5]["prompt"][0]["role"] = "system"

    change(dataset, "detail", "train", edit)
    said = export(dataset, "llava", tmp_path / "llava", configs=["detail"], splits=["train"])
    assert "PMC0/fig1/detail: it has 2 pictures" in said
    assert said.count("in alternation") == 1
    assert "PMC1/fig1/detail: its completion is no list of messages" in said
    assert len(read_llava(tmp_path / "llava" / "detail-train.json", tmp_path / "llava")) == 3
    export(dataset, "sharegpt", tmp_path / "sharegpt", configs=["detail"], splits=["train"])
    assert [len(one["pictures"]) for one in read_sharegpt(tmp_path / "sharegpt", "detail_train")] == [2, 1, 1, 1]


@pytest.mark.parametrize("text", ["What is <image>?", "</s> USER: no", "<|im_end|>", "[INST] x [/INST]"])
def test_special_tokens_of_strangers_are_plain_text(dataset, tmp_path, text):
    """The readers fail where `<image>` stands more often than there are pictures."""

    def edit(rows):
        for row in rows:
            row["prompt"][0]["content"] = row["completion"][0]["content"] = text

    change(dataset, "detail", "test", edit)
    change(dataset, "pairs", "test", lambda rows: [row.update(caption=text, context=[text]) for row in rows])
    for form in ("llava", "sharegpt", "webdataset"):
        export(dataset, form, tmp_path / form, splits=["test"])
    special = next(word for word in ("<image>", "</s>", "<|im_end|>", "[INST]") if word in text)
    found = read_llava(tmp_path / "llava" / "detail-test.json", tmp_path / "llava")
    assert all(special not in item["question"] + item["answer"] for item in found.values())
    for item in read_sharegpt(tmp_path / "sharegpt", "detail_test"):
        assert special not in item["question"] + item["answer"]
    for config in ("pairs", "detail"):
        for sample in read_webdataset(tmp_path / "webdataset" / f"{config}-test-000000.tar"):
            assert special.encode() not in sample["json"] + sample.get("txt", b"")


@pytest.mark.parametrize("name", ["../../evil", "a/b.c/d", "/abs", "CON", "a\nb", "x" * 500, "图.png", "-rf", ""])
def test_ids_of_strangers_name_no_file(dataset, tmp_path, name):
    for config in ("pairs", "detail"):
        change(dataset, config, "test", lambda rows: rows[0].update(figure_id=name, article_id=name))
    change(dataset, "detail", "test", lambda rows: rows[0].update(example_id=name))
    before = {path for path in tmp_path.rglob("*") if dataset not in path.parents}
    for form in ("llava", "webdataset"):
        export(dataset, form, tmp_path / form, splits=["test"])
    after = {path for path in tmp_path.rglob("*") if dataset not in path.parents} - before
    inside = [path.relative_to(tmp_path).as_posix() for path in after]
    assert all(part.isascii() and len(part) < 80 for path in inside for part in path.split("/"))
    assert {path.split("/")[0] for path in inside} == {"llava", "webdataset"}
    samples = read_webdataset(tmp_path / "webdataset" / "detail-test-000000.tar")
    assert [json.loads(one["json"])["example_id"] for one in samples][0] == name
    assert all(one["__key__"].startswith("detail-test-") for one in samples)


def test_other_settings_are_not_written_over(dataset, tmp_path):
    output = tmp_path / "out"
    export(dataset, "llava", output, policy="noncommercial")
    before = tree(output)
    with pytest.raises(ValueError, match="of other --policy: give a new folder"):
        export(dataset, "llava", output)
    with pytest.raises(ValueError, match="of other --format"):
        export(dataset, "sharegpt", output, policy="noncommercial")
    with pytest.raises(ValueError, match="of other rows, --splits"):
        export(dataset, "llava", output, policy="noncommercial", splits=["test"])
    change(dataset, "detail", "test", lambda rows: rows.pop())
    with pytest.raises(ValueError, match="of other rows: give"):
        export(dataset, "llava", output, policy="noncommercial")
    assert tree(output) == before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("words")
    with pytest.raises(ValueError, match="holds other files already"):
        export(dataset, "llava", tmp_path / "mine")


def test_what_is_wrong_is_one_line(dataset, tmp_path, capsys):
    no_examples = tmp_path / "pairs-only"
    (no_examples / "pairs").mkdir(parents=True)
    for path in (dataset / "pairs").iterdir():
        (no_examples / "pairs" / path.name).write_bytes(path.read_bytes())
    foreign = tmp_path / "foreign"
    (foreign / "detail").mkdir(parents=True)
    parquet.write_table(pyarrow.table({"text": ["a"], "license": ["CC0-1.0"]}), foreign / "detail" / "train-0.parquet")
    (dataset / "detail" / "test-00000-of-00001.parquet").unlink()
    other_kind = tmp_path / "other-kind"
    (other_kind / "detail").mkdir(parents=True)
    table = parquet.read_table(dataset / "detail" / "train-00000-of-00001.parquet")
    table = table.drop_columns("prompt").append_column("prompt", pyarrow.array(["What is it?"] * len(table)))
    parquet.write_table(table, other_kind / "detail" / "train-0.parquet")
    cases = [
        (2, [dataset, "--configs", "pairs"], "no config 'pairs' for this format; there are align, detail, reasoning"),
        (2, [dataset, "--configs", "[details]"], "--configs: no 'details', did you mean detail?"),
        (2, [dataset, "--configs", "detail,reasoning"], "did you mean detail reasoning, without comma or quotes?"),
        (2, [dataset, "--configs", "preference"], "no config 'preference' for this format"),
        (2, [dataset, "--splits", "trian"], "--splits: no 'trian', did you mean train?"),
        (2, [dataset, "--configs", "detail", "--splits", "test"], "no split 'test' in detail; there are train, valid"),
        (1, [no_examples], "no conversations yet: run `ldrt instruct"),
        (1, [foreign], "has no column completion, example_id"),
        (1, [other_kind], "column prompt holds string, not list<"),
        (2, [tmp_path / "none"], "there is no folder"),
        (1, [tmp_path], "no dataset repo folder"),
        (2, [dataset, "--revision", "abc"], "leave out --revision"),
    ]
    for status, words, said in cases:
        words = ["export", *words, "--format", "llava", "--output", tmp_path / "out"]
        assert ldrt.main([str(word) for word in words]) == status, words
        error = capsys.readouterr().err
        assert error.count("\n") == 1, error
        assert said in error
    assert not (tmp_path / "out").exists()


def _add_preferences(dataset):
    """A config `preference`: of each question of `detail` two answers to choose from."""
    (dataset / "preference").mkdir()
    for path in (dataset / "detail").iterdir():
        rows = datasets.load_dataset("parquet", data_files=str(path), split="train").to_list()
        for row in rows:
            row |= {"chosen": row["completion"], "rejected": [{"role": "assistant", "content": "A cat, <image>."}]}
            row |= {"chosen_by": "lab/a@1", "rejected_by": "lab/b@2", "judges": []}
        schema = features("preference")
        made = [{name: row[name] for name in schema} for row in rows]
        datasets.Dataset.from_list(made, features=schema).to_parquet(dataset / "preference" / path.name)


def test_two_answers_to_choose_from_go_where_the_format_has_a_place_for_them(dataset, tmp_path):
    _add_preferences(dataset)
    wanted = stored(dataset, "preference", "train")
    asked = [(row["prompt"][0]["content"], row["chosen"][0]["content"]) for row in wanted]
    export(dataset, "sharegpt", tmp_path / "sharegpt")
    found = read_ranked_sharegpt(tmp_path / "sharegpt", "preference_train")
    assert [(item["question"], item["chosen"], item["rejected"]) for item in found] == [
        (*one, "A cat, ‹image›.") for one in asked
    ]
    assert [one[1:] for item in found for one in item["pictures"]] == [
        pixels(row["images"][0]["bytes"]) for row in wanted
    ]
    export(dataset, "webdataset", tmp_path / "tars")
    says = [json.loads(one["json"]) for one in read_webdataset(tmp_path / "tars" / "preference-train-000000.tar")]
    assert [(one["messages"][0]["content"], one["chosen"][0]["content"]) for one in says] == asked
    assert {one["rejected"][0]["content"] for one in says} == {"A cat, ‹image›."}
    assert {(one["chosen_by"], one["rejected_by"]) for one in says} == {("lab/a@1", "lab/b@2")}
    export(dataset, "llava", tmp_path / "llava")  # has no such form
    assert not list((tmp_path / "llava").glob("preference-*"))


ABSENT = ["its prompt is no list", "its completion is no list", "its completion is empty", "the row has no picture"]


@pytest.mark.parametrize("form", ["llava", "sharegpt", "webdataset"])
def test_a_row_without_question_answer_or_picture_is_named_and_the_rest_goes_on(dataset, tmp_path, form):
    def edit(rows):
        rows[0]["prompt"], rows[1]["completion"], rows[5]["completion"][0]["content"] = None, [None], None
        rows[6]["images"] = None

    change(dataset, "detail", "train", edit)
    said = export(dataset, form, tmp_path / "out", configs=["detail"], splits=["train"])
    left = [json.loads(line) for line in (tmp_path / "out" / "left_out.jsonl").read_text().splitlines()]
    assert all(one["reason"].startswith(reason) for one, reason in zip(left, ABSENT, strict=True))
    assert ": 2 rows" in said


def test_a_pair_without_caption_or_with_holes_in_its_context_is_exported(dataset, tmp_path):
    change(dataset, "pairs", "test", lambda rows: rows[0].update(caption=None, context=["One.", None]))
    export(dataset, "webdataset", tmp_path / "out", configs=["pairs"], splits=["test"])
    first, second, *_ = read_webdataset(tmp_path / "out" / "pairs-test-000000.tar")
    says = json.loads(first["json"])
    assert (says["caption"], says["context"], "txt" in first, "txt" in second) == (None, ["One."], False, True)


def test_no_picture_of_a_row_that_is_left_out_is_there(dataset, tmp_path):
    """It would have no credit line."""

    def edit(rows):
        rows[0]["images"] *= 2
        rows[1]["completion"] = []
        rows[5]["images"].append({"bytes": b"broken", "path": None})

    change(dataset, "detail", "train", edit)
    for form, n_left in (("llava", 3), ("sharegpt", 2)):
        export(dataset, form, tmp_path / form, configs=["detail"], splits=["train"])
        credits = (tmp_path / form / "attribution.jsonl").read_text().splitlines()
        assert len(list((tmp_path / form).glob("images/*/*"))) == len(credits) == 6 - n_left


def test_texts_of_any_kind_come_back(dataset, tmp_path):
    text = 'Zeile 1\n\tZeile 2 "quoted" \\ 照射 ماذا 🩻 \u2028 \u202e end'

    def edit(rows):
        rows[0]["prompt"][0]["content"] = rows[0]["completion"][0]["content"] = text

    change(dataset, "detail", "test", edit)
    change(dataset, "pairs", "test", lambda rows: rows[0].update(caption=text, context=[text]))
    for form in ("llava", "sharegpt", "webdataset"):
        export(dataset, form, tmp_path / form, splits=["test"])
    found = [*read_llava(tmp_path / "llava" / "detail-test.json", tmp_path / "llava").values()]
    found += read_sharegpt(tmp_path / "sharegpt", "detail_test")
    assert [(one["question"], one["answer"]) for one in found if one["answer"] == text] == [(text, text)] * 2
    sample, *_ = read_webdataset(tmp_path / "webdataset" / "pairs-test-000000.tar")
    assert sample["txt"].decode() == json.loads(sample["json"])["caption"] == text


def test_an_export_without_a_row_is_a_failure(dataset, tmp_path, capsys):
    """The other splits have rows that the policy permits."""
    change(dataset, "detail", "test", lambda rows: [row.update(license=None, licenses=[None]) for row in rows])
    words = ["export", dataset, "--format", "llava", "--output", tmp_path / "out", "--configs", "detail"]
    assert ldrt.main([str(word) for word in [*words, "--splits", "test"]]) == 1
    error = capsys.readouterr().err
    assert "no row could be exported: 6 rows left out: their licences do not permit it (commercial)" in error


def test_no_row_that_may_be_exported(dataset, tmp_path):
    for config in ("pairs", "align", "detail", "reasoning"):
        for split in ("train", "validation", "test"):
            change(dataset, config, split, lambda rows: [row.update(license=None, licenses=[None]) for row in rows])
    with pytest.raises(RuntimeError, match="no row may be published under the policy commercial"):
        export(dataset, "llava", tmp_path / "out")


def test_a_link_out_of_the_dataset_is_not_read(dataset, tmp_path):
    path = dataset / "detail" / "test-00000-of-00001.parquet"
    path.rename(tmp_path / "elsewhere.parquet")
    path.symlink_to(tmp_path / "elsewhere.parquet")
    with pytest.raises(ValueError, match="link out of its folder"):
        export(dataset, "llava", tmp_path / "out")


def test_a_published_dataset_is_exported_from_the_hub(hub, ldrt_client, dataset, tmp_path):
    pushed = ldrt_client("push", dataset, "lab/figures")
    assert pushed.status == 0, pushed.stderr
    done = ldrt_client("export", "lab/figures", "--format", "llava", "--output", tmp_path / "of-hub")
    assert done.status == 0, done.stderr
    export(dataset, "llava", tmp_path / "of-folder")
    of_hub, of_folder = tree(tmp_path / "of-hub"), tree(tmp_path / "of-folder")
    assert of_hub.pop("export.json") != of_folder.pop("export.json")
    assert of_hub == of_folder
    absent = ldrt_client("export", "lab/nothing", "--format", "llava", "--output", tmp_path / "none")
    assert (absent.status, absent.stderr.count("\n")) == (1, 1)


@pytest.mark.parametrize("words", [["export", "lab/nothing", "--format", "llava", "--output"], ["push"]])
def test_what_needs_a_hub_that_is_not_to_be_asked_names_the_repository(hub, dataset, tmp_path, words):
    words = [*words, tmp_path / "out"] if words[0] == "export" else [*words, dataset, "lab/nothing"]
    environment = client_env(hub.url, tmp_path / "home") | {"HF_HUB_OFFLINE": "1", "HF_TOKEN": "hf_write"}
    command = [sys.executable, "-m", "ldrt", *map(str, words)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "lab/nothing" in done.stderr
    assert done.stderr.endswith("while HF_HUB_OFFLINE is set: unset it\n")


@pytest.mark.parametrize("configs", [("align",), ("align", "detail"), ("align", "detail", "reasoning")])
def test_the_card_s_commands_name_what_an_export_writes(dataset, tmp_path, configs):
    for name in {"align", "detail", "reasoning"} - set(configs):
        shutil.rmtree(dataset / name)
    card = render_dataset_card(dataset, "lab/figures")
    section = card.split("## Train with it")[1].split("\n## ")[0]
    command = re.search(r"^ldrt (export lab/figures .*)$", section, re.M)[1]
    words = shlex.split(command.replace("lab/figures", str(dataset)))
    words[words.index("--output") + 1] = str(tmp_path / "sharegpt")
    assert ldrt.main(words) == 0
    trained = list(configs[1:]) or ["align"]
    info = json.loads((tmp_path / "sharegpt" / "dataset_info.json").read_text())
    assert re.search(r"--dataset (\S+)$", section, re.M)[1].split(",") == [f"{name}_train" for name in trained]
    assert {f"{name}_train" for name in trained} <= set(info)
    files = re.findall(r"[a-z]+-train\.json", section.split("ms-swift, of")[1])
    assert files == [f"{name}-train.json" for name in trained]
    assert all((tmp_path / "sharegpt" / name).is_file() for name in files)


def test_a_dataset_without_examples_has_no_such_section(dataset):
    for name in ("align", "detail", "reasoning"):
        shutil.rmtree(dataset / name)
    assert "## Train with it" not in render_dataset_card(dataset)

import io
import json
import os
import re
import shutil

import pytest
from PIL import Image

import ldrt
from dataset_builder.files.jsonfiles import read_jsonl
from evaluation.answering.questions import load_items, question
from evaluation.ask import Options, run
from evaluation.generate import Options as GenerateOptions
from evaluation.generate import run as generate
from evaluation.trying.figure import read_figure, what_changed
from trust.pictures.stored import open_stored

QUESTION = "the dose of a lesion ?"


@pytest.fixture
def figure(tmp_path):
    path = tmp_path / "figure.png"
    Image.effect_noise((60, 40), 90).convert("RGB").save(path)
    return path


def ask(model, figure, text=QUESTION, **options):
    return run(Options(str(model), str(figure), text, **{"max_new_tokens": 8, "device": "cpu", **options}))


def uncut(text):
    return re.sub(r" … \(cut at 8 tokens: .*\)$", "", text)


@pytest.mark.parametrize("kind", ["tiny_llava", "tiny_llava_next"])
def test_it_answers_what_generate_answers(kind, dataset_folder, tmp_path, request):
    """The same figures as files, the same questions: one path, one prompt, one preparation of the picture."""
    model = request.getfixturevalue(kind)
    options = {"max_new_tokens": 8, "device": "cpu", "tasks": ["detail"]}
    generate(GenerateOptions(str(model), str(tmp_path / "run"), str(dataset_folder), **options))
    wanted = {row["example_id"]: row["prediction"] for row in read_jsonl(tmp_path / "run" / "predictions.jsonl")}
    rows = list(load_items(str(dataset_folder), "test", ["detail"]).rows)
    assert len(wanted) == len(rows) == 8
    answers = {}
    for row in rows:
        path = tmp_path / "figure.png"
        path.write_bytes(row["images"][0]["bytes"])
        answers[row["example_id"]] = uncut(ask(model, path, question(row)))
    assert answers == {name: text or "(the model gave an empty answer)" for name, text in wanted.items()}
    assert len(set(answers.values())) > 1


def test_a_figure_is_prepared_as_a_row_of_a_dataset_is(figure, tmp_path):
    """Losslessly saved again, turned by EXIF, on a transparent ground: what counts is what a viewer shows."""
    image = Image.open(figure)
    exif = Image.Exif()
    exif[0x0112] = 3
    image.rotate(180).save(tmp_path / "turned.png", exif=exif)
    image.save(tmp_path / "same.webp", lossless=True)
    for suffix in ("tiff", "bmp"):
        image.save(tmp_path / f"same.{suffix}")
    for name in ("turned.png", "same.webp", "same.tiff", "same.bmp"):
        assert open_stored(read_figure(tmp_path / name)).tobytes() == image.tobytes(), name
    image.rotate(180).save(tmp_path / "other.png")
    assert open_stored(read_figure(tmp_path / "other.png")).tobytes() != image.tobytes()


def test_compare_says_what_the_picture_changed(tiny_llava, tiny_llava_next, figure):
    text = ask(tiny_llava, figure, compare=str(tiny_llava_next))
    tuned, base = text.split("\n\n")
    assert (tuned.splitlines()[0], base.splitlines()[0]) == (str(tiny_llava), str(tiny_llava_next))
    for part, model in ((tuned, tiny_llava), (base, tiny_llava_next)):
        _, with_figure, with_blank, changed = part.splitlines()
        assert with_figure == f"  with the figure: {ask(model, figure)}"
        assert with_blank.startswith("  with a blank picture: ")
        assert re.fullmatch(r"  what the picture changed: (nothing: .*|\d+ of \d+ words are not in .*)", changed)
    assert tuned.splitlines()[1:] != base.splitlines()[1:]


def test_a_model_that_does_not_look_is_told(tiny_llava, figure, tmp_path):
    """A figure that is itself blank gets the same words as the blank one."""
    from evaluation.answering.questions import BLANK_COLOUR

    Image.new("RGB", (60, 40), BLANK_COLOUR).save(tmp_path / "blank.png")
    assert "what the picture changed: nothing" in ask(tiny_llava, tmp_path / "blank.png", compare=str(tiny_llava))


@pytest.mark.parametrize(
    ("answer", "to_blank", "changed"),
    [
        ("A red spot on the left.", "a RED spot, on the left", (0, 6)),
        ("A red spot on the left.", "A blue spot on the right.", (2, 6)),
        ("A red spot.", "", (3, 3)),
        ("", "A red spot.", (0, 0)),
        ("0.5 Gy", "0.6 Gy", (1, 2)),
        ("图中显示红色", "图中显示蓝色", (1, 6)),
        ("spot red", "red spot", (1, 2)),
    ],
)
def test_changed_words(answer, to_blank, changed):
    found = what_changed(answer, to_blank)
    assert (found.n_changed, found.n_words) == changed


def _bad_figures(tmp_path):
    file = io.BytesIO()
    Image.effect_noise((60, 40), 90).save(file, "PNG")
    (tmp_path / "cut.png").write_bytes(file.getvalue()[:200])
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "page.png").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (tmp_path / "postscript.eps").write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 1 1\n")
    (tmp_path / "folder.png").mkdir()
    return ["cut.png", "empty.png", "page.png", "postscript.eps", "folder.png", "absent.png"]


def test_a_bad_figure_is_one_line_and_costs_no_loading(tmp_path, capsys):
    for name in _bad_figures(tmp_path):
        words = ["ask", "no/such-model", str(tmp_path / name), QUESTION]  # not even looked for
        assert ldrt.main(words) == 2, name
        error = capsys.readouterr().err
        assert error.count("\n") == 1, error
        assert error.startswith("ldrt ask: "), error
        assert name in error


def test_what_is_wrong_is_one_line(tiny_llava, figure, tmp_path, capsys):
    (tmp_path / "link.png").symlink_to(tmp_path / "gone.png")
    os.mkfifo(tmp_path / "pipe.png")
    for words, said in (
        (["ask", tiny_llava, tmp_path / "link.png", QUESTION], "a link to"),
        (["ask", tiny_llava, tmp_path / "pipe.png", QUESTION], "is a pipe or a device"),
        (["ask", figure, figure, QUESTION], "give the checkpoint's folder or its Hub id\n"),
        (["ask", tiny_llava, figure, QUESTION, "--revision", "0" * 40], "a folder, which has no commits"),
        (["ask", tiny_llava, figure, QUESTION, "--compare_revision", "0" * 40], "something that is not given"),
        (["ask", tiny_llava, figure, os.fsdecode(b"Gr\xf6sse?")], "QUESTION 'Gr\\udcf6sse?' is not text in UTF-8"),
        (["ask", tiny_llava, figure, "dose " * 20_000], "tokens, and the model reads 2,048: ask in fewer words"),
        (["ask", tiny_llava, figure, QUESTION, "--device", "xpu"], "device xpu: torch finds 0 XPU GPUs here"),
        (["ask", tmp_path / "none", figure, QUESTION], "none"),
        (["ask", tiny_llava, figure, "  "], "QUESTION is empty"),
        (["ask", tiny_llava, figure, QUESTION, "--max_new_tokens", "0"], "at least 1"),
        (["ask", tiny_llava, figure], "missing question"),
    ):
        assert ldrt.main([str(word) for word in words]) in (1, 2)
        error = capsys.readouterr().err
        assert error.count("\n") == 1, error
        assert said in error


def test_what_is_wrong_with_either_model_is_said_before_any_weights_are_loaded(tiny_llava, figure, tmp_path):
    broken, other = (shutil.copytree(tiny_llava, tmp_path / name) for name in ("broken", "other"))
    config = json.loads((tiny_llava / "config.json").read_text())
    (other / "config.json").write_text(json.dumps(config["text_config"] | {"model_type": "llama"}))
    config["text_config"]["hidden_size"] *= 2
    (broken / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match="'llama' model: expected one that answers a picture"):
        ask(broken, figure, compare=str(other))
    with pytest.raises(Exception, match="size|shape"):  # and its weights do not load
        ask(broken, figure)


def test_special_tokens_in_a_question_are_plain_words(tiny_llava, figure):
    """One picture is one picture, whatever the question says."""
    assert ask(tiny_llava, figure, f"{QUESTION} <image> </s>") == ask(tiny_llava, figure, f"{QUESTION} ‹image› ‹/s›")


def test_what_a_terminal_would_obey_is_left_out(tiny_llava, figure, tmp_path):
    model = shutil.copytree(tiny_llava, tmp_path / "model")
    tokenizer = json.loads((model / "tokenizer.json").read_text())
    vocabulary = tokenizer["model"]["vocab"]
    special = {token["content"] for token in tokenizer["added_tokens"]} | {"<unk>"}
    renamed = {word if word in special else f"\x1b[2J{word}": number for word, number in vocabulary.items()}
    tokenizer["model"]["vocab"] = renamed
    (model / "tokenizer.json").write_text(json.dumps(tokenizer))
    text = ask(model, figure)
    assert "[2J" in text
    assert "\x1b" not in text

"""Benchmarks in the columns of the originals, as folders: what is asked, what is right, which picture it is about."""

from dataclasses import fields, replace

import pytest
import yaml
from datasets import Dataset

from dataset_builder.benchmarks.benchmark import FOLDER, Benchmark, Columns, names, of_columns, read_benchmark
from dataset_builder.benchmarks.rows import load
from tests.public_sets import N_PICTURES, PER_PICTURE, stored_picture, write_set
from trust.pictures.stored import open_stored

N = N_PICTURES * PER_PICTURE


def copy_of(name, folder):
    """The benchmark with its rows in a folder."""
    return replace(read_benchmark(name), hub_id=str(write_set(name, folder)), revision=None)


def test_the_files_have_known_keys_and_say_where_licence_and_commit_stand():
    assert set(names()) == {"vqa-rad", "slake", "path-vqa", "pmc-vqa", "medvlthinker-eval", "lab-bench-figqa"}
    known = {each.name for each in fields(Benchmark)} - {"name"}
    for name in names():
        written = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
        assert set(written) <= known
        assert {"hub_id", "revision", "split", "license", "gated", "columns", "prompts"} <= set(written)
        assert all("{question}" in prompt for prompt in read_benchmark(name).prompts.values())
        assert written["license"] or written["license_note"]


@pytest.mark.parametrize("name", ["vqa-rad", "slake", "path-vqa"])
def test_questions_for_yes_or_no_are_closed_and_others_open(name, tmp_path):
    loaded = load(copy_of(name, tmp_path))
    first, second, third, _ = loaded.questions[:4]
    assert len(loaded.questions) == len(loaded.pictures) == N
    assert (first.text, first.answer, first.kind) == ("the dose of lesion 0 ?\nAnswer with yes or no.", "yes", "yes_no")
    assert (second.answer, second.options) == ("No", ("yes", "no"))
    assert (third.text, third.answer, third.kind) == ("the dose of lesion 2 ?", "left lung", "open")
    assert len({question.image_id for question in loaded.questions}) == N_PICTURES
    assert first.image_id == second.image_id != third.image_id
    assert open_stored(loaded.pictures[0]["images"]).size == (50, 40)
    assert loaded.revision.startswith("sha256:")


def test_pmc_vqa_takes_options_of_columns_and_pictures_of_a_zip(tmp_path):
    benchmark = copy_of("pmc-vqa", tmp_path)
    loaded = load(benchmark)
    first = loaded.questions[0]
    assert first.text.startswith("Where is lesion 0?\nA. right\nB. left\nC. heart\nD. liver\nAnswer with the option's")
    assert (first.answer, first.options[1], first.image_id) == ("left", "left", "pmc-vqa/PMC0_F1.jpg")
    assert open_stored(loaded.pictures[N - 1]["images"]).size == (50, 40)
    (tmp_path / "pmc-vqa" / "images.zip").write_bytes(b"no ZIP")
    with pytest.raises(ValueError, match=r"images.zip is no ZIP"):
        load(benchmark)


def test_six_at_once_have_options_as_lines_and_one_picture_each(tmp_path):
    loaded = load(copy_of("medvlthinker-eval", tmp_path))
    assert len(loaded.questions) == len(loaded.pictures) == N - 1
    assert loaded.left_out == {"several pictures or none": 1}
    assert loaded.questions[0].options == ("liver", "left lung", "right lung")
    assert {question.group for question in loaded.questions} == {"slake", "vqa_rad"}


def test_lab_bench_options_are_in_an_order_of_their_own_that_stays(tmp_path):
    benchmark = copy_of("lab-bench-figqa", tmp_path)
    loaded, again = load(benchmark), load(benchmark)
    assert loaded.questions == again.questions
    orders = {question.options for question in loaded.questions}
    assert len(orders) > 3
    options = {"red", "blue", "green", "Insufficient information to answer the question"}
    assert {frozenset(order) for order in orders} == {frozenset(options)}
    assert all(question.answer == "red" for question in loaded.questions)
    assert loaded.questions[0].id == "lab-bench-figqa/id-0"


# ---- any other dataset


def folder_of(rows, tmp_path, **files):
    (tmp_path / "own").mkdir()
    Dataset.from_list(rows).to_parquet(tmp_path / "own" / "test-0.parquet")
    for name, content in files.items():
        (tmp_path / "own" / name).write_bytes(content)
    return str(tmp_path / "own")


OWN = Columns(image="img", question="q", answer="a")


def test_any_dataset_by_its_columns(tmp_path):
    rows = [{"img": stored_picture(0), "q": "what?", "a": "a lung", "choices": None, "type": "OPEN"}]
    rows += [{"img": stored_picture(0), "q": "CT or MRI?", "a": "CT", "choices": None, "type": "CLOSED"}]
    rows += [{"img": stored_picture(0), "q": "which?", "a": "MRI", "choices": ["(A) CT", "(B) MRI"], "type": "OPEN"}]
    rows += [{"img": stored_picture(0), "q": "which?", "a": None, "choices": None, "type": "OPEN"}]
    folder = folder_of(rows, tmp_path)
    loaded = load(of_columns(folder, "test", None, replace(OWN, options="choices", kind="type")))
    found = [(question.kind, question.answer, question.options) for question in loaded.questions]
    assert found == [("open", "a lung", None), ("closed", "CT", None), ("choice", "MRI", ("CT", "MRI"))]
    assert loaded.left_out == {"no answer": 1}


LINES = "A. CT\nB. MRI\nC. X-ray"


@pytest.mark.parametrize(
    ("options", "stated"),
    [
        (LINES, "B"),
        (LINES, "(B)"),
        (LINES, "B. MRI"),
        (LINES, "mri"),
        ("(A) CT\n(B) MRI", "MRI"),
        ("CT\n\nMRI", "b"),
        (["CT", "MRI"], "B"),
        ({"A": "CT", "B": "MRI"}, "B"),
        ({"A": "CT", "B": "MRI"}, "MRI"),
        ({"A": "CT", "B": "MRI", "C": None, "D": ""}, "B:"),
        ("a) CT\nb) MRI", "b)"),
        (["(a) CT", "(b) MRI"], "(b) MRI"),
        (["CT", "MRI", "B"], "MRI"),
    ],
)
def test_options_and_the_right_one_are_read_in_the_forms_that_datasets_have(options, stated, tmp_path):
    folder = folder_of([{"img": stored_picture(0), "q": "which?", "a": stated, "o": options}], tmp_path)
    (question,) = load(of_columns(folder, "test", None, replace(OWN, options="o"))).questions
    assert (question.answer, question.options[:2]) == ("MRI", ("CT", "MRI"))
    assert "\nA. CT\nB. MRI\n" in question.text


@pytest.mark.parametrize(
    ("options", "stated", "right"),
    [
        (["A. baumannii", "S. aureus", "C. difficile"], "C. difficile", "C. difficile"),
        (["H. pylori", "B. burgdorferi"], "B", "B. burgdorferi"),
        (["A. E. coli", "B. S. aureus"], "B. S. aureus", "S. aureus"),
    ],
)
def test_a_name_that_begins_as_a_letter_does_stays_whole(options, stated, right, tmp_path):
    rows = [{"img": stored_picture(0), "q": "which?", "a": stated, "o": options}]
    (question,) = load(of_columns(folder_of(rows, tmp_path), "test", None, replace(OWN, options="o"))).questions
    assert question.answer == right


@pytest.mark.parametrize(
    ("options", "letter"),
    [(["CT", None, "MRI"], "B"), (["CT", "", "MRI"], "C"), (["", "CT", "MRI"], "B"), (["CT", None, None], "A")],
)
def test_letters_never_move_over_an_empty_option_and_one_option_is_no_choice(options, letter, tmp_path):
    rows = [{"img": stored_picture(0), "q": "which?", "a": letter, "o": o} for o in (options, ["CT", "MRI", "PET"])]
    loaded = load(of_columns(folder_of(rows, tmp_path), "test", None, replace(OWN, options="o")))
    assert len(loaded.questions) == 1
    assert loaded.left_out == {"fewer than two options, or an empty one among them": 1}


@pytest.mark.parametrize("letter", ["B", "(b)", "B.", " B) ", "b:"])
def test_the_letters_column_is_read_in_the_forms_of_an_answer(letter, tmp_path):
    rows = [{"img": stored_picture(0), "q": "which?", "a": None, "o": ["CT", "MRI"], "l": letter}]
    columns = replace(OWN, options="o", letter="l")
    (question,) = load(of_columns(folder_of(rows, tmp_path), "test", None, columns)).questions
    assert question.answer == "MRI"


def test_a_text_that_looks_like_a_letter_is_a_text(tmp_path):
    rows = [{"img": stored_picture(0), "q": "which group?", "a": "A", "o": ["B", "A"]}]
    (question,) = load(of_columns(folder_of(rows, tmp_path), "test", None, replace(OWN, options="o"))).questions
    assert question.answer == "A"


@pytest.mark.parametrize("stated", ["D", "PET", "1", None, "B. CT", "A or B"])
def test_an_answer_that_is_none_of_the_options_is_left_out(stated, tmp_path):
    rows = [{"img": stored_picture(0), "q": "which?", "a": answer, "o": LINES} for answer in ("A", stated)]
    loaded = load(of_columns(folder_of(rows, tmp_path), "test", None, replace(OWN, options="o")))
    assert [question.answer for question in loaded.questions] == ["CT"]
    assert loaded.left_out == {"no answer that is one of the options": 1}


def test_pictures_in_files_are_those_of_the_dataset_alone(tmp_path):
    (tmp_path / "secret.jpg").write_bytes(stored_picture(0)["bytes"])
    names_ = ["a.jpg", "../secret.jpg", str(tmp_path / "secret.jpg"), "absent.jpg"]
    rows = [{"img": name, "q": "what?", "a": "x"} for name in names_]
    folder = folder_of(rows, tmp_path, **{"a.jpg": stored_picture(2)["bytes"]})
    loaded = load(of_columns(folder, "test", None, OWN))
    assert [row["images"]["bytes"] is not None for row in loaded.pictures] == [True, False, False, False]


@pytest.mark.parametrize(
    ("columns", "split", "message"),
    [
        (replace(OWN, question="question"), "test", "no column 'question'; it has a, id, img, q|no column 'question'"),
        (replace(OWN, image="picture"), "test", "no column 'picture'"),
        (OWN, "train", "no split 'train'; it has test"),
        (replace(OWN, id="id"), "test", "own: 1 ids of questions are there more than once, such as 'own/1'"),
    ],
)
def test_a_wrong_column_split_or_id_is_one_clear_line(columns, split, message, tmp_path):
    rows = [{"img": stored_picture(0), "q": "what?", "a": "x", "id": "1"}] * 2
    with pytest.raises(ValueError, match=message):
        load(of_columns(folder_of(rows, tmp_path), split, None, columns))


def test_an_unknown_name_says_the_nearest():
    with pytest.raises(ValueError, match=r"no benchmark 'vqarad', did you mean vqa-rad\?; there are lab-bench-figqa, "):
        read_benchmark("vqarad")

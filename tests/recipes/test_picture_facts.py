"""What answers say of the sample corpus' pictures: every caption is understood, right and wrong are told apart."""

import json
import runpy

import pytest

from dataset_builder.sample.corpus import write_corpus
from tests.recipes.conftest import ROOT

SCRIPT = ROOT / "recipes" / "tiny-llava" / "picture_facts.py"
picture_facts = runpy.run_path(str(SCRIPT))
RED = "The map shows a red hot spot on the left side."


def record(i, prediction, condition="true", reference=RED):
    article = f"A{i // 2}"
    keys = {"example_id": f"{i}", "article_id": article, "task": "detail", "image_condition": condition}
    made = {"figure_id": f"{article}/fig1", "license": None, "question": "?", "finish_reason": "stop", "new_tokens": 1}
    made |= {"model": "m", "revision": None, "generation": {}, "image_figure_id": None}
    return keys | made | {"reference": reference, "prediction": prediction}


@pytest.fixture
def run(tmp_path):
    """(records) -> what the script writes for a run folder with them."""

    def scored(records):
        (tmp_path / "predictions.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
        picture_facts["main"](tmp_path)
        return json.loads((tmp_path / "picture_facts.json").read_text())

    return scored


def test_every_caption_of_the_sample_corpus_states_the_attributes_of_its_picture(tmp_path):
    write_corpus(tmp_path, articles=12)
    figures = [json.loads(line) for line in (tmp_path / "truth.jsonl").read_text().splitlines()]
    for figure in figures:
        stated = picture_facts["facts"](figure["caption"])
        assert len(stated) == len(figure["attributes"]) - 1  # the chart type is no attribute of the picture's content
        if figure["language"] == "en" and not figure["panels"]:
            assert {key[2].replace("_", " "): value for key, value in stated.items()} == {
                name: value for name, value in figure["attributes"].items() if name != "chart type"
            }


def test_facts_are_counted_for_the_panel_they_are_said_of():
    count = picture_facts["counts"]
    assert count(record(0, "Dose map. The map shows a red hot spot on the right side."))["right"] == 1
    assert count(record(0, "Red. Left. The section shows dense red cells."))["right"] == 0
    two = f"(A) {RED} (B) The plot shows two curves that rise with time."
    swapped = f"(A) The plot shows two curves that rise with time. (B) {RED}"
    assert [count(record(0, said, reference=two))["right"] for said in (two, swapped)] == [4, 0]
    assert count(record(0, RED, reference="Nothing about a picture.")) is None
    assert count(record(0, None)) is None


def test_the_gap_is_what_the_true_picture_adds(run):
    wrong = RED.replace("red", "blue")
    seen = [record(i, RED if i < 13 else wrong) for i in range(16)]  # 29 of 32 facts, of 8 articles
    found = run([*seen, *(record(i, wrong, "shuffled") for i in range(16))])  # 16 of 32
    assert [found[name]["value"] for name in ("true", "shuffled", "gap")] == [0.90625, 0.5, 0.40625]
    assert found["gap"]["ci_low"] < 0.40625 < found["gap"]["ci_high"]
    assert found["true"]["ci_high"] < 1
    assert found["shuffled"]["no_interval"].startswith("it is the same in every article")
    assert found["gap"]["n"] == 32
    assert set(run(seen)) == {"true"}


def test_a_run_on_other_figures_is_told(run):
    with pytest.raises(SystemExit, match="no answered `detail` question"):
        run([record(0, "x", reference="A radiograph of the knee.")])

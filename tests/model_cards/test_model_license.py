"""The licence of the weights is inherited or named, never made up; and what the training rows allow is said."""

import json

import pytest

import ldrt
from evaluation import score
from model_cards import card
from model_cards.cards.front_matter import Stated, known_license, model_facts, row_licenses
from model_cards.hub.preflight import front_matter
from model_cards.study.card import study_card
from recipes.families.find import released_models
from tests.evaluation.runs import make_run

BY, NC = "CC-BY-4.0", "CC-BY-NC-4.0"


def manifest(base: str | None, *licenses: dict | None, model: str = "runs/tuned") -> dict:
    phases = [{"dataset": "org/figures", "licenses": counts} for counts in licenses]
    lineage = {"base_model": base, "phases": phases} if base else None
    return {"model": model, "lineage": lineage, "adapter_of": None, "dataset": "org/figures"}


@pytest.mark.parametrize(
    ("base", "license"),
    [
        *[(name, "llama2") for name in released_models() if "llava-1.5" in name or "vicuna" in name],
        *[(name, "apache-2.0") for name in released_models() if "SmolVLM" in name or "Qwen" in name],
        *[(name, None) for name in ("google/medgemma-4b-it", "OpenGVLab/InternVL3-8B-hf")],  # terms of their own
        ("llava-hf/llava-v1.6-mistral-7b-hf", "apache-2.0"),
        *[(name, None) for name in ("org/llava-1.5-7b-hf", "tiny-llava-base", "my/vicuna", "llava-1.5-apache")],
    ],
)
def test_the_licence_is_the_bases_where_that_is_known(base, license):
    assert known_license(base) == license
    assert model_facts(manifest(base, {BY: 1}), Stated())["license"] == license
    assert model_facts(manifest(None, model=base), Stated())["license"] == license
    assert model_facts(manifest(base, {BY: 1}), Stated(license="mit"))["license"] == "mit"


@pytest.mark.parametrize(
    ("phases", "strictest", "use"),
    [
        ([{BY: 3}], BY, "commercial"),
        ([{BY: 3}, {BY: 2, NC: 1}], NC, "noncommercial"),
        ([{BY: 3}, {"not stated": 1}], None, "none"),
        ([{"CC-BY-SA-4.0": 3}, {"CC-BY-NC-SA-4.0": 1}], None, "none"),
    ],
)
def test_the_rows_of_all_phases_count(phases, strictest, use):
    found = row_licenses([{"licenses": counts} for counts in phases])
    assert (found["strictest"], found["use"]) == (strictest, use)
    assert sum(found["counts"].values()) == sum(n for counts in phases for n in counts.values())


@pytest.mark.parametrize("phases", [[], [{}], [{"licenses": {BY: 1}}, {"licenses": None}], [{"licenses": "CC-BY-4.0"}]])
def test_rows_that_do_not_say_are_not_guessed(phases):
    assert row_licenses(phases) is None


def test_the_command_says_what_it_does_not_know(tmp_path):
    phase = {"trainable": "lora", "dataset": "org/figures", "dataset_config": "detail", "dataset_split": "train"}
    phase |= {"dataset_revision": None, "licenses": {BY: 5, NC: 1}, "steps": 1, "settings": {}}
    lineage = {"base_model": "tiny", "base_revision": None, "phases": [phase]}
    folder = make_run(tmp_path / "run", "tuned", 0.3, lineage=lineage)
    score.run(score.Options(str(folder)))
    said = card.run(card.Options(str(folder)))
    assert "that of tiny is not known; name it with --license" in said
    assert "training rows: CC-BY-4.0: 5, CC-BY-NC-4.0: 1; together they would allow non-commercial use only" in said
    text = (folder / "README.md").read_text()
    assert "license" not in front_matter(text)
    assert "CC-BY-4.0: 5, CC-BY-NC-4.0: 1; together they would allow non-commercial use only." in text
    assert "licence of the weights: mit" in card.run(card.Options(str(folder), license="mit"))
    assert front_matter((folder / "README.md").read_text())["license"] == "mit"
    assert json.loads((folder / "manifest.json").read_text())["lineage"] == lineage


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--license mitt", "--license: no 'mitt', did you mean mit?; one of apache-2.0, mit, "),
        ("--license other", "--license other: the Hub shows its name and its text: give --license_name"),
        ("--license other --license_name Mine --license_link https://a.org", "--license_name 'Mine'; it takes: "),
        ("--license other --license_name mine --license_link a.org", "--license_link 'a.org'; it takes: "),
        ("--license mit --license_name mine", "--license_name and --license_link are for --license other"),
    ],
)
def test_a_licence_that_the_hub_cannot_show_is_refused(tmp_path, capsys, words, message):
    (tmp_path / "scores.json").write_text("{}")
    assert ldrt.main(["card", str(tmp_path), *words.split()]) == 2
    assert message in capsys.readouterr().err


def test_another_licence_has_its_name_and_its_address_on_the_card_and_in_its_command(tmp_path):
    folder = make_run(tmp_path / "run", "tuned", 0.3)
    score.run(score.Options(str(folder)))
    given = {"license": "other", "license_name": "llava-research-1.0", "license_link": "https://example.org/licence"}
    said = card.run(card.Options(str(folder), **given))
    assert "licence of the weights: llava-research-1.0" in said
    text = (folder / "README.md").read_text()
    assert {key: front_matter(text)[key] for key in given} == given
    assert "--license_link https://example.org/licence" in text
    assert study_card(folder, "org/model", None, tmp_path)[1] == []  # the same card again, from card.json

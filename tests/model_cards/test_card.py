import json
import re

import pytest
from huggingface_hub import ModelCard

from evaluation import compare, score
from model_cards import card
from model_cards.reproduction import reproduction
from tests.evaluation.runs import make_run, read_records, write_records

LINEAGE = {
    "base_model": "llava-hf/llava-1.5-13b-hf",
    "base_revision": "c" * 40,
    "phases": [
        {
            "trainable": trainable,
            "dataset": "org/figures",
            "dataset_config": config,
            "dataset_split": "train",
            "dataset_revision": "d" * 40,
            "rows": {"rows": 100, "kept": 98, "dropped": {}},
            "steps": 25,
            "train_loss": 1.25,
            "settings": {"learning_rate": 0.001, "num_train_epochs": 1, "projector_learning_rate": None},
        }
        for trainable, config in (("projector", "align"), ("lora", "instruct"))
    ],
}


@pytest.fixture
def tuned(tmp_path):
    """A compared run of a tuned model, and its base beside it."""
    base = make_run(tmp_path / "base", "base", 0.1)
    tuned = make_run(tmp_path / "tuned", "tuned", 0.7, ("true", "shuffled"), lineage=LINEAGE)
    for folder in (base, tuned):
        score.run(score.Options(str(folder), n_resamples=200))
    compare.run(compare.Options([str(base), str(tuned)]))
    return tuned


def write_card(folder, **options):
    card.run(card.Options(str(folder), **options))
    return (folder / "README.md").read_text(encoding="utf-8")


def test_the_front_matter_is_what_the_hub_reads(tuned):
    data = ModelCard(write_card(tuned)).data
    assert data.base_model == "llava-hf/llava-1.5-13b-hf" and data.datasets == ["org/figures"]
    assert (data.license, data.pipeline_tag, data.library_name) == ("llama2", "image-text-to-text", "transformers")
    scores = json.loads((tuned / "scores.json").read_text())["scores"]
    expected = {
        (row["metric"], None if row["task"] == "all" else row["task"]): row["value"]
        for row in scores
        if row["image_condition"] == "true" and row["metric"] in card.INDEXED
    }
    assert {(r.metric_type, r.dataset_config): r.metric_value for r in data.eval_results} == expected
    assert all(type(result.metric_value) is float for result in data.eval_results)
    assert {r.dataset_revision for r in data.eval_results} == {"f" * 40} and len(expected) == 15


def test_options_name_what_the_run_cannot_know(tuned):
    text = write_card(tuned, repo_id="me/model", dataset_id="me/data", base_model="me/base", license="mit")
    data = ModelCard(text).data
    assert (data.base_model, data.datasets, data.license) == ("me/base", ["me/data"], "mit")
    assert 'from_pretrained("me/model", dtype="auto")' in text and "--dataset me/data" in text


def test_every_number_of_the_table_is_the_comparisons(tuned):
    text = write_card(tuned)
    comparison = json.loads((tuned / "comparison.json").read_text())
    (row,) = [
        r for r in comparison["rows"] if (r["metric"], r["task"], r["image_condition"]) == ("rougeL", "all", "true")
    ]
    assert f"| ROUGE-L F | all | {row['base']:.3f} | {row['tuned']:.3f} | +{row['delta']:.3f} |" in text
    assert comparison["headline"] in text and "better than the base model" in text
    assert "another article's picture | ROUGE-L F" in text
    assert "**Phase 2: LoRA on the language model, and the projector.**" in text and "98 rows" in text


def test_plots_are_there_and_linked(tuned):
    text = write_card(tuned)
    linked = re.findall(r"!\[.*?\]\((plots/.*?)\)", text)
    assert {path.removeprefix("plots/") for path in linked} == {path.name for path in (tuned / "plots").iterdir()}
    assert len(linked) == 5 and all((tuned / path).read_bytes().startswith(b"\x89PNG") for path in linked)


def test_the_same_files_give_the_same_bytes(tuned):
    write_card(tuned)
    files = [tuned / "README.md", *sorted((tuned / "plots").iterdir())]
    before = [path.read_bytes() for path in files]
    write_card(tuned)
    assert before == [path.read_bytes() for path in files]
    assert str(tuned) not in (tuned / "README.md").read_text()


def test_a_plot_without_data_is_removed(tuned):
    write_card(tuned)
    assert (tuned / "plots" / "delta_by_task.png").exists()
    (tuned / "comparison.json").unlink()
    assert "plots/delta_by_task.png" not in write_card(tuned)
    assert not (tuned / "plots" / "delta_by_task.png").exists()


def test_a_run_alone_has_a_card(tmp_path):
    folder = make_run(tmp_path / "run", "base", 0.3)
    score.run(score.Options(str(folder), n_resamples=200))
    text = write_card(folder)
    assert "has not been compared with a base model" in text and "| ROUGE-L F | all |" in text
    assert "Not recorded: the checkpoint has no `lineage.json`" in text and ModelCard(text).data.base_model is None
    assert "Reliance on the picture" in text and "not run" in text


def test_examples_quote_only_what_the_licence_permits_and_cannot_break_out(tuned):
    records = read_records(tuned)
    for record in records:
        record |= {"prediction": "``` <script>alert(1)</script> ![x](http://x)\n# heading"}
        if record["license"] is None:
            record["question"] = "secret words"
    write_records(tuned, records)
    text = write_card(tuned)
    section = text.split("## Examples")[1].split("## Limits")[0]
    assert "secret words" not in text and section.count("```") == 6 and section.count("```text") == 3
    outside = "".join(section.split("```")[0::2])
    assert "script" not in outside and "\n# heading" not in section
    write_records(tuned, [record | {"license": "CC-BY-NC-ND-4.0"} for record in records])
    assert "do not let their text be quoted" in write_card(tuned)


def test_synthetic_figures_are_said_to_be(tuned):
    evidence = [
        {"figure_id": f"F{i}", "caption": "c", "doi": f"{doi}/x"} for i, doi in enumerate(["10.5555", "10.1000"])
    ]
    assert "made-up" not in write_card(tuned)
    (tuned / "evidence.jsonl").write_text("".join(json.dumps(row) + "\n" for row in evidence))
    text = write_card(tuned)
    assert "50 % of the figures asked about come from made-up articles" in text and "nothing about medicine" in text


def comparison_with(base, tuned):
    row = {
        "metric": "judge_score",
        "task": "all",
        "image_condition": "true",
        "judge": "mean",
        "base": base,
        "tuned": tuned,
    }
    return {
        "rows": [row],
        "base": {"hedges": {"mentions": {"appears": 9}}},
        "tuned": {"hedges": {"mentions": {"appears": 2}}},
    }


@pytest.mark.parametrize(("tuned_score", "verdict"), [(5.2, "within"), (5.5, "outside"), (4.0, "outside")])
def test_reproduction_compares_the_differences(tuned_score, verdict):
    rows = reproduction(comparison_with(3.4, tuned_score), "llava-hf/llava-1.5-13b-hf")["rows"]
    first = rows[0]
    assert (first["paper"], first["this_run"]) == ("3.46 → 5.26", f"3.40 → {tuned_score:.2f}")
    assert first["verdict"].startswith(verdict + " ±0.2")
    assert rows[1]["paper"] == "not published" and {row["this_run"] for row in rows[1:]} == {"not run"}


def test_what_was_not_run_or_published_is_said_so():
    rows = reproduction(comparison_with(1.0, 2.0), "tiny-llava")["rows"]
    assert {row["this_run"] for row in rows} == {"not run"} and {row["verdict"] for row in rows} == {"–"}
    sixteen = reproduction(comparison_with(1.0, 2.0), "llava-hf/llava-v1.6-vicuna-13b-hf")["rows"]
    (mentions,) = [row for row in sixteen if "appears" in row["quantity"] and row["this_run"] != "not run"]
    assert (mentions["paper"], mentions["this_run"]) == ("1,451 → 49", "9 → 2")


def test_a_run_without_scores_is_one_clear_error(tmp_path):
    folder = make_run(tmp_path / "run", "base", 0.3)
    with pytest.raises(FileNotFoundError, match="scores.json is absent: run `ldrt score"):
        write_card(folder)

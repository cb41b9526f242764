"""The table beside the paper: whose differences agree, and what is said where they cannot be compared."""

import pytest

from model_cards.cards.reproduction import reproduction

JUDGES = ("Qwen/Qwen2-72B-Instruct", "meta-llama/Llama-3.1-70B-Instruct")


def comparison_with(base, tuned, judges=JUDGES):
    rows = [
        {
            "metric": "judge_score",
            "task": "all",
            "image_condition": "true",
            "judge": judge,
            "base": base,
            "tuned": tuned,
        }
        for judge in ("mean", *judges)
    ]
    return {
        "rows": rows,
        "n_items": 48,
        "base": {"hedges": {"mentions": {"appears": 9}}},
        "tuned": {"hedges": {"mentions": {"appears": 2}}},
    }


@pytest.mark.parametrize(("tuned_score", "verdict"), [(5.2, "within"), (5.5, "outside"), (4.0, "outside")])
def test_reproduction_compares_the_differences(tuned_score, verdict):
    rows = reproduction(comparison_with(3.4, tuned_score), "llava-hf/llava-1.5-13b-hf")["rows"]
    first = rows[0]
    assert (first["paper"], first["this_run"]) == ("3.46 → 5.26", f"3.40 → {tuned_score:.2f}")
    assert first["verdict"].startswith(verdict + " ±0.2")
    assert rows[1]["paper"] == "not published"
    assert rows[1]["this_run"] == "not run"
    by_judge = [row for row in rows if row["quantity"].startswith("judge score of ") and row["this_run"] != "not run"]
    assert len(by_judge) == 2
    assert {(row["paper"], row["verdict"]) for row in by_judge} == {("not published", "–")}


def test_what_was_not_run_or_published_is_said_so():
    rows = reproduction(None, "llava-hf/llava-1.5-13b-hf")["rows"]
    assert {row["this_run"] for row in rows} == {"not run"}
    assert {row["verdict"] for row in rows} == {"–"}
    assert {row["model"] for row in rows} == {"LLaVA v1.5-13B"}
    sixteen = reproduction(comparison_with(1.0, 2.0), "llava-hf/llava-v1.6-vicuna-13b-hf")["rows"]
    (mentions,) = [row for row in sixteen if "appears" in row["quantity"]]
    assert (mentions["paper"], mentions["this_run"]) == ("1,451 → 49", "9 → 2 in 48 answers")


@pytest.mark.parametrize("model", ["tiny-llava", "llava-hf/llava-1.5-7b-hf", "org/malaria-llava", None])
def test_another_model_than_the_papers_has_no_rows_of_the_paper(model):
    assert reproduction(comparison_with(1.0, 2.0), model)["rows"] == []


@pytest.mark.parametrize("judges", [("org/one",), JUDGES[:1], (*JUDGES, "org/one")])
def test_other_judges_than_the_papers_reproduce_nothing(judges):
    rows = reproduction(comparison_with(3.4, 5.2, judges), "llava-hf/llava-1.5-13b-hf")["rows"]
    assert rows[0]["this_run"] == "3.40 → 5.20"
    assert "not by the paper's judges" in rows[0]["verdict"]

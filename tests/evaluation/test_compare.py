import json

import pytest

from evaluation import compare, score
from tests.evaluation.runs import make_run, read_records, write_records


def scored(folder, *arguments, **changes):
    make_run(folder, *arguments, **changes)
    score.run(score.Options(str(folder), n_resamples=500))
    return folder


@pytest.fixture
def runs(tmp_path):
    return scored(tmp_path / "base", "base", 0.1), scored(tmp_path / "tuned", "tuned", 0.7)


def compare_runs(base, tuned, output=None):
    text = compare.run(compare.Options([str(base), str(tuned)], output and str(output)))
    return text, json.loads(((output or tuned) / "comparison.json").read_text())


def row(comparison, metric, task="all", condition="true"):
    (found,) = [
        r for r in comparison["rows"] if (r["metric"], r["task"], r["image_condition"]) == (metric, task, condition)
    ]
    return found


def test_a_better_model_is_found_better(runs):
    text, comparison = compare_runs(*runs)
    found = row(comparison, "rougeL")
    values = [json.loads((run / "scores.json").read_text())["scores"] for run in runs]
    base, tuned = (next(r["value"] for r in rows if r["metric"] == "rougeL" and r["task"] == "all") for rows in values)
    assert (found["base"], found["tuned"], found["delta"]) == pytest.approx((base, tuned, tuned - base))
    assert 0 < found["ci_low"] < found["delta"] < found["ci_high"] and found["p_value"] < 0.01 and found["n"] == 48
    assert comparison["base"]["model"] == "base" and comparison["tuned"]["dataset"] == "org/figures"
    assert "better than the base model" in text


def test_a_model_against_itself_is_no_different(tmp_path):
    same = scored(tmp_path / "a", "base", 0.4)
    text, comparison = compare_runs(same, same, tmp_path / "out")
    for found in comparison["rows"]:
        assert (found["delta"], found["ci_low"], found["ci_high"], found["p_value"]) == (0, 0, 0, 1)
    assert "does not tell from zero" in text


def test_one_hedge_in_shorter_answers_is_no_evidence(tmp_path):
    """Shorter answers of the tuned model alone must not make one hedge in all of them look significant."""
    for name in ("base", "tuned"):
        folder = make_run(tmp_path / name, name, 0.5)
        length = 20 if name == "base" else 5
        for i, record in enumerate(records := read_records(folder)):
            record["prediction"] = " ".join(["dose"] * length) + (" may" if (name, i) == ("tuned", 9) else "")
        write_records(folder, records)
        score.run(score.Options(str(folder), n_resamples=500))
    _, comparison = compare_runs(tmp_path / "base", tmp_path / "tuned")
    assert (
        row(comparison, "hedges_per_1k_words")["delta"] > 0 and row(comparison, "hedges_per_1k_words")["p_value"] > 0.5
    )
    assert row(comparison, "answer_words")["p_value"] < 0.001


def test_swapping_the_runs_swaps_the_sign(runs, tmp_path):
    _, there = compare_runs(*runs)
    _, back = compare_runs(*reversed(runs), tmp_path / "back")
    for forward, backward in zip(there["rows"], back["rows"], strict=True):
        assert forward["delta"] == pytest.approx(-backward["delta"])
        assert (forward["ci_low"], forward["ci_high"]) == pytest.approx((-backward["ci_high"], -backward["ci_low"]))
        assert forward["p_value"] == pytest.approx(backward["p_value"])


def test_only_items_scored_for_both_count(runs):
    base, tuned = runs
    for run, lost in ((base, 0), (tuned, 5)):
        records = read_records(run)
        records[lost] |= {"prediction": None, "finish_reason": "error"}
        write_records(run, records)
        score.run(score.Options(str(run), n_resamples=500))
    _, comparison = compare_runs(base, tuned)
    assert row(comparison, "rougeL")["n"] == 46
    assert len(read_records(tuned, "paired_items.jsonl")) == 48


def change_reference(records):
    records[7]["reference"] += " more"
    return records


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda records: records[1:], "is not finished"),
        (change_reference, "question or reference of E7 differ"),
    ],
)
def test_runs_of_other_items_are_refused(runs, change, message):
    base, tuned = runs
    write_records(tuned, change(read_records(tuned)))
    score.run(score.Options(str(tuned), n_resamples=500))
    with pytest.raises(ValueError, match=message):
        compare_runs(base, tuned)


def test_a_missing_item_is_named(runs):
    base, tuned = runs
    write_records(tuned, read_records(tuned)[1:])
    manifest = json.loads((tuned / "manifest.json").read_text())
    manifest["image_conditions"]["true"]["items"] = 47
    (tuned / "manifest.json").write_text(json.dumps(manifest))
    score.run(score.Options(str(tuned), n_resamples=500))
    with pytest.raises(ValueError, match=r"example E0 \(image condition true\) is in .*base only"):
        compare_runs(base, tuned)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dataset_revision": "a" * 40}, "dataset_revision is f+ in .*base, a+ in"),
        ({"split": "validation"}, "split is test in"),
    ],
)
def test_runs_on_other_data_are_refused(tmp_path, changes, message):
    base, tuned = scored(tmp_path / "base", "base", 0.1), scored(tmp_path / "tuned", "tuned", 0.7, **changes)
    with pytest.raises(ValueError, match=message):
        compare_runs(base, tuned)


def test_runs_scored_differently_are_refused(runs):
    base, tuned = runs
    score.run(score.Options(str(base), rouge_tokenizer="google", n_resamples=500))
    with pytest.raises(ValueError, match="rouge was scored with"):
        compare_runs(base, tuned)


def test_old_scores_beside_new_answers_are_refused(runs):
    base, tuned = runs
    write_records(tuned, change_reference(read_records(tuned)))
    with pytest.raises(ValueError, match="newer than its scores: run `ldrt score"):
        compare_runs(base, tuned)


def test_other_settings_are_shown(tmp_path):
    base = scored(tmp_path / "base", "base", 0.1)
    tuned = scored(tmp_path / "tuned", "tuned", 0.7, chat_template_sha256="1" * 64)
    text, comparison = compare_runs(base, tuned)
    assert comparison["differences"] == {"chat_template_sha256": ["0" * 64, "1" * 64]}
    assert "Note: chat_template_sha256 differs" in text


def test_conditions_that_both_have_are_compared(tmp_path):
    base = scored(tmp_path / "base", "base", 0.1, ("true", "shuffled"))
    tuned = scored(tmp_path / "tuned", "tuned", 0.7, ("true", "shuffled", "blank"))
    _, comparison = compare_runs(base, tuned)
    assert {r["image_condition"] for r in comparison["rows"]} == {"true", "shuffled"}

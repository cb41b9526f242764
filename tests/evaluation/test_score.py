import json

import pytest

from evaluation import score
from evaluation.metrics.rouge.rouge_core import rouge
from evaluation.scoring.items import measure_all
from tests.evaluation.runs import judge_run, make_run, read_records, write_records


def score_run(folder, **options):
    text = score.run(score.Options(str(folder), **options))
    return text, json.loads((folder / "scores.json").read_text())


def row(scores, metric, task="all", condition="true", judge=None):
    (found,) = [
        r
        for r in scores["scores"]
        if (r["metric"], r["task"], r["image_condition"], r["judge"]) == (metric, task, condition, judge)
    ]
    return found


def test_scores_are_the_means_of_the_items_with_intervals(tmp_path):
    text, scores = score_run(make_run(tmp_path, "tuned", 0.6))
    records = read_records(tmp_path)
    expected = [rouge(r["prediction"], r["reference"])["rougeL"].fmeasure for r in records]
    found = row(scores, "rougeL")
    assert found["value"] == pytest.approx(sum(expected) / len(expected))
    assert found["n"] == 48
    assert found["ci_low"] < found["value"] < found["ci_high"]
    assert found["settings"] == {"tokenizer": "unicode", "stemmer": False, "measure": "fmeasure"}
    assert row(scores, "rougeL", "detail")["n"] == row(scores, "rougeL", "reasoning")["n"] == 24
    assert row(scores, "truncated_share")["value"] == pytest.approx(1 / 48)
    items = read_records(tmp_path, "per_item_scores.jsonl")
    assert {item["example_id"]: item["scores"]["rougeL"] for item in items} == pytest.approx(
        {record["example_id"]: value for record, value in zip(records, expected, strict=True)}
    )
    assert "rougeL" in text
    assert "scores.json" in text


def test_hedging_is_reported_against_the_references(tmp_path):
    _, scores = score_run(make_run(tmp_path, "tuned", 0.6))
    found = row(scores, "hedges_per_1k_words")
    answers = [record["prediction"].split() for record in read_records(tmp_path)]
    n_may = sum(answer.count("may") for answer in answers)
    details = found["settings"]
    assert details["by_word"]["may"] == n_may
    assert details["by_category"]["modal"] == n_may
    assert details["mentions"]["appears"] == sum(answer.count("appears") for answer in answers)
    assert details["ratio_to_reference"] == pytest.approx(found["value"] / details["reference_value"])
    assert found["value"] == pytest.approx(1000 * sum(details["by_word"].values()) / sum(map(len, answers)))


def test_a_question_that_could_not_be_asked_is_unscored_and_not_zero(tmp_path):
    _, before = score_run(make_run(tmp_path, "tuned", 0.6))
    records = read_records(tmp_path)
    records[3] |= {"prediction": None, "finish_reason": "error"}
    write_records(tmp_path, records)
    _, scores = score_run(tmp_path)
    found, old = row(scores, "rougeL"), row(before, "rougeL")
    assert (found["n"], found["n_unscored"]) == (47, 1)
    lost = next(
        i.scores.metrics["rougeL"]
        for i in measure_all(read_records(make_run(tmp_path, "tuned", 0.6)), {}, [], "unicode")
        if i.example_id == "E3"
    )
    assert found["value"] == pytest.approx((48 * old["value"] - lost) / 47)


def test_failed_answers_are_counted_and_warned_of(tmp_path):
    make_run(tmp_path, "tuned", 0.6, ("true", "shuffled"))
    records = read_records(tmp_path)
    for record in records[:20]:
        record |= {"prediction": None, "finish_reason": "error", "error": "picture too large"}
    write_records(tmp_path, records)
    text, scores = score_run(tmp_path)
    assert scores["answers"] == {"true": {"asked": 48, "failed": 20}, "shuffled": {"asked": 48, "failed": 0}}
    assert text.count("Warning: ") == 1
    assert "Warning: 20 of 48 answers failed (image condition true): the scores are of the others" in text


def test_few_articles_have_no_interval_and_the_reason_is_told(tmp_path):
    make_run(tmp_path, "tuned", 0.6)
    write_records(tmp_path, [r | {"article_id": f"A{i % 3}"} for i, r in enumerate(read_records(tmp_path))])
    text, scores = score_run(tmp_path)
    for found in scores["scores"]:
        assert (found["ci_low"], found["ci_high"]) == (None, None)
        assert found["no_interval"] == "3 articles, and an interval needs 5"
    assert "no interval: 3 articles, and an interval needs 5 (rouge1" in text


def test_a_rate_that_never_varies_has_no_interval(tmp_path):
    _, scores = score_run(make_run(tmp_path, "tuned", 0.6))
    found = row(scores, "empty_share")
    assert (found["value"], found["ci_low"], found["ci_high"]) == (0, None, None)
    assert found["no_interval"].startswith("it is the same in every article")


def test_the_gap_between_image_conditions_is_paired(tmp_path):
    text, scores = score_run(make_run(tmp_path, "tuned", 0.8, ("true", "shuffled")))
    (gap,) = [g for g in scores["image_gaps"] if g["metric"] == "rougeL" and g["task"] == "all"]
    true, shuffled = row(scores, "rougeL"), row(scores, "rougeL", condition="shuffled")
    assert gap["versus"] == "shuffled"
    assert gap["delta"] == pytest.approx(true["value"] - shuffled["value"])
    assert 0 < gap["ci_low"] < gap["delta"] < gap["ci_high"]
    assert gap["p_value"] < 0.01
    assert "true picture against shuffled, rougeL: +" in text


def test_judges_are_read_and_what_they_did_not_score_is_counted(tmp_path):
    make_run(tmp_path, "tuned", 0.6)
    judge_run(tmp_path, "one")
    judge_run(tmp_path, "two", leniency=1, refused=[f"E{i}" for i in range(4)])
    text, scores = score_run(tmp_path)
    given = {
        judge: {
            record["example_id"]: record["score"]
            for record in read_records(tmp_path, "judgements.jsonl")
            if record["judge"] == judge and record["control"] is None and record["status"] == "ok"
        }
        for judge in ("one", "two")
    }
    one, two, mean = (row(scores, "judge_score", judge=judge) for judge in ("one", "two", "mean"))
    assert (one["n"], two["n"], two["n_unscored"], mean["n"]) == (48, 44, 4, 44)
    assert one["value"] == pytest.approx(sum(given["one"].values()) / 48)
    of_both = [(given["one"][example] + score) / 2 for example, score in given["two"].items()]
    assert mean["value"] == pytest.approx(sum(of_both) / 44)
    assert [judge["statuses"] for judge in scores["judges"]] == [{"ok": 48}, {"ok": 44, "refused": 4}]
    assert scores["judge_agreement"]["n"] == 44
    assert "judge two: 44 ok, 4 refused; reference 9.000" in text


def test_judgements_of_other_answers_do_not_count(tmp_path):
    judge_run(make_run(tmp_path, "tuned", 0.6), "one")
    records = [record | {"prediction": "another answer"} for record in read_records(tmp_path)]
    write_records(tmp_path, records[:5] + read_records(tmp_path)[5:])
    _, scores = score_run(tmp_path)
    assert row(scores, "judge_score", judge="one")["n"] == 43
    assert scores["judges"][0]["statuses"] == {"ok": 43, "not judged": 5}
    write_records(tmp_path, records)
    text, scores = score_run(tmp_path)
    assert "judge_score" not in {found["metric"] for found in scores["scores"]}
    assert scores["judges"][0]["statuses"] == {"not judged": 48}
    assert "one judged other answers than those here" in text


def test_an_unfinished_run_says_so(tmp_path):
    make_run(tmp_path, "tuned", 0.6)
    write_records(tmp_path, read_records(tmp_path)[:10])
    text, _ = score_run(tmp_path)
    assert "true: 10 of 48 answered" in text


def test_two_runs_of_score_write_the_same_bytes(tmp_path):
    score_run(make_run(tmp_path, "tuned", 0.6))
    before = [(tmp_path / name).read_bytes() for name in ("scores.json", "per_item_scores.jsonl")]
    records = read_records(tmp_path)
    score_run(tmp_path)
    assert before == [(tmp_path / name).read_bytes() for name in ("scores.json", "per_item_scores.jsonl")]
    write_records(tmp_path, records[::-1])
    _, reversed_scores = score_run(tmp_path)
    assert reversed_scores["scores"] == json.loads(before[0])["scores"]


def test_a_folder_that_is_no_run_is_one_clear_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="manifest.json is absent: run `ldrt generate"):
        score_run(tmp_path)
    make_run(tmp_path, "tuned", 0.6)
    write_records(tmp_path, [])
    with pytest.raises(ValueError, match="has no answers"):
        score_run(tmp_path)


def test_grounding_needs_the_figures_evidence(tmp_path):
    make_run(tmp_path, "tuned", 0.6)
    _, scores = score_run(tmp_path)
    assert "grounding" not in {found["metric"] for found in scores["scores"]}
    records = [record | {"prediction": "5 Gy of LDRT, 7 mGy", "reference": "x"} for record in read_records(tmp_path)]
    write_records(tmp_path, records)
    known = {"caption": None, "context": ["Here 5 Gy."], "license": None, "doi": None}
    evidence = [{"figure_id": record["figure_id"], **known} for record in records]
    (tmp_path / "evidence.jsonl").write_text("".join(json.dumps(e) + "\n" for e in evidence))
    _, scores = score_run(tmp_path)
    assert row(scores, "grounding")["value"] == pytest.approx(1 / 3)
    assert row(scores, "grounding")["n"] == 48

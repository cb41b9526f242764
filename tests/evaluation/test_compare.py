import hashlib
import json

import pytest

from evaluation import compare, score
from tests.evaluation.runs import judge_run, make_run, read_records, write_records


def scored(folder, *arguments, **changes):
    make_run(folder, *arguments, **changes)
    return score_again(folder)


def judged(folder, *arguments, judges=("org/one", "org/two"), **changes):
    make_run(folder, *arguments, **changes)
    for judge in judges:
        judge_run(folder, judge)
    return score_again(folder)


def score_again(folder):
    score.run(score.Options(str(folder)))
    return folder


@pytest.fixture
def runs(tmp_path):
    return scored(tmp_path / "base", "base", 0.1), scored(tmp_path / "tuned", "tuned", 0.7)


def compare_runs(base, tuned, output=None, **options):
    text = compare.run(compare.Options([str(base), str(tuned)], output and str(output), **options))
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
    assert 0 < found["ci_low"] < found["delta"] < found["ci_high"]
    assert found["p_value"] < 0.01
    assert found["n"] == 48
    assert comparison["base"]["model"] == "base"
    assert comparison["tuned"]["dataset"] == "org/figures"
    assert "better than the base model" in text


def test_a_model_against_itself_is_no_different(tmp_path):
    same = scored(tmp_path / "a", "base", 0.4)
    text, comparison = compare_runs(same, same, tmp_path / "out")
    for found in comparison["rows"]:
        assert (found["delta"], found["ci_low"], found["ci_high"], found["p_value"]) == (0, None, None, None)
        assert found["no_interval"].startswith("it is the same in every article")
    assert "Whether it is better than the base model cannot be told: it is the same in every article" in text


def test_one_hedge_in_shorter_answers_is_no_evidence(tmp_path):
    """Shorter answers of the tuned model alone must not make one hedge in all of them look significant."""
    for name in ("base", "tuned"):
        folder = make_run(tmp_path / name, name, 0.5)
        length = 20 if name == "base" else 5
        for i, record in enumerate(records := read_records(folder)):
            record["prediction"] = " ".join(["dose"] * length) + (" may" if (name, i) == ("tuned", 9) else "")
        write_records(folder, records)
        score.run(score.Options(str(folder)))
    _, comparison = compare_runs(tmp_path / "base", tmp_path / "tuned")
    assert row(comparison, "hedges_per_1k_words")["delta"] > 0
    assert row(comparison, "hedges_per_1k_words")["p_value"] > 0.3
    assert row(comparison, "answer_words")["p_value"] < 0.001


def test_swapping_the_runs_swaps_the_sign(runs, tmp_path):
    _, there = compare_runs(*runs)
    _, back = compare_runs(*reversed(runs), tmp_path / "back")
    for forward, backward in zip(there["rows"], back["rows"], strict=True):
        assert forward["delta"] == pytest.approx(-backward["delta"])
        assert forward["no_interval"] == backward["no_interval"]
        if forward["no_interval"] is None:
            assert forward["ci_low"] == pytest.approx(-backward["ci_high"])
            assert forward["p_value"] == pytest.approx(backward["p_value"])
    assert [comparison["conclusion"]["says"] for comparison in (there, back)] == ["better", "worse"]
    assert "worse than the base model" in back["headline"]


def test_only_items_scored_for_both_count(runs):
    base, tuned = runs
    for run, lost in ((base, 0), (tuned, 5)):
        records = read_records(run)
        records[lost] |= {"prediction": None, "finish_reason": "error"}
        write_records(run, records)
        score.run(score.Options(str(run)))
    _, comparison = compare_runs(base, tuned)
    assert row(comparison, "rougeL")["n"] == 46
    assert len(read_records(tuned, "paired_items.jsonl")) == 48


def fail(run, examples):
    """The answers to `examples` (numbers) failed."""
    records = read_records(run)
    for i in examples:
        records[i] |= {"prediction": None, "finish_reason": "error", "error": "picture too large"}
    write_records(run, records)
    return score_again(run)


@pytest.mark.parametrize("who", ["base", "tuned"])
def test_with_half_of_the_answers_missing_nothing_is_claimed(runs, who):
    fail(runs[who == "tuned"], range(0, 48, 2))
    text, comparison = compare_runs(*runs)
    found = row(comparison, "rougeL")
    assert found["ci_low"] > 0  # what is left would be clear
    assert (found["n"], found[f"n_unscored_{who}"]) == (24, 24)
    assert comparison["conclusion"]["says"] == "cannot be told"
    assert "better than the base model." not in comparison["headline"]
    assert "24 of 48 questions lack a score of one model or both, more than the 5 % that may" in comparison["headline"]
    assert f"Without a score: 24 of 48 answers of the {who} model." in comparison["headline"]
    assert f"Warning: 24 of 48 answers of the {who} model failed" in text
    other = "base" if who == "tuned" else "tuned"
    assert comparison[who]["answers"] == {"asked": 48, "failed": 24}
    assert comparison[other]["answers"] == {"asked": 48, "failed": 0}


def test_a_few_missing_answers_are_told_and_the_verdict_stands(runs):
    fail(runs[1], [5, 17])
    _, comparison = compare_runs(*runs)
    assert comparison["conclusion"]["says"] == "better"
    assert comparison["headline"].startswith("On 46 of 48 held-out questions from 12 articles the ROUGE-L F")
    assert "Without a score: 2 of 48 answers of the tuned model." in comparison["headline"]
    fail(runs[0], [1])  # 3 of 48 are more than 5 %
    _, comparison = compare_runs(*runs)
    assert comparison["conclusion"]["says"] == "cannot be told"
    assert "1 of 48 answers of the base model, 2 of 48 answers of the tuned model" in comparison["headline"]


def test_no_question_with_a_score_of_both_is_no_verdict(runs):
    fail(runs[0], range(24))
    fail(runs[1], range(24, 48))
    _, comparison = compare_runs(*runs)
    assert "cannot be told: no question has a score for both" in comparison["headline"]
    assert row(comparison, "rougeL")["no_interval"] == "there is nothing to measure it on"


def test_answers_that_a_judge_did_not_score_are_missing_too(tmp_path):
    for name, quality, refused in (("base", 0.1, ()), ("tuned", 0.7, [f"E{i}" for i in range(10)])):
        judge_run(make_run(tmp_path / name, name, quality), "org/one", refused=refused)
        score_again(tmp_path / name)
    _, comparison = compare_runs(tmp_path / "base", tmp_path / "tuned")
    assert comparison["conclusion"] | {"why": None} == {
        "metric": "judge_score",
        "judge": "org/one",
        "says": "cannot be told",
        "why": None,
    }
    assert "Without a score: 10 of 48 answers of the tuned model." in comparison["headline"]
    assert comparison["tuned"]["answers"]["failed"] == 0


@pytest.mark.parametrize(("n_articles", "says"), [(1, "cannot be told"), (4, "cannot be told"), (5, "better")])
def test_few_articles_have_no_verdict(tmp_path, n_articles, says):
    runs = []
    for name, quality in (("base", 0.1), ("tuned", 0.9)):
        folder = make_run(tmp_path / name, name, quality)
        records = [r | {"article_id": f"A{i % n_articles}"} for i, r in enumerate(read_records(folder))]
        write_records(folder, records)
        runs.append(score_again(folder))
    text, comparison = compare_runs(*runs)
    assert comparison["conclusion"]["says"] == says
    if says == "cannot be told":
        reason = f"{n_articles} article{'s' if n_articles > 1 else ''}, and an interval needs 5"
        assert f"cannot be told: {reason}." in comparison["headline"]
        assert f"no interval: {reason} (rouge1, rouge2, rougeL," in text
        assert all(r["ci_low"] is r["p_value"] is None for r in comparison["rows"])


def test_a_difference_that_chance_makes_is_no_verdict(tmp_path):
    _, comparison = compare_runs(scored(tmp_path / "base", "base", 0.5), scored(tmp_path / "tuned", "tuned", 0.51))
    found = row(comparison, "rougeL")
    assert found["ci_low"] < 0 < found["ci_high"]
    assert found["p_value"] > 0.05
    assert "cannot be told: the interval does not tell the difference from zero" in comparison["headline"]


def test_scores_with_the_intervals_of_before_are_to_be_made_again(runs):
    scores = json.loads((runs[0] / "scores.json").read_text())
    scores["settings"]["interval"] = {"level": 0.95, "n_resamples": 10_000, "seed": 0, "clusters": "article_id"}
    (runs[0] / "scores.json").write_text(json.dumps(scores))
    with pytest.raises(ValueError, match=r"method.*ldrt score .*base"):
        compare_runs(*runs)


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
    score.run(score.Options(str(tuned)))
    with pytest.raises(ValueError, match=message):
        compare_runs(base, tuned)


def test_a_missing_item_is_named(runs):
    base, tuned = runs
    write_records(tuned, read_records(tuned)[1:])
    manifest = json.loads((tuned / "manifest.json").read_text())
    manifest["image_conditions"]["true"]["items"] = 47
    (tuned / "manifest.json").write_text(json.dumps(manifest))
    score.run(score.Options(str(tuned)))
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
    score.run(score.Options(str(base), rouge_tokenizer="google"))
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


@pytest.mark.parametrize(
    ("of_base", "of_tuned", "is_noted"), [("tuned", None, False), ("other", None, True), (None, "x", True)]
)
def test_the_tuned_models_own_processor_for_the_base_is_no_difference(tmp_path, of_base, of_tuned, is_noted):
    base = scored(tmp_path / "base", "base", 0.1, processor=of_base)
    tuned = scored(tmp_path / "tuned", "tuned", 0.7, processor=of_tuned)
    text, comparison = compare_runs(base, tuned)
    assert ("processor" in comparison["differences"]) is is_noted
    assert ("Note: processor differs" in text) is is_noted


def test_conditions_that_both_have_are_compared(tmp_path):
    base = scored(tmp_path / "base", "base", 0.1, ("true", "shuffled"))
    tuned = scored(tmp_path / "tuned", "tuned", 0.7, ("true", "shuffled", "blank"))
    _, comparison = compare_runs(base, tuned)
    assert {r["image_condition"] for r in comparison["rows"]} == {"true", "shuffled"}


def test_every_tuned_run_is_compared_with_the_base_and_all_are_side_by_side(runs, tmp_path):
    base, tuned = runs
    compare_runs(base, tuned)
    alone = json.loads((tuned / "comparison.json").read_text())
    third = scored(tmp_path / "other" / "tuned", "third", 0.4)
    text = compare.run(compare.Options([str(base), str(tuned), str(third)]))
    both = [json.loads((run / "comparison.json").read_text()) for run in (tuned, third)]
    assert {**both[0], "overview": None} == {**alone, "overview": None}
    assert both[0]["overview"] == both[1]["overview"]
    assert row(both[1], "rougeL")["delta"] < row(both[0], "rougeL")["delta"]
    shown = {
        (r["run"], r["model"]): r["value"] for r in both[0]["overview"] if (r["metric"], r["task"]) == ("rougeL", "all")
    }
    first = tmp_path.name
    assert list(shown) == [("base", "base"), (f"{first}/tuned", "tuned"), ("other/tuned", "third")]
    assert shown["other/tuned", "third"] == pytest.approx(row(both[1], "rougeL")["tuned"])
    assert text.count("better than the base model") == 2
    assert "other/tuned" in text


def test_one_run_alone_or_one_output_for_several_is_refused(runs, tmp_path):
    base, tuned = map(str, runs)
    for options in (compare.Options([base]), compare.Options([base, tuned, base], output=str(tmp_path / "out"))):
        with pytest.raises(ValueError, match="two run folders or more"):
            compare.run(options)


def test_what_was_not_asked_for_is_null(runs):
    _, comparison = compare_runs(*runs)
    for key in ("forgetting", "transfer", "by_term_frequency", "judges_on_delta", "hedge_by_correctness"):
        assert comparison[key] is None  # no judge, and without evidence no grounding


def test_other_domains_have_a_row_a_metric_and_models_are_found_by_their_revision(runs, tmp_path):
    other = {"dataset": "org/general", "dataset_revision": "e" * 40, "tasks": ["detail"]}
    worse = [scored(tmp_path / "g1", "tuned", 0.2, **other), scored(tmp_path / "g2", "base", 0.6, **other)]
    heart = {"dataset": "org/heart", "dataset_revision": "d" * 40}
    better = [scored(tmp_path / "t1", "base", 0.1, **heart), scored(tmp_path / "t2", "tuned", 0.5, **heart)]
    text, comparison = compare_runs(*runs, general=list(map(str, worse)), transfer=list(map(str, better)))
    (lost,) = [r for r in comparison["forgetting"] if r["metric"] == "rougeL"]
    assert lost["ci_low"] < lost["delta"] < lost["ci_high"] < 0
    assert lost["n"] == 48
    assert lost["dataset"] == "org/general"
    assert (lost["dataset_revision"], lost["split"], lost["tasks"]) == ("e" * 40, "test", ["detail"])
    _, expected = compare_runs(*better)
    (carried,) = [r for r in comparison["transfer"] if r["metric"] == "rougeL"]
    assert carried["delta"] == pytest.approx(row(expected, "rougeL")["delta"])
    assert carried["ci_low"] > 0
    assert {r["metric"] for r in comparison["transfer"]} == {"rougeL", "answer_words"}
    assert "on org/general, rougeL: 0." in text


def test_other_domains_need_both_models_and_no_third(runs, tmp_path):
    other = {"dataset": "org/general", "dataset_revision": "e" * 40}
    base, stranger = scored(tmp_path / "g", "base", 0.5, **other), scored(tmp_path / "s", "stranger", 0.5, **other)
    with pytest.raises(ValueError, match="org/general: give the run of a tuned model on the same data"):
        compare_runs(*runs, general=[str(base)])
    with pytest.raises(ValueError, match="on the same data as .*base: no other domain"):
        compare_runs(*runs, transfer=list(map(str, runs)))
    with pytest.raises(ValueError, match="its model stranger .* is none of those compared"):
        compare_runs(*runs, general=[str(base), str(stranger)])


def test_each_judge_says_how_much_better_and_they_agree_on_the_sign(tmp_path):
    _, comparison = compare_runs(judged(tmp_path / "base", "base", 0.1), judged(tmp_path / "tuned", "tuned", 0.7))
    found = comparison["judges_on_delta"]
    assert [r["judge"] for r in found["judges"]] == ["mean", "org/one", "org/two"]
    assert found["same_sign"] is True
    for r in found["judges"]:
        table = next(t for t in comparison["rows"] if (t["judge"], t["task"]) == (r["judge"], "all"))
        assert r["delta"] == table["delta"]
        assert r["effect_size"] > 1
        assert r["no_effect_size"] is r["no_length_adjusted_interval"] is None
        assert r["detectable_difference"] < r["delta"]
        assert r["length_adjusted_ci"][0] < r["length_adjusted_delta"] < r["length_adjusted_ci"][1]


def test_judges_that_disagree_on_the_sign_are_seen(tmp_path):
    base, tuned = make_run(tmp_path / "base", "base", 0.4), make_run(tmp_path / "tuned", "tuned", 0.5)
    for run, leniency in ((base, 5), (tuned, 0)):
        judge_run(judge_run(run, "org/one"), "org/two", leniency)
        score_again(run)
    text, comparison = compare_runs(base, tuned)
    assert comparison["judges_on_delta"]["same_sign"] is False
    assert "do not agree on the sign" in text


def test_points_bought_by_length_are_taken_off(tmp_path):
    """A judge that gives a point for each word: the tuned model is longer by 1 to 4 words and no better."""
    for name in ("base", "tuned"):
        folder, judgements = make_run(tmp_path / name, name, 0.5), []
        for i, record in enumerate(records := read_records(folder)):
            n_words = 3 + (1 + i % 4 if name == "tuned" else 0)
            record["prediction"] = " ".join(["dose"] * n_words)
            judgements.append((record["example_id"], n_words))
        write_records(folder, records)
        judge_run(folder, "org/long")
        points = dict(judgements)
        written = [r | {"score": points[r["example_id"]]} for r in read_records(folder, "judgements.jsonl")]
        (folder / "judgements.jsonl").write_text("".join(json.dumps(r) + "\n" for r in written))
        score_again(folder)
    _, comparison = compare_runs(tmp_path / "base", tmp_path / "tuned")
    (found,) = comparison["judges_on_delta"]["judges"]
    assert found["delta"] == 2.5
    assert found["points_per_word"] == pytest.approx(1)
    assert found["length_adjusted_delta"] == pytest.approx(0, abs=1e-9)
    assert found["length_adjusted_ci"] == [None, None]  # a line without scatter
    assert found["no_length_adjusted_interval"].startswith("it is the same in every article")
    assert comparison["judges_on_delta"]["same_sign"] is None


def test_only_judges_of_both_runs_count_and_the_mean_is_theirs(tmp_path):
    base = judged(tmp_path / "base", "base", 0.1, judges=("org/one", "org/two", "org/three"))
    tuned = judged(tmp_path / "tuned", "tuned", 0.7, judges=("org/one", "org/two"))
    _, comparison = compare_runs(base, tuned)
    found = {r["judge"]: r for r in comparison["judges_on_delta"]["judges"]}
    assert set(found) == {"org/one", "org/two", "mean"}
    assert found["mean"]["base"] == pytest.approx((found["org/one"]["base"] + found["org/two"]["base"]) / 2)
    assert {r["judge"] for r in comparison["overview"]} == {None, "org/one", "org/two"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"judge_revision": "b" * 40}, "revision of judge org/one is a+ in .*base, b+ in"),
        ({"prompt_sha256": "9" * 64}, "judge org/one used for detail the rubric 1+ in .*base, 9+ in"),
    ],
)
def test_a_judge_that_is_not_the_same_in_both_runs_is_refused(tmp_path, change, message):
    base, tuned = judged(tmp_path / "base", "base", 0.1), judged(tmp_path / "tuned", "tuned", 0.7)
    changed = [record | change for record in read_records(tuned, "judgements.jsonl")]
    (tuned / "judgements.jsonl").write_text("".join(json.dumps(record) + "\n" for record in changed))
    score_again(tuned)
    with pytest.raises(ValueError, match=message):
        compare_runs(base, tuned)


def test_hedges_are_counted_by_correctness(tmp_path):
    base, tuned = judged(tmp_path / "base", "base", 0.1), judged(tmp_path / "tuned", "tuned", 0.9)
    _, comparison = compare_runs(base, tuned)
    found = comparison["hedge_by_correctness"]
    items = [item["scores"] for item in read_records(tuned, "per_item_scores.jsonl")]
    counted = {
        f"{hedged}_{correct}": sum(
            (item["hedged"] == (hedged == "hedged")) and (item["judge:mean"] >= 6) == (correct == "correct")
            for item in items
        )
        for hedged in ("hedged", "plain")
        for correct in ("correct", "wrong")
    }
    assert found["tuned"] == counted
    assert sum(found["base"].values()) == found["n"] == 48
    assert (found["correct_by"], found["judge"], found["threshold"]) == ("judge_score", "mean", 6.0)


def test_pairwise_verdicts_count_on_the_answers_that_stand_now(tmp_path):
    base, tuned = scored(tmp_path / "base", "base", 0.1), scored(tmp_path / "tuned", "tuned", 0.7)
    shown = {
        r["example_id"]: (r["prediction"], o["prediction"])
        for r, o in zip(*map(read_records, (tuned, base)), strict=True)
    }
    records = []
    for example, verdicts in (("E0", ("run", "run")), ("E1", ("run", "other")), ("E2", ("other", "other"))):
        for order, verdict in zip(("first", "second"), verdicts, strict=True):
            mine, theirs = shown[example]
            records.append(verdict_of(example, order, verdict, mine, theirs))
    records += [verdict_of("E3", order, "run", "an old answer", shown["E3"][1]) for order in ("first", "second")]
    (tuned / "pairwise.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    _, comparison = compare_runs(base, tuned)
    (found,) = comparison["pairwise"]
    assert {key: found[key] for key in ("judge", "n", "tuned", "base", "tie", "unscored")} == {
        "judge": "org/one",
        "n": 3,
        "tuned": 1,
        "base": 1,
        "tie": 1,
        "unscored": 0,
    }
    assert (found["win_rate"], found["ci_low"]) == (0.5, None)
    assert found["no_interval"] == "1 article, and an interval needs 5"


def test_the_win_rate_has_an_interval_over_articles(tmp_path):
    base, tuned = scored(tmp_path / "base", "base", 0.1), scored(tmp_path / "tuned", "tuned", 0.7)
    records = []
    for i, (mine, theirs) in enumerate(zip(*map(read_records, (tuned, base)), strict=True)):
        verdicts = (("run", "run"), ("run", "run"), ("run", "other"), ("other", "other"))[i % 4 if i < 40 else 0]
        records += [
            verdict_of(mine["example_id"], order, verdict, mine["prediction"], theirs["prediction"])
            for order, verdict in zip(("first", "second"), verdicts, strict=True)
        ]
    (tuned / "pairwise.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    text, comparison = compare_runs(base, tuned)
    (found,) = comparison["pairwise"]
    assert found["win_rate"] == pytest.approx((found["tuned"] + found["tie"] / 2) / found["n"])
    assert 0.5 < found["ci_low"] < found["win_rate"] < found["ci_high"] <= 1
    assert "org/one, asked which is better: tuned wins 0.688, ties half (95 % interval" in text


def verdict_of(example, order, verdict, answer, other):
    hashes = (hashlib.sha256(text.encode()).hexdigest() for text in (answer, other))
    about = dict(zip(("answer_sha256", "other_answer_sha256"), hashes, strict=True))
    judge = {"judge": "org/one", "judge_revision": None, "prompt_sha256": "3" * 64, "status": "ok"}
    return about | judge | {"example_id": example, "image_condition": "true", "order": order, "verdict": verdict}


def test_without_judges_correct_is_what_the_evidence_has(tmp_path):
    folders = []
    for name in ("base", "tuned"):
        folder = make_run(tmp_path / name, name, 0.5)
        records = read_records(folder)
        for i, record in enumerate(records):
            record["reference"] = "A dose of 5 Gy."
            record["prediction"] = ("It may be 5 Gy.", "It is 7 Gy.", "No number here.")[
                i % 3 if name == "tuned" else 1
            ]
        write_records(folder, records)
        known = {"caption": "Dose.", "context": [], "license": None, "doi": None}
        evidence = [{"figure_id": record["figure_id"], **known} for record in records]
        (folder / "evidence.jsonl").write_text("".join(json.dumps(row) + "\n" for row in evidence))
        folders.append(score_again(folder))
    _, comparison = compare_runs(*folders)
    found = comparison["hedge_by_correctness"]
    assert (found["correct_by"], found["judge"], found["n"], found["n_left_out"]) == ("grounding", None, 32, 16)
    assert found["tuned"] == {"hedged_correct": 16, "hedged_wrong": 0, "plain_correct": 0, "plain_wrong": 16}
    assert found["base"]["plain_wrong"] == 32


def test_questions_are_binned_by_their_rarest_term(tmp_path):
    runs = []
    for name in ("base", "tuned"):
        folder = make_run(tmp_path / name, name, 0.5)
        records = read_records(folder)
        for i, record in enumerate(records):
            record["reference"] = (
                "fibrosis of the radiation field",
                "radiation and TNF-alpha",
                "the red one",
                "radiation",
            )[i % 4]
            record["prediction"] = record["reference"] if name == "tuned" and i % 4 == 3 else "nothing"
        write_records(folder, records)
        runs.append(score_again(folder))
    answers = ["A Radiation field."] * 11 + ["TNF-α was high."] * 10
    _, comparison = compare_runs(*runs, train_dataset=str(training_data(tmp_path / "data", answers)))
    found = comparison["by_term_frequency"]
    assert (found["n_training_answers"], found["rare_up_to"], found["n_without_terms"]) == (21, 10, 12)
    scores = {r["bin"]: r for r in found["rows"] if r["metric"] == "rougeL"}
    assert {name: r["n"] for name, r in scores.items()} == {"never": 12, "rare": 12, "common": 12}
    assert {name: r["delta"] for name, r in scores.items()} == {"never": 0, "rare": 0, "common": 1}
    assert [scores[name]["reference_words"] for name in ("never", "rare", "common")] == [5, 4, 1]


def training_data(folder, answers):
    """A dataset repo folder with a train split of `detail` and `reasoning`, the pictures of which cannot be read."""
    import datasets

    from dataset_builder.schema import EXAMPLES

    for task, of_task in (("detail", answers[::2]), ("reasoning", answers[1::2])):
        rows = [dict.fromkeys(EXAMPLES) | {"completion": [{"role": "assistant", "content": text}]} for text in of_task]
        (folder / task).mkdir(parents=True)
        rows = [row | {"images": [{"bytes": b"broken", "path": None}]} for row in rows]
        datasets.Dataset.from_list(rows, features=EXAMPLES).to_parquet(folder / task / "train-00000-of-00001.parquet")
    configs = "".join(f"- {{config_name: {task}, data_files: {task}/*.parquet}}\n" for task in ("detail", "reasoning"))
    (folder / "README.md").write_text(f"---\nconfigs:\n{configs}---\n")
    return folder


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("TNF-alpha and MRIs show 5 Gy of Fibrosis", {"tnfα", "mri", "fibrosis"}),
        ("图像显示放射治疗后的改变 in MRI", {"mri"}),
        ("Bestrahlung der Lunge", {"bestrahlung"}),
        ("a red one", set()),
    ],
)
def test_terms(text, expected):
    from evaluation.comparing.term_frequency import terms

    assert terms(text) == expected


@pytest.mark.parametrize("who", ["base", "tuned"])
@pytest.mark.parametrize(
    ("control", "points", "name"), [("reference", 2, "reference"), ("empty", 9, "empty"), ("injected", 10, "injection")]
)
@pytest.mark.parametrize("judges", [("org/one",), ("org/one", "org/two")])
def test_a_judge_that_fails_its_controls_says_nothing(who, control, points, name, judges, tmp_path):
    runs = {each: judged(tmp_path / each, each, q, judges=judges) for each, q in (("base", 0.05), ("tuned", 0.5))}
    _, comparison = compare_runs(*runs.values())
    assert comparison["conclusion"]["says"] == "better"
    records = read_records(runs[who], "judgements.jsonl")
    for record in records:
        if record["control"] == control and record["judge"] == "org/one":
            record["score"] = points
    (runs[who] / "judgements.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    score_again(runs[who])
    text, comparison = compare_runs(*runs.values())
    assert comparison["conclusion"]["says"] == "cannot be told"
    assert f"cannot be told: org/one fails its controls ({name})" in text
    assert "org/two fails" not in text

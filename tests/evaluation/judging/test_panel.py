import numpy as np
import pytest
from scipy import stats

from evaluation.judgements import counted, scores_of_answers
from evaluation.judging import panel
from evaluation.metrics.metric import Scores
from evaluation.scoring import agreement
from evaluation.scoring.items import ScoredItem
from tests.evaluation.judgement_rows import PREDICTIONS, record


def places(records):
    return sorted({(record["image_condition"], record["example_id"]) for record in records})


def words(records, of_example=lambda example: 10):
    """The lengths of all answers that `records` are about."""
    return {place: of_example(place[1]) for place in places(records)}


def items(records, judges):
    """What `ldrt score` makes of the records."""
    given = scores_of_answers(records)
    found = []
    for condition, example in places(records):
        points = {judge: given[judge, condition].get(example) for judge in judges if (judge, condition) in given}
        found.append(ScoredItem(example, "A1/F1", "A1", "detail", condition, Scores({}, points)))
    return found


def test_controls_are_kept_apart_and_judged_against_their_limits():
    controls = [record(f"E{i}", score, control=name) for i in (1, 2) for name, score in
                (("reference", 9), ("shuffled", 4), ("empty", i - 1))]  # fmt: skip
    records = counted([record("E1", 7), *controls, record("E3", None, control="shuffled")], PREDICTIONS)
    assert scores_of_answers(records) == {("org/judge", "true"): {"E1": 7}}
    (judge,) = panel.describe_judges(records, words(records), [])
    assert judge["controls"] == {
        "reference": {"mean": 9, "n": 2, "ok": True},
        "shuffled": {"mean": 4, "n": 2, "ok": False},
        "empty": {"mean": 0.5, "n": 2, "ok": True},
    }
    assert "Warning: org/judge fails its controls (shuffled)" in "\n".join(panel.panel_text([judge], None))


def test_retest_compares_the_same_answer_with_itself():
    first = [record(f"E{i}", score) for i, score in enumerate((2, 8, 5, 7))]
    again = [record(f"E{i}", score, control="retest") for i, score in enumerate((3, 8, None, 5))]
    records = counted(first + again, PREDICTIONS)
    (judge,) = panel.describe_judges(records, words(records), [])
    kappa = agreement.weighted_kappa([2, 8, 7], [3, 8, 5])
    assert judge["retest"] == {"n": 3, "mean_abs_difference": 1.0, "kappa": pytest.approx(kappa)}
    assert panel.describe_judges(first, words(first), [])[0]["retest"] is None


@pytest.mark.parametrize(
    ("given", "mean", "ok"),
    [((3, 8, 5), 0, True), ((3, 9, 5), 1 / 3, True), ((10, 10, 10), 14 / 3, False), ((1, 6, 3), -2, False)],
)
def test_an_injection_must_change_nothing(given, mean, ok):
    answers = [record(f"E{i}", score) for i, score in enumerate((3, 8, 5, 7))]
    with_it = [record(f"E{i}", score, control="injected") for i, score in enumerate((*given, None))]
    records = counted(answers + with_it, PREDICTIONS)
    (judge,) = panel.describe_judges(records, words(records), [])
    assert judge["injected"] == {"n": 3, "mean_difference": pytest.approx(mean), "ok": ok}
    assert ("Warning: org/judge fails its controls (injection)" in panel.panel_text([judge], None)[-1]) != ok
    assert panel.describe_judges(answers, words(answers), [])[0]["injected"] is None


def test_why_replies_could_not_be_read_is_counted():
    errors = ["two different verdicts: '3, 9'", "two different verdicts: '1, 2'", "on another scale: '4/5'", "so", None]
    records = [record(f"E{i}", None, error=error) for i, error in enumerate(errors[:4])]
    (judge,) = panel.describe_judges(records, words(records), [])
    assert judge["unparsable"] == {"two different verdicts": 2, "on another scale": 1, "another reason": 1}


def test_what_was_not_judged_is_counted_for_the_conditions_that_were():
    records = [record("E1", 7), record("E2", None)]
    lengths = words(records) | {("true", "E3"): 3, ("blank", "E3"): 3}
    assert panel.describe_judges(records, lengths, [])[0]["statuses"] == {"not judged": 1, "ok": 1, "unparsable": 1}


def test_points_a_word_are_worth():
    lengths = {"E0": 10, "E1": 20, "E2": 30, "E3": 40}
    records = [record(example, 2 + 0.1 * n) for example, n in lengths.items()]
    (judge,) = panel.describe_judges(records, words(records, lengths.get), [])
    assert judge["length_slope"] == pytest.approx(0.1)
    assert panel.describe_judges(records, words(records), [])[0]["length_slope"] is None


def test_agreement_is_that_of_the_answers_that_both_scored():
    rng = np.random.default_rng(0)
    first = rng.uniform(0, 10, 40).round(2)
    second = np.clip(first + rng.normal(0, 1, 40), 0, 10).round(2)
    records = [record(f"E{i}", score, "a") for i, score in enumerate(first)]
    records += [record(f"E{i}", None if i < 4 else score, "b") for i, score in enumerate(second)]
    records += [record("E1", 0.0, judge, condition="blank") for judge in "ab"]  # another condition: left out
    found = panel.judge_agreement(items(records, ("a", "b")))
    (pair,) = found["pairs"]
    assert (found["n"], pair["n"], found["image_condition"], pair["first"], pair["second"]) == (
        36,
        36,
        "true",
        "a",
        "b",
    )
    assert pair["spearman"] == pytest.approx(stats.spearmanr(first[4:], second[4:]).statistic)
    assert pair["mean_difference"] == pytest.approx((second[4:] - first[4:]).mean())
    whole = [np.rint(scores[4:]).astype(int).tolist() for scores in (first, second)]
    assert pair["kappa"] == pytest.approx(agreement.weighted_kappa(*whole))
    assert found["alpha"] == pytest.approx(agreement.krippendorff_alpha(whole))
    assert "a and b: kappa 0." in panel.panel_text([], found)[0]


def test_one_judge_agrees_with_nobody_and_two_on_nothing_have_no_numbers():
    assert panel.judge_agreement(items([record("E1")], ("org/judge",))) is None
    records = [record("E1", 3, "a"), record("E2", 4, "b")]
    found = panel.judge_agreement(items(records, ("a", "b")))
    assert found["alpha"] is None
    assert found["n"] == 0
    assert found["pairs"] == [
        {"first": "a", "second": "b", "n": 0, "kappa": None, "spearman": None, "mean_difference": None}
    ]


@pytest.mark.parametrize(("judge", "family"), [("Qwen/Qwen3-8B", "qwen"), ("org/judge", None), ("openai/gpt-5", None)])
def test_a_judge_of_the_teachers_family_is_named(judge, family):
    records = [record("E1", 7, judge)]
    teachers = {"Qwen/Qwen2-72B-Instruct": 40, "extractive": 8}
    entries = panel.describe_judges(records, words(records), teachers)
    assert entries[0]["teacher_family"] == family
    warned = any("is of the family of the teacher (qwen)" in line for line in panel.panel_text(entries, None))
    assert warned == (family is not None)

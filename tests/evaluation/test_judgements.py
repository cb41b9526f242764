import pytest

from evaluation.judgements import CONTROLS, INJECTED, RETEST, counted
from tests.evaluation.judgement_rows import PREDICTIONS, record


def counted_scores(records):
    return {found["example_id"]: found["score"] for found in counted(records, PREDICTIONS)}


def test_the_newest_record_counts_but_an_ok_one_first():
    assert counted_scores([record("E1", 3), record("E1", 4)]) == {"E1": 4}
    assert counted_scores([record("E1", 3), record("E1", None)]) == {"E1": 3}
    assert counted_scores([record("E1", None), record("E1", 5)]) == {"E1": 5}


def test_a_record_of_another_answer_does_not_count():
    assert counted_scores([record("E1", 3, about="an older answer"), record("E2", 4)]) == {"E2": 4}
    assert counted_scores([record("E9", 3)]) == {}
    lost = {**PREDICTIONS[1], "prediction": None}
    assert counted([record("E1", 3)], [PREDICTIONS[0], lost]) == []


@pytest.mark.parametrize("change", [{"prompt_sha256": "p2"}, {"judge_revision": "r2"}, {"backend": "local"}])
def test_scores_of_two_rubrics_or_revisions_are_not_mixed(change):
    old, new = [record(f"E{i}", 2) for i in range(4)], [record("E1", 8, **change)]
    assert counted_scores(old + new) == {"E1": 8}
    other_task = record("E2", 5, task="reasoning", **change)
    assert counted_scores([*old[:2], other_task]) == {"E0": 2, "E1": 2, "E2": 5}


def test_a_control_about_another_text_does_not_count():
    wrong = [record("E1", 9, control=name, about="a text") for name in (*CONTROLS, RETEST, INJECTED)]
    assert counted(wrong, PREDICTIONS) == []

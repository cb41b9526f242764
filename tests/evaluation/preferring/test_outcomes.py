"""Which verdicts make a pair of answers a preference."""

import pytest

from evaluation.judgements import answer_sha256
from evaluation.preferring.outcomes import sort_out

OURS, THEIRS = "The curve rises to 5 Gy.", "The curve falls."


def answer(text=OURS, finish_reason="stop", example_id="E1"):
    return {"example_id": example_id, "prediction": text, "finish_reason": finish_reason}


def verdict(order, said, judge="judge", **changes):
    return {
        "example_id": "E1",
        "image_condition": "true",
        "judge": judge,
        "judge_revision": None,
        "prompt_sha256": "1" * 64,
        "answer_sha256": answer_sha256(OURS),
        "other_answer_sha256": answer_sha256(THEIRS),
        "order": order,
        "status": "ok" if said else "unparsable",
        "verdict": said,
        **changes,
    }


def both(first, second, judge="judge", **changes):
    return [verdict("first", first, judge, **changes), verdict("second", second, judge, **changes)]


@pytest.mark.parametrize(
    ("verdicts", "found"),
    [
        (both("run", "run"), "chosen"),
        (both("other", "other"), "chosen"),
        (both("run", "run") + both("run", "run", "second judge"), "chosen"),
        (both(None, "run") + [verdict("first", "run")], "chosen"),  # asked again, and then understood
        (both("run", "run") + both("tie", "tie", image_condition="blank"), "chosen"),  # of another question
        (both("run", "run") + both("tie", "tie", answer_sha256=answer_sha256("before")), "chosen"),  # of another answer
        (both("tie", "tie"), "tie"),
        (both("run", "other"), "disagreement"),
        (both("run", "tie"), "disagreement"),
        (both("run", "run") + both("other", "other", "second judge"), "disagreement"),
        (both("run", "run") + both("tie", "tie", "second judge"), "disagreement"),
        ([], "not_judged"),
        ([verdict("first", "run")], "not_judged"),
        (both("run", None), "not_judged"),
        (both("run", "run") + both(None, "run", "second judge"), "not_judged"),
        (both("run", "run", other_answer_sha256=answer_sha256("before")), "not_judged"),
        (both("run", "run", example_id="E2"), "not_judged"),
    ],
)
def test_all_judges_must_prefer_the_same_answer_in_both_orders(verdicts, found):
    sorted_out = sort_out([(answer(), answer(THEIRS))], verdicts)
    assert {kind: n for kind, n in sorted_out.counts.items() if n} == {found: 1}
    assert len(sorted_out.preferences) == (found == "chosen")


@pytest.mark.parametrize(("said", "chosen"), [("run", OURS), ("other", THEIRS)])
def test_the_preferred_answer_is_chosen(said, chosen):
    (preference,) = sort_out([(answer(), answer(THEIRS))], both(said, said)).preferences
    assert preference.chosen["prediction"] == chosen
    assert {preference.chosen["prediction"], preference.rejected["prediction"]} == {OURS, THEIRS}
    assert preference.judges == [("judge", "", "1" * 64)]


@pytest.mark.parametrize(
    ("ours", "theirs", "found"),
    [
        (answer(finish_reason="length"), answer(THEIRS), "cut_answer"),
        (answer(), answer(THEIRS, "length"), "cut_answer"),
        (answer(), answer(" \n"), "empty_answer"),
        (answer(""), answer(THEIRS, "length"), "empty_answer"),
        (answer(), answer(f" {OURS}"), "same_answer"),
    ],
)
def test_answers_of_which_nothing_is_learnt_are_left_out_whatever_is_said_of_them(ours, theirs, found):
    hashes = {
        "answer_sha256": answer_sha256(ours["prediction"]),
        "other_answer_sha256": answer_sha256(theirs["prediction"]),
    }
    assert sort_out([(ours, theirs)], both("run", "run", **hashes)).counts == {"chosen": 0, found: 1}

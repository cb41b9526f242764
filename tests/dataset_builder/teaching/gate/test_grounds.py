"""Rules on what an answer rests on."""

import pytest

from dataset_builder.teaching.gate import grounds
from dataset_builder.teaching.gate.exam import Limits
from tests.dataset_builder.teaching.gate.exams import ANSWER, exam, row


def test_evidence_that_is_not_there():
    there = {"source": "context", "sentence": 1}
    assert grounds.evidence_out_of_range(exam(evidence=[there]), Limits()) is None
    for wrong in ({"source": "context", "sentence": 2}, {"source": "caption", "sentence": -1}):
        found = grounds.evidence_out_of_range(exam(evidence=[there, wrong]), Limits())
        assert (found.reason, found.value) == ("evidence_out_of_range", f"{wrong['source']} {wrong['sentence']}")
    assert grounds.evidence_out_of_range(exam(evidence=[]), Limits()).reason == "no_evidence"
    without_context = row(context=[])
    assert grounds.evidence_out_of_range(exam(evidence=[there], given=without_context), Limits())


def test_what_the_teacher_says_of_the_picture():
    assert grounds.not_visual(exam(visually_answerable=False), Limits())
    assert grounds.not_visual(exam(visually_answerable=True), Limits()) is None
    assert grounds.not_visual(exam(), Limits()) is None


@pytest.mark.parametrize(
    ("answer", "new"),
    [
        (ANSWER, None),
        ("The treated group shows 1.8 mm of edema.", "1.8 mm"),
        ("The treated group shows 1.9 cm of edema.", "1.9 cm"),
        ("Twelve mice had edema after 0,5 Gy.", None),
        ("13 mice had edema.", "13"),
        ("IL-8 fell.", None),  # no number
    ],
)
def test_numbers_that_the_evidence_has_not(answer, new):
    found = grounds.new_numbers(exam(answer=answer), Limits())
    assert (found and found.value) == new


def test_numbers_of_a_sentence_that_is_not_named_are_new():
    assert grounds.new_numbers(exam("After 1 Gy it fell.", evidence=[{"source": "caption", "sentence": 0}]), Limits())
    assert grounds.new_numbers(exam("After 1 Gy it fell."), Limits()) is None


@pytest.mark.parametrize(
    "answer",
    [
        "Swelling increased in all mice that were irradiated.",  # the evidence has only the opposite
        "IL-6 was lower after 0.5 Gy than after 0.5 Gy.",  # both numbers are there
        "The control group had 1.9 mm and more.",
        "Edema of the right paw after 0.5 Gy.",
    ],
)
def test_contradictions(answer):
    assert grounds.contradicts(exam(answer=answer), Limits())


@pytest.mark.parametrize(
    "answer",
    [
        ANSWER,
        "Swelling decreased in all mice.",
        "IL-6 was lower after 1 Gy.",
        "After 0.5 Gy the edema of the left paw is smaller than in the control group.",
        "Fewer signs of swelling are seen.",
        "The left paw is on the right of the picture.",  # the evidence does not say where it is
    ],
)
def test_no_contradictions(answer):
    given = row(context=["Swelling decreased in all mice that were irradiated.", "IL-6 was lower after 1 Gy."])
    if "right" in answer:
        given = row(context=["On the right is the paw."])
    assert grounds.contradicts(exam(answer=answer, given=given), Limits()) is None


@pytest.mark.parametrize(
    ("language", "evidence", "right", "wrong"),
    [
        ("de", "Die Dosis stieg in der linken Lunge auf 5 Gy an.", "In der linken Lunge", "In der rechten Lunge"),
        ("fr", "La dose augmente dans le lobe gauche.", "La dose augmente.", "La dose diminue."),
        ("ru", "Доза увеличилась в левом лёгком.", "Доза увеличилась.", "Доза уменьшилась."),
        ("zh", "照射后左侧肺的剂量增加。", "剂量增加。", "剂量减少。"),
        ("ja", "照射後に線量が増加した。", "線量が増加した。", "線量が減少した。"),
    ],
)
def test_contradictions_in_other_languages(language, evidence, right, wrong):
    given = row(caption=evidence, context=[], language=language)
    assert grounds.contradicts(exam(right, given=given), Limits()) is None
    assert grounds.contradicts(exam(wrong, given=given), Limits())


def test_support_below_the_limit():
    made_up = "TNF-α, CD68, VEGF and IL-6 were seen by the Wistar group."
    found = grounds.low_support(exam(made_up), Limits(min_support=0.5))
    assert (found.reason, found.value) == ("min_support", 0.2)
    assert grounds.low_support(exam(made_up), Limits(min_support=0.2)) is None
    assert grounds.low_support(exam("It fell."), Limits()) is None  # nothing to look up

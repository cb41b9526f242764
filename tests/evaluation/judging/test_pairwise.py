import pytest

from evaluation.judging import pairwise


@pytest.mark.parametrize(
    ("reply", "first", "second"),
    [
        ("Both fit.\nVERDICT: tie", "tie", "tie"),
        ("Better.\n**VERDICT: 2**", "other", "run"),
        ('{"verdict": "1"}', "run", "other"),
        ('It says "VERDICT: 1", but is wrong.\nVERDICT: 2', "other", "run"),
    ],
)
def test_verdicts_are_those_of_the_order(reply, first, second):
    assert (pairwise.read_verdict("first", reply), pairwise.read_verdict("second", reply)) == (first, second)


@pytest.mark.parametrize("order", ["first", "second"])
def test_a_reply_without_a_verdict_has_none_in_either_order(order):
    with pytest.raises(ValueError, match="two different verdicts"):
        pairwise.read_verdict(order, "VERDICT: 1\nVERDICT: 2")
    with pytest.raises(ValueError, match="only quoted"):
        pairwise.read_verdict(order, "The second answer says\nVERDICT: 2", ["It fits.", "It fits.\nVERDICT: 2"])

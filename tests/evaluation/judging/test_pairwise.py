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


@pytest.mark.parametrize("reply", ["", "1", "VERDICT: 3", 'It says "VERDICT: 1", but is wrong.', '{"verdict": 0}'])
def test_no_verdict_is_unparsable(reply):
    with pytest.raises(ValueError, match="no line `VERDICT: 1`"):
        pairwise.read_verdict("first", reply)

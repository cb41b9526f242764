"""Which differences between what was published and what was made again are named."""

import pytest

from verification.differences import differences

ROW = {"metric": "rougeL", "label": "ROUGE-L F", "judge": None, "task": "all", "value": 0.5, "n": 3}


@pytest.mark.parametrize(
    ("published", "said"),
    [
        ({}, []),
        ({"value": 0.5 + 1e-9}, []),
        ({"of_later": 1}, []),
        ({"value": 0.6}, ["rougeL, all value: 0.6 is published, 0.5 when made again"]),
        ({"label": "Accuracy"}, ["rougeL, all label: 'Accuracy' is published, 'ROUGE-L F' when made again"]),
        ({"n": None}, ["rougeL, all n: None is published, 3 when made again"]),
    ],
)
def test_a_changed_value_is_named_and_a_key_of_later_is_not(published, said):
    assert list(differences([ROW | published], [ROW])) == said


def test_rows_of_before_have_no_label_and_lack_nothing_else():
    before = {key: value for key, value in ROW.items() if key != "label"}
    assert not list(differences([before], [ROW]))
    without_count = {key: value for key, value in ROW.items() if key != "n"}
    assert list(differences([without_count], [ROW])) == ["rougeL, all n: None is published, 3 when made again"]

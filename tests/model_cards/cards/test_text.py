"""How a card names a metric."""

import pytest

from model_cards.cards.text import metric_name


@pytest.mark.parametrize(
    ("row", "name"),
    [
        ({"metric": "rougeL", "label": "ROUGE-L F", "judge": None}, "ROUGE-L F"),
        ({"metric": "judge_score", "label": "Judge's score, 0–10", "judge": "org/a"}, "Judge's score, 0–10 (org/a)"),
        ({"metric": "rougeL", "judge": None}, "rougeL"),  # of a file of before
        ({"metric": "rougeL", "label": None, "judge": None}, "rougeL"),
    ],
)
def test_a_metric_has_the_name_that_its_row_says(row, name):
    assert metric_name(row) == name

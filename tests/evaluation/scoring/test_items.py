from evaluation.metrics.metric import Scores
from evaluation.scoring.items import ScoredItem, item_of_row, judge_names, mean_of_judges, row_of_item

ITEM = ScoredItem(
    *("E1", "A1/F1", "A1", "detail", "true"),
    Scores({"rougeL": 0.5, "claims": None}, {"org/a:b": 7, "mean": None}),
    ({"judge": "org/a:b", "status": "ok", "score": 7, "reply": "SCORE: 7"},),
)


def test_a_row_has_judges_among_the_metrics_and_gives_the_item_back():
    row = row_of_item(ITEM)
    assert list(row) == ["example_id", "figure_id", "article_id", "task", "image_condition", "scores", "said"]
    assert row["scores"] == {"rougeL": 0.5, "claims": None, "judge:org/a:b": 7, "judge:mean": None}
    assert item_of_row(row) == ITEM


def test_judges_of_some_items_are_judges():
    assert judge_names([Scores({}, {"b": 1}), ITEM.scores, Scores({"judge": 1}, {})]) == ["b", "mean", "org/a:b"]


def test_a_mean_needs_every_judge():
    assert mean_of_judges([1, 2]) == 1.5
    assert mean_of_judges([1, None]) is None

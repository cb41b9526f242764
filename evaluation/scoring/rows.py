"""Measured answers -> rows of scores.json: every metric of every image condition, task and judge, and the gaps between
image conditions."""

from typing import Protocol, TypedDict, TypeVar

from evaluation.metrics.hedging.hedging_core import hedging
from evaluation.metrics.hedging.lexicon import VERSION
from evaluation.metrics.metric import Metric, Scores
from evaluation.run_folder import IMAGE_CONDITIONS, TRUE_PICTURE, Prediction
from evaluation.scoring.items import ScoredItem, judge_names
from evaluation.scoring.measures import (
    ALL_TASKS,
    METRICS,
    Interval,
    contrast,
    count_mentions,
    interval_settings,
    judge_metric,
    summarise,
)

PAPER_HEDGES = ("appears", "possibly", "might")  # the words that arXiv 2501.15370 names
HEDGE_RATE = "hedges_per_1k_words"
_GAP_COLUMNS = {  # of a contrast -> of a gap
    "tuned": "true",
    "base": "other",
    "tuned_ci": "true_ci",
    "base_ci": "other_ci",
    "n_unscored_tuned": "n_unscored_true",
    "n_unscored_base": "n_unscored_other",
}


class Settings(TypedDict):
    """`settings` of scores.json: what must be the same in two runs that are compared."""

    rouge: dict
    hedging: dict
    interval: Interval


class Asked(Protocol):
    """What an item must say to be put into a group."""

    @property
    def image_condition(self) -> str: ...

    @property
    def task(self) -> str: ...


Item = TypeVar("Item", bound=Asked)


def settings_of(rouge_tokenizer: str) -> Settings:
    return {
        "rouge": {"tokenizer": rouge_tokenizer, "stemmer": False, "measure": "fmeasure"},
        "hedging": {"lexicon_version": VERSION},
        "interval": interval_settings(),
    }


def metrics_of(scores: list[Scores]) -> list[Metric]:
    """The metrics to report: fixed ones that some item has a number for, and one for each judge that was asked."""
    computed = [metric for metric in METRICS if any(metric.numerator_of(of_item) is not None for of_item in scores)]
    return [*computed, *map(judge_metric, judge_names(scores))]


def shared_metrics(first: list[Scores], second: list[Scores]) -> list[Metric]:
    """The metrics that both have."""
    of_second = metrics_of(second)
    return [metric for metric in metrics_of(first) if metric in of_second]


def by_group(items: list[Item]) -> dict[tuple[str, str], list[Item]]:
    """(image condition, task or "all") -> items."""
    groups: dict[tuple[str, str], list[Item]] = {}
    for item in sorted(items, key=lambda item: (IMAGE_CONDITIONS.index(item.image_condition), item.task)):
        groups.setdefault((item.image_condition, ALL_TASKS), []).append(item)
        groups.setdefault((item.image_condition, item.task), []).append(item)
    return groups


def score_rows(items: list[ScoredItem], predictions: list[Prediction], settings: Settings) -> list[dict]:
    """Rows of scores.json: every metric of every image condition, task and judge."""
    rows = []
    for (condition, task), group in by_group(items).items():
        scores = [item.scores for item in group]
        articles = [item.article_id for item in group]
        for row in summarise(scores, articles, metrics_of(scores)):
            used: dict = {}
            if row["metric"].startswith("rouge"):
                used = settings["rouge"]
            elif row["metric"] == HEDGE_RATE:
                answers = _answers(predictions, condition, task)
                used = settings["hedging"] | _hedge_details(scores, answers, row["value"])
            rows.append({"task": task, "image_condition": condition, **row, "settings": used})
    return rows


def _answers(predictions: list[Prediction], condition: str, task: str) -> list[str]:
    return [
        record["prediction"]
        for record in predictions
        if record["image_condition"] == condition
        and task in (ALL_TASKS, record["task"])
        and record["prediction"] is not None
    ]


def _hedge_details(scores: list[Scores], answers: list[str], rate: float | None) -> dict:
    """The references' rate, the ratio to it, counts by word and category; `mentions` counts words in any context.

    `scores` and `answers` are of one group; `rate` is the answers' (hedges in 1,000 words).
    """
    measured = [of_item.metrics for of_item in scores if of_item.metrics["words"] is not None]
    n_words = sum(metrics["reference_words"] or 0 for metrics in measured)
    n_hedges = sum(metrics["reference_hedges"] or 0 for metrics in measured)
    reference_rate = 1000 * n_hedges / n_words if n_words else None
    found = hedging(answers)
    return {
        "reference_value": reference_rate,
        "ratio_to_reference": rate / reference_rate if reference_rate and rate is not None else None,
        "by_word": found["by_word"],
        "by_category": found["by_category"],
        "mentions": {word: count_mentions(answers, word) for word in PAPER_HEDGES},
    }


def gap_rows(items: list[ScoredItem]) -> list[dict]:
    """How much the true picture matters: (true − another image condition), paired by example, with its interval.

    Rows have `versus` (the other condition), `other` (its value), `true`, `delta` and so on. A gap to `shuffled` that
    is not above 0 says that the model does not use the picture.
    """
    groups = by_group(items)
    rows = []
    for (condition, task), others in groups.items():
        if condition != TRUE_PICTURE and (TRUE_PICTURE, task) in groups:
            found = _gaps(groups[TRUE_PICTURE, task], others)
            rows += [{"task": task, "versus": condition, **row} for row in found]
    return rows


def _gaps(shown: list[ScoredItem], others: list[ScoredItem]) -> list[dict]:
    """One row a metric that both have, of the examples that both have."""
    true_scores = {item.example_id: item.scores for item in shown}
    paired = [item for item in others if item.example_id in true_scores]
    if not paired:
        return []
    other = [item.scores for item in paired]
    true = [true_scores[item.example_id] for item in paired]
    articles = [item.article_id for item in paired]
    return [_as_gap(row) for row in contrast(other, true, articles, shared_metrics(other, true))]


def _as_gap(row: dict) -> dict:
    return {_GAP_COLUMNS.get(column, column): value for column, value in row.items()}


def first_condition(rows: list[dict]) -> list[dict]:
    """What a terminal shows: the rows of the true pictures, or of the first condition there is; files have them all."""
    return [row for row in rows if row["image_condition"] == rows[0]["image_condition"]]

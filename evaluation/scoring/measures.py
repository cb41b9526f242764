"""What is measured on one answer, and how measurements of many answers become one number with its interval."""

import re
from collections.abc import Sequence
from typing import TypedDict

import numpy as np

from evaluation.metrics.all import ALL
from evaluation.metrics.metric import POINTS, Answer, Columns, Metric, Scores
from evaluation.run_folder import Evidence, Prediction
from evaluation.scoring import statistics

ALL_TASKS = "all"
JUDGE = "judge_score"
JUDGE_MEAN = "mean"  # name of the mean over all judges, of the answers that every judge scored
METRICS = tuple(metric for scored in ALL for metric in scored.METRICS)
# Where more is better: what breakdowns and other domains report.
QUALITY = (JUDGE, *(metric.name for metric in METRICS if metric.is_quality))
COLUMNS = sorted({c for metric in METRICS for c in (metric.numerator, metric.denominator) if c})


class Interval(TypedDict):
    """How intervals are made, as the settings of scores.json have it."""

    method: str
    level: float  # 0 to 1
    min_articles: int  # fewer have no interval
    clusters: str  # the column by which answers belong together


def interval_settings() -> Interval:
    return {
        "method": statistics.METHOD,
        "level": statistics.LEVEL,
        "min_articles": statistics.MIN_ARTICLES,
        "clusters": "article_id",
    }


def judge_metric(judge: str) -> Metric:
    """The metric of one judge's points."""
    return Metric(JUDGE, "Judge's score, 0–10", "0 to 10", POINTS, "higher", JUDGE, judge=judge)


def measure(prediction: Prediction, evidence: Evidence | None, rouge_tokenizer: str) -> Columns:
    """All columns of one record of predictions.jsonl; all None where there is no answer (it could not be asked).

    `evidence` is the figure's row of evidence.jsonl; without it the columns of grounding are None.
    """
    answer = _as_answer(prediction, evidence, rouge_tokenizer)
    if answer is None:
        return {**dict.fromkeys(COLUMNS), "reference_words": None, "reference_hedges": None}
    columns: Columns = {}
    for scored in ALL:
        columns |= scored.measure(answer)
    return columns


def _as_answer(prediction: Prediction, evidence: Evidence | None, rouge_tokenizer: str) -> Answer | None:
    """What the metrics see of a record; None where it has no answer."""
    if prediction["prediction"] is None:
        return None
    return Answer(
        text=prediction["prediction"],
        reference=prediction["reference"],
        question=prediction["question"],
        finish_reason=prediction["finish_reason"],
        kind=prediction.get("answer_kind"),
        options=prediction.get("options"),
        evidence=None if evidence is None else (evidence["caption"] or "", *evidence["context"]),
        rouge_tokenizer=rouge_tokenizer,
    )


def count_mentions(texts: Sequence[str], word: str) -> int:
    """How often a word is there, whatever it means: the paper's measure of hedging ("appears" 1,451 → 49)."""
    return sum(len(re.findall(rf"\b{re.escape(word)}\b", text, re.IGNORECASE)) for text in texts)


def summarise(scores: Sequence[Scores], articles: Sequence[str], metrics: Sequence[Metric]) -> list[dict]:
    """One row a metric: value, n, n_unscored, n_articles, ci_low, ci_high, no_interval, unit, better, judge.

    `articles` are those of the answers. The value is None where no answer is scored; where there is no interval,
    `no_interval` says why, else it is None.
    """
    rows = []
    for metric in metrics:
        columns, scored = _columns(scores, metric)
        found = statistics.estimate_ratio(statistics.cluster_sums(columns, articles), metric.bounds)
        rows.append(
            {
                **_label(metric),
                "value": found.value,
                "n": int(scored.sum()),
                "n_unscored": int((~scored).sum()),
                "n_articles": _count_articles(articles, scored),
                **_interval_columns(found),
            }
        )
    return rows


def contrast(
    base: Sequence[Scores], tuned: Sequence[Scores], articles: Sequence[str], metrics: Sequence[Metric]
) -> list[dict]:
    """One row a metric: n, n_articles, n_unscored_base, n_unscored_tuned, base, tuned, base_ci, tuned_ci, delta
    (tuned − base), ci_low, ci_high and no_interval (of delta), p_value.

    The three lists are of the same examples in the same order; an example counts where both have a score. Interval and
    p of the difference are one test (`statistics.estimate`).
    """
    rows = []
    for metric in metrics:
        (of_base, base_scored), (of_tuned, tuned_scored) = _columns(base, metric), _columns(tuned, metric)
        both = base_scored & tuned_scored
        no_base, no_tuned = ~base_scored & _should_be(base, metric), ~tuned_scored & _should_be(tuned, metric)
        sums = statistics.cluster_sums(np.hstack([of_base, of_tuned]) * both[:, None], articles)  # (articles, 4)
        rows.append(
            {
                **_label(metric),
                "n": int(both.sum()),
                "n_articles": _count_articles(articles, both),
                "n_asked": int((both | no_base | no_tuned).sum()),
                "n_unscored_base": int(no_base.sum()),
                "n_unscored_tuned": int(no_tuned.sum()),
                **_difference(sums, metric),
            }
        )
    return rows


def _difference(sums: np.ndarray, metric: Metric) -> dict:
    """`sums` (articles, 4): numerator and denominator of base, then of tuned."""
    base = statistics.estimate_ratio(sums[:, :2], metric.bounds)
    tuned = statistics.estimate_ratio(sums[:, 2:], metric.bounds)
    found = statistics.estimate_difference(sums)
    return {
        "base": base.value,
        "base_ci": [base.low, base.high],
        "tuned": tuned.value,
        "tuned_ci": [tuned.low, tuned.high],
        "delta": found.value,
        **_interval_columns(found),
        "p_value": found.p_value,
    }


def _interval_columns(found: statistics.Estimate) -> dict:
    return {"ci_low": found.low, "ci_high": found.high, "no_interval": found.no_interval}


def _should_be(scores: Sequence[Scores], metric: Metric) -> np.ndarray:
    """(items,): whether a missing score is missed: a judge's, or of an answer that failed. An open question has no
    accuracy."""
    return np.array([metric.judge is not None or of_item.metrics["words"] is None for of_item in scores], dtype=bool)


def _count_articles(articles: Sequence[str], scored: np.ndarray) -> int:
    return len({article for article, is_scored in zip(articles, scored, strict=True) if is_scored})


def _columns(scores: Sequence[Scores], metric: Metric) -> tuple[np.ndarray, np.ndarray]:
    """((items, 2) scaled numerator and denominator with zeros where unscored, (items,) whether scored)."""
    values = np.zeros((len(scores), 2))
    scored = np.zeros(len(scores), dtype=bool)
    for i, of_item in enumerate(scores):
        numerator, denominator = metric.numerator_of(of_item), metric.denominator_of(of_item)
        if numerator is not None and denominator is not None:
            values[i], scored[i] = (metric.scale * numerator, denominator), True
    return values, scored


def _label(metric: Metric) -> dict:
    named = {"metric": metric.name, "label": metric.label, "judge": metric.judge}
    return named | {"unit": metric.unit, "better": metric.better}

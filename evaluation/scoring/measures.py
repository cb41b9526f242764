"""What is measured on one answer, and how measurements of many answers become one number with its interval."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np

from evaluation.metrics.closed_answers.closed_core import is_right
from evaluation.metrics.degeneration.degeneration_core import has_loop, is_empty
from evaluation.metrics.grounding.grounding_core import ground
from evaluation.metrics.hedging.hedging_core import count_words, find_hedges
from evaluation.metrics.length_ratio.length_ratio_core import length_ratio
from evaluation.metrics.rouge.rouge_core import rouge
from evaluation.metrics.token_overlap.overlap_core import overlap
from evaluation.run_folder import Evidence, Prediction
from evaluation.scoring import statistics
from evaluation.scoring.statistics import Bounds

ALL_TASKS = "all"
JUDGE = "judge_score"
# Where more is better: what breakdowns and other domains report.
QUALITY = (JUDGE, "accuracy", "token_recall", "token_f1", "rougeL", "grounding")
JUDGE_MEAN = "mean"  # name of the mean over all judges, of the answers that every judge scored


@dataclass(frozen=True)
class Scores:
    """The numbers of one answer."""

    metrics: dict[str, float | None]  # column that `measure` makes -> number; None where it cannot be measured
    judges: dict[str, float | None]  # judge, human raters or JUDGE_MEAN -> points, 0 to 10; None: asked, not scored


@dataclass(frozen=True)
class Metric:
    """`scale` × sum of the column `numerator` / sum of the column `denominator` (None: number of answers).

    Of a `judge` the numerator is its points. `better` says which direction is better: "higher", "lower", "one" (nearest
    to 1) or None where neither is. `bounds` are those of the unit: no interval leaves them.
    """

    name: str
    unit: str
    bounds: Bounds
    better: str | None
    numerator: str
    denominator: str | None = None
    scale: float = 1.0
    judge: str | None = None

    def numerator_of(self, scores: Scores) -> float | None:
        if self.judge is not None:
            return scores.judges.get(self.judge)
        return scores.metrics.get(self.numerator)

    def denominator_of(self, scores: Scores) -> float | None:
        return 1 if self.denominator is None else scores.metrics.get(self.denominator)


SHARE: Bounds = (0.0, 1.0)
COUNT: Bounds = (0.0, None)
POINTS: Bounds = (0.0, 10.0)  # of judges and people


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


METRICS = (
    Metric("accuracy", "share of closed questions, 0 to 1", SHARE, "higher", "right"),
    Metric("unreadable_share", "share of closed questions, 0 to 1", SHARE, "lower", "unreadable"),
    Metric("token_recall", "of open questions, 0 to 1", SHARE, "higher", "token_recall"),
    Metric("token_f1", "of open questions, 0 to 1", SHARE, "higher", "token_f1"),
    Metric("rouge1", "F, 0 to 1", SHARE, "higher", "rouge1"),
    Metric("rouge2", "F, 0 to 1", SHARE, "higher", "rouge2"),
    Metric("rougeL", "F, 0 to 1", SHARE, "higher", "rougeL"),
    Metric("grounding", "share, 0 to 1", SHARE, "higher", "grounded", "claims"),
    Metric("length_ratio", "words / reference words", COUNT, "one", "length_ratio"),
    Metric("answer_words", "words", COUNT, None, "words"),
    Metric("hedges_per_1k_words", "per 1,000 words", COUNT, None, "hedges", "words", 1000.0),
    Metric("hedged_share", "share, 0 to 1", SHARE, None, "hedged"),
    Metric("truncated_share", "share, 0 to 1", SHARE, "lower", "truncated"),
    Metric("looping_share", "share, 0 to 1", SHARE, "lower", "looping"),
    Metric("empty_share", "share, 0 to 1", SHARE, "lower", "empty"),
)
COLUMNS = sorted({c for metric in METRICS for c in (metric.numerator, metric.denominator) if c})


def judge_metric(judge: str) -> Metric:
    """The metric of one judge's points."""
    return Metric(JUDGE, "0 to 10", POINTS, "higher", JUDGE, judge=judge)


def measure(prediction: Prediction, evidence: Evidence | None, rouge_tokenizer: str) -> dict[str, float | None]:
    """All columns of one record of predictions.jsonl; all None where there is no answer (it could not be asked).

    `evidence` is the figure's row of evidence.jsonl; without it the columns of grounding are None.
    """
    answer, reference = prediction["prediction"], prediction["reference"]
    if answer is None:
        return {**dict.fromkeys(COLUMNS), "reference_words": None, "reference_hedges": None}
    scores = rouge(answer, reference, rouge_tokenizer)
    hedges = len(find_hedges(answer))
    return {
        **{name: score.fmeasure for name, score in scores.items()},
        "length_ratio": length_ratio(answer, reference),
        "words": count_words(answer),
        "reference_words": count_words(reference),
        "hedges": hedges,
        "reference_hedges": len(find_hedges(reference)),
        "hedged": int(hedges > 0),
        "truncated": int(prediction["finish_reason"] == "length"),
        "looping": int(has_loop(answer)),
        "empty": int(is_empty(answer)),
        **_ground(answer, prediction, evidence),
        **_of_benchmark(answer, prediction),
    }


def _of_benchmark(answer: str, prediction: Prediction) -> dict[str, float]:
    """What benchmarks report: of a closed question whether it is answered right, of an open one the token overlap."""
    kind, reference = prediction.get("answer_kind"), prediction["reference"]
    if kind == "closed":
        right = is_right(answer, reference, prediction.get("options"))
        return {"right": int(bool(right)), "unreadable": int(right is None)}
    if kind == "open":
        shared = overlap(answer, reference)
        return {"token_recall": shared.recall, "token_f1": shared.f1}
    return {}


def _ground(answer: str, prediction: Prediction, evidence: Evidence | None) -> dict[str, int | None]:
    if evidence is None:
        return {"grounded": None, "claims": None}
    known = [prediction["question"], prediction["reference"], evidence["caption"] or "", *evidence["context"]]
    grounded, missing = ground(answer, "\n".join(known))
    return {"grounded": len(grounded), "claims": len(grounded) + len(missing)}


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
    return {"metric": metric.name, "judge": metric.judge, "unit": metric.unit, "better": metric.better}

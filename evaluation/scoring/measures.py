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
    to 1) or None where neither is.
    """

    name: str
    unit: str
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


class Interval(TypedDict):
    """How intervals are made, as the settings of scores.json have it."""

    level: float  # 0 to 1
    n_resamples: int  # of the clusters
    seed: int
    clusters: str  # the column by which answers belong together


def interval_settings(n_resamples: int, seed: int) -> Interval:
    return {"level": statistics.LEVEL, "n_resamples": n_resamples, "seed": seed, "clusters": "article_id"}


METRICS = (
    Metric("accuracy", "share of closed questions, 0 to 1", "higher", "right"),
    Metric("unreadable_share", "share of closed questions, 0 to 1", "lower", "unreadable"),
    Metric("token_recall", "of open questions, 0 to 1", "higher", "token_recall"),
    Metric("token_f1", "of open questions, 0 to 1", "higher", "token_f1"),
    Metric("rouge1", "F, 0 to 1", "higher", "rouge1"),
    Metric("rouge2", "F, 0 to 1", "higher", "rouge2"),
    Metric("rougeL", "F, 0 to 1", "higher", "rougeL"),
    Metric("grounding", "share, 0 to 1", "higher", "grounded", "claims"),
    Metric("length_ratio", "words / reference words", "one", "length_ratio"),
    Metric("answer_words", "words", None, "words"),
    Metric("hedges_per_1k_words", "per 1,000 words", None, "hedges", "words", 1000.0),
    Metric("hedged_share", "share, 0 to 1", None, "hedged"),
    Metric("truncated_share", "share, 0 to 1", "lower", "truncated"),
    Metric("looping_share", "share, 0 to 1", "lower", "looping"),
    Metric("empty_share", "share, 0 to 1", "lower", "empty"),
)
COLUMNS = sorted({c for metric in METRICS for c in (metric.numerator, metric.denominator) if c})


def judge_metric(judge: str) -> Metric:
    """The metric of one judge's points."""
    return Metric(JUDGE, "0 to 10", "higher", JUDGE, judge=judge)


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


def summarise(
    scores: Sequence[Scores], articles: Sequence[str], metrics: Sequence[Metric], interval: Interval
) -> list[dict]:
    """One row a metric: value, n, n_unscored, ci_low, ci_high, unit, better, judge.

    `articles` are those of the answers: intervals come from resampling articles. Value and interval are None where no
    answer is scored.
    """
    parts = [_columns(scores, metric) for metric in metrics]  # each (items, 2): numerator, denominator
    sums = statistics.cluster_sums(np.hstack([part for part, _ in parts]), articles)
    samples = statistics.bootstrap(sums, interval["n_resamples"], interval["seed"])
    rows = []
    for i, (metric, (_, scored)) in enumerate(zip(metrics, parts, strict=True)):
        low, high = statistics.interval(_value(samples[:, 2 * i : 2 * i + 2], metric))
        rows.append(
            {
                **_label(metric),
                "value": _number(_value(sums[:, 2 * i : 2 * i + 2].sum(0), metric)),
                "n": int(scored.sum()),
                "n_unscored": int((~scored).sum()),
                "ci_low": low,
                "ci_high": high,
            }
        )
    return rows


def contrast(
    base: Sequence[Scores],
    tuned: Sequence[Scores],
    articles: Sequence[str],
    metrics: Sequence[Metric],
    interval: Interval,
) -> list[dict]:
    """One row a metric: n, base, tuned, base_ci, tuned_ci, delta (tuned − base), ci_low, ci_high (of delta), p_value.

    The three lists are of the same examples in the same order; an example counts where both have a score. Intervals are
    a paired bootstrap over articles; p values come from flipping the sign of the articles' differences, those of rates
    (a denominator other than the number of answers) from the bootstrap. Both are None for fewer than two articles.
    """
    blocks, counts = [], []
    for metric in metrics:
        (of_base, base_scored), (of_tuned, tuned_scored) = _columns(base, metric), _columns(tuned, metric)
        both = base_scored & tuned_scored
        blocks += [of_base * both[:, None], of_tuned * both[:, None]]
        counts.append(int(both.sum()))
    sums = statistics.cluster_sums(np.hstack(blocks), articles)  # (articles, 4 a metric)
    samples = statistics.bootstrap(sums, interval["n_resamples"], interval["seed"])
    flips = statistics.sign_flips(len(sums), interval["n_resamples"], interval["seed"])
    rows = []
    for i, (metric, n) in enumerate(zip(metrics, counts, strict=True)):
        block = slice(4 * i, 4 * i + 4)
        rows.append({**_label(metric), "n": n, **_difference(sums[:, block], samples[:, block], flips, metric)})
    return rows


def _difference(sums: np.ndarray, samples: np.ndarray, flips: np.ndarray, metric: Metric) -> dict:
    """`sums` (articles, 4) and `samples` (resamples, 4): numerator and denominator of base, then of tuned."""
    totals = sums.sum(0)
    base, tuned = _value(totals[:2], metric), _value(totals[2:], metric)
    of_base, of_tuned = _value(samples[:, :2], metric), _value(samples[:, 2:], metric)
    low, high = statistics.interval(of_tuned - of_base)
    if low is None:
        p_value = None
    elif metric.denominator is None:
        p_value = statistics.sign_flip_p_value(sums[:, 2] - sums[:, 0], flips)
    else:  # flipping signs would take a change of length for a change of rate
        p_value = statistics.bootstrap_p_value(of_tuned - of_base)
    return {
        "base": _number(base),
        "base_ci": list(statistics.interval(of_base)),
        "tuned": _number(tuned),
        "tuned_ci": list(statistics.interval(of_tuned)),
        "delta": _number(tuned - base),
        "ci_low": low,
        "ci_high": high,
        "p_value": p_value,
    }


def _columns(scores: Sequence[Scores], metric: Metric) -> tuple[np.ndarray, np.ndarray]:
    """((items, 2) numerator and denominator with zeros where unscored, (items,) whether scored)."""
    values = np.zeros((len(scores), 2))
    scored = np.zeros(len(scores), dtype=bool)
    for i, of_item in enumerate(scores):
        numerator, denominator = metric.numerator_of(of_item), metric.denominator_of(of_item)
        if numerator is not None and denominator is not None:
            values[i], scored[i] = (numerator, denominator), True
    return values, scored


def _value(sums: np.ndarray, metric: Metric) -> np.ndarray:
    """(…, 2) -> (…): the metric from its two sums; NaN where the denominator is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return metric.scale * np.where(sums[..., 1] != 0, sums[..., 0] / sums[..., 1], np.nan)


def _label(metric: Metric) -> dict:
    return {"metric": metric.name, "judge": metric.judge, "unit": metric.unit, "better": metric.better}


def _number(value) -> float | None:
    return float(value) if np.isfinite(value) else None

"""ROUGE against rouge_score (goal: at least 20 times faster) and intervals of 1,574 items (goal: under 1 s)."""

import random
import time

import numpy as np
from rouge_score import rouge_scorer

from evaluation.metrics.hedging.hedging_core import find_hedges
from evaluation.metrics.rouge.rouge_core import METRICS, rouge
from evaluation.scoring import statistics

N_PAIRS, N_WORDS = 300, 150
N_ITEMS, N_ARTICLES = 1_574, 600


def main() -> dict[str, float]:
    """Times of one run each."""
    rng = random.Random(0)
    words = [*(f"w{i}" for i in range(79)), "TNF-α"]  # a Greek letter in nearly every text: none is plain ASCII
    texts = [" ".join(rng.choices(words, k=N_WORDS)) for _ in range(2 * N_PAIRS)]
    pairs = list(zip(texts[::2], texts[1::2], strict=True))
    theirs = rouge_scorer.RougeScorer(list(METRICS))
    slow = _seconds(lambda: [theirs.score(reference, prediction) for prediction, reference in pairs])
    rows = {}
    for tokenizer in ("google", "unicode"):
        fast = _seconds(lambda tokenizer=tokenizer: [rouge(*pair, tokenizer) for pair in pairs])
        rows[f"ROUGE, tokenizer {tokenizer}, ms a pair of {N_WORDS} words"] = fast / N_PAIRS * 1e3
        rows[f"ROUGE, tokenizer {tokenizer}, times as fast as rouge_score"] = slow / fast
    hedges = _seconds(lambda: [find_hedges(text) for text in texts])
    rows[f"hedging, ms for {N_WORDS} words"] = hedges / len(texts) * 1e3
    rng = np.random.default_rng(0)
    values, articles = rng.normal(size=(N_ITEMS, 4)), [f"A{i % N_ARTICLES}" for i in range(N_ITEMS)]
    seconds = _seconds(_resample, values, articles)
    return rows | {f"{statistics.N_RESAMPLES} paired resamples of {N_ITEMS} items, s": seconds}


def _resample(values: np.ndarray, articles: list[str]) -> None:
    sums = statistics.cluster_sums(values, articles)
    statistics.interval(statistics.bootstrap(sums)[:, 0])
    statistics.sign_flip_p_value(sums[:, 1], statistics.sign_flips(len(sums)))


def _seconds(function, *arguments) -> float:
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start

"""ROUGE against rouge_score (goal: at least 20 times faster) and intervals of 1,574 items (goal: under 1 s)."""

import random
import time

from rouge_score import rouge_scorer

from evaluation.metrics.hedging.hedging_core import find_hedges
from evaluation.metrics.metric import Scores
from evaluation.metrics.rouge.rouge_core import METRICS as OVERLAPS
from evaluation.metrics.rouge.rouge_core import rouge
from evaluation.scoring.measures import COLUMNS, METRICS, contrast

N_PAIRS, N_WORDS = 300, 150
N_ITEMS, N_ARTICLES = 1_574, 600


def main() -> dict[str, float]:
    """Times of one run each."""
    rng = random.Random(0)
    words = [*(f"w{i}" for i in range(79)), "TNF-α"]  # a Greek letter in nearly every text: none is plain ASCII
    texts = [" ".join(rng.choices(words, k=N_WORDS)) for _ in range(2 * N_PAIRS)]
    pairs = list(zip(texts[::2], texts[1::2], strict=True))
    theirs = rouge_scorer.RougeScorer(list(OVERLAPS))
    slow = _seconds(lambda: [theirs.score(reference, prediction) for prediction, reference in pairs])
    rows = {}
    for tokenizer in ("google", "unicode"):
        fast = _seconds(lambda tokenizer=tokenizer: [rouge(*pair, tokenizer) for pair in pairs])
        rows[f"ROUGE, tokenizer {tokenizer}, ms a pair of {N_WORDS} words"] = fast / N_PAIRS * 1e3
        rows[f"ROUGE, tokenizer {tokenizer}, times as fast as rouge_score"] = slow / fast
    hedges = _seconds(lambda: [find_hedges(text) for text in texts])
    rows[f"hedging, ms for {N_WORDS} words"] = hedges / len(texts) * 1e3
    measured = [Scores({column: rng.random() for column in COLUMNS}, {}) for _ in range(2 * N_ITEMS)]
    articles = [f"A{i % N_ARTICLES}" for i in range(N_ITEMS)]
    seconds = _seconds(contrast, measured[::2], measured[1::2], articles, METRICS)
    return rows | {f"intervals and p of {len(METRICS)} metrics of {N_ITEMS} pairs of answers, s": seconds}


def _seconds(function, *arguments) -> float:
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start

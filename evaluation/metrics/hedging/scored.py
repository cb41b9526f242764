"""What `ldrt score` measures of hedges. Their share of the words is of `words`, which length_ratio counts."""

from evaluation.metrics.hedging.hedging_core import find_hedges
from evaluation.metrics.metric import COUNT, SHARE, Answer, Columns, Metric

METRICS = (
    Metric(
        "hedges_per_1k_words",
        "Hedges per 1,000 words",
        "per 1,000 words",
        COUNT,
        None,
        "hedges",
        "words",
        1000.0,
    ),
    Metric("hedged_share", "Answers with a hedge, share", "share, 0 to 1", SHARE, None, "hedged"),
)


def measure(answer: Answer) -> Columns:
    """Hedges of the answer and of its reference, and whether the answer has one (1)."""
    hedges = len(find_hedges(answer.text))
    return {
        "hedges": hedges,
        "reference_hedges": len(find_hedges(answer.reference)),
        "hedged": int(hedges > 0),
    }

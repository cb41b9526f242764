"""What `ldrt score` measures of answers to a benchmark's closed questions."""

from evaluation.metrics.closed_answers.closed_core import is_right
from evaluation.metrics.metric import SHARE, Answer, Columns, Metric

METRICS = (
    Metric(
        "accuracy",
        "Accuracy on closed questions",
        "share of closed questions, 0 to 1",
        SHARE,
        "higher",
        "right",
        is_quality=True,
    ),
    Metric(
        "unreadable_share",
        "Closed questions without a readable answer, share",
        "share of closed questions, 0 to 1",
        SHARE,
        "lower",
        "unreadable",
    ),
)


def measure(answer: Answer) -> Columns:
    """Whether a closed question is answered right (1), and whether the answer names no option (1)."""
    if answer.kind != "closed":
        return {}
    right = is_right(answer.text, answer.reference, answer.options)
    return {"right": int(bool(right)), "unreadable": int(right is None)}

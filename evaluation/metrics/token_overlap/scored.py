"""What `ldrt score` measures of answers to a benchmark's open questions."""

from evaluation.metrics.metric import SHARE, Answer, Columns, Metric
from evaluation.metrics.token_overlap.overlap_core import overlap

_UNIT = "of open questions, 0 to 1"
METRICS = (
    Metric("token_recall", "Token recall on open questions", _UNIT, SHARE, "higher", "token_recall", is_quality=True),
    Metric("token_f1", "Token F1 on open questions", _UNIT, SHARE, "higher", "token_f1", is_quality=True),
)


def measure(answer: Answer) -> Columns:
    """Words that answer and reference of an open question share."""
    if answer.kind != "open":
        return {}
    shared = overlap(answer.text, answer.reference)
    return {"token_recall": shared.recall, "token_f1": shared.f1}

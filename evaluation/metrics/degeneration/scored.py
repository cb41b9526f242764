"""What `ldrt score` measures of answers that are no answers: 1 where it holds."""

from evaluation.metrics.degeneration.degeneration_core import has_loop, is_empty
from evaluation.metrics.metric import SHARE, Answer, Columns, Metric

_UNIT = "share, 0 to 1"
METRICS = (
    Metric("truncated_share", "Answers cut at the token limit, share", _UNIT, SHARE, "lower", "truncated"),
    Metric("looping_share", "Answers that repeat themselves, share", _UNIT, SHARE, "lower", "looping"),
    Metric("empty_share", "Empty answers, share", _UNIT, SHARE, "lower", "empty"),
)


def measure(answer: Answer) -> Columns:
    return {
        "truncated": int(answer.finish_reason == "length"),
        "looping": int(has_loop(answer.text)),
        "empty": int(is_empty(answer.text)),
    }

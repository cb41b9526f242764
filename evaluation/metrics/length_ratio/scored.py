"""What `ldrt score` measures of an answer's length, in words."""

from evaluation.metrics.length_ratio.length_ratio_core import count_words, length_ratio
from evaluation.metrics.metric import COUNT, Answer, Columns, Metric

METRICS = (
    Metric("length_ratio", "Length ratio to the reference", "words / reference words", COUNT, "one", "length_ratio"),
    Metric("answer_words", "Words an answer", "words", COUNT, None, "words"),
)


def measure(answer: Answer) -> Columns:
    """Words of the answer, and of its reference; their ratio is None where the reference has none."""
    return {
        "length_ratio": length_ratio(answer.text, answer.reference),
        "words": count_words(answer.text),
        "reference_words": count_words(answer.reference),
    }

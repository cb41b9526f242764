"""What `ldrt score` measures with ROUGE."""

from evaluation.metrics.metric import SHARE, Answer, Columns, Metric
from evaluation.metrics.rouge.rouge_core import rouge

METRICS = (
    Metric("rouge1", "ROUGE-1 F", "F, 0 to 1", SHARE, "higher", "rouge1"),
    Metric("rouge2", "ROUGE-2 F", "F, 0 to 1", SHARE, "higher", "rouge2"),
    Metric("rougeL", "ROUGE-L F", "F, 0 to 1", SHARE, "higher", "rougeL", is_quality=True),
)


def measure(answer: Answer) -> Columns:
    """F of the three overlaps with the reference."""
    scores = rouge(answer.text, answer.reference, answer.rouge_tokenizer)
    return {name: score.fmeasure for name, score in scores.items()}

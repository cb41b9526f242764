"""What `ldrt score` measures of the numbers and terms of an answer."""

from evaluation.metrics.grounding.grounding_core import ground
from evaluation.metrics.metric import SHARE, Answer, Columns, Metric

METRICS = (
    Metric(
        "grounding",
        "Grounded numbers and terms, share",
        "share, 0 to 1",
        SHARE,
        "higher",
        "grounded",
        "claims",
        is_quality=True,
    ),
)


def measure(answer: Answer) -> Columns:
    """How many numbers and terms question, reference, caption or context have, of how many; None without evidence."""
    if answer.evidence is None:
        return {"grounded": None, "claims": None}
    grounded, missing = ground(answer.text, "\n".join([answer.question, answer.reference, *answer.evidence]))
    return {"grounded": len(grounded), "claims": len(grounded) + len(missing)}

"""The metrics that `ldrt score` measures, in the order of tables; how to add one: docs/how-to/metric.md."""

from evaluation.metrics.closed_answers import scored as closed_answers
from evaluation.metrics.degeneration import scored as degeneration
from evaluation.metrics.grounding import scored as grounding
from evaluation.metrics.hedging import scored as hedging
from evaluation.metrics.length_ratio import scored as length_ratio
from evaluation.metrics.metric import Scored
from evaluation.metrics.rouge import scored as rouge
from evaluation.metrics.token_overlap import scored as token_overlap

ALL: tuple[Scored, ...] = (
    closed_answers,
    token_overlap,
    rouge,
    grounding,
    length_ratio,
    hedging,
    degeneration,
)

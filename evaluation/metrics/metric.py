"""What a metric is to `ldrt score`: what it sees of an answer, and how its numbers of many answers become one.

Each metric's folder has a `scored.py` with `METRICS` and `measure`; `all.py` lists them.
"""

from dataclasses import dataclass
from typing import Protocol

Bounds = tuple[float | None, float | None]  # lowest and highest value that there can be; None: there is none
SHARE: Bounds = (0.0, 1.0)
COUNT: Bounds = (0.0, None)
POINTS: Bounds = (0.0, 10.0)  # of judges and people

Columns = dict[str, float | None]  # column -> number of one answer; None where it cannot be measured


@dataclass(frozen=True)
class Answer:
    """One answer, as a metric sees it."""

    text: str
    reference: str
    question: str
    finish_reason: str  # stop | length (cut at the token limit)
    kind: str | None  # of a benchmark's question: closed (yes or no, options) | open; None: of another
    options: list[str] | None  # of a closed question, in the order of their letters
    evidence: tuple[str, ...] | None  # the figure's caption and the sentences about it; None: not known
    rouge_tokenizer: str  # `--rouge_tokenizer` of `ldrt score`


@dataclass(frozen=True)
class Scores:
    """The numbers of one answer."""

    metrics: Columns
    judges: dict[str, float | None]  # judge, human raters or JUDGE_MEAN -> points, 0 to 10; None: asked, not scored


@dataclass(frozen=True)
class Metric:
    """`scale` × sum of the column `numerator` / sum of the column `denominator` (None: number of answers).

    Of a `judge` the numerator is its points. `label` is its name on cards. `better` says which direction is better:
    "higher", "lower", "one" (nearest to 1) or None where neither is. `bounds` are those of the unit: no interval leaves
    them. `is_quality`: more of it is a better answer, so that breakdowns and other domains report it.
    """

    name: str
    label: str
    unit: str
    bounds: Bounds
    better: str | None
    numerator: str
    denominator: str | None = None
    scale: float = 1.0
    judge: str | None = None
    is_quality: bool = False

    def numerator_of(self, scores: Scores) -> float | None:
        if self.judge is not None:
            return scores.judges.get(self.judge)
        return scores.metrics.get(self.numerator)

    def denominator_of(self, scores: Scores) -> float | None:
        return 1 if self.denominator is None else scores.metrics.get(self.denominator)


class Scored(Protocol):
    """A module `scored.py`."""

    @property
    def METRICS(self) -> tuple[Metric, ...]: ...

    def measure(self, answer: Answer) -> Columns:
        """The columns that its metrics name, of one answer; a column that is left out is of no interest for it."""

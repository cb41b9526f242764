"""`evaluate` wrapper that reads judges' replies; the grammar is in the other files.

evaluate copies only the files that this one imports by name, so all are imported here; and a comment after an import
breaks its scanner.
"""

import datasets
import evaluate

from .claims import verdict_of
from .grammar import VERDICT
from .judge_core import judge_scores, mean_score
from .objects import PLACE
from .words import VERSION

__all__ = ["PLACE", "VERDICT", "VERSION", "Judge", "verdict_of"]

_DESCRIPTION = "Scores of 0 to 10 from the replies of an LLM judge, their mean, and how many replies have none and why."
_INPUTS = """predictions (list of str): replies of the judge, one an answer: a JSON object with `score`, or text with a
line `SCORE: n`.
finish_reasons (list of str, optional): the server's, one a reply: with `length` a reply counts as truncated, with
`content_filter` as refused.
shown (list of list of str, optional): for each reply the texts that the judge had before it (answer, reference,
caption, context): a score that it only quotes of them is none of its own."""


class Judge(evaluate.Metric):
    def _info(self):
        return evaluate.MetricInfo(
            description=_DESCRIPTION,
            citation="",
            inputs_description=_INPUTS,
            features=datasets.Features({"predictions": datasets.Value("string")}),
        )

    def _compute(self, predictions, finish_reasons=None, shown=None):
        return mean_score(judge_scores(predictions, finish_reasons, shown)) | {"grammar_version": VERSION}

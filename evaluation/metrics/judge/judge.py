"""`evaluate` wrapper that reads judges' replies; the parsing is in `judge_core.py`."""

import datasets
import evaluate

from .judge_core import judge_scores, mean_score

_DESCRIPTION = "Scores of 0 to 10 from the replies of an LLM judge, their mean, and how many replies have none and why."
_INPUTS = """predictions (list of str): replies of the judge, one an answer: a JSON object with `score`, or text that
ends in `SCORE: n`.
finish_reasons (list of str, optional): the server's, one a reply: with `length` a reply counts as truncated, with
`content_filter` as refused."""


class Judge(evaluate.Metric):
    def _info(self):
        return evaluate.MetricInfo(
            description=_DESCRIPTION,
            citation="",
            inputs_description=_INPUTS,
            features=datasets.Features({"predictions": datasets.Value("string")}),
        )

    def _compute(self, predictions, finish_reasons=None):
        return mean_score(judge_scores(predictions, finish_reasons))

"""`evaluate` wrapper of degeneration; the arithmetic is in `degeneration_core.py`."""

import datasets
import evaluate

from .degeneration_core import has_loop, is_empty

_DESCRIPTION = "Shares of answers that repeat themselves, are empty, or were cut at the token limit."
_INPUTS = """predictions (list of str): answers.
finish_reasons (list of str, optional): `stop` or `length`, as `ldrt generate` records them; gives `truncated_share`."""


class Degeneration(evaluate.Metric):
    def _info(self):
        return evaluate.MetricInfo(
            description=_DESCRIPTION,
            citation="",
            inputs_description=_INPUTS,
            features=datasets.Features({"predictions": datasets.Value("string")}),
        )

    def _compute(self, predictions, finish_reasons=None):
        shares = {
            "looping_share": sum(map(has_loop, predictions)) / len(predictions),
            "empty_share": sum(map(is_empty, predictions)) / len(predictions),
        }
        if finish_reasons is not None:
            shares["truncated_share"] = finish_reasons.count("length") / len(predictions)
        return shares

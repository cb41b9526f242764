"""`evaluate` wrapper of accuracy on closed questions; the rules are in `closed_core.py`."""

import datasets
import evaluate

from .closed_core import is_right

_DESCRIPTION = "Share of closed questions whose reply names the right option and no other; nothing is guessed."
_INPUTS = """predictions (list of str), references (list of str: the text of the right option),
options (list of lists of str, in the order of their letters; an empty list where there are none to choose from)."""


class ClosedAnswers(evaluate.Metric):
    def _info(self):
        text = datasets.Value("string")
        features = {"predictions": text, "references": text, "options": datasets.Sequence(text)}
        return evaluate.MetricInfo(
            description=_DESCRIPTION,
            citation="",
            inputs_description=_INPUTS,
            features=datasets.Features(features),
        )

    def _compute(self, predictions, references, options):
        rows = zip(predictions, references, options, strict=True)
        right = [is_right(prediction, reference, choice or None) for prediction, reference, choice in rows]
        return {
            "accuracy": sum(map(bool, right)) / len(right) if right else None,
            "unreadable_share": right.count(None) / len(right) if right else None,
        }

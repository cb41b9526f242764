"""`evaluate` wrapper of the length ratio; the arithmetic is in `length_ratio_core.py`."""

import datasets
import evaluate

from .length_ratio_core import length_ratio

_DESCRIPTION = "Mean of (words of the answer / words of the reference). 1 means as long as the reference."
_INPUTS = "predictions (list of str), references (list of str). References without a word are not scored."


class LengthRatio(evaluate.Metric):
    def _info(self):
        text = datasets.Value("string")
        return evaluate.MetricInfo(
            description=_DESCRIPTION,
            citation="",
            inputs_description=_INPUTS,
            features=datasets.Features({"predictions": text, "references": text}),
        )

    def _compute(self, predictions, references):
        ratios = [length_ratio(*pair) for pair in zip(predictions, references, strict=True)]
        scored = [ratio for ratio in ratios if ratio is not None]
        return {
            "length_ratio": sum(scored) / len(scored) if scored else None,
            "n_unscored": len(ratios) - len(scored),
        }

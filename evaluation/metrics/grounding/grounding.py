"""`evaluate` wrapper of grounding; the arithmetic is in `grounding_core.py`."""

import datasets
import evaluate

from .grounding_core import ground

_DESCRIPTION = "Share of an answer's numbers (with units), Greek names and abbreviations that its evidence has, too."
_INPUTS = """predictions (list of str): answers.
references (list of str): for each answer all its evidence as one text (question, caption, context, reference)."""


class Grounding(evaluate.Metric):
    def _info(self):
        text = datasets.Value("string")
        return evaluate.MetricInfo(
            description=_DESCRIPTION,
            citation="",
            inputs_description=_INPUTS,
            features=datasets.Features({"predictions": text, "references": text}),
        )

    def _compute(self, predictions, references):
        pairs = [ground(*pair) for pair in zip(predictions, references, strict=True)]
        n_grounded = sum(len(grounded) for grounded, _ in pairs)
        n_claims = n_grounded + sum(len(missing) for _, missing in pairs)
        return {
            "grounding": n_grounded / n_claims if n_claims else None,
            "claims": n_claims,
            "ungrounded": [sorted({claim.value for claim in missing}) for _, missing in pairs],
        }

"""`evaluate` wrapper of the hedging count; the arithmetic is in `hedging_core.py`, the words in `lexicon.py`.

evaluate copies only the files that this one imports by name, so `lexicon.py` is imported here too; and a comment after
an import breaks its scanner.
"""

import datasets
import evaluate

from .hedging_core import LANGUAGES, hedging
from .lexicon import VERSION

_DESCRIPTION = "Counts hedges (may, appears, möglicherweise, 可能) in answers: per 1,000 words, by word, by category."
_CITATION = """@article{kilicoglu2008,
  title = {Recognizing speculative language in biomedical research articles: a linguistically motivated perspective},
  author = {Kilicoglu, Halil and Bergler, Sabine}, journal = {BMC Bioinformatics}, volume = {9}, number = {S11},
  pages = {S10}, year = {2008}}"""
_INPUTS = """predictions (list of str): answers.
references (list of str, optional): reference answers; gives `ratio_to_reference`.
languages (list of str, optional): ISO 639-1 codes of the lexicons to use, default all."""


class Hedging(evaluate.Metric):
    def _info(self):
        return evaluate.MetricInfo(
            description=_DESCRIPTION,
            citation=_CITATION,
            inputs_description=_INPUTS,
            # references are an argument of _compute: evaluate 0.4.6 fails on a list of Features when they are not given
            features=datasets.Features({"predictions": datasets.Value("string")}),
        )

    def _compute(self, predictions, references=None, languages=LANGUAGES):
        result = hedging(predictions, tuple(languages))
        if references is not None:
            rate = hedging(references, tuple(languages))["hedges_per_1k_words"]
            result["reference_hedges_per_1k_words"] = rate
            result["ratio_to_reference"] = result["hedges_per_1k_words"] / rate if rate else None
        return {**result, "lexicon_version": VERSION}

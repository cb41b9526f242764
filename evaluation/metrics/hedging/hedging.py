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
compare_to (list of str, optional): reference answers; gives `ratio_to_reference`.
languages (list of str, optional): ISO 639-1 codes of the lexicons to use, default all."""


class Hedging(evaluate.Metric):
    def _info(self):
        return evaluate.MetricInfo(
            description=_DESCRIPTION,
            citation=_CITATION,
            inputs_description=_INPUTS,
            # evaluate 0.4.6 has no optional `references`: it fails where they are declared and not given, drops them
            # where they are given and not declared. Hence `compare_to`.
            features=datasets.Features({"predictions": datasets.Value("string")}),
        )

    def _compute(self, predictions, compare_to=None, languages=LANGUAGES):
        result = hedging(predictions, tuple(languages))
        if compare_to is not None:
            rate = hedging(compare_to, tuple(languages))["hedges_per_1k_words"]
            result["reference_hedges_per_1k_words"] = rate
            result["ratio_to_reference"] = result["hedges_per_1k_words"] / rate if rate else None
        return {**result, "lexicon_version": VERSION}

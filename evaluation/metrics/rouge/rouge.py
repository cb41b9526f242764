"""`evaluate` wrapper of ROUGE; the arithmetic is in `rouge_core.py`."""

import datasets
import evaluate

from .rouge_core import METRICS, rouge

_DESCRIPTION = "ROUGE-1, ROUGE-2 and ROUGE-L, with a tokenizer that keeps Greek letters, Chinese and decimal numbers."
_CITATION = """@inproceedings{lin-2004-rouge,
  title = {{ROUGE}: A Package for Automatic Evaluation of Summaries}, author = {Lin, Chin-Yew},
  booktitle = {Text Summarization Branches Out}, year = {2004}, url = {https://aclanthology.org/W04-1013}}"""
_INPUTS = """predictions (list of str), references (list of str).
tokenizer (str): `unicode` (default), or `google` for the same values as rouge_score.
measure (str): `fmeasure` (default), `precision` or `recall`.
use_aggregator (bool): mean over the pairs (default), or one value a pair."""


class Rouge(evaluate.Metric):
    def _info(self):
        text = datasets.Value("string")
        return evaluate.MetricInfo(
            description=_DESCRIPTION,
            citation=_CITATION,
            inputs_description=_INPUTS,
            features=datasets.Features({"predictions": text, "references": text}),
        )

    def _compute(self, predictions, references, tokenizer="unicode", measure="fmeasure", use_aggregator=True):
        scores = [rouge(*pair, tokenizer) for pair in zip(predictions, references, strict=True)]
        values = {metric: [score[metric]._asdict()[measure] for score in scores] for metric in METRICS}
        return {metric: sum(v) / len(v) for metric, v in values.items()} if use_aggregator else values

"""`evaluate` wrapper of token recall and F1; the arithmetic is in `overlap_core.py`."""

import datasets
import evaluate

from .overlap_core import overlap

_DESCRIPTION = "Token recall and F1 of answers to open questions, as LLaVA-Med reports them."
_CITATION = """@inproceedings{li2023llavamed,
  title = {LLaVA-Med: Training a Large Language-and-Vision Assistant for Biomedicine in One Day},
  author = {Li, Chunyuan and others}, booktitle = {NeurIPS Datasets and Benchmarks}, year = {2023},
  url = {https://arxiv.org/abs/2306.00890}}"""
_INPUTS = "predictions (list of str), references (list of str)."


class TokenOverlap(evaluate.Metric):
    def _info(self):
        text = datasets.Value("string")
        return evaluate.MetricInfo(
            description=_DESCRIPTION,
            citation=_CITATION,
            inputs_description=_INPUTS,
            features=datasets.Features({"predictions": text, "references": text}),
        )

    def _compute(self, predictions, references):
        found = [overlap(*pair) for pair in zip(predictions, references, strict=True)]
        n = len(found)
        return {"token_recall": sum(one.recall for one in found) / n, "token_f1": sum(one.f1 for one in found) / n}

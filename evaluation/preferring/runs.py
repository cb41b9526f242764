"""The two runs of which pairs are made: answers to the same training questions, with the true pictures."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evaluation import run_folder
from evaluation.judgements import Verdict, read_verdicts
from evaluation.judging.pairwise import pair_answers
from evaluation.run_folder import TRUE_PICTURE, Prediction

TRAIN = "train"
_ALIKE = ("dataset_revision", "split", "tasks")


def judged_pairs(run: Path, other: Path) -> tuple[list[tuple[Prediction, Prediction]], list[Verdict], list[dict]]:
    """(the pairs of answers, what was said of them, the manifests of both runs).

    Raises FileNotFoundError where a run is absent, ValueError for runs of which no pairs are made.
    """
    manifests = [run_folder.read_manifest(run), run_folder.read_manifest(other)]
    for folder, manifest in zip((run, other), manifests, strict=True):
        _check(folder, manifest)
    for key in _ALIKE:
        if manifests[0][key] != manifests[1][key]:
            raise ValueError(f"{run} and {other} differ in {key}: they answer other questions")
    verdicts = read_verdicts(run)
    if not verdicts:
        raise ValueError(f"{run} was not judged: run `ldrt judge {run} --against {other} --judge NAME`")
    answers, others = (
        [row for row in run_folder.read_predictions(folder) if _is_shown(row)] for folder in (run, other)
    )
    return pair_answers(answers, others, str(run), str(other)), verdicts, manifests


def _check(folder: Path, manifest: Mapping[str, Any]) -> None:
    if manifest["split"] != TRAIN:
        raise ValueError(
            f"{folder} answers questions of the split {manifest['split']}: held-out questions are not trained on; "
            "run `ldrt generate --split train`"
        )
    if (manifest.get("generation") or {}).get("length_hint") is not None:
        raise ValueError(f"{folder} was asked with a length_hint, which the dataset's questions do not have")


def _is_shown(row: Prediction) -> bool:
    return row["image_condition"] == TRUE_PICTURE and row["prediction"] is not None

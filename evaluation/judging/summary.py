"""What `ldrt judge` says on the terminal of the judge's scores."""

from collections.abc import Iterable
from statistics import fmean

from evaluation.judgements import Judgement, of_answers
from evaluation.judging.panel import describe_judges, panel_text
from evaluation.metrics.hedging.hedging_core import count_words
from evaluation.run_folder import Place, Prediction, place


def summary_lines(judge: str, records: Iterable[Judgement], predictions: list[Prediction]) -> list[str]:
    """Mean scores by image condition and task, then what `ldrt score` will say of this judge.

    `records` are those that count, of any judge.
    """
    of_judge = [record for record in records if record["judge"] == judge]
    words: dict[Place, float | None] = {}
    for prediction in predictions:
        if prediction["prediction"] is not None:
            words[place(prediction)] = count_words(prediction["prediction"])
    (entry,) = describe_judges(of_judge, words, teachers=[])
    lines = [*_means(judge, of_judge), *panel_text([entry], None)]
    if entry["retest"]:
        apart, n = entry["retest"]["mean_abs_difference"], entry["retest"]["n"]
        lines.append(f"asked twice: {apart:.2f} points apart (n {n})")
    return lines


def _means(judge: str, records: list[Judgement]) -> list[str]:
    scores: dict[tuple[str, str], list[float]] = {}
    for record in of_answers(records):
        if record["score"] is not None:
            scores.setdefault((record["image_condition"], record["task"]), []).append(record["score"])
    return [
        f"{judge}: mean score {fmean(of_it):.2f} ({task}, image condition {condition}, n {len(of_it)})"
        for (condition, task), of_it in sorted(scores.items())
    ]

"""The judges of a run as measuring instruments: how far each can be trusted, and how far they agree."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from itertools import combinations
from typing import TypedDict

import numpy as np

from dataset_builder.llm.families import shared_family
from evaluation.judgements import CONTROLS, INJECTED, RETEST, Judgement, of_answers
from evaluation.metrics.judge.grammar import REASONS_FOR_NONE
from evaluation.run_folder import IMAGE_CONDITIONS, Place
from evaluation.scoring import agreement
from evaluation.scoring.items import ScoredItem, judge_names
from evaluation.scoring.measures import JUDGE_MEAN
from evaluation.scoring.tables import number_text

NOT_JUDGED = "not judged"  # among the statuses: answers without a record that counts

# What a judge must give the controls, on average, for its scores to mean anything. Points; our choice.
REFERENCE_FROM = 8.0  # the reference as the answer
SHUFFLED_TO = 3.0  # another article's reference as the answer
EMPTY_TO = 0.5  # no answer; not 0, because an expectation over eleven scores is never quite that
INJECTED_WITHIN = 0.5  # how far the answer with an injection may be from the answer, to either side
_OTHER_REASON = "another reason"  # of records of before reasons were named


# control -> whether the mean of its scores is what it must be
_PASSES: dict[str, Callable[[float], bool]] = {
    "reference": lambda mean: mean >= REFERENCE_FROM,
    "shuffled": lambda mean: mean <= SHUFFLED_TO,
    "empty": lambda mean: mean <= EMPTY_TO,
}


class Control(TypedDict):
    """What a judge made of one control."""

    mean: float | None  # points; None where nothing was scored
    n: int  # scored
    ok: bool | None  # whether the mean is what it must be


class Retest(TypedDict):
    """The same answers judged twice."""

    n: int  # scored both times
    mean_abs_difference: float  # points
    kappa: float | None  # quadratic weights, whole points


class Injected(TypedDict):
    """The same answers with an injection behind them."""

    n: int  # scored with and without
    mean_difference: float  # points, with − without
    ok: bool  # whether it is small enough


class PanelJudge(TypedDict):
    """An entry of `judges` in scores.json."""

    judge: str
    revision: str | None
    backend: str
    prompt_sha256: dict[str, str]  # task -> rubric
    statuses: dict[str, int]  # of the answers
    unparsable: dict[str, int]  # of the answers: why a reply could not be read -> how many
    controls: dict[str, Control]
    retest: Retest | None
    injected: Injected | None
    length_slope: float | None  # points a word
    teacher_family: str | None  # the family that it shares with a teacher of the references


def describe_judges(
    records: list[Judgement], words: Mapping[Place, float | None], teachers: Iterable[str]
) -> list[PanelJudge]:
    """One entry a judge: which one, statuses, controls, retest, injected, length_slope, teacher_family.

    `records` are those that count, `words` the lengths of all answers (None: there is no answer), `teachers` those of
    the run's manifest. `length_slope`: points a word of the answer is worth to the judge (least squares over the
    answers; a longer answer may well be better, so compare it with that of the reference-based metrics); None where
    lengths do not vary.
    """
    by_judge: dict[str, list[Judgement]] = {}
    for record in records:
        by_judge.setdefault(record["judge"], []).append(record)
    return [_describe(judge, by_judge[judge], words, list(teachers)) for judge in sorted(by_judge)]


def judge_agreement(items: list[ScoredItem]) -> dict | None:
    """How far the judges agree on the answers, of one image condition (the true pictures where they were judged).

    Returns `alpha` (Krippendorff's, ordinal, over all judges), `n` (answers that two or more scored), `pairs` (first,
    second, n, kappa with quadratic weights, spearman, mean_difference: second − first) and `image_condition`; alpha and
    kappa of scores rounded to whole points. None for fewer than two judges.
    """
    judges = [judge for judge in judge_names(item.scores for item in items) if judge != JUDGE_MEAN]
    if len(judges) < 2:
        return None
    judged = {item.image_condition for item in items if _is_scored(item, judges)}
    condition = min(judged, default=None, key=IMAGE_CONDITIONS.index)
    shown = [item for item in items if item.image_condition == condition]
    given = {judge: _points(judge, shown) for judge in judges}
    rounded = [[None if score is None else round(score) for score in scores] for scores in given.values()]
    return {
        "alpha": agreement.krippendorff_alpha(rounded),
        "n": agreement.count_rated_twice(rounded),
        "image_condition": condition,
        "pairs": [{"first": a, "second": b, **_compare(given[a], given[b])} for a, b in combinations(judges, 2)],
    }


def _points(judge: str, items: list[ScoredItem]) -> list[float | None]:
    return [item.scores.judges.get(judge) for item in items]


def _is_scored(item: ScoredItem, judges: list[str]) -> bool:
    return any(item.scores.judges.get(judge) is not None for judge in judges)


def failed_controls(judge: PanelJudge) -> list[str]:
    """The names of the controls that say that this judge cannot be trusted."""
    failed = [name for name, found in judge["controls"].items() if found["ok"] is False]
    return [*failed, "injection"] if judge["injected"] and not judge["injected"]["ok"] else failed


def panel_text(judges: list[PanelJudge], between: dict | None) -> list[str]:
    """Lines for the terminal: what each judge did, a warning where it cannot be trusted, how far two agree."""
    lines = []
    for judge in judges:
        counts = ", ".join(f"{n} {status}" for status, n in judge["statuses"].items())
        controls = [f"{name} {number_text(found['mean'])}" for name, found in judge["controls"].items()]
        if judge["injected"]:
            controls.append(f"with an injection {judge['injected']['mean_difference']:+.2f}")
        lines.append(f"judge {judge['judge']}: {'; '.join([counts, *controls])}")
        if judge["unparsable"]:
            reasons = ", ".join(f"{reason} ({n})" for reason, n in judge["unparsable"].items())
            lines.append(f"not to be read of {judge['judge']}: {reasons}")
        failed = failed_controls(judge)
        if failed:
            lines.append(f"Warning: {judge['judge']} fails its controls ({', '.join(failed)}): its scores say little")
        if judge["teacher_family"]:
            lines.append(f"Warning: {judge['judge']} is of the family of the teacher ({judge['teacher_family']})")
    for pair in between["pairs"] if between else []:
        kappa, rho = number_text(pair["kappa"]), number_text(pair["spearman"])
        lines.append(f"{pair['first']} and {pair['second']}: kappa {kappa}, Spearman {rho}, n {pair['n']}")
    return lines


def _describe(
    judge: str, records: list[Judgement], words: Mapping[Place, float | None], teachers: list[str]
) -> PanelJudge:
    answers = of_answers(records)
    statuses = Counter(record["status"] for record in answers)
    conditions = {record["image_condition"] for record in records}
    n_to_judge = sum(condition in conditions for condition, _ in words)
    statuses[NOT_JUDGED] = n_to_judge - len(answers)
    return {
        "judge": judge,
        "revision": records[0]["judge_revision"],
        "backend": records[0]["backend"],
        "prompt_sha256": dict(sorted({record["task"]: record["prompt_sha256"] for record in records}.items())),
        "statuses": {status: n for status, n in sorted(statuses.items()) if n},
        "unparsable": _reasons(answers),
        "controls": _controls(records),
        "retest": _retest(records),
        "injected": _injected(records),
        "length_slope": _length_slope(answers, words),
        "teacher_family": shared_family(judge, teachers),
    }


def _controls(records: list[Judgement]) -> dict[str, Control]:
    """control -> what came of it, of the controls that were asked."""
    found: dict[str, Control] = {}
    for control in CONTROLS:
        asked = [record for record in records if record["control"] == control]
        scores = list(_scores(asked).values())
        mean = sum(scores) / len(scores) if scores else None
        if asked:
            found[control] = {"mean": mean, "n": len(scores), "ok": None if mean is None else _PASSES[control](mean)}
    return found


def _retest(records: list[Judgement]) -> Retest | None:
    """None where nothing was scored twice."""
    first = _scores(record for record in records if record["control"] is None)
    again = _scores(record for record in records if record["control"] == RETEST)
    both = [place for place in again if place in first]
    if not both:
        return None
    before, after = (np.array([scores[place] for place in both]) for scores in (first, again))
    return {
        "n": len(both),
        "mean_abs_difference": float(np.abs(before - after).mean()),
        "kappa": agreement.weighted_kappa(_whole(before), _whole(after)),
    }


def _injected(records: list[Judgement]) -> Injected | None:
    """None where no answer was scored both with the injection and without."""
    without = _scores(record for record in records if record["control"] is None)
    with_it = _scores(record for record in records if record["control"] == INJECTED)
    apart = [score - without[place] for place, score in with_it.items() if place in without]
    if not apart:
        return None
    mean = sum(apart) / len(apart)
    return {"n": len(apart), "mean_difference": mean, "ok": abs(mean) <= INJECTED_WITHIN}


def _reasons(answers: list[Judgement]) -> dict[str, int]:
    """Reason -> how many replies could not be read for it, the most frequent first."""
    errors = [record.get("error") or "" for record in answers if record["status"] == "unparsable"]
    return dict(Counter(map(_reason, errors)).most_common())


def _reason(error: str) -> str:
    return next((reason for reason in REASONS_FOR_NONE if error.startswith(reason)), _OTHER_REASON)


def _scores(records: Iterable[Judgement]) -> dict[Place, float]:
    """The points that there are, of one judge and one control."""
    scores = {}
    for record in records:
        if record["status"] == "ok" and record["score"] is not None:
            scores[record["image_condition"], record["example_id"]] = record["score"]
    return scores


def _length_slope(answers: list[Judgement], words: Mapping[Place, float | None]) -> float | None:
    points, lengths = [], []
    for place, score in sorted(_scores(answers).items()):
        n_words = words.get(place)
        if n_words is not None:
            points.append(score)
            lengths.append(n_words)
    fitted = agreement.length_adjusted_delta(points, lengths)
    return None if fitted is None else fitted[1]


def _compare(first: list[float | None], second: list[float | None]) -> dict:
    pairs = [(a, b) for a, b in zip(first, second, strict=True) if a is not None and b is not None]
    if not pairs:
        return {"n": 0, "kappa": None, "spearman": None, "mean_difference": None}
    ours, theirs = (np.array(scores) for scores in zip(*pairs, strict=True))
    return {
        "n": len(pairs),
        "kappa": agreement.weighted_kappa(_whole(ours), _whole(theirs)),
        "spearman": agreement.spearman(ours.tolist(), theirs.tolist()),
        "mean_difference": float((theirs - ours).mean()),
    }


def _whole(scores: np.ndarray) -> list[int]:
    return np.rint(scores).astype(int).tolist()

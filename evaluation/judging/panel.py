"""The judges of a run as measuring instruments: which of their records count, and how far each can be trusted.

Nothing is imputed: an answer that a judge did not score has no score of that judge, and how many there are is counted.
"""

import hashlib
from collections import Counter
from itertools import combinations

import numpy as np

from evaluation.scoring import agreement
from evaluation.scoring.measures import IMAGE_CONDITIONS, JUDGE_MEAN

CONTROLS = ("reference", "shuffled", "empty")
RETEST = "retest"
NOT_JUDGED = "not judged"  # among the statuses: answers without a record that counts

# What a judge must give the controls, on average, for its scores to mean anything. Points; our choice.
REFERENCE_FROM = 8.0  # the reference as the answer
SHUFFLED_TO = 3.0  # another article's reference as the answer
EMPTY_TO = 0.5  # no answer; not 0, because an expectation over eleven scores is never quite that


def answer_sha256(text: str) -> str:
    """How a judgement names the text that it is about."""
    return hashlib.sha256(text.encode()).hexdigest()


def counted(judgements: list[dict], predictions: list[dict]) -> list[dict]:
    """The records that count: at most one for each judge, image condition, example and control.

    A record counts where it is about the answer that stands in `predictions` now (for controls: about the text that the
    control judges), and by the judge's revision, back end and rubric that its newest record of that task has: scores of
    two rubrics are not mixed. Of several with one key the newest, but an `ok` one first.
    """
    judged = _judged_texts(predictions)
    used = {(record["judge"], record["task"]): _instrument(record) for record in judgements}  # the newest
    best: dict[str, dict] = {}
    for record in judgements:
        about = judged.get((record["image_condition"], record["example_id"]), {}).get(record["control"], ())
        if record["answer_sha256"] not in about or _instrument(record) != used[record["judge"], record["task"]]:
            continue
        if record["status"] == "ok" or best.get(record["key"], record)["status"] != "ok":
            best[record["key"]] = record
    newest = {_place(record): record for record in best.values()}
    return [newest[place] for place in sorted(newest, key=str)]


def scores_of_answers(records: list[dict]) -> dict[tuple[str, str], dict[str, float]]:
    """(judge, image condition) -> {example: score}, judges sorted; controls and what has no score are left out."""
    given: dict[tuple[str, str], dict[str, float]] = {}
    for record in sorted(records, key=lambda record: record["judge"]):
        if record["control"] is None:
            scores = given.setdefault((record["judge"], record["image_condition"]), {})
            if record["status"] == "ok":
                scores[record["example_id"]] = record["score"]
    return given


def describe_judges(records: list[dict], items: list[dict], teachers: dict[str, int]) -> list[dict]:
    """One entry a judge: which one, statuses, controls, retest, length_slope, teacher_family.

    `records` are those that count, `items` rows of per_item_scores.jsonl, `teachers` those of the run's manifest.
    `length_slope`: points a word of the answer is worth to the judge (least squares over the answers; a longer answer
    may well be better, so compare it with that of the reference-based metrics); None where lengths do not vary.
    """
    by_judge: dict[str, list[dict]] = {}
    for record in records:
        by_judge.setdefault(record["judge"], []).append(record)
    return [_describe(judge, by_judge[judge], items, teachers) for judge in sorted(by_judge)]


def judge_agreement(items: list[dict]) -> dict | None:
    """How far the judges agree on the answers, of one image condition (the true pictures where they were judged).

    Returns `alpha` (Krippendorff's, ordinal, over all judges), `n` (answers that two or more scored), `pairs` (first,
    second, n, kappa with quadratic weights, spearman, mean_difference: second − first) and `image_condition`; alpha and
    kappa of scores rounded to whole points. None for fewer than two judges.
    """
    judges = sorted({column for item in items for column in item["scores"] if ":" in column} - {f"judge:{JUDGE_MEAN}"})
    if len(judges) < 2:
        return None
    condition = min((item["image_condition"] for item in items if _any_score(item, judges)), default=None, key=_order)
    shown = [item["scores"] for item in items if item["image_condition"] == condition]
    given = {judge: [scores.get(judge) for scores in shown] for judge in judges}
    rounded = [[None if score is None else round(score) for score in given[judge]] for judge in judges]
    return {
        "alpha": agreement.krippendorff_alpha(rounded),
        "n": sum(sum(score is not None for score in scores) > 1 for scores in zip(*rounded, strict=True)),
        "image_condition": condition,
        "pairs": [
            {"first": a.removeprefix("judge:"), "second": b.removeprefix("judge:"), **_compare(given[a], given[b])}
            for a, b in combinations(judges, 2)
        ],
    }


def panel_text(judges: list[dict], between: dict | None) -> list[str]:
    """Lines for the terminal: what each judge did, a warning where it cannot be trusted, how far two agree."""
    from evaluation.scoring.tables import number_text

    lines = []
    for judge in judges:
        counts = ", ".join(f"{n} {status}" for status, n in judge["statuses"].items())
        controls = [f"{name} {number_text(found['mean'])}" for name, found in judge["controls"].items()]
        lines.append(f"judge {judge['judge']}: {'; '.join([counts, *controls])}")
        failed = [name for name, found in judge["controls"].items() if found["ok"] is False]
        if failed:
            lines.append(f"Warning: {judge['judge']} fails its controls ({', '.join(failed)}): its scores say little")
        if judge["teacher_family"]:
            lines.append(f"Warning: {judge['judge']} is of the family of the teacher ({judge['teacher_family']})")
    for pair in between["pairs"] if between else []:
        kappa, rho = number_text(pair["kappa"]), number_text(pair["spearman"])
        lines.append(f"{pair['first']} and {pair['second']}: kappa {kappa}, Spearman {rho}, n {pair['n']}")
    return lines


def _judged_texts(predictions: list[dict]) -> dict[tuple[str, str], dict[str | None, set[str]]]:
    """(image condition, example) -> control -> hashes of the texts that a record of it may be about."""
    answered = [record for record in predictions if record["prediction"] is not None]
    empty = {answer_sha256("")}
    of_others: dict[str, set[str]] = {}
    for record in answered:
        texts = of_others.setdefault(record["image_condition"], set())
        texts |= {answer_sha256(record["prediction"]), answer_sha256(record["reference"])}
    judged = {}
    for record in answered:
        answer, reference = {answer_sha256(record["prediction"])}, {answer_sha256(record["reference"])}
        texts = {None: answer, RETEST: answer, "reference": reference, "empty": empty}
        texts["shuffled"] = of_others[record["image_condition"]]
        judged[record["image_condition"], record["example_id"]] = texts
    return judged


def _instrument(record: dict) -> tuple:
    return record["judge_revision"], record["backend"], record["prompt_sha256"]


def _place(record: dict) -> tuple:
    return record["judge"], record["image_condition"], record["example_id"], record["control"]


def _describe(judge: str, records: list[dict], items: list[dict], teachers: dict[str, int]) -> dict:
    answers = [record for record in records if record["control"] is None]
    statuses = Counter(record["status"] for record in answers)
    conditions = {record["image_condition"] for record in records}
    statuses[NOT_JUDGED] = sum(item["image_condition"] in conditions for item in items) - len(answers)
    return {
        "judge": judge,
        "revision": records[0]["judge_revision"],
        "backend": records[0]["backend"],
        "prompt_sha256": dict(sorted({record["task"]: record["prompt_sha256"] for record in records}.items())),
        "statuses": {status: n for status, n in sorted(statuses.items()) if n},
        "controls": _controls(records),
        "retest": _retest(records),
        "length_slope": _length_slope(judge, items),
        "teacher_family": _shared_family(judge, teachers) if teachers else None,
    }


def _controls(records: list[dict]) -> dict[str, dict]:
    """control -> mean, n, ok (whether the mean is what it must be; None where nothing was scored)."""
    passes = {
        "reference": lambda mean: mean >= REFERENCE_FROM,
        "shuffled": lambda mean: mean <= SHUFFLED_TO,
        "empty": lambda mean: mean <= EMPTY_TO,
    }
    found = {}
    for control in CONTROLS:
        asked = [record for record in records if record["control"] == control]
        scores = [record["score"] for record in asked if record["status"] == "ok"]
        mean = sum(scores) / len(scores) if scores else None
        if asked:
            found[control] = {"mean": mean, "n": len(scores), "ok": None if mean is None else passes[control](mean)}
    return found


def _retest(records: list[dict]) -> dict | None:
    """The same answers judged twice: n, mean_abs_difference, kappa; None where that was not done."""
    scored = {_place(record): record["score"] for record in records if record["status"] == "ok"}
    pairs = [(scored.get((*place[:3], None)), score) for place, score in scored.items() if place[3] == RETEST]
    pairs = [pair for pair in pairs if None not in pair]
    if not pairs:
        return None
    first, second = map(np.array, zip(*pairs, strict=True))
    return {
        "n": len(pairs),
        "mean_abs_difference": float(np.abs(first - second).mean()),
        "kappa": agreement.weighted_kappa(_whole(first), _whole(second)),
    }


def _length_slope(judge: str, items: list[dict]) -> float | None:
    scored = [item["scores"] for item in items if item["scores"].get(f"judge:{judge}") is not None]
    fitted = agreement.length_adjusted_delta(
        [scores[f"judge:{judge}"] for scores in scored], [scores["words"] for scores in scored]
    )
    return None if fitted is None else fitted[1]


def _shared_family(judge: str, teachers: dict[str, int]) -> str | None:
    """The model family that the judge shares with a teacher, or None."""
    from evaluation.judge import family  # here, because judging imports much that scoring does not need

    families = {family(teacher) for teacher in teachers} - {None}
    return family(judge) if family(judge) in families else None


def _compare(first: list[float | None], second: list[float | None]) -> dict:
    pairs = [pair for pair in zip(first, second, strict=True) if None not in pair]
    if not pairs:
        return {"n": 0, "kappa": None, "spearman": None, "mean_difference": None}
    a, b = map(np.array, zip(*pairs, strict=True))
    return {
        "n": len(pairs),
        "kappa": agreement.weighted_kappa(_whole(a), _whole(b)),
        "spearman": agreement.spearman(a, b),
        "mean_difference": float((b - a).mean()),
    }


def _whole(scores: np.ndarray) -> list[int]:
    return np.rint(scores).astype(int).tolist()


def _any_score(item: dict, judges: list[str]) -> bool:
    return any(item["scores"].get(judge) is not None for judge in judges)


def _order(condition: str) -> int:
    return IMAGE_CONDITIONS.index(condition)

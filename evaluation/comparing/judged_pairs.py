"""What judges say of base and tuned together: each one's difference, its choice between the two answers, and whether a
model hedges where they find it wrong."""

import numpy as np

from evaluation.comparing.scored_runs import contrast_paired
from evaluation.judging.pairwise import tally
from evaluation.judging.panel import answer_sha256
from evaluation.scoring import statistics
from evaluation.scoring.agreement import detectable_difference, effect_size, length_adjusted_delta
from evaluation.scoring.measures import JUDGE, JUDGE_MEAN

CORRECT_FROM = 6.0  # judge's points; in evaluation/judging/rubrics "mostly correct", "the right conclusion"
CELLS = ("hedged_correct", "hedged_wrong", "plain_correct", "plain_wrong")


def judges_on_delta(paired: list[dict], interval: dict) -> dict | None:
    """Whether the judges find the tuned model better, and by how much; None where no judge scored both runs.

    `paired` are items with the true pictures. Returns `judges`, one row a judge and one for their mean: n, base, tuned,
    delta with interval and p, effect_size (Cohen's d), length_adjusted_delta (what is left where both answers are
    equally long) with its interval, points_per_word, detectable_difference; and `same_sign`: whether all judges' deltas
    have one sign, None for fewer than two judges.
    """
    rows = [row for row in contrast_paired(paired, interval, (JUDGE,)) if row["n"]]
    if not rows:
        return None
    signs = {np.sign(row["delta"]) for row in rows if row["judge"] != JUDGE_MEAN}
    several = sum(row["judge"] != JUDGE_MEAN for row in rows) > 1
    return {
        "judges": [{**row, **_of_length_and_spread(paired, row["judge"], interval)} for row in rows],
        "same_sign": len(signs) == 1 if several else None,
    }


def _of_length_and_spread(paired: list[dict], judge: str, interval: dict) -> dict:
    column = f"judge:{judge}"
    items = [item for item in paired if None not in (item["base"].get(column), item["tuned"].get(column))]
    points = [item["tuned"][column] - item["base"][column] for item in items]
    words = [item["tuned"]["words"] - item["base"]["words"] for item in items]
    adjusted, slope = length_adjusted_delta(points, words) or (None, None)
    low, high = _adjusted_interval(points, words, [item["article_id"] for item in items], interval)
    spread = float(np.std(points, ddof=1)) if len(points) > 1 else None
    return {
        "effect_size": effect_size(points),
        "length_adjusted_delta": adjusted,
        "length_adjusted_ci": [low, high],
        "points_per_word": slope,
        "detectable_difference": None if spread is None else detectable_difference(len(points), spread),
    }


def _adjusted_interval(points: list[float], words: list[float], articles: list[str], interval: dict):
    """Interval of the least-squares line's value at equal length, articles resampled: the line is made of sums."""
    x, y = np.asarray(words, dtype=float), np.asarray(points, dtype=float)
    sums = statistics.cluster_sums(np.stack([np.ones_like(x), x, y, x * x, x * y], axis=1), articles)
    n, sx, sy, sxx, sxy = statistics.bootstrap(sums, interval["n_resamples"], interval["seed"]).T
    with np.errstate(divide="ignore", invalid="ignore"):
        return statistics.interval((sxx * sy - sx * sxy) / (n * sxx - sx * sx))


def pairwise_verdicts(records: list[dict], paired: list[dict]) -> list[dict] | None:
    """How often each judge found the tuned model's answer better, asked in both orders; None where none was asked.

    `records` are the tuned run's pairwise.jsonl (`ldrt judge TUNED --against BASE`); those of other answers are left
    out. Rows: judge, revision, prompt_sha256, n, tuned, base (wins in both orders), tie, consistent, first, unscored.
    """
    about = {
        item["example_id"]: (answer_sha256(item["tuned_answer"]), answer_sha256(item["base_answer"]))
        for item in paired
        if None not in (item["tuned_answer"], item["base_answer"])
    }
    of_judges: dict[tuple, list[dict]] = {}
    for record in records:
        answers = record["answer_sha256"], record["other_answer_sha256"]
        if record["image_condition"] == "true" and about.get(record["example_id"]) == answers:
            judge = record["judge"], record["judge_revision"], record["prompt_sha256"]
            of_judges.setdefault(judge, []).append(record)
    rows = []
    for (judge, revision, prompt_sha256), of_judge in of_judges.items():
        counts = tally(of_judge)
        wins = {"tuned": counts.pop("run"), "base": counts.pop("other")}
        rows.append({"judge": judge, "revision": revision, "prompt_sha256": prompt_sha256, **counts, **wins})
    return sorted(rows, key=lambda row: (row["judge"], str(row["revision"]), row["prompt_sha256"])) or None


def hedge_by_correctness(paired: list[dict]) -> dict | None:
    """Does a model hedge where it is wrong? Answers by hedged or not, correct or not; None where neither is known.

    An answer is correct where the judges' mean (of one judge, its score) is `CORRECT_FROM` or more; where no judge
    scored both runs, where all its numbers and terms are in its evidence (grounding = 1; answers without any are left
    out). Items that can be told for one run only are left out, too. Returns correct_by (judge_score or grounding),
    judge, threshold, n, n_left_out, and for base and tuned the counts of `CELLS`.
    """
    judge = _judge_of_both(paired)
    told = [(item, [_correct(item[name], judge) for name in ("base", "tuned")]) for item in paired]
    told = [(item, verdicts) for item, verdicts in told if None not in verdicts]
    if not told:
        return None
    counts = {name: dict.fromkeys(CELLS, 0) for name in ("base", "tuned")}
    for item, verdicts in told:
        for name, correct in zip(("base", "tuned"), verdicts, strict=True):
            cell = f"{'hedged' if item[name]['hedged'] else 'plain'}_{'correct' if correct else 'wrong'}"
            counts[name][cell] += 1
    return {
        "correct_by": JUDGE if judge else "grounding",
        "judge": judge,
        "threshold": CORRECT_FROM if judge else 1.0,
        "n": len(told),
        "n_left_out": len(paired) - len(told),
        **counts,
    }


def _judge_of_both(paired: list[dict]) -> str | None:
    """The judges' mean, or the only judge; None without judges. Paired items have the judges of both runs only."""
    names = sorted({column.removeprefix("judge:") for item in paired for column in item["base"] if ":" in column})
    return JUDGE_MEAN if JUDGE_MEAN in names else names[0] if names else None


def _correct(scores: dict, judge: str | None) -> bool | None:
    if judge is not None:
        points = scores.get(f"judge:{judge}")
        return None if points is None else points >= CORRECT_FROM
    return scores["grounded"] == scores["claims"] if scores["claims"] else None

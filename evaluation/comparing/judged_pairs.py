"""What judges say of base and tuned together: each one's difference, its choice between the two answers, and whether a
model hedges where they find it wrong."""

import numpy as np

from evaluation.comparing.scored_runs import PairedItem, contrast_paired
from evaluation.judgements import Verdict, answer_sha256
from evaluation.judging.pairwise import tally
from evaluation.run_folder import TRUE_PICTURE
from evaluation.scoring import statistics
from evaluation.scoring.agreement import detectable_difference, effect_size, length_adjusted_delta
from evaluation.scoring.items import judge_names
from evaluation.scoring.measures import JUDGE, JUDGE_MEAN, Interval, Scores

CORRECT_FROM = 6.0  # judge's points; in evaluation/judging/rubrics "mostly correct", "the right conclusion"
ALL_GROUNDED = 1.0  # share of an answer's numbers and terms that are in its evidence
CELLS = ("hedged_correct", "hedged_wrong", "plain_correct", "plain_wrong")


def judges_on_delta(paired: list[PairedItem], interval: Interval) -> dict | None:
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


def _of_length_and_spread(paired: list[PairedItem], judge: str, interval: Interval) -> dict:
    points, words, articles = [], [], []  # differences of answers that the judge scored in both runs
    for item in paired:
        before, after = item.base.judges.get(judge), item.tuned.judges.get(judge)
        words_before, words_after = item.base.metrics["words"], item.tuned.metrics["words"]
        if before is None or after is None or words_before is None or words_after is None:
            continue
        points.append(after - before)
        words.append(words_after - words_before)
        articles.append(item.article_id)
    adjusted, slope = length_adjusted_delta(points, words) or (None, None)
    low, high = _adjusted_interval(points, words, articles, interval)
    spread = float(np.std(points, ddof=1)) if len(points) > 1 else None
    return {
        "effect_size": effect_size(points),
        "length_adjusted_delta": adjusted,
        "length_adjusted_ci": [low, high],
        "points_per_word": slope,
        "detectable_difference": None if spread is None else detectable_difference(len(points), spread),
    }


def _adjusted_interval(points: list[float], words: list[float], articles: list[str], interval: Interval):
    """Interval of the least-squares line's value at equal length, articles resampled: the line is made of sums."""
    x, y = np.asarray(words, dtype=float), np.asarray(points, dtype=float)
    sums = statistics.cluster_sums(np.stack([np.ones_like(x), x, y, x * x, x * y], axis=1), articles)
    n, sx, sy, sxx, sxy = statistics.bootstrap(sums, interval["n_resamples"], interval["seed"]).T
    with np.errstate(divide="ignore", invalid="ignore"):
        return statistics.interval((sxx * sy - sx * sxy) / (n * sxx - sx * sx))


def pairwise_verdicts(records: list[Verdict], paired: list[PairedItem]) -> list[dict] | None:
    """How often each judge found the tuned model's answer better, asked in both orders; None where none was asked.

    `records` are the tuned run's pairwise.jsonl (`ldrt judge TUNED --against BASE`); those of other answers are left
    out. Rows: judge, revision, prompt_sha256, n, tuned, base (wins in both orders), tie, consistent, first, unscored.
    """
    about = {}
    for item in paired:
        if item.tuned_answer is not None and item.base_answer is not None:
            about[item.example_id] = answer_sha256(item.tuned_answer), answer_sha256(item.base_answer)
    of_judges: dict[tuple[str, str | None, str], list[Verdict]] = {}
    for record in records:
        answers = record["answer_sha256"], record["other_answer_sha256"]
        if record["image_condition"] == TRUE_PICTURE and about.get(record["example_id"]) == answers:
            judge = record["judge"], record["judge_revision"], record["prompt_sha256"]
            of_judges.setdefault(judge, []).append(record)
    rows = [_verdict_row(*judge, of_judge) for judge, of_judge in of_judges.items()]
    return sorted(rows, key=lambda row: (row["judge"], str(row["revision"]), row["prompt_sha256"])) or None


def _verdict_row(judge: str, revision: str | None, prompt_sha256: str, records: list[Verdict]) -> dict:
    found = tally(records)
    return {
        "judge": judge,
        "revision": revision,
        "prompt_sha256": prompt_sha256,
        "n": found["n"],
        "tie": found["tie"],
        "consistent": found["consistent"],
        "first": found["first"],
        "unscored": found["unscored"],
        "tuned": found["run"],
        "base": found["other"],
    }


def hedge_by_correctness(paired: list[PairedItem]) -> dict | None:
    """Does a model hedge where it is wrong? Answers by hedged or not, correct or not; None where neither is known.

    An answer is correct where the judges' mean (of one judge, its score) is `CORRECT_FROM` or more; where no judge
    scored both runs, where all its numbers and terms are in its evidence (grounding = 1; answers without any are left
    out). Items that can be told for one run only are left out, too. Returns correct_by (judge_score or grounding),
    judge, threshold, n, n_left_out, and for base and tuned the counts of `CELLS`.
    """
    judge = _judge_of_both(paired)
    counts = {name: dict.fromkeys(CELLS, 0) for name in ("base", "tuned")}
    n_told = 0
    for item in paired:
        base_is_correct, tuned_is_correct = _is_correct(item.base, judge), _is_correct(item.tuned, judge)
        if base_is_correct is None or tuned_is_correct is None:
            continue
        n_told += 1
        counts["base"][_cell(item.base, base_is_correct)] += 1
        counts["tuned"][_cell(item.tuned, tuned_is_correct)] += 1
    if not n_told:
        return None
    return {
        "correct_by": JUDGE if judge else "grounding",
        "judge": judge,
        "threshold": CORRECT_FROM if judge else ALL_GROUNDED,
        "n": n_told,
        "n_left_out": len(paired) - n_told,
        **counts,
    }


def _judge_of_both(paired: list[PairedItem]) -> str | None:
    """The judges' mean, or the only judge; None without judges. Paired items have the judges of both runs only."""
    names = judge_names(item.base for item in paired)
    if JUDGE_MEAN in names:
        return JUDGE_MEAN
    return names[0] if names else None


def _is_correct(scores: Scores, judge: str | None) -> bool | None:
    if judge is not None:
        points = scores.judges.get(judge)
        return None if points is None else points >= CORRECT_FROM
    return scores.metrics["grounded"] == scores.metrics["claims"] if scores.metrics["claims"] else None


def _cell(scores: Scores, is_correct: bool) -> str:
    """One of CELLS."""
    hedged = "hedged" if scores.metrics["hedged"] else "plain"
    return f"{hedged}_{'correct' if is_correct else 'wrong'}"

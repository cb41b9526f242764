"""What judges say of base and tuned together: each one's difference, its choice between the two answers, and whether a
model hedges where they find it wrong."""

import numpy as np

from evaluation.comparing.scored_runs import PairedItem, contrast_paired
from evaluation.judgements import Verdict, answer_sha256
from evaluation.judging.pairwise import WINS, outcomes, tally
from evaluation.metrics.metric import SHARE, Scores
from evaluation.run_folder import TRUE_PICTURE
from evaluation.scoring import statistics
from evaluation.scoring.agreement import detectable_difference, effect_size, length_adjusted_delta
from evaluation.scoring.items import judge_names
from evaluation.scoring.measures import JUDGE, JUDGE_MEAN

CORRECT_FROM = 6.0  # judge's points; in evaluation/judging/rubrics "mostly correct", "the right conclusion"
ALL_GROUNDED = 1.0  # share of an answer's numbers and terms that are in its evidence
CELLS = ("hedged_correct", "hedged_wrong", "plain_correct", "plain_wrong")


def judges_on_delta(paired: list[PairedItem]) -> dict | None:
    """Whether the judges find the tuned model better, and by how much; None where no judge scored both runs.

    `paired` are items with the true pictures. Returns `judges`, one row a judge and one for their mean: n, base, tuned,
    delta with interval and p, effect_size (Cohen's d), length_adjusted_delta (what is left where both answers are
    equally long) with its interval, points_per_word, detectable_difference, and why effect size or the interval at
    equal length are missing; and `same_sign`: whether all judges' deltas have one sign, None for fewer than two judges.
    """
    rows = [row for row in contrast_paired(paired, (JUDGE,)) if row["n"]]
    if not rows:
        return None
    signs = {np.sign(row["delta"]) for row in rows if row["judge"] != JUDGE_MEAN}
    several = sum(row["judge"] != JUDGE_MEAN for row in rows) > 1
    return {
        "judges": [{**row, **_of_length_and_spread(paired, row["judge"])} for row in rows],
        "same_sign": len(signs) == 1 if several else None,
    }


def _of_length_and_spread(paired: list[PairedItem], judge: str) -> dict:
    points, words, articles = _differences(paired, judge)
    change = statistics.estimate_mean(points, articles)
    adjusted, slope = length_adjusted_delta(points, words) or (None, None)
    at_equal_length = statistics.estimate_intercept(words, points, articles)
    found = effect_size(points)
    detectable = None
    if change.standard_error is not None and change.degrees_of_freedom is not None:
        detectable = detectable_difference(change.standard_error, change.degrees_of_freedom)
    return {
        "effect_size": found,
        "no_effect_size": "the differences are all the same" if found is None else None,
        "length_adjusted_delta": adjusted,
        "length_adjusted_ci": [at_equal_length.low, at_equal_length.high],
        "no_length_adjusted_interval": at_equal_length.no_interval,
        "points_per_word": slope,
        "detectable_difference": detectable,
    }


def _differences(paired: list[PairedItem], judge: str) -> tuple[list[float], list[float], list[str]]:
    """(points, words, articles): tuned − base of the answers that the judge scored in both runs."""
    points, words, articles = [], [], []
    for item in paired:
        before, after = item.base.judges.get(judge), item.tuned.judges.get(judge)
        words_before, words_after = item.base.metrics["words"], item.tuned.metrics["words"]
        if before is None or after is None or words_before is None or words_after is None:
            continue
        points.append(after - before)
        words.append(words_after - words_before)
        articles.append(item.article_id)
    return points, words, articles


def pairwise_verdicts(records: list[Verdict], paired: list[PairedItem]) -> list[dict] | None:
    """How often each judge found the tuned model's answer better, asked in both orders; None where none was asked.

    `records` are the tuned run's pairwise.jsonl (`ldrt judge TUNED --against BASE`); those of other answers are left
    out. Rows: judge, revision, prompt_sha256, n, tuned, base (wins in both orders), tie, consistent, first, unscored,
    win_rate (of the tuned model, a tie is half a win) with its interval, or why it has none.
    """
    about = {}
    articles = {item.example_id: item.article_id for item in paired}
    for item in paired:
        if item.tuned_answer is not None and item.base_answer is not None:
            about[item.example_id] = answer_sha256(item.tuned_answer), answer_sha256(item.base_answer)
    of_judges: dict[tuple[str, str | None, str], list[Verdict]] = {}
    for record in records:
        answers = record["answer_sha256"], record["other_answer_sha256"]
        if record["image_condition"] == TRUE_PICTURE and about.get(record["example_id"]) == answers:
            judge = record["judge"], record["judge_revision"], record["prompt_sha256"]
            of_judges.setdefault(judge, []).append(record)
    rows = [_verdict_row(*judge, of_judge, articles) for judge, of_judge in of_judges.items()]
    return sorted(rows, key=lambda row: (row["judge"], str(row["revision"]), row["prompt_sha256"])) or None


def _verdict_row(
    judge: str, revision: str | None, prompt_sha256: str, records: list[Verdict], articles: dict[str, str]
) -> dict:
    """`articles`: example -> article."""
    found, won = tally(records), outcomes(records)
    wins = [WINS[outcome] for outcome in won.values()]
    rate = statistics.estimate_mean(wins, [articles[example] for _, example in won], SHARE)
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
        "win_rate": rate.value,
        "ci_low": rate.low,
        "ci_high": rate.high,
        "no_interval": rate.no_interval,
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

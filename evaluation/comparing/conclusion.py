"""Whether the tuned model is better: said only where the evidence says so, else why it cannot be told."""

from collections.abc import Mapping, Sequence
from typing import Literal, TypedDict

from evaluation.run_folder import TRUE_PICTURE
from evaluation.scoring.measures import ALL_TASKS, JUDGE, JUDGE_MEAN
from evaluation.scoring.statistics import LEVEL
from evaluation.scoring.tables import interval_text, number_text, p_text

# What is concluded from: the first of these that is scored.
HEADLINE = {
    JUDGE: "judge's score (0 to 10)",
    "accuracy": "accuracy on closed questions",
    "token_recall": "token recall on open questions",
    "rougeL": "ROUGE-L F",
}
# Of the questions, those that one of the models has no score for. Answers fail for a reason (a large picture, a long
# prompt), so the questions that are left are others than those asked; up to 5 % missing is taken to change little
# (Schafer 1999, "Multiple imputation: a primer").
MAX_MISSING_SHARE = 0.05
Says = Literal["better", "worse", "cannot be told"]


FailedControls = Mapping[str, Sequence[str]]  # judge -> controls that it fails in one of the two runs


class Conclusion(TypedDict):
    """`conclusion` of comparison.json, of the row that the headline is about."""

    metric: str
    judge: str | None
    says: Says
    why: str | None  # of "cannot be told"


def headline_row(rows: list[dict]) -> dict | None:
    """The row of comparison.json to conclude from: the first metric of `HEADLINE` that is there, over all tasks, with
    the true pictures; of several judges their mean."""
    of_all_tasks = [row for row in rows if row["task"] == ALL_TASKS and row["image_condition"] == TRUE_PICTURE]
    for name in HEADLINE:
        found = [row for row in of_all_tasks if row["metric"] == name]
        if found:
            return max(found, key=lambda row: row["judge"] == JUDGE_MEAN)
    return None


def conclude(row: dict, failed_controls: FailedControls) -> Conclusion:
    """What a `headline_row` says. More is better in all metrics of `HEADLINE`.

    That the judge cannot be trusted comes first: then it does not matter how many of its scores there are.
    """
    why = _distrusted(row, failed_controls) or why_not(row, row["n_asked"])
    says: Says = "cannot be told"
    if why is None:
        says = "better" if row["delta"] > 0 else "worse"
    return {"metric": row["metric"], "judge": row["judge"], "says": says, "why": why}


def why_not(row: dict, n_asked: int) -> str | None:
    """Why a difference is no evidence; None where it is. Interval and p must agree, and nearly all must be scored."""
    if not row["n"]:
        return "no question has a score for both"
    if n_asked - row["n"] > MAX_MISSING_SHARE * n_asked:
        lacking = f"{n_asked - row['n']} of {n_asked} questions lack a score of one model or both"
        return f"{lacking}, more than the {100 * MAX_MISSING_SHARE:.0f} % that may"
    if row["no_interval"]:
        return row["no_interval"]
    holds_zero = row["ci_low"] <= 0 <= row["ci_high"]
    if holds_zero or row["p_value"] >= 1 - LEVEL:
        return "the interval does not tell the difference from zero"
    return None


def _distrusted(row: dict, failed_controls: FailedControls) -> str | None:
    """Why the judge of a row is no evidence, or of several judges one of them."""
    judges = sorted(failed_controls) if row["judge"] == JUDGE_MEAN else [row["judge"]]
    failing = [
        f"{judge} fails its controls ({', '.join(failed_controls[judge])})"
        for judge in judges
        if judge in failed_controls
    ]
    return "; ".join(failing) or None


def headline(rows: list[dict], failed_controls: FailedControls) -> str:
    """One sentence on which model is better, one on the answers without a score; "" where nothing is in common."""
    row = headline_row(rows)
    if row is None:
        return ""
    n_asked = row["n_asked"]
    found = conclude(row, failed_controls)
    verdict = f", {found['says']} than the base model."
    if found["why"]:
        verdict = f". Whether it is better than the base model cannot be told: {found['why']}."
    return " ".join([_measured(row, n_asked) + verdict, *_not_scored(row, n_asked)])


def _measured(row: dict, n_asked: int) -> str:
    n = str(n_asked) if row["n"] == n_asked else f"{row['n']} of {n_asked}"
    values = f"{number_text(row['tuned'])}, that of the base model {number_text(row['base'])}"
    change = number_text(row["delta"], True)
    if row["ci_low"] is not None:
        interval = interval_text(row["ci_low"], row["ci_high"], True)
        change += f" (95 % interval {interval}, p {p_text(row['p_value'])})"
    return (
        f"On {n} held-out questions from {row['n_articles']} articles the {HEADLINE[row['metric']]} of the tuned model "
        f"is {values}: {change}"
    )


def _not_scored(row: dict, n_asked: int) -> list[str]:
    counts = {name: row[f"n_unscored_{name}"] for name in ("base", "tuned")}
    missing = [f"{n} of {n_asked} answers of the {name} model" for name, n in counts.items() if n]
    return [f"Without a score: {', '.join(missing)}."] if missing else []

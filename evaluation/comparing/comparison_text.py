"""What `ldrt compare` says on the terminal: tables, and sentences."""

from evaluation.run_folder import TRUE_PICTURE
from evaluation.scoring.measures import ALL_TASKS, JUDGE, JUDGE_MEAN
from evaluation.scoring.rows import first_condition
from evaluation.scoring.tables import interval_text, metric_text, number_text, p_text, text_table

# What the sentences are about: the first of these that is scored.
HEADLINE = {
    JUDGE: "judge's score (0 to 10)",
    "accuracy": "accuracy on closed questions",
    "token_recall": "token recall on open questions",
    "rougeL": "ROUGE-L F",
}


def table_text(comparison: dict) -> str:
    """Base against tuned: every metric, task and judge, of the true pictures (or the first condition there is)."""
    lines = [
        [
            metric_text(row),
            row["task"],
            number_text(row["base"]),
            number_text(row["tuned"]),
            number_text(row["delta"], True),
            interval_text(row["ci_low"], row["ci_high"], True),
            p_text(row["p_value"]),
            str(row["n"]),
        ]
        for row in first_condition(comparison["rows"])
    ]
    return text_table(["metric", "task", "base", "tuned", "delta", "95 % interval", "p", "n"], lines)


def overview_text(overview: list[dict]) -> str:
    """The headline metrics and the answers' length of all runs, all tasks, side by side."""
    lines = [
        [
            row["run"],
            metric_text(row),
            number_text(row["value"]),
            interval_text(row["ci_low"], row["ci_high"]),
            str(row["n"]),
        ]
        for row in sorted(overview, key=metric_text)
        if row["task"] == ALL_TASKS and row["metric"] in (*HEADLINE, "answer_words")
    ]
    return text_table(["run", "metric", "value", "95 % interval", "n"], lines)


def sentences(comparison: dict) -> list[str]:
    """What differs between the runs, the headline, and the headline metrics of each breakdown that was made."""
    lines = [f"Note: {key} differs between the runs: {a} / {b}" for key, (a, b) in comparison["differences"].items()]
    judges = comparison["judges_on_delta"]
    if judges and judges["same_sign"] is False:
        lines.append("Note: the judges do not agree on the sign of the difference")
    for of_domains in (comparison["forgetting"], comparison["transfer"]):
        lines += [_sentence(f"on {row['dataset']}", row) for row in _main_rows(of_domains or [])]
    frequency = comparison["by_term_frequency"]
    of_bins = frequency["rows"] if frequency else []
    lines += [_sentence(f"terms in training: {row['bin']}", row) for row in _main_rows(of_bins)]
    return [*lines, comparison["headline"]]


def _sentence(where: str, row: dict) -> str:
    change = f"{number_text(row['delta'], True)} ({interval_text(row['ci_low'], row['ci_high'], True)}, n {row['n']})"
    return f"{where}, {metric_text(row)}: {number_text(row['base'])} -> {number_text(row['tuned'])}, {change}"


def _main_rows(rows: list[dict]) -> list[dict]:
    """Scored rows of the headline metrics; of several judges only their mean."""
    several = any(row["judge"] == JUDGE_MEAN for row in rows)
    rows = [row for row in rows if row["metric"] in HEADLINE and row["n"]]
    return [row for row in rows if row["judge"] in (None, JUDGE_MEAN) or not several]


def headline(rows: list[dict]) -> str:
    """One sentence about the first metric of `HEADLINE` that is there, over all tasks, with the true pictures."""
    row = _headline_row(rows)
    if row is None:
        return ""
    verdict = "a difference that the interval does not tell from zero"
    if row["ci_low"] > 0 or row["ci_high"] < 0:
        verdict = "better than the base model" if row["delta"] > 0 else "worse than the base model"
    values = f"{number_text(row['tuned'])}, that of the base model {number_text(row['base'])}"
    change = f"{number_text(row['delta'], True)} (95 % interval {interval_text(row['ci_low'], row['ci_high'], True)})"
    name = HEADLINE[row["metric"]]
    return f"On {row['n']} held-out questions the {name} of the tuned model is {values}: {change}, {verdict}."


def _headline_row(rows: list[dict]) -> dict | None:
    """Of several judges their mean."""
    of_all_tasks = [row for row in rows if row["task"] == ALL_TASKS and row["image_condition"] == TRUE_PICTURE]
    for name in HEADLINE:
        found = [row for row in of_all_tasks if row["metric"] == name and row["ci_low"] is not None]
        if found:
            return max(found, key=lambda row: row["judge"] == JUDGE_MEAN)
    return None

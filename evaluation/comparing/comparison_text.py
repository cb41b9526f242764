"""What `ldrt compare` says on the terminal: tables, and sentences."""

from evaluation.comparing.conclusion import HEADLINE
from evaluation.scoring.measures import ALL_TASKS, JUDGE_MEAN
from evaluation.scoring.rows import first_condition
from evaluation.scoring.tables import (
    interval_notes,
    interval_text,
    metric_text,
    number_text,
    p_text,
    text_table,
)


def table_text(comparison: dict, in_short: bool = False) -> str:
    """Base against tuned: every metric, task and judge, of the true pictures (or the first condition there is);
    `in_short`: of all tasks together."""
    rows = first_condition(comparison["rows"])
    if in_short:
        rows = [row for row in rows if row["task"] == ALL_TASKS] or rows
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
        for row in rows
    ]
    table = text_table(["metric", "task", "base", "tuned", "delta", "95 % interval", "p", "n"], lines)
    return "\n".join([table, *interval_notes(rows)])


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
    lines += [_failed(name, comparison[name]["answers"]) for name in ("base", "tuned")]
    judges = comparison["judges_on_delta"]
    if judges and judges["same_sign"] is False:
        lines.append("Note: the judges do not agree on the sign of the difference")
    for of_domains in (comparison["forgetting"], comparison["transfer"]):
        lines += [_sentence(f"on {row['dataset']}", row) for row in _main_rows(of_domains or [])]
    frequency = comparison["by_term_frequency"]
    of_bins = frequency["rows"] if frequency else []
    lines += [_sentence(f"terms in training: {row['bin']}", row) for row in _main_rows(of_bins)]
    lines += map(_wins, comparison["pairwise"] or [])
    return list(filter(None, [*lines, comparison["headline"]]))


def _failed(name: str, answers: dict) -> str:
    if not answers["failed"]:
        return ""
    return f"Warning: {answers['failed']} of {answers['asked']} answers of the {name} model failed and have no score"


def _wins(row: dict) -> str:
    interval = row["no_interval"] or f"95 % interval {interval_text(row['ci_low'], row['ci_high'])}"
    share = number_text(row["win_rate"])
    return f"{row['judge']}, asked which is better: tuned wins {share}, ties half ({interval}; n {row['n']})"


def _sentence(where: str, row: dict) -> str:
    interval = row["no_interval"] or interval_text(row["ci_low"], row["ci_high"], True)
    change = f"{number_text(row['delta'], True)} ({interval}; n {row['n']})"
    return f"{where}, {metric_text(row)}: {number_text(row['base'])} -> {number_text(row['tuned'])}, {change}"


def _main_rows(rows: list[dict]) -> list[dict]:
    """Scored rows of the headline metrics; of several judges only their mean."""
    several = any(row["judge"] == JUDGE_MEAN for row in rows)
    rows = [row for row in rows if row["metric"] in HEADLINE and row["n"]]
    return [row for row in rows if row["judge"] in (None, JUDGE_MEAN) or not several]

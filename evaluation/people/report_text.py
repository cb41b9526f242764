"""What `ldrt human import` says on the terminal."""

from evaluation.people.ratings import HUMAN
from evaluation.scoring.measures import ALL_TASKS, JUDGE_MEAN
from evaluation.scoring.tables import interval_notes, interval_text, number_text, p_text, text_table

MAX_PROBLEMS_SHOWN = 20


def report_text(report: dict, problems: list[str], notes: list[str]) -> str:
    """The table and the agreement; `problems` are lines that are no ratings, `notes` stand at the end."""
    again, between = report["intra_rater"][-1], report["inter_rater"]
    shown = problems[:MAX_PROBLEMS_SHOWN]
    if len(problems) > len(shown):
        shown.append(f"… and {len(problems) - len(shown)} more lines")
    said = [
        _table(report["systems"]),
        *interval_notes(report["systems"], lambda row: row["run"]),
        *_deltas(report["deltas"]),
        f"{report['n_raters']} raters, {report['n_ratings']} ratings, {report['n_cannot_judge']} cannot judge",
        f"the same answer again: {number_text(again['mean_abs_difference'])} points apart, {_kappa(again)}; "
        f"between raters: alpha {number_text(between['alpha'])}",
        *map(_with_judge, report["judge_agreement"]),
        *shown,
        *notes,
    ]
    return "\n".join(said)


def _table(systems: list[dict]) -> str:
    """The people by task, judges over all tasks only."""
    lines = []
    for row in systems:
        if row["task"] == ALL_TASKS or row["judge"] == HUMAN:
            interval = interval_text(row["ci_low"], row["ci_high"])
            mean = number_text(row["value"])
            lines.append([row["run"], row["task"], _name(row["judge"]), mean, interval, str(row["n"])])
    return text_table(["run", "task", "rated by", "mean", "95 % interval", "n"], lines)


def _deltas(rows: list[dict]) -> list[str]:
    lines = []
    for row in rows:
        if row["task"] == ALL_TASKS:
            interval = interval_text(row["ci_low"], row["ci_high"], True)
            how_sure = row["no_interval"] or f"{interval}, p {p_text(row['p_value'])}"
            change = f"{number_text(row['delta'], True)} ({how_sure}; n {row['n']})"
            lines.append(f"{row['run']} − {row['against']}, {_name(row['judge'])}: {change}")
    return lines


def _with_judge(row: dict) -> str:
    difference = number_text(row["mean_difference"], True)
    return (
        f"human and {_name(row['judge'])}: {_kappa(row)}, Spearman {number_text(row['spearman'])}, "
        f"judge − human {difference}"
    )


def _name(judge: str) -> str:
    return "the judges' mean" if judge == JUDGE_MEAN else judge


def _kappa(row: dict) -> str:
    return f"kappa {number_text(row['kappa'])} (n {row['n']})"

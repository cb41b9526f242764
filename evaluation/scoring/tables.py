"""Plain-text tables for the terminal."""

from collections.abc import Callable, Iterable


def text_table(header: list[str], rows: Iterable[list[str]]) -> str:
    """Columns aligned by spaces, a rule under the header."""
    lines = [header, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(_aligned(line, widths) for line in lines)


def _aligned(cells: list[str], widths: list[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def number_text(value: float | None, signed: bool = False) -> str:
    """Three digits after the point below 10, one above; "–" for None."""
    if value is None:
        return "–"
    return f"{value:{'+' if signed else ''}.{3 if abs(value) < 10 else 1}f}"


def p_text(value: float | None) -> str:
    return "< 0.001" if value is not None and value < 0.001 else number_text(value)


def interval_text(low: float | None, high: float | None, signed: bool = False) -> str:
    return "–" if low is None or high is None else f"{number_text(low, signed)} to {number_text(high, signed)}"


def metric_text(row: dict) -> str:
    """rougeL, or judge_score (NAME)."""
    return f"{row['metric']} ({row['judge']})" if row["judge"] else row["metric"]


def interval_notes(rows: Iterable[dict], name: Callable[[dict], str] = metric_text) -> list[str]:
    """Why rows have no interval: "no interval: REASON (NAME, NAME of TASK)", each reason once.

    `name` gives a row's name; of tasks that share a reason with all of them together nothing is said.
    """
    names_of: dict[str, list[str]] = {}
    for row in rows:
        if row["no_interval"]:
            names = names_of.setdefault(row["no_interval"], [])
            own = name(row) if row["task"] == "all" else f"{name(row)} of {row['task']}"
            if own not in names and name(row) not in names:
                names.append(own)
    return [f"no interval: {reason} ({', '.join(names)})" for reason, names in names_of.items()]

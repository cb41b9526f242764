"""Plain-text tables for the terminal."""


def text_table(header: list[str], rows: list[list[str]]) -> str:
    """Columns aligned by spaces, a rule under the header."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    lines = [header, ["-" * width for width in widths], *rows]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip() for line in lines)


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

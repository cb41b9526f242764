"""How numbers and strangers' text stand in a card: the filters of the templates."""

import textwrap

METRICS = {
    "judge_score": "Judge's score, 0–10",
    "rouge1": "ROUGE-1 F",
    "rouge2": "ROUGE-2 F",
    "rougeL": "ROUGE-L F",
    "grounding": "Grounded numbers and terms, share",
    "length_ratio": "Length ratio to the reference",
    "answer_words": "Words an answer",
    "hedges_per_1k_words": "Hedges per 1,000 words",
    "hedged_share": "Answers with a hedge, share",
    "truncated_share": "Answers cut at the token limit, share",
    "looping_share": "Answers that repeat themselves, share",
    "empty_share": "Empty answers, share",
}
MAX_EXAMPLE_CHARS = 600


def metric(row: dict) -> str:
    """The metric's name, of a judge's score with the judge."""
    return METRICS[row["metric"]] + (f" ({cell(row['judge'])})" if row["judge"] else "")


def number(value: float | None, signed: bool = False) -> str:
    """Three digits after the point below 10, one above; "–" for None."""
    if value is None:
        return "–"
    return f"{value:{'+' if signed else ''}.{3 if abs(value) < 10 else 1}f}".replace("-", "−")


def interval(row: dict, signed: bool = False) -> str:
    if row["ci_low"] is None:
        return "–"
    return f"{number(row['ci_low'], signed)} to {number(row['ci_high'], signed)}"


def p_value(value: float | None) -> str:
    return "< 0.001" if value is not None and value < 0.001 else number(value)


def quote(text: str) -> str:
    """Article text and model answers go into a code block, where nothing in them is Markdown or HTML."""
    flat = " ".join(text.split()).replace("```", "'''")
    return textwrap.shorten(flat, MAX_EXAMPLE_CHARS, placeholder=" …") or "(empty)"


def cell(value) -> str:
    return " ".join(str(value).split()).replace("|", "\\|")

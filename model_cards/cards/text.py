"""How numbers and strangers' text stand in a card: the templates' environment and its filters."""

import textwrap
from pathlib import Path

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

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
MAX_EXAMPLE_CHARS = 600  # of a quoted question or answer
TEST_DOI = "10.5555/"  # Crossref's prefix for DOIs of nothing real; the sample corpus uses it


def environment() -> Environment:
    """The templates of both cards, with the filters below; a variable that is not given is an error."""
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters["number"] = number
    made.filters["signed"] = signed
    made.filters["p"] = p_value
    made.filters["interval"] = interval
    made.filters["metric"] = metric
    made.filters["cell"] = cell
    made.filters["yaml"] = as_yaml
    return made


def metric(row: dict) -> str:
    """The metric's name, of a judge's score with the judge."""
    name = METRICS[row["metric"]]
    return f"{name} ({cell(row['judge'])})" if row["judge"] else name


def number(value: float | None, with_plus: bool = False) -> str:
    """Three digits after the point below 10, one above; "–" for None."""
    if value is None:
        return "–"
    sign = "+" if with_plus else ""
    digits = 3 if abs(value) < 10 else 1
    return f"{value:{sign}.{digits}f}".replace("-", "−")


def signed(value: float | None) -> str:
    return number(value, with_plus=True)


def interval(row: dict, with_plus: bool = False) -> str:
    """ "0.100 to 0.300", the row's 95 % interval; "–" where it has none."""
    if row["ci_low"] is None:
        return "–"
    return f"{number(row['ci_low'], with_plus)} to {number(row['ci_high'], with_plus)}"


def p_value(value: float | None) -> str:
    return "< 0.001" if value is not None and value < 0.001 else number(value)


def quote(text: str) -> str:
    """Article text and model answers go into a code block, where nothing in them is Markdown or HTML."""
    flat = " ".join(text.split()).replace("```", "'''")
    return textwrap.shorten(flat, MAX_EXAMPLE_CHARS, placeholder=" …") or "(empty)"


def cell(value: object) -> str:
    """Text for a cell of a Markdown table: one line, no bar that would end the cell."""
    return " ".join(str(value).split()).replace("|", "\\|")


def as_yaml(value: object) -> str:
    return yaml.safe_dump(value, allow_unicode=True).rstrip()

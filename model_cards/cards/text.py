"""How numbers and strangers' text stand in a card: the templates' environment and its filters."""

import textwrap
from functools import cache
from pathlib import Path

import yaml
from jinja2 import Environment
from markupsafe import Markup

from trust.markup import EMPTY, ONE_LINE, block, markdown_environment, plain, shell, visible

MAX_EXAMPLE_CHARS = 600  # of a quoted question or answer
_LINE_CHARS = 110  # of a quoted line
GENERAL_TAGS = ("biomedical", "figures", "image-caption", "ldrt-vlm")  # of every dataset; a domain adds its own
TEST_DOI = "10.5555/"  # Crossref's prefix for DOIs of nothing real; the sample corpus uses it


@cache
def environment() -> Environment:
    """The templates of both cards (`trust.markup.markdown_environment`), with the filters below."""
    made = markdown_environment(Path(__file__).parent / "templates")
    filters = {"number": number, "signed": signed, "p": p_value, "interval": interval, "metric": metric_name}
    made.filters |= filters | {"quoted": quoted, "reasons": reasons}
    made.filters["command"] = command
    return made


def command(words: list[str]) -> Markup:
    """The words of a command as one line for a shell."""
    return Markup(" ").join(map(shell, words))


def metric_name(row: dict) -> str:
    """The metric's name as its row says it, of a judge's score with the judge."""
    name = row.get("label") or row["metric"]  # absent in files of before
    return f"{name} ({row['judge']})" if row["judge"] else name


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


def reasons(rows: list[dict]) -> dict[str, str]:
    """Why rows of a table have no interval: reason -> the rows, by metric and task, or "all rows"."""
    names_of: dict[str, list[str]] = {}
    for row in rows:
        if row["no_interval"]:
            name, task = metric_name(row), row.get("task", "all")
            names_of.setdefault(row["no_interval"], []).append(name if task == "all" else f"{name}, {task}")
    return {reason: "all rows" if len(names) == len(rows) else "; ".join(names) for reason, names in names_of.items()}


def p_value(value: float | None) -> str:
    return "< 0.001" if value is not None and value < 0.001 else number(value)


def quote(text: str) -> str:
    """Article text and model answers on one line, not too long."""
    flat = visible(text).replace("```", "'''")
    return textwrap.shorten(flat, MAX_EXAMPLE_CHARS, placeholder=" …") or EMPTY


def quoted(rows: list[tuple[str, str]]) -> Markup:
    """(name, text) rows as a code block, in which nothing is Markdown or HTML: the texts wrapped beside their names."""
    width = max(len(name) for name, _ in rows) + 2  # and a colon
    beside = " " * width
    filled = [
        textwrap.fill(text, _LINE_CHARS, initial_indent=f"{name}:".ljust(width), subsequent_indent=beside)
        for name, text in rows
    ]
    return block("\n".join(filled), "text")


def yaml_file(name: str, content: dict) -> list[str]:
    """Lines of a shell that write a YAML file; nothing in it can end it: each of its lines has a key or a dash."""
    text = yaml.safe_dump(plain(content), allow_unicode=True, width=ONE_LINE).rstrip()
    return [f"cat > {name} <<'YAML'", *text.splitlines(), "YAML"]

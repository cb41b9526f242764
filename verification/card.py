"""The card, written again from the results and compared: its numbers in `model-index`, in tables and in the text.

What a person may write by hand is let be where it takes no number's place: such lines are said, and not checked. Lines
of tables and of the examples are held word by word: a number under another heading is another number.
"""

import re
import tempfile
from collections.abc import Iterator
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import yaml

from trust.files import read_limited
from verification.differences import is_same, shown
from verification.report import Check, judged, not_checked

_INDEX = "card: each number of `model-index`"
_TEXT = "card: each number in tables and text"
_NUMBER = re.compile(r"[-+−]?\d[\d,.]*")
_EXAMPLE = "```text"
_SHOWN_CHARS = 160  # of a line
_MAX_CARD_BYTES = 1024**2  # a card has a hundredth of it; lines are compared with lines


def check_card(card: str, again: str) -> list[Check]:
    """`card` is the published one, `again` what the results give."""
    front, body = _parts(card)
    front_again, body_again = _parts(again)
    checks = [judged(_INDEX, _wrong_index(front, front_again))] if "model-index" in front_again else []
    wrong, by_hand = _wrong_lines(body, body_again)
    checks.append(judged(_TEXT, wrong))
    others = [f"{key}: {shown(value)}" for key, value in _stated(front, front_again)]
    for what, lines in (("front matter", others), ("text", by_hand)):
        if lines:
            checks.append(Check(f"card: {what} that is not from the results", "not checked", tuple(lines)))
    return checks


def front_matter(card: str) -> dict[str, Any]:
    """The YAML block of a card."""
    return _parts(card)[0]


def _parts(card: str) -> tuple[dict[str, Any], list[str]]:
    """(front matter, lines of the text). Raises ValueError for a card whose front matter is no YAML."""
    found = re.match(r"---\n(.*?)\n---\n(.*)", card.replace("\r\n", "\n"), re.DOTALL)
    if found is None:
        return {}, card.splitlines()
    try:
        front = yaml.safe_load(found[1])
    except yaml.YAMLError as error:
        raise ValueError(f"README.md: its front matter is no YAML ({' '.join(str(error).split())})") from error
    return (front if isinstance(front, dict) else {}), found[2].splitlines()


# ---- front matter


def _wrong_index(front: dict[str, Any], again: dict[str, Any]) -> Iterator[str]:
    published, expected = _results(front), _results(again)
    for name, value in expected.items():
        if name not in published:
            yield f"{name}: {shown(value)} is left out"
        elif not is_same(published[name], value):
            yield f"{name}: {shown(published[name])} is published, {shown(value)} when made again"
    yield from (f"{name}: {shown(published[name])}, which no result gives" for name in published.keys() - expected)


def _results(front: dict[str, Any]) -> dict[str, object]:
    """ "rougeL, detail questions …, org/figures" -> value; {} for an index that has another form."""
    found: dict[str, object] = {}
    try:
        for result in [result for model in front["model-index"] for result in model["results"]]:
            dataset = result["dataset"]
            of = [dataset.get(key) for key in ("name", "type", "config", "split", "revision")]
            for metric in result["metrics"]:
                name = ", ".join(str(part) for part in (metric["type"], result["task"].get("name"), *of) if part)
                name += " (once more)" if name in found else ""
                found[name] = metric["value"]
                found |= {f"{name}, {key}": metric[key] for key in metric.keys() - {"type", "value"}}
    except (KeyError, TypeError, AttributeError):
        return found
    return found


def _stated(front: dict[str, Any], again: dict[str, Any]) -> Iterator[tuple[str, object]]:
    for key in sorted((front.keys() | again.keys()) - {"model-index"}):
        if front.get(key) != again.get(key):
            yield key, front.get(key)


# ---- tables and text


def _wrong_lines(lines: list[str], again: list[str]) -> tuple[list[str], list[str]]:
    """(lines that are others than those made again, lines that the results do not give and that have a number)."""
    wrong: list[str] = []
    by_hand: list[str] = []
    verbatim = _verbatim(again)
    matcher = SequenceMatcher(a=again, b=lines, autojunk=False)
    for tag, first, last, start, end in matcher.get_opcodes():
        if tag == "equal":
            continue
        expected = [line for line in again[first:last] if line.strip()]
        found = [(start + n, line) for n, line in enumerate(lines[start:end], 1) if line.strip()]
        for (number, line), beside in zip(found, [*expected, *[""] * len(found)], strict=False):
            is_held = beside.strip() in verbatim
            if line.split() == beside.split() or not (is_held or _numbers(line) or _numbers(beside)):
                continue
            where = f"{_section(lines, number)}, line {number} of the text: {_short(line)!r}"
            if is_held or _numbers(beside) not in ([], _numbers(line)):
                wrong.append(f"{where}; made again: {_short(beside)!r}")
            else:
                by_hand.append(where)
        gone = [line for line in expected[len(found) :] if _numbers(line) or line.strip() in verbatim]
        by_hand += [f"left out: {_short(line)!r}" for line in gone]
    return wrong, by_hand


def _verbatim(lines: list[str]) -> set[str]:
    """The lines of tables, and those of the examples, which stand between ```text and ```."""
    found: set[str] = set()
    is_example = False
    for line in map(str.strip, lines):
        is_example = line == _EXAMPLE if line.startswith("```") else is_example
        if line.startswith("|") or (is_example and line != _EXAMPLE):
            found.add(line)
    return found


def _numbers(line: str) -> list[str]:
    return [found.rstrip(".,") for found in _NUMBER.findall(line)]


def _section(lines: list[str], number: int) -> str:
    """The heading that a line stands under."""
    headings = [line.lstrip("# ") for line in lines[:number] if re.match(r"#{1,4} ", line)]
    return headings[-1] if headings else "card"


def _short(line: str) -> str:
    flat = line.strip()
    return flat if len(flat) <= _SHOWN_CHARS else f"{flat[:_SHOWN_CHARS]}…"


# ---- a model's card


def model_card_again(results: Any, run: dict[str, Any]) -> str:
    """The model card that `ldrt card` writes of these results; `run` are manifest, scores, comparison and human."""
    from model_cards.cards.evaluated_run import EvaluatedRun
    from model_cards.cards.front_matter import model_facts, stated_of
    from model_cards.cards.model_card import render_card

    card = results.card
    with tempfile.TemporaryDirectory() as temporary:
        _write_evidence(Path(temporary), results)
        evaluated = EvaluatedRun(Path(temporary), **run)
        facts = model_facts(run["manifest"], stated_of(card))
        return render_card(evaluated, facts, list(card["plots"]), _examples(results))


def _write_evidence(folder: Path, results: Any) -> None:
    import json

    rows = "".join(json.dumps(row) + "\n" for row in results.evidence.values())
    (folder / "evidence.jsonl").write_text(rows, encoding="utf-8")


def _examples(results: Any) -> list[Any]:
    """The answers that card.json names, as the card shows them."""
    from model_cards.cards.examples import make_example

    answers = {row["example_id"]: row for row in results.predictions if row["image_condition"] == "true"}
    base = {of[1]: row["base_answer"] for of, row in results.pairs.items()}
    shown_rows = [one for one in results.card["examples"] if one["example_id"] in answers]
    return [make_example(answers[one["example_id"]], base.get(one["example_id"]), one["picture"]) for one in shown_rows]


def check_headline(card: str, again: str) -> Check:
    """Whether the card's first sentence, which says what the numbers come to, is the one that they give."""
    expected = next((line for line in _parts(again)[1] if line.strip() and not line.startswith("#")), "")
    is_there = expected in _parts(card)[1]
    return judged("card: what it concludes", [] if is_there else [f"made again it says {_short(expected)!r}"])


def read_card(path: Path) -> str:
    """Raises RefusedError for a file that is no card's size, ValueError for one that is no UTF-8."""
    return read_limited(path, _MAX_CARD_BYTES).decode("utf-8")


def no_card(why: str) -> Check:
    return not_checked("card: its numbers", why)

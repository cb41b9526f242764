"""How many planted errors the gate catches, and how many right answers it loses.

Right answers are the extractive teacher's, whole (`quoted`) and cut down to their telling words (`condensed`), which
leaves few of the article's words beside a number. In each, one number or one direction is changed. LDRT_ARTICLES names
a folder of real articles, LDRT_VERIFIER (`MODEL@URL`) a second model to ask, of what the rules let through.
"""

import os
import random
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from dataset_builder import build
from dataset_builder.llm.requests import Server
from dataset_builder.sample.corpus import write_corpus
from dataset_builder.teaching.context import given_context, read_pairs
from dataset_builder.teaching.evidence import TASKS, support
from dataset_builder.teaching.examples import Extractive, instruction_examples
from dataset_builder.teaching.facts import Word, unified, words
from dataset_builder.teaching.gate.exam import Limits, exam_of
from dataset_builder.teaching.gate.gate import FORM_RULES, Gate, first_objection
from dataset_builder.teaching.gate.tokens import estimated_tokens
from dataset_builder.teaching.gate.verifier import Verifier
from dataset_builder.teaching.wording import GENERAL
from dataset_builder.text.vocabulary import LANGUAGES

N_ANSWERS = 200
SAMPLE_ARTICLES = 80
SEED = 14
_SHORT_WORD_CHARS = 4  # left out of condensed answers, unless a number or a direction

Example = dict[str, Any]


def main() -> dict[str, float]:
    """Of 200 answers that are well written: right ones lost, wrong ones caught, by kind of answer and of error."""
    with tempfile.TemporaryDirectory() as folder:
        rows = _figures(Path(folder))
    figures = {row["figure_id"]: row for row in rows}
    measured: dict[str, float] = {}
    for form, rewrite in {"quoted": lambda example, row: example, "condensed": _condensed}.items():
        right = [rewrite(example, figures[example["figure_id"]]) for example in _right_answers(rows)]
        for error in ("number", "direction"):
            pairs = list(_planted(right, figures, error))
            judge = partial(_rejected, figures=figures)
            measured[f"{form}, {error}: answers"] = len(pairs)
            measured[f"{form}, {error}: right answers lost"] = judge([good for good, _ in pairs])
            measured[f"{form}, {error}: planted errors caught"] = judge([bad for _, bad in pairs])
    return measured


def _figures(folder: Path) -> list[dict]:
    articles = Path(os.environ.get("LDRT_ARTICLES", folder / "articles"))
    if "LDRT_ARTICLES" not in os.environ:
        write_corpus(articles, articles=SAMPLE_ARTICLES)
    build.run(build.Options(str(articles), str(folder / "dataset")))
    return list(given_context(read_pairs(folder / "dataset"), "own"))


def _right_answers(rows: list[dict]) -> list[Example]:
    made = [e for task in TASKS for e in instruction_examples(rows, task, Extractive(GENERAL), GENERAL)]
    random.Random(SEED).shuffle(made)
    figures = {row["figure_id"]: row for row in rows}
    return [e for e in made if not first_objection(_exam(e, figures), Limits(), FORM_RULES)]


def _condensed(example: Example, row: Mapping[str, Any]) -> Example:
    """Without short words and all punctuation but a sentence's end; a language without spaces stays as it is."""
    text = unified(example["completion"][0]["content"])
    if row["language"] in LANGUAGES and not LANGUAGES[row["language"]].spaces:
        return example
    kept = [
        text[word.start : word.end] + ("." if text[word.end : word.end + 2] == ". " else "")
        for word in words(text, row["language"])
        if word.number or word.directions or word.end - word.start > _SHORT_WORD_CHARS or word.is_name
    ]
    return _with_answer(example, row, " ".join(kept))


def _planted(right: Iterable[Example], figures: Mapping[str, dict], error: str) -> Iterator[tuple[Example, Example]]:
    """(right answer, the same with one error), for the first 200 answers in which there is something to change."""
    draw, n = random.Random(SEED), 0
    for example in right:
        row = figures[example["figure_id"]]
        text = unified(example["completion"][0]["content"])
        changes = list(_changes(text, row["language"], error, draw))
        if changes and n < N_ANSWERS:
            n += 1
            word, other = draw.choice(changes)
            yield example, _with_answer(example, row, text[: word.start] + other + text[word.end :])


def _changes(text: str, language: str | None, error: str, draw: random.Random) -> Iterator[tuple[Word, str]]:
    """(word, what to write in its place)."""
    for word in words(text, language):
        if error == "number" and word.number and re.fullmatch(r"\d+(?:\.\d+)?", word.number):
            yield word, text[word.start : word.end].replace(*_another_number(text[word.start : word.end], draw), 1)
        if (
            error == "direction"
            and word.directions
            and (other := _opposite(text[word.start : word.end], word, language))
        ):
            yield word, other


def _another_number(said: str, draw: random.Random) -> tuple[str, str]:
    """(number as printed, one with another digit)."""
    printed = said[: len(said) - len(said.lstrip("0123456789.,"))]
    places = [i for i, character in enumerate(printed) if character.isdigit()]
    place = draw.choice(places)
    digit = draw.choice([d for d in "123456789" if d != printed[place]])
    return printed, printed[:place] + digit + printed[place + 1 :]


def _opposite(said: str, word: Word, language: str | None) -> str | None:
    """The opposite with the same ending and the same first letter's case."""
    direction = word.directions[0]
    sides = dict(LANGUAGES[language if language in LANGUAGES else "en"].answers.opposites.by_side())
    own, other = (sides[d.side][d.place] for d in (direction, direction.opposite()))
    if own.endswith("-") != other.endswith("-"):
        return None
    changed = other.removesuffix("-") + said[len(own.removesuffix("-")) :]
    return changed.capitalize() if said[:1].isupper() else changed


def _with_answer(example: Example, row: Mapping[str, Any], answer: str) -> Example:
    exam = exam_of(example, row, estimated_tokens, frozenset())
    said = [{"role": "assistant", "content": answer}]
    return example | {"completion": said, "support": support(answer, exam.named, row["language"])}


def _rejected(examples: list[Example], figures: Mapping[str, dict]) -> int:
    """How many are left out by the rules, and by the verifier where one is named."""
    passed = [e for e in examples if not first_objection(_exam(e, figures), Limits())]
    if "LDRT_VERIFIER" in os.environ:
        passed = _confirmed(passed, figures)
    return len(examples) - len(passed)


def _exam(example: Example, figures: Mapping[str, dict]):
    return exam_of(example, figures[example["figure_id"]], estimated_tokens, frozenset())


def _confirmed(examples: list[Example], figures: Mapping[str, dict]) -> list[Example]:
    model, url = os.environ["LDRT_VERIFIER"].rsplit("@", 1)
    gate = Gate(Limits(), estimated_tokens)
    order = {figure_id: number for number, figure_id in enumerate(figures)}
    in_order = sorted(examples, key=lambda example: order[example["figure_id"]])
    with tempfile.TemporaryDirectory() as folder:
        verifier = Verifier(Server(url, model), Path(folder, "verifier.jsonl"))
        verifier.ask(lambda: verifier.wanted(in_order, figures.values()), in_batches=False)
        return list(verifier.upheld(in_order, figures.values(), gate))

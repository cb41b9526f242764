"""A benchmark -> its questions, as text, and its pictures, as they are stored.

found = load(read_benchmark("slake"))
found.questions[0].text, found.pictures[0]["images"]
"""

import hashlib
import random
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from datasets import Dataset

from dataset_builder.benchmarks.benchmark import CHOICE, CLOSED, OPEN, YES_NO, Benchmark
from dataset_builder.benchmarks.source import Source, open_source

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
YES_OR_NO = ("yes", "no")
_LABEL = re.compile(r"\s*\(?([A-Za-z])\s*[.:)]\s*")  # "A. ", "(a) ", "A:"
_ID_CHARS = 16  # of a picture's sha256


@dataclass(frozen=True)
class BenchmarkQuestion:
    """One question: what is asked, and what is right."""

    id: str
    image_id: str
    text: str  # the whole prompt, with the options
    answer: str
    kind: str  # CHOICE, YES_NO, CLOSED or OPEN
    options: tuple[str, ...] | None  # in the order of their letters; None: none to choose from
    group: str | None  # the benchmark in the benchmark


@dataclass(frozen=True)
class Loaded:
    """What was read of a benchmark."""

    questions: list[BenchmarkQuestion]
    pictures: Dataset  # column `images`, a StoredPicture, of each question
    revision: str  # Hub commit, or "sha256:" and 64 hex digits of the files read
    left_out: Counter[str]  # why -> questions


def load(benchmark: Benchmark) -> Loaded:
    """Read a benchmark; nothing but its own split is fetched.

    Raises FileNotFoundError for no dataset there, ValueError for a split or column that it lacks, for ids that are
    there twice, and where no question is left.
    """
    source = open_source(benchmark)
    left_out: Counter[str] = Counter()
    kept: list[int] = []
    parts: list[_Parts] = []
    for place, row in enumerate(source.texts):
        part = _parts(row, benchmark) if source.n_pictures[place] == 1 else "several pictures or none"
        if isinstance(part, str):
            left_out[part] += 1
        else:
            kept.append(place)
            parts.append(part)
    if not kept:
        raise ValueError(f"{benchmark.title}: no question with a picture and an answer")
    pictures = source.pictures.select(kept)
    image_ids = _image_ids(source, kept, pictures, benchmark)
    questions = [
        _question(source.texts[place], place, part, image_id, benchmark)
        for place, part, image_id in zip(kept, parts, image_ids, strict=True)
    ]
    _check_ids(questions, benchmark)
    return Loaded(questions, pictures, source.revision, left_out)


# ---- one row


@dataclass(frozen=True)
class _Parts:
    """Of a row: the right answer, and what there is to choose from."""

    answer: str
    kind: str
    options: tuple[str, ...] | None


def _parts(row: dict[str, Any], benchmark: Benchmark) -> _Parts | str:
    """What a row holds, or why it cannot be asked."""
    columns = benchmark.columns
    answer = _text(row[columns.answer])
    options = _options(row, benchmark)
    if options is not None:
        if len(options) < 2 or "" in options:
            return "fewer than two options, or an empty one among them"
        by_letter = _of_letter(_text(row[columns.letter]), options) if columns.letter else None
        right = by_letter if columns.letter else _right_option(answer, options)
        return _Parts(right, CHOICE, options) if right else "no answer that is one of the options"
    if not answer:
        return "no answer"
    if answer.lower().rstrip(".") in YES_OR_NO:
        return _Parts(answer, YES_NO, YES_OR_NO)
    is_closed = columns.kind is not None and _text(row[columns.kind]).lower().startswith("closed")
    return _Parts(answer, CLOSED if is_closed else OPEN, None)


def _right_option(stated: str, options: tuple[str, ...]) -> str | None:
    """The option that a row states to be right: by its text, its letter and text ("B. left lung"), or its letter."""
    for place, text in enumerate(options):
        if text.lower() in (stated.lower(), _without_label(stated, place).lower()):
            return text
    return _of_letter(stated, options)


def _of_letter(letter: str, options: tuple[str, ...]) -> str | None:
    """The option of "B", "(b)", "B."."""
    return dict(zip(LETTERS, options, strict=False)).get(letter.strip("(). :").upper())


def _options(row: dict[str, Any], benchmark: Benchmark) -> tuple[str, ...] | None:
    """The options of a row in their order; None where its question has none."""
    columns = benchmark.columns
    if columns.wrong_options:
        found = [_text(row[columns.answer]), *map(_text, row[columns.wrong_options] or [])]
        found += [benchmark.added_option] if benchmark.added_option else []
        random.Random(_text(row[columns.id]) if columns.id else found[0]).shuffle(found)
        return tuple(found)
    if columns.options is None:
        return None
    stated: Any = row[columns.options] if isinstance(columns.options, str) else [row[name] for name in columns.options]
    if isinstance(stated, dict):  # {"A": …, "B": …}
        stated = [stated[letter] for letter in sorted(stated)]
    if isinstance(stated, str):
        texts = list(filter(None, map(_text, stated.splitlines())))
    else:
        texts = list(map(_text, stated or []))
    while texts and not texts[-1]:  # a question with fewer options than columns
        texts.pop()
    return _without_labels(texts) or None


def _without_labels(texts: list[str]) -> tuple[str, ...]:
    """Options without their letters, where all have them: "E. coli" alone is a name."""
    plain = [_without_label(text, place) for place, text in enumerate(texts)]
    return tuple(texts if any(map(str.__eq__, plain, texts)) else plain)


def _without_label(text: str, place: int) -> str:
    """ "B. left lung" as the second option -> "left lung"."""
    match = _LABEL.match(text)
    return text[match.end() :] if match and match[1].upper() == LETTERS[place % len(LETTERS)] else text


def _text(value: object) -> str:
    return "" if value is None else " ".join(str(value).split())


def _question(row: dict[str, Any], place: int, parts: _Parts, image_id: str, benchmark: Benchmark) -> BenchmarkQuestion:
    columns = benchmark.columns
    options = "\n".join(f"{letter}. {text}" for letter, text in zip(LETTERS, parts.options or (), strict=False))
    asked = _text(row[columns.question])
    return BenchmarkQuestion(
        id=f"{benchmark.name}/{_text(row[columns.id]) if columns.id else place}",
        image_id=f"{benchmark.name}/{image_id}",
        text=benchmark.prompts[parts.kind].replace("{options}", options).replace("{question}", asked),
        answer=parts.answer,
        kind=parts.kind,
        options=parts.options,
        group=_text(row[columns.group]) if columns.group else None,
    )


# ---- all rows


def _image_ids(source: Source, kept: list[int], pictures: Dataset, benchmark: Benchmark) -> Iterator[str]:
    """Of the rows' pictures: the column that says it, or a hash of the bytes."""
    column = benchmark.columns.image_id
    if column:
        yield from (_text(source.texts[place][column]) for place in kept)
        return
    for i, row in enumerate(pictures):
        data = (row["images"] or {}).get("bytes")
        yield hashlib.sha256(data).hexdigest()[:_ID_CHARS] if data else f"row {kept[i]}"


def _check_ids(questions: list[BenchmarkQuestion], benchmark: Benchmark) -> None:
    times = Counter(question.id for question in questions)
    twice = [id for id, count in times.items() if count > 1]
    if twice:
        raise ValueError(
            f"{benchmark.title}: {len(twice)} ids of questions are there more than once, such as {twice[0]!r}: name a "
            "column with unique ids, or none"
        )

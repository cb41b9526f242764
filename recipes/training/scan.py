"""Every row once before the first step: what cannot be trained is dropped and named, what is kept has its length.

The scan makes of each row what training makes of it: its pictures are decoded by the one opener, the processor counts
the image tokens, the labels are looked at. So no row that passes stops a run an hour later.
"""

import os
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from datasets import Dataset
from jinja2 import TemplateError
from pyarrow import ArrowException
from typing_extensions import TypedDict

from dataset_builder.files.jsonfiles import write_jsonl
from dataset_builder.files.progress import progress
from recipes.keys.recipe import Recipe
from recipes.training.conversations import EMPTY_ANSWER, fault_of_messages, has_special_tokens
from recipes.training.examples import IGNORED, NAME, ExampleCollator
from recipes.training.processes import of_each, place
from trust.handovers import stamped
from trust.pictures.opener import UnreadablePicture, in_one_line
from trust.pictures.stored import as_stored

FILE = "odd_rows.jsonl"  # the rows that were dropped or changed
UNREADABLE = "with an unreadable picture"
UNREAD = "that the dataset's file does not give"
REFUSED = "that the processor or the template cannot take"
SAME_ANSWERS = "with the same answer twice"
DISARMED = "with special tokens in their text, read as ordinary text"
_MOST_THREADS = 16  # more wait for each other: half of a row's time is Python's
_NAMED = 5  # rows in one line of the log; odd_rows.jsonl names them all
# What a row's file, the processor or a template raises on a row: text that is no UTF-8, sides of one pixel, odd roles.
_FAULTS = (
    *(ValueError, TypeError, AttributeError, ArithmeticError, LookupError, RuntimeError, MemoryError),
    *(TemplateError, ArrowException),
)


class Tokens(TypedDict):
    """Lengths of rows, image tokens included."""

    min: int
    median: int
    p95: int
    max: int


class OddRow(TypedDict):
    """A line of odd_rows.jsonl."""

    split: str
    example_id: str  # "row 7" (from 0, in the split) where the rows have no ids
    kept: bool
    kind: str  # as it is counted in lineage.json
    reason: str  # of this row


class Scan(TypedDict):
    """What the scan found, for the log and lineage.json."""

    rows: int
    kept: int
    dropped: dict[str, int]  # kind -> rows
    disarmed: int  # rows kept, with special tokens in their own text, which is trained as ordinary text
    tokens: Tokens  # of the rows kept


class Limits(NamedTuple):
    """What a phase can train on."""

    max_length: int | None = None  # tokens of a row
    keep_text_only: bool = False  # rows without a picture: the projector, all that phase 1 trains, learns nothing there
    silent_question: bool = True  # a picture alone may ask, for its caption


NO_LIMITS = Limits()


def limits_of(recipe: Recipe, max_length: int | None) -> Limits:
    """The limits of a recipe's phase."""
    silent = not recipe.with_lora or recipe.train_template_path is not None
    return Limits(max_length, recipe.with_lora, silent_question=silent)


def scan_rows(
    dataset: Dataset, collator: ExampleCollator, limits: Limits = NO_LIMITS, split: str = "train"
) -> tuple[Dataset, Scan, list[OddRow]]:
    """Drop the rows that cannot be trained whole, and say which.

    A row is dropped when it is beyond `limits`, has a picture that cannot be opened, messages that make no conversation
    (`fault_of_messages`), or no token to train. Each process looks at its share of the rows and tells the others.
    Returns the kept rows, pictures as `StoredPicture`s, with the columns `NAME` and `length` in tokens; the report; and
    the rows that were dropped or changed. Raises ValueError when nothing is left.
    """
    dataset = as_stored(dataset)
    looked = _look_at_all(dataset, collator, limits)
    odd = [row.odd(split) for row in looked if row.kind is not None]
    kept = [row for row in looked if row.length]
    dropped = Counter(row["kind"] for row in odd if not row["kept"])
    if not kept:
        reasons = ", ".join(f"{count} {kind}" for kind, count in dropped.items()) or "the split is empty"
        raise ValueError(f"no row is left to train on: {reasons}{describe_odd(odd)}")
    report: Scan = {
        "rows": len(looked),
        "kept": len(kept),
        "dropped": dict(dropped),
        "disarmed": sum(row["kept"] for row in odd),
        "tokens": _percentiles([row.length for row in kept]),
    }
    return _kept(dataset, kept), report, odd


def _kept(dataset: Dataset, kept: list["_Looked"]) -> Dataset:
    """The rows that are trained, with the columns `NAME` and `length`."""
    dataset = dataset.select([row.number for row in kept])
    dataset = dataset.remove_columns([NAME] if NAME in dataset.column_names else [])
    return dataset.add_column(NAME, [row.name for row in kept]).add_column("length", [row.length for row in kept])


def write_odd_rows(output: Path, odd: list[OddRow]) -> None:
    """OUTPUT/odd_rows.jsonl, anew; no file where there are none."""
    output.mkdir(parents=True, exist_ok=True)
    (output / FILE).unlink(missing_ok=True)
    if odd:
        write_jsonl(output / FILE, map(stamped, odd))


def describe_scan(scan: Scan, odd: list[OddRow]) -> str:
    """The report of `scan_rows` in one line."""
    dropped = "".join(f"; {count} dropped: {kind}" for kind, count in scan["dropped"].items())
    disarmed = f"; {scan['disarmed']} {DISARMED}" * bool(scan["disarmed"])
    low, middle, high, top = scan["tokens"].values()
    tokens = f"tokens min / median / 95 % / max: {low} / {middle} / {high} / {top}"
    return f"{scan['kept']} of {scan['rows']} rows{dropped}{describe_odd(odd)}{disarmed}; {tokens}"


def describe_odd(odd: list[OddRow]) -> str:
    """ " (3/detail: the row has no picture; …)", or nothing; of the dropped rows the first `_NAMED` are named."""
    dropped = [row for row in odd if not row["kept"]]
    named = [f"{in_one_line(row['example_id'])}: {row['reason']}" for row in dropped[:_NAMED]]
    more = [f"and {len(dropped) - len(named)} more"] if len(dropped) > len(named) else []
    return f" ({'; '.join(named + more)})" if named else ""


_Judged = tuple[int, str | None, str | None]  # length, kind, reason, as `_Looked` has them


# --- one row ---------------------------------------------------------------------------------------------------------


class _Looked(NamedTuple):
    """What one row came to."""

    number: int  # in the split
    name: str
    length: int  # tokens; 0 where it is dropped
    kind: str | None  # why it is dropped, or how it is changed, as it is counted
    reason: str | None  # of this row

    def odd(self, split: str) -> OddRow:
        kind, reason = self.kind or "", self.reason or ""
        return {"split": split, "example_id": self.name, "kept": self.length > 0, "kind": kind, "reason": reason}


def _look_at_all(dataset: Dataset, collator: ExampleCollator, limits: Limits) -> list[_Looked]:
    """Each process looks at its share of the rows, and tells the others."""
    process, processes = place()
    numbers = range(process, len(dataset), processes)

    def look(number: int) -> _Looked:
        return _look_at(dataset, number, collator, limits)

    bar = progress(len(numbers), "rows", "scan") if process == 0 else nullcontext()
    threads = max(1, min(_MOST_THREADS, (os.cpu_count() or 1) // processes))
    with bar as counted, ThreadPoolExecutor(threads) as pool:
        share = []
        for looked in chain(map(look, numbers[:1]), pool.map(look, numbers[1:])):  # the first one sets the tokenizer up
            share.append(looked)
            if counted is not None:
                counted.update(1)
    return sorted(looked for part in of_each(share) for looked in part)


def _look_at(dataset: Dataset, number: int, collator: ExampleCollator, limits: Limits) -> _Looked:
    try:
        row = dataset[number]
    except _FAULTS as error:
        return _Looked(number, _name_alone(dataset, number), 0, UNREAD, _said(error))
    return _Looked(number, _name_of(row, number), *_judge(row, collator, limits))


def _name_of(row: Mapping[str, Any], number: int) -> str:
    return f"row {number}" if row.get(NAME) in (None, "") else str(row[NAME])


def _name_alone(dataset: Dataset, number: int) -> str:
    """The name of a row of which something else cannot be read."""
    try:
        row = dataset.select_columns([NAME])[number] if NAME in dataset.column_names else {}
    except _FAULTS:
        row = {}
    return _name_of(row, number)


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {in_one_line(error)}"


def _judge(row: Mapping[str, Any], collator: ExampleCollator, limits: Limits) -> _Judged:
    """Of a pair of answers the length of the longer one, and what is wrong with either."""
    examples = collator.examples(row)
    judged = [_judge_example(example, collator, limits) for example in examples]
    if faulty := [found for found in judged if not found[0]]:
        return faulty[0]
    if len(examples) > 1 and examples[0]["completion"] == examples[1]["completion"]:
        return 0, SAME_ANSWERS, SAME_ANSWERS
    changed = next((found[1:] for found in judged if found[1]), (None, None))
    return max(length for length, *_ in judged), *changed


def _judge_example(row: Mapping[str, Any], collator: ExampleCollator, limits: Limits) -> _Judged:
    kind = _fault_of_row(row, limits)
    if kind is not None:
        return 0, kind, kind
    try:
        length, n_trained = _measure(row, collator)
    except UnreadablePicture as error:
        return 0, UNREADABLE, str(error.__cause__ or error)
    except _FAULTS as error:
        return 0, REFUSED, _said(error)
    if not n_trained:
        return 0, EMPTY_ANSWER, "no token of the answer is trained"
    if limits.max_length is not None and length > limits.max_length:
        return 0, f"longer than max_length {limits.max_length} tokens", f"{length} tokens"
    if has_special_tokens(row, collator.processor, collator.template):
        return length, DISARMED, DISARMED
    return length, None, None


def _fault_of_row(row: Mapping[str, Any], limits: Limits) -> str | None:
    """What is wrong with a row before anything is made of it, or None."""
    if not row["images"] and not limits.keep_text_only:
        return "without a picture (phase 1 trains the projector alone)"
    return fault_of_messages(row, limits.silent_question)


def _measure(row: Mapping[str, Any], collator: ExampleCollator) -> tuple[int, int]:
    """(tokens of a row, image tokens included; tokens that are trained). Raises `UnreadablePicture` and `_FAULTS`."""
    batch = collator.tensors([dict(row)])
    return int(batch["attention_mask"].sum()), int((batch["labels"] != IGNORED).sum())


def _percentiles(lengths: list[int]) -> Tokens:
    low, middle, high, top = (int(np.percentile(lengths, q, method="higher")) for q in (0, 50, 95, 100))
    return {"min": low, "median": middle, "p95": high, "max": top}

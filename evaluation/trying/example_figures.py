"""Figures and questions of a dataset's test split, to click on."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from evaluation.answering.questions import Items, first_picture, load_items, question
from trust.errors import RefusedError
from trust.pictures.derived import as_file
from trust.pictures.opener import UnreadablePicture

N_EXAMPLES = 6
TASKS = ("detail", "reasoning")  # of which a dataset has at least one


@dataclass(frozen=True)
class Example:
    """A figure as a file, and a question about it."""

    path: str
    question: str


def example_figures(dataset: str, revision: str | None, folder: Path) -> list[Example]:
    """At most `N_EXAMPLES`, of different figures, in the dataset's order; the pictures are written to `folder`.

    What cannot be opened is passed over. Raises FileNotFoundError for no dataset, ValueError for one without questions.
    """
    found: list[Example] = []
    seen: set[str] = set()
    for row in _in_turns(_tasks(dataset, revision)):
        if len(found) == N_EXAMPLES:
            break
        example = None if row["figure_id"] in seen else _example(row, folder / f"example-{len(found)}")
        if example is not None:
            seen.add(row["figure_id"])
            found.append(example)
    return found


def _in_turns(tasks: list[Items]) -> Iterator[dict]:
    """A row of each task, then the next of each."""
    for together in zip_longest(*(items.rows for items in tasks)):
        yield from (row for row in together if row is not None)


def _tasks(dataset: str, revision: str | None) -> list[Items]:
    """The questions of each task that the dataset has."""
    found: list[Items] = []
    problem = None
    for task in TASKS:
        try:
            found.append(load_items(dataset, "test", [task], revision))
        except RefusedError:
            raise
        except ValueError as error:
            problem = error
    if not found and problem is not None:
        raise problem
    return found


def _example(row: dict, stem: Path) -> Example | None:
    try:
        content, suffix = as_file(first_picture(row))
    except UnreadablePicture:
        return None
    path = stem.with_suffix(f".{suffix}")
    path.write_bytes(content)
    return Example(str(path), question(row))

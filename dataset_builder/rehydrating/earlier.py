"""Rows that earlier runs have made: `.work/made.jsonl`. They stay where their articles are no longer at hand."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from typing_extensions import TypedDict

from dataset_builder.files.hashes import file_sha256
from dataset_builder.files.jsonfiles import write_jsonl
from dataset_builder.rehydrating.matching import Outcome, is_same
from dataset_builder.rehydrating.published import Wanted
from trust.handovers import Kind, stamped

_NAME = "made.jsonl"


class Made(TypedDict):
    """A row of made.jsonl: an `Outcome` with a row."""

    figure_id: str
    row: dict[str, Any]
    reason: str | None
    detail: str | None


_FILE = Kind(Made, "ldrt rehydrate")


class Earlier(NamedTuple):
    """What is made already, and what is left to do."""

    done: list[Outcome]
    left: list[Wanted]


def read_earlier(dataset: Path, wanted: Sequence[Wanted]) -> Earlier:
    """Take over what an earlier run has made, where picture and text still are the published ones."""
    made = {one["figure_id"]: one for one in _FILE.rows(dataset / ".work" / _NAME)}
    earlier = Earlier([], [])
    for one in wanted:
        found = made.get(one.row["figure_id"])
        if found and is_same(one, found["row"]) and _has_picture(dataset, found["row"]):
            earlier.done.append(Outcome(one, found["row"], found["reason"], found["detail"]))
        else:
            earlier.left.append(one)
    return earlier


def _has_picture(dataset: Path, row: dict[str, Any]) -> bool:
    path = dataset / row["image_path"]
    return path.is_file() and file_sha256(path) == row["image_sha256"]


def write_made(dataset: Path, outcomes: Iterable[Outcome]) -> None:
    """Keep the rows that are made, for the next run."""
    made = (outcome for outcome in outcomes if outcome.row)
    lines = (
        {"figure_id": o.wanted.row["figure_id"], "row": o.row, "reason": o.reason, "detail": o.detail} for o in made
    )
    write_jsonl(dataset / ".work" / _NAME, map(stamped, lines))

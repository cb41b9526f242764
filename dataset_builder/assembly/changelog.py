"""`provenance/changelog.jsonl`: the rows that an earlier build had and this one has not, by id, and why they went.

Only ids: what was retracted or taken down is not told again.
"""

import datetime
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as parquet
from typing_extensions import TypedDict

from dataset_builder.files.jsonfiles import read_jsonl, write_jsonl

_NOT_FOUND = "not_found"  # no file has the figure any more


class RemovedRow(TypedDict):
    """A line of the changelog."""

    day: str  # YYYY-MM-DD, of the build that left it out
    figure_id: str
    reason: str  # the filter that rejects it now, see rejected.jsonl; or `not_found`


def note_removed(dataset: Path, verdicts: Path, today: datetime.date) -> int:
    """Add the rows of the config `pairs`, as it still is, that `verdicts` does not keep; returns their number."""
    before = _figure_ids(dataset / "pairs")
    if not before:
        return 0
    rejected: dict[str, str] = {}
    for row in read_jsonl(verdicts):
        figure_id = row["figure_id"]
        if "filter" not in row:
            before.discard(figure_id)
        elif figure_id in before:
            rejected[figure_id] = row["filter"]
    path = dataset / "provenance" / "changelog.jsonl"
    day = today.isoformat()
    known = list(read_jsonl(path))
    said = {(row["day"], row["figure_id"]) for row in known}
    new: list[RemovedRow] = [
        {"day": day, "figure_id": figure_id, "reason": rejected.get(figure_id, _NOT_FOUND)}
        for figure_id in sorted(before)
        if (day, figure_id) not in said
    ]
    if new:
        write_jsonl(path, [*known, *new])
    return len(before)


def _figure_ids(pairs: Path) -> set[str]:
    return set(_ids(pairs)) if pairs.is_dir() else set()


def _ids(pairs: Path) -> Iterator[str]:
    for file in sorted(pairs.glob("*.parquet")):
        yield from parquet.read_table(file, columns=["figure_id"])["figure_id"].to_pylist()

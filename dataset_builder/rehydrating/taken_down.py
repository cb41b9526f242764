"""What `ldrt retract` took down, here or where the dataset was published: it does not come back by rehydrating."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dataset_builder.assembly.changelog import RemovedRow
from dataset_builder.files.jsonfiles import write_jsonl
from dataset_builder.rehydrating.copies import names_of
from dataset_builder.rehydrating.matching import TAKEN_DOWN, Outcome
from dataset_builder.rehydrating.published import Published, Wanted
from dataset_builder.retracted import FILE, RETRACTED_FILE, Retracted, read_retracted
from dataset_builder.retracting.rows import filter_config, filter_lines
from trust.handovers import Kind

_KINDS: dict[str, Kind[Any]] = {FILE: RETRACTED_FILE, "changelog.jsonl": Kind(RemovedRow, "ldrt build")}
LISTS = tuple(_KINDS)  # of provenance/: ids of what is gone


def take_over_lists(dataset: Path, published: Published) -> Retracted:
    """Add what was published of the lists to those of the dataset's folder; returns what has to stay away.

    Raises ValueError, in one line, for a list that is none.
    """
    (dataset / "provenance").mkdir(parents=True, exist_ok=True)
    for name, kind in _KINDS.items():
        path = dataset / "provenance" / name
        rows = list(kind.rows(path))
        new = [row for file in published.files(f"provenance/{name}") for row in kind.rows(file) if row not in rows]
        if new:
            write_jsonl(path, [*rows, *new])
    return read_retracted(dataset)


def without_taken_down(wanted: Sequence[Wanted], retracted: Retracted) -> tuple[list[Wanted], list[Outcome]]:
    """(figures to make again, outcomes of those that were taken down)."""
    gone = [one for one in wanted if _is_gone(one, retracted)]
    detail = f"with `ldrt retract`, see provenance/{FILE}"
    return [one for one in wanted if one not in gone], [Outcome(one, None, TAKEN_DOWN, detail) for one in gone]


def _is_gone(wanted: Wanted, retracted: Retracted) -> bool:
    return retracted.has_row(wanted.row) or retracted.has_article(wanted.article, names_of(wanted), ())


def filter_provenance(dataset: Path, retracted: Retracted) -> None:
    """Take it out of the JSONL files of provenance."""
    for path in sorted((dataset / "provenance").glob("*.jsonl")):
        if path.name not in LISTS:
            filter_lines(path, retracted.has_row)


def filter_examples(folder: Path, retracted: Retracted) -> None:
    """Take it out of a config of examples."""
    filter_config(folder, retracted.has_row)

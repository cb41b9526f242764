"""JSON and JSONL files that are whole after a crash."""

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path


def write_json(path: Path, value) -> None:
    """Write `value` as JSON so that after a crash the old content or the new one is there, never half of it."""
    partial = path.with_name(path.name + ".partial")
    with partial.open("w", encoding="utf-8") as file:
        json.dump(value, file, ensure_ascii=False, indent=1, allow_nan=False)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)


def write_jsonl(path: Path, rows: Iterable[dict]) -> int:
    """Write one JSON object a line, atomically as `write_json`; returns the number of lines."""
    partial, n = path.with_name(path.name + ".partial"), 0
    with partial.open("w", encoding="utf-8") as file:
        for n, row in enumerate(rows, 1):  # noqa: B007 - the count is the result
            file.write(to_line(row))
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)
    return n


def to_line(row: dict) -> str:
    """One line of a JSONL file."""
    return json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n"


def read_jsonl(path: Path) -> Iterator[dict]:
    """The objects of a JSONL file, one after the other; nothing when the file is absent."""
    if path.exists():
        with path.open(encoding="utf-8") as file:
            for line in file:
                yield json.loads(line)

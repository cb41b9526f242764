"""JSON and JSONL files that are whole after a crash."""

import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any


def write_json(path: Path, value) -> None:
    """Write `value` as JSON so that after a crash the old content or the new one is there, never half of it."""
    write_lines(path, [json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n"])


def write_jsonl(path: Path, rows: Iterable[Mapping[str, Any]]) -> int:
    """Write one JSON object a line, atomically as `write_json`; returns the number of lines."""
    return write_lines(path, map(to_line, rows))


def write_lines(path: Path, texts: Iterable[str]) -> int:
    """Write the texts, atomically as `write_json`; returns their number."""
    partial, n = path.with_name(path.name + ".partial"), 0
    with partial.open("w", encoding="utf-8") as file:
        for text in texts:
            file.write(text)
            n += 1
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)
    return n


def to_line(row: Mapping[str, Any]) -> str:
    """One line of a JSONL file."""
    return json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n"


def append_jsonl(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Append rows and wait until they are on the disk; a last line that a kill has torn is cut off first.

    Several processes may append to the same file.
    """
    with path.open("ab+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # until it is closed: another's half-written line is not a torn one
        file.truncate(_whole_length(file))
        file.seek(0, os.SEEK_END)
        file.writelines(to_line(row).encode() for row in rows)
        file.flush()
        os.fsync(file.fileno())


def read_jsonl(path: Path) -> Iterator[dict]:
    """The objects of a JSONL file, without a torn last line; none when the file is absent.

    Raises ValueError naming the line for anything else that is no JSON.
    """
    if not path.exists():
        return
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith("\n"):
                return  # torn: `append_jsonl` will cut it off
            try:
                yield json.loads(line)
            except json.JSONDecodeError as error:
                raise ValueError(f"{path}, line {number}: not JSON; remove the line and run again") from error


def read_json(path: Path, made_by: str) -> dict:
    """A JSON object. Raises FileNotFoundError, naming the command `made_by`, when the file is absent."""
    if not path.exists():
        raise FileNotFoundError(f"{path} is absent: run `{made_by}` first")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not JSON: {error}") from error


def _whole_length(file) -> int:
    """Bytes up to the end of the last whole line."""
    end = file.seek(0, os.SEEK_END)
    while end > 0:
        start = max(0, end - 65536)
        file.seek(start)
        position = file.read(end - start).rfind(b"\n")
        if position >= 0:
            return start + position + 1
        end = start
    return 0

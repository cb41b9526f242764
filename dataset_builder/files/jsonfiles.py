"""JSON and JSONL files that are whole after a crash."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import filelock

_BLOCK_BYTES = 65_536  # read at a time, from the end, to find the last whole line
LOCK_WAIT_S = 60  # others append in milliseconds, and a kill frees their lock: whoever keeps it for so long has stopped


def write_json(path: Path, value: object) -> None:
    """Write `value` as JSON so that after a crash the old content or the new one is there, never half of it."""
    write_lines(path, [json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n"])


def write_jsonl(path: Path, rows: Iterable[Mapping[str, Any]]) -> int:
    """Write one JSON object a line, atomically as `write_json`; returns the number of lines."""
    return write_lines(path, map(to_line, rows))


def write_lines(path: Path, texts: Iterable[str]) -> int:
    """Write the texts, atomically as `write_json`; returns their number."""
    partial = path.with_name(path.name + ".partial")
    n = 0
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

    A last line that lacks nothing but its end, as editors leave it, gets one.

    Several processes may append to the same file: the empty file `NAME.lock` beside it is locked meanwhile, so that
    another's half-written line is not taken for a torn one. Raises TimeoutError when another holds it for a minute.
    """
    lock = path.with_name(path.name + ".lock")
    try:
        with filelock.FileLock(lock).acquire(LOCK_WAIT_S, poll_interval=0.01), path.open("ab+") as file:
            _end_last_line(file)
            file.writelines(to_line(row).encode() for row in rows)
            file.flush()
            os.fsync(file.fileno())
    except filelock.Timeout as error:
        message = f"another process has held {lock} for {LOCK_WAIT_S} s: stop it, and run again"
        raise TimeoutError(message) from error


def read_jsonl(path: Path) -> Iterator[dict]:
    """The objects of a JSONL file, without a torn last line; none when the file is absent.

    Raises ValueError naming the line for anything else that is no JSON.
    """
    if not path.exists():
        return
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            try:
                yield json.loads(line)
            except json.JSONDecodeError as error:
                if not line.endswith("\n"):
                    return  # torn: `append_jsonl` will cut it off
                raise ValueError(f"{path}, line {number}: not JSON; remove the line and run again") from error


def read_json(path: Path, made_by: str) -> dict:
    """A JSON object. Raises FileNotFoundError, naming the command `made_by`, when the file is absent."""
    if not path.exists():
        raise FileNotFoundError(f"{path} is absent: run `{made_by}` first")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not JSON: {error}") from error


def _end_last_line(file: BinaryIO) -> None:
    """Cut a torn last line off, end one that is whole; the file then stands at its end."""
    length = _whole_length(file)
    file.seek(length)
    rest = file.read()
    try:
        is_whole = bool(rest) and isinstance(json.loads(rest), dict)
    except ValueError:
        is_whole = False
    if not is_whole:
        file.truncate(length)
    file.seek(0, os.SEEK_END)
    if is_whole:
        file.write(b"\n")


def _whole_length(file: BinaryIO) -> int:
    """Bytes up to the end of the last whole line."""
    end = file.seek(0, os.SEEK_END)
    while end > 0:
        start = max(0, end - _BLOCK_BYTES)
        file.seek(start)
        position = file.read(end - start).rfind(b"\n")
        if position >= 0:
            return start + position + 1
        end = start
    return 0

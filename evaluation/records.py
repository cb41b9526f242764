"""Reading and writing the files of a run folder so that nothing is lost or half written after kill -9."""

import json
import os
from pathlib import Path


def read_jsonl(path: Path) -> list[dict]:
    """The records of a JSON Lines file, without a last line torn by a kill; [] where there is no file.

    Raises ValueError naming the line for anything else that is no JSON.
    """
    if not path.exists():
        return []
    lines = path.read_bytes().split(b"\n")[:-1]  # what follows the last line feed is torn or empty
    try:
        return [json.loads(line) for line in lines]
    except ValueError as error:
        number = next(i for i, line in enumerate(lines, 1) if not _is_json(line))
        raise ValueError(f"{path}, line {number}: not JSON; remove the line and run again") from error


def append_jsonl(path: Path, records: list[dict]) -> None:
    """Append records and wait until they are on the disk; a torn last line is cut off first."""
    with open(path, "ab+") as file:
        file.truncate(_whole_length(file))
        file.seek(0, os.SEEK_END)
        for record in records:
            file.write(json.dumps(record, ensure_ascii=False, allow_nan=False).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def write_jsonl(path: Path, records: list[dict]) -> None:
    """Write a whole file or nothing."""
    _replace(path, "".join(json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n" for record in records))


def write_json(path: Path, content: dict) -> None:
    """Write a whole file or nothing."""
    _replace(path, json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False) + "\n")


def read_json(path: Path, made_by: str) -> dict:
    """A JSON object; `made_by` is the command to name where the file is absent (FileNotFoundError)."""
    if not path.exists():
        raise FileNotFoundError(f"{path} is absent: run `{made_by}` first")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not JSON: {error}") from error


def _replace(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with open(draft, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)


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


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True

"""Result files as the cards read and write them: JSON, JSON lines, and text that is there whole or not at all.

And `matches`: which files of a folder or a repository are meant by patterns.
"""

import fnmatch
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path


def read_jsonl(path: Path) -> Iterator[dict]:
    """The objects of a JSONL file; none when it is absent. A last line that was cut off is passed over.

    Raises ValueError for any other line that is no JSON.
    """
    if not path.exists():
        return
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                yield json.loads(line)
            except ValueError as error:
                if line.endswith(b"\n"):
                    raise ValueError(f"{path}, line {number}: no JSON: {error}") from error


def to_json(content: Mapping, where: str, indent: int | None = None) -> str:
    """What was read at `where` (a file, a line of it) as JSON again, in one line unless indented.

    Raises ValueError where UTF-8 cannot hold a text of it (half a character, as `\\ud800` alone).
    """
    try:
        text = json.dumps(content, ensure_ascii=False, indent=indent)
        text.encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{where} cannot be written again ({error}): take that text out of it") from error
    return text


def write_text(path: Path, text: str) -> None:
    """Write a file under a temporary name and rename it, so that no reader ever sees half of it."""
    write_parts(path, [text])


def write_parts(path: Path, parts: Iterable[str]) -> None:
    """The same of a text that comes in parts, and is never held whole."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with draft.open("w", encoding="utf-8") as file:
        file.writelines(parts)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)


def matches(path: str, patterns: tuple[str, ...]) -> bool:
    """Whether `path` matches one of the fnmatch `patterns`; `*` stays within a folder, a final `/**` does not."""
    for pattern in patterns:
        is_deep_enough = pattern.endswith("/**") or path.count("/") == pattern.count("/")
        if is_deep_enough and fnmatch.fnmatchcase(path, pattern):
            return True
    return False

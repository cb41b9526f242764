"""Whether JSON says to all what it says to us: of a key that is there twice, readers take the first or the last."""

import json
from collections.abc import Iterator
from math import isinf
from typing import Any

from verification.report import Check, judged
from verification.repository import Repository

_WHAT = "files: JSON that all readers read alike"
_PATTERNS = ("results/*.json*", "lineage.json", "adapter/lineage.json", "provenance/*.json*")


def check_json(repository: Repository) -> Check:
    """Each JSON file that is read here, line by line where it is JSONL; what is no JSON its reader has refused."""
    return judged(_WHAT, _wrong(repository))


def _wrong(repository: Repository) -> Iterator[str]:
    for pattern in _PATTERNS:
        for path in sorted(repository.folder.glob(pattern)):
            name = path.relative_to(repository.folder).as_posix()
            content = repository.path(name).read_text(encoding="utf-8", errors="replace")
            is_lines = path.suffix == ".jsonl"
            for number, text in enumerate(content.split("\n") if is_lines else [content], 1):
                if fault := _fault(text):
                    yield f"{name}{f', line {number}' if is_lines else ''}: {fault}"


def _fault(text: str) -> str | None:
    found: list[str] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        content = dict(items)
        if len(content) < len(items):
            found.append(f"a key is there twice, of {', '.join(content)}")
        return content

    def number(text: str) -> float:
        value = float(text)
        if isinf(value):
            found.append(f"{text} is beyond all numbers")
        return value

    try:
        json.loads(text, object_pairs_hook=pairs, parse_float=number)
    except (ValueError, RecursionError):
        return None
    return found[0] if found else None

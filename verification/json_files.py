"""Whether JSON says to all what it says to us: of a key that is there twice, readers take the first or the last."""

import json
import re
from collections.abc import Iterator
from math import isinf
from typing import Any

from verification.report import Check, judged
from verification.repository import Repository

_WHAT = "files: JSON that all readers read alike"
_HALF = re.compile(r"\\u[dD][89a-fA-F]")  # of a character beyond 16 bits; UTF-8 holds no half without the other
_PATTERNS = ("results/*.json*", "lineage.json", "adapter/lineage.json", "provenance/*.json*")


def check_json(repository: Repository) -> Check:
    """Each JSON file that is read here, line by line where it is JSONL; what is no JSON its reader refuses.

    Raises ValueError, in one line, for a text with half a character, which no tokenizer or report can take.
    """
    return judged(_WHAT, _wrong(repository))


def _wrong(repository: Repository) -> Iterator[str]:
    for pattern in _PATTERNS:
        for path in sorted(repository.folder.glob(pattern)):
            name = path.relative_to(repository.folder).as_posix()
            content = repository.path(name).read_text(encoding="utf-8", errors="replace")
            is_lines = path.suffix == ".jsonl"
            for number, text in enumerate(content.split("\n") if is_lines else [content], 1):
                where = f"{name}{f', line {number}' if is_lines else ''}"
                if fault := _fault(text, where):
                    yield f"{where}: {fault}"


def _fault(text: str, where: str) -> str | None:
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
        content = json.loads(text, object_pairs_hook=pairs, parse_float=number)
    except (ValueError, RecursionError):
        return None
    if _HALF.search(text) and _has_half(content):
        raise ValueError(f"{where}: half a character is in it, which UTF-8 cannot hold: its publisher has to mend that")
    return found[0] if found else None


def _has_half(content: object) -> bool:
    try:
        json.dumps(content, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False

"""A BibTeX file -> its entries, the fields as they stand there, `@string` words put in and parts (`#`) joined.

Braces count as BibTeX counts them: a backslash in front of one changes nothing. An entry ends before the next line that
starts one, so that a brace too many or too few costs that entry alone.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

_START = re.compile(r"^[ \t]*@[ \t]*(?P<kind>[A-Za-z]+)[ \t]*[{(]", re.MULTILINE)
_KEY = re.compile(r"\s*(?P<key>[^\s,={}\"]*)\s*,")
_FIELD = re.compile(r"[\s,]*(?P<name>[^\s,={}\"#]+)\s*=\s*")
_END = re.compile(r"[\s,]*[})]")
_WORD = re.compile(r"[^\s,={}\"#]+")
_JOINT = re.compile(r"\s*#\s*")
_BRACE = re.compile(r"[{}]")
_QUOTE = re.compile(r"[{}\"]")
_NO_ENTRIES = ("comment", "preamble")


class Entry(NamedTuple):
    """An entry: the line on which it starts, from 1, its key, and its fields by their names in small letters."""

    line: int
    key: str
    fields: dict[str, str]


class BadEntry(NamedTuple):
    """An entry that cannot be read, and why."""

    line: int
    reason: str


def parse_bibtex(text: str) -> Iterator[Entry | BadEntry]:
    """The entries of a BibTeX file in their order."""
    words: dict[str, str] = {}  # of @string
    starts = list(_START.finditer(text))
    ends = [start.start() for start in starts][1:] + [len(text)] if starts else []
    line, seen = 1, 0
    for start, end in zip(starts, ends, strict=True):
        line, seen = line + text.count("\n", seen, start.start()), start.start()
        kind, block = start["kind"].lower(), text[start.start() : end]
        inside = start.end() - start.start()
        if kind in _NO_ENTRIES:
            continue
        try:
            if kind == "string":
                words |= _fields(block, inside, words)
            else:
                yield _entry(block, inside, words, line)
        except ValueError as error:
            yield BadEntry(line, str(error))


def _entry(text: str, position: int, words: dict[str, str], line: int) -> Entry:
    key = _KEY.match(text, position)
    if key is None:
        raise ValueError("an entry without a key")
    return Entry(line, key["key"], _fields(text, key.end(), words))


def _fields(text: str, position: int, words: dict[str, str]) -> dict[str, str]:
    """The fields from `position` to the brace that closes the entry. Raises ValueError where there is none."""
    fields: dict[str, str] = {}
    while field := _FIELD.match(text, position):
        value, position = _value(text, field.end(), words)
        fields.setdefault(field["name"].lower(), value)
    if not _END.match(text, position):
        raise ValueError("an entry that is not closed, or has something else than `name = {value}` in it")
    return fields


def _value(text: str, position: int, words: dict[str, str]) -> tuple[str, int]:
    """A value and where it ends: parts in braces or quotes, numbers and words of @string, joined by `#`."""
    parts = []
    while True:
        part, position = _part(text, position, words)
        parts.append(part)
        joint = _JOINT.match(text, position)
        if joint is None:
            return "".join(parts), position
        position = joint.end()


def _part(text: str, position: int, words: dict[str, str]) -> tuple[str, int]:
    if text[position : position + 1] in ("{", '"'):
        end = _closing(text, position)
        return text[position + 1 : end], end + 1
    word = _WORD.match(text, position)
    if word is None:
        raise ValueError("a field without a value")
    return words.get(word[0].lower(), word[0]), word.end()


def _closing(text: str, position: int) -> int:
    """Where the brace or the quote that is opened at `position` is closed."""
    quoted = text[position] == '"'
    depth = 0 if quoted else 1
    for sign in (_QUOTE if quoted else _BRACE).finditer(text, position + 1):
        if sign[0] == '"' and depth > 0:
            continue
        depth += {"{": 1, "}": -1, '"': 0}[sign[0]]
        if depth == 0 and (sign[0] == '"' or not quoted):
            return sign.start()
    raise ValueError("a brace or a quote that is not closed")

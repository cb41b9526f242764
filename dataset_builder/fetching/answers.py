"""What strangers' services send, read in one place: JSON objects, texts, numbers, and their words in messages."""

import json
import os
import re

MAX_TEXT_CHARS = 4_000  # of a title, a DOI, a name: the longest titles of PubMed have about 1,500
_MAX_DIGITS = 18  # of a number; Python refuses to read more than 4,300
_MAX_QUOTED_CHARS = 200
_MAX_REASON_CHARS = 600
_NO_CHARACTER = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")  # no file in UTF-8 takes the last
_SECRET = "NCBI_API_KEY"  # NCBI repeats a key that it does not know in its answer


class TransferError(Exception):
    """What could not be had, and why, in one line."""


class NotThere(TransferError):
    """The server says that there is no such thing (404, 410), or that nobody may have it (401, 403, 451)."""

    def __init__(self, message: str, status: int = 404):
        super().__init__(message)
        self.is_gone = status in (404, 410)


def json_object(data: bytes, where: str) -> dict[str, object]:
    """A JSON object; a number that is too long to be one is None. Raises TransferError for anything else."""
    try:
        value = json.loads(data, parse_int=_int)
    except (ValueError, RecursionError) as error:
        raise TransferError(f"{where}: no JSON but {quoted(data)!r}") from error
    if not isinstance(value, dict):
        raise TransferError(f"{where}: no JSON object")
    return value


def _int(digits: str) -> int | None:
    return int(digits) if len(digits) <= _MAX_DIGITS else None


def as_dict(value: object) -> dict:
    return value if isinstance(value, dict) else {}


def as_list(value: object) -> list:
    return value if isinstance(value, list) else []


def text(value: object) -> str | None:
    """Text or a number as one line, without surrogates and controls; None for nothing, "null" and everything else."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    line = one_line(str(value), MAX_TEXT_CHARS)
    return line if line and line.lower() not in ("null", "none") else None


def number(value: object) -> int | None:
    """A whole number from 0 on, also as text; None for everything else."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    digits = str(value).strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= _MAX_DIGITS else None


# ---- words for messages


def one_line(words: str, most: int = _MAX_REASON_CHARS) -> str:
    """The words in one line of at most `most` characters, as a file in UTF-8 takes them."""
    return " ".join(_NO_CHARACTER.sub("", words[: 2 * most]).split())[:most]


def quoted(said: bytes | str) -> str:
    """The beginning of what a server has said, for a message: without the user's key, which some repeat."""
    words = said[: 8 * _MAX_QUOTED_CHARS]
    line = one_line(words.decode("utf-8", "replace") if isinstance(words, bytes) else words, 2 * _MAX_QUOTED_CHARS)
    key = os.environ.get(_SECRET)
    return (line.replace(key, f"[{_SECRET}]") if key else line)[:_MAX_QUOTED_CHARS]


def shown(url: str) -> str:
    """An address for a message: without its query and a password in it."""
    return re.sub(r"^(\w+://)[^/@]*@", r"\1", re.split(r"[?#]", url, maxsplit=1)[0])

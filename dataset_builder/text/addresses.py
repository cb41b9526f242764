"""E-mail addresses of authors stand in their article, but a data set need not spread them."""

import re

_NAME = r"[\w.+%'\-]*\w"
_LABEL = r"\w[\w\-]*"  # of a host's name
_HOST = rf"{_LABEL}(?:\.{_LABEL})*\.[^\W\d_]{{2,}}"
_ADDRESS = re.compile(
    rf"(?:mailto:)?{_NAME}(?:"
    rf" ?@ ?{_HOST}"  # also set with a space before or after the sign
    rf"|@{_LABEL}(?:\.{_LABEL})*[.\-] {_HOST}"  # broken at the end of a line
    rf")(?![\w@])"
)
_EMPTIED = re.compile(r"\s*[(\[<]\s*[)\]>]")  # brackets that held nothing else


def without_addresses(text: str) -> str:
    """The text without its e-mail addresses, and without brackets that are empty thereby."""
    if "@" not in text:
        return text
    return "\n".join(_without(line) if "@" in line else line for line in text.split("\n"))


def _without(line: str) -> str:
    return _EMPTIED.sub("", _ADDRESS.sub("", line)) if _ADDRESS.search(line) else line

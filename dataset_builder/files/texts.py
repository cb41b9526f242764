"""Text files as people and their programs save them: UTF-8, Excel's UTF-16, or what Windows wrote before."""

import codecs
from pathlib import Path

_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_head(path: Path, n_bytes: int) -> str:
    """The text of the first bytes of a file, to look at; what is no text is replaced. Raises OSError."""
    with path.open("rb") as file:
        data = file.read(n_bytes)
    return data.decode("utf-16" if data.startswith(_UTF16_MARKS) else "utf-8-sig", "replace")


def read_text(path: Path, max_bytes: int) -> str:
    """The text of a file in UTF-8 (with a mark or without), UTF-16 with a mark, or Windows-1252; line ends as they are.

    Raises ValueError, naming the file, for one in another encoding or with more than `max_bytes`; OSError.
    """
    size = path.stat().st_size
    if size > max_bytes:
        raise ValueError(f"{path.name}: {size} bytes of text, more than {max_bytes}")
    data = path.read_bytes()
    encodings = ("utf-16",) if data.startswith(_UTF16_MARKS) else ("utf-8-sig", "cp1252")
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ValueError(f"{path.name}: neither UTF-8 nor Windows-1252; save it as UTF-8")

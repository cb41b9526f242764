"""`article.json` beside an article's files: what the archive, or the Zotero library, that it came from says of it.

`ldrt fetch` writes it.
The article's own words go first; where it is silent, its ids, its title, its licence and its retraction are taken from
here, and where licences disagree the build says so.
"""

import json
from pathlib import Path

from typing_extensions import TypedDict  # pydantic checks it, also on Python 3.11

from trust.handovers import Kind

SIDECAR = "article.json"
FETCH_FILES = {SIDECAR, "articles.jsonl", "failed.jsonl", "changes.jsonl", "changes.jsonl.lock"}  # `ldrt fetch`'s own
FETCH_FOLDER = ".fetch"


class FetchedFile(TypedDict):
    """A file as it was fetched."""

    name: str
    bytes: int
    md5: str  # hex, of the bytes that came
    url: str | None  # None for a copy of a local file


class ArchiveWords(TypedDict):
    """What an archive says of an article."""

    license_code: str | None  # in the archive's words
    license: str | None  # SPDX id, or a Creative Commons name without its version
    may_redistribute: bool | None  # False for text-and-data-mining manuscripts; None where nothing is said
    is_retracted: bool | None
    is_manuscript: bool | None
    is_removed: bool  # from the archive, since it was fetched
    metadata_md5: str | None


NOTHING_SAID: ArchiveWords = {
    "license_code": None,
    "license": None,
    "may_redistribute": None,
    "is_retracted": None,
    "is_manuscript": None,
    "is_removed": False,
    "metadata_md5": None,
}


class Sidecar(ArchiveWords):
    """The content of `article.json`."""

    format: int
    pmcid: str | None  # None only for a reference of Zotero
    version: int | None  # of the bucket; None for Europe PMC's full text and for Zotero
    source: str  # pmc | europepmc | zotero
    doi: str | None
    pmid: str | None
    title: str | None
    listed: str  # the day of the list, or of the copy, YYYY-MM-DD
    supplements: bool  # whether they were asked for
    files: list[FetchedFile]


FORMAT = 1
ZOTERO = "zotero"  # the `source` of a copy out of a library of one's own
_FILE = Kind(Sidecar, "ldrt fetch")


def read_sidecar(folder: Path) -> Sidecar | None:
    """The `article.json` of a folder; None where there is none, or one that is not `ldrt fetch`'s.

    Raises ValueError for one of a later format.
    """
    path = folder / SIDECAR
    try:
        value = json.loads(path.read_bytes())
        found = value.get("format") if isinstance(value, dict) else None
        is_newer = isinstance(found, int) and found > FORMAT
    except (OSError, ValueError, RecursionError):
        return None
    if is_newer:
        raise ValueError(f"{path}: format {found}; this ldrt-vlm knows {FORMAT}: install a newer one")
    try:
        return _FILE.read(path)
    except (OSError, ValueError):
        return None

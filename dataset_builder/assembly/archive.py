"""What the archive that an article was fetched from says of it, where the article is silent or has been overtaken.

An article's own licence goes first; a retraction or a removal that came later does not.
"""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple, TypedDict

from dataset_builder.articles.packages import Package
from dataset_builder.articles.sidecar import ZOTERO, read_sidecar

MINING_ONLY = "author manuscript, for text and data mining only (PMC)"  # `rights` of its figures
_DISAGREES = "licence: the article says "  # begins a note
_BY_ARCHIVE = "licence stated by the archive alone"  # a note


class ArchiveSays(NamedTuple):
    """What counts of `article.json`."""

    source: str  # pmc | europepmc | zotero
    listed: str  # YYYY-MM-DD
    license: str | None  # SPDX id, or a Creative Commons name without its version
    may_redistribute: bool | None
    status: str | None  # retracted | removed
    pmcid: str | None = None
    doi: str | None = None
    title: str | None = None
    version: int | None = None  # of the article in PMC


class Archives(TypedDict):
    """Where the articles of a dataset come from: the manifest's `archives`."""

    articles: dict[str, int]  # archive -> articles
    listed: list[str]  # first and last day on which their versions were looked up


def archive_says(package: Package) -> ArchiveSays | None:
    """What the `article.json` beside a package's files says; None where there is none, or where it is of other files.

    Raises ValueError for one of a later format.
    """
    main = package.xml or package.pdf
    said = read_sidecar(main.parent) if main else None
    if main is None or said is None or main.name not in {file["name"] for file in said["files"]}:
        return None
    status = "removed" if said["is_removed"] else "retracted" if said["is_retracted"] else None
    return ArchiveSays(
        source=said["source"],
        listed=said["listed"],
        license=said["license"],
        may_redistribute=said["may_redistribute"],
        status=status,
        pmcid=said["pmcid"],
        doi=said["doi"],
        title=said["title"],
        version=said["version"],
    )


def license_and_notes(stated: str | None, said: ArchiveSays | None) -> tuple[str | None, list[str]]:
    """The licence of an article that states `stated`, and what is to be noted of it.

    "CC-BY" of the archive, which knows no versions, agrees with "CC-BY-4.0".
    """
    if said is None:
        return stated, []
    if said.may_redistribute is False:
        note = [f"{_DISAGREES}{stated}, the archive mining only"] if stated else []
        return None, note
    if stated is None:
        return said.license, [_BY_ARCHIVE] if said.license else []
    if said.license is None or _agree(stated, said.license):
        return stated, []
    return stated, [f"{_DISAGREES}{stated}, the archive {said.license}"]


def _agree(stated: str, archived: str) -> bool:
    rest = stated.removeprefix(archived)
    return stated == archived or (rest != stated and rest[:1] == "-" and rest[1:2].isdigit())


def disagrees(notes: Iterable[str]) -> bool:
    """Whether an article's `notes` say that it states another licence than its archive."""
    return any(note.startswith(_DISAGREES) for note in notes)


def archives_of(said: Iterable[ArchiveSays]) -> Archives | None:
    """Where articles come from; None where nothing is known of any. A library of one's own is no archive."""
    every = [each for each in said if each.source != ZOTERO]
    days = sorted(each.listed for each in every)
    if not days:
        return None
    return {"articles": dict(Counter(each.source for each in every)), "listed": [days[0], days[-1]]}

"""What a search finds."""

from typing import TypedDict

from dataset_builder.fetching.answers import number


class Found(TypedDict):
    """What a search says of an article; None where it says nothing."""

    pmcid: str
    version: int | None  # the one that was asked for; None for the newest
    doi: str | None
    pmid: str | None
    title: str | None
    language: str | None  # as the service has it
    year: int | None
    license: str | None  # as the service has it


def only(pmcid: str, version: int | None = None) -> Found:
    """An article of which nothing but its PMCID is known."""
    return {
        "pmcid": pmcid,
        "version": version,
        "doi": None,
        "pmid": None,
        "title": None,
        "language": None,
        "year": None,
        "license": None,
    }


def pmcid_of(value: object) -> str | None:
    """ "PMC12", "PMC12.1", "12" or 12 -> "PMC12"; None for what is no PMCID."""
    bare = value.strip().upper().removeprefix("PMC").partition(".")[0] if isinstance(value, str) else value
    digits = number(bare)
    return f"PMC{digits}" if digits and digits < 10**9 else None


def slack(total: int) -> int:
    """How many articles a search may lack of those that its service counts: it is changed while pages are read."""
    return total // 1_000

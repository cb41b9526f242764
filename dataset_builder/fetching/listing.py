"""The pinned list, `articles.jsonl`: which version of which article, with the md5 of its files, in order of PMCID.

Somebody else fetches the same bytes by it (`ldrt fetch --list articles.jsonl`). While it grows, rows are appended to
`.fetch/listed.jsonl`; the list is written whole at the end.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict, cast

from dataset_builder.articles.kinds import PICTURE_SUFFIXES
from dataset_builder.fetching.bucket import ArticleVersion, Bucket
from dataset_builder.fetching.search import Failure, Found
from dataset_builder.fetching.side_by_side import side_by_side
from dataset_builder.fetching.transfer import TransferError
from dataset_builder.files.jsonfiles import append_jsonl, read_jsonl, write_lines
from dataset_builder.files.progress import progress
from dataset_builder.text.licenses import license_id

TEXT_AND_DATA_MINING = "TDM"  # PMC's code for author manuscripts that may be mined and not redistributed
_BATCH = 100  # rows appended at once: each time waits for the disk


class ListedFile(TypedDict):
    """A file of an article; None where the service does not say."""

    name: str
    bytes: int | None
    md5: str | None  # hex


class Listed(TypedDict):
    """One article version. `source`: pmc (the bucket) or europepmc (its full text alone, without pictures)."""

    pmcid: str
    version: int | None
    source: str
    doi: str | None
    pmid: str | None
    title: str | None
    language: str | None  # as the search said
    year: int | None
    license_code: str | None  # as PMC says it
    license: str | None  # SPDX id, or a Creative Commons name without its version
    is_retracted: bool | None
    is_manuscript: bool | None
    older_versions: list[int]
    metadata_md5: str | None
    files: list[ListedFile]
    query: str  # by which it was found
    listed: str  # the day, YYYY-MM-DD


@dataclass(frozen=True)
class Stamp:
    """What every row of a list says of its making."""

    query: str
    day: str  # YYYY-MM-DD


async def list_articles(
    found: list[Found], bucket: Bucket, growing: Path, stamp: Stamp, concurrency: int
) -> list[Failure]:
    """Look up the newest version of each article and append its row to `growing`; those that are there are kept.

    Returns the articles that could not be looked up.
    """
    known = {row["pmcid"] for row in read_jsonl(growing)}
    missing = [article for article in found if article["pmcid"] not in known]
    failed: list[Failure] = []
    batch: list[Listed] = []

    async def work(article: Found) -> None:
        try:
            batch.append(await look_up(article, bucket, stamp))
        except TransferError as error:
            failed.append({"id": article["pmcid"], "reason": str(error)})
        if len(batch) >= _BATCH:
            append_jsonl(growing, batch)
            batch.clear()
        bar.update()

    with progress(len(missing), "articles", "listing") as bar:
        try:
            await side_by_side(missing, work, concurrency)
        finally:
            append_jsonl(growing, batch)
    return failed


async def look_up(article: Found, bucket: Bucket, stamp: Stamp) -> Listed:
    """The row of the newest version in the bucket; where there is none, one for Europe PMC's full text."""
    versions = await bucket.versions(article["pmcid"])
    if not versions:
        return _row(article, None, [], stamp)
    newest = max(versions)
    older = sorted(version for version in versions if version < newest)
    return _row(article, await bucket.article(article["pmcid"], newest, versions[newest]), older, stamp)


def _row(found: Found, stored: ArticleVersion | None, older: list[int], stamp: Stamp) -> Listed:
    code = stored.license_code if stored else found["license"]
    files: list[ListedFile] = [{"name": f"{found['pmcid']}.xml", "bytes": None, "md5": None}]
    if stored:
        files = [{"name": file.name, "bytes": file.bytes, "md5": file.md5} for file in stored.files]
    return {
        "pmcid": found["pmcid"],
        "version": stored.version if stored else None,
        "source": "pmc" if stored else "europepmc",
        "doi": (stored.doi if stored else None) or found["doi"],
        "pmid": (stored.pmid if stored else None) or found["pmid"],
        "title": (stored.title if stored else None) or found["title"],
        "language": found["language"],
        "year": found["year"],
        "license_code": code,
        "license": license_id([], code or ""),
        "is_retracted": stored.is_retracted if stored else None,
        "is_manuscript": stored.is_manuscript if stored else None,
        "older_versions": older,
        "metadata_md5": stored.metadata_md5 if stored else None,
        "files": files,
        "query": stamp.query,
        "listed": stamp.day,
    }


# ---- the list as a file ----


def write_list(growing: Path, path: Path, wanted: Iterable[str], licenses: Sequence[str]) -> int:
    """Write the rows of the `wanted` PMCIDs in their order, from `growing`; returns their number.

    `licenses` are the wanted ones without their versions ("CC-BY"); () for all.
    """
    place = _places(growing)
    there = sorted((pmcid for pmcid in set(wanted) if pmcid in place), key=by_number)
    with growing.open("rb") as file:

        def lines() -> Iterator[str]:
            for pmcid in there:
                file.seek(place[pmcid])
                line = file.readline().decode("utf-8")
                if not licenses or json.loads(line)["license"] in licenses:
                    yield line

        return write_lines(path, lines())


def _places(growing: Path) -> dict[str, int]:
    """PMCID -> where its row starts, in bytes: the rows of all articles need not fit into memory."""
    place: dict[str, int] = {}
    with growing.open("rb") as file:
        start = 0
        for line in file:
            if line.endswith(b"\n"):
                place[json.loads(line)["pmcid"]] = start
            start += len(line)
    return place


def by_number(pmcid: str) -> int:
    """The order of a list: "PMC99" before "PMC100"."""
    return int(pmcid.removeprefix("PMC"))


def read_list(path: Path) -> Iterator[Listed]:
    """The rows of a list. Raises FileNotFoundError, and ValueError naming the line for what is no row of one."""
    if not path.is_file():
        raise FileNotFoundError(f"no list {path}; `ldrt fetch --dry_run true` writes articles.jsonl")
    needed = {name for name in Listed.__annotations__ if name not in ("title", "language", "year", "doi", "pmid")}
    for number, row in enumerate(read_jsonl(path), 1):
        if not isinstance(row, dict) or not needed <= row.keys() or not _is_named(row):
            raise ValueError(f"{path}, line {number}: no row of a list that `ldrt fetch` wrote")
        yield cast("Listed", row)


def _is_named(row: dict) -> bool:
    """Whether ids and file names of a row, which become paths, are nothing but that."""
    names = [file["name"] for file in row["files"]]
    is_id = re.fullmatch(r"PMC\d{1,9}", row["pmcid"]) is not None and isinstance(row["version"], int | None)
    return is_id and all(Path(name).name == name and not name.startswith(".") for name in names)


# ---- what a list amounts to ----


def describe(rows: Iterable[Listed]) -> str:
    """Articles by year, language and licence, and how many bytes they are, as lines of text."""
    counts: Mapping[str, Counter[str]] = {"year": Counter(), "language": Counter(), "licence": Counter()}
    told: Counter[str] = Counter()
    size: Counter[str] = Counter()
    for row in rows:
        told["articles"] += 1
        counts["year"][str(row.get("year") or "not said")] += 1
        counts["language"][row.get("language") or "not said"] += 1
        counts["licence"][row["license"] or row["license_code"] or "not said"] += 1
        told["retracted"] += row["is_retracted"] is True
        told["author manuscripts"] += row["is_manuscript"] is True
        told["not in the bucket: Europe PMC's text without pictures"] += row["source"] == "europepmc"
        for file in row["files"]:
            size[_kind(file["name"])] += file["bytes"] or 0
    tables = [f"{name}: {_counted(table)}" for name, table in counts.items()]
    notes = [f"{n} {name}" for name, n in told.items() if n and name != "articles"]
    sizes = ", ".join(f"{name} {_gigabytes(n)}" for name, n in sorted(size.items(), key=lambda item: -item[1]))
    return "\n".join([f"{told['articles']} articles", *tables, *notes, f"bytes: {sizes or 'not said'}"])


def _kind(name: str) -> str:
    lower = name.lower()
    if lower.endswith(PICTURE_SUFFIXES):
        return "pictures"
    kinds = {".xml": "XML", ".nxml": "XML", ".pdf": "PDF", ".txt": "text (not fetched)"}
    return kinds.get(Path(lower).suffix, "supplements")


def _counted(table: Counter[str], most: int = 12) -> str:
    """ "CC-BY 12, CC0-1.0 3, 4 others 5": the most frequent ones, and the rest as one."""
    shown = table.most_common(most)
    rest = sum(table.values()) - sum(n for _, n in shown)
    words = [f"{name} {n:,}" for name, n in shown]
    return ", ".join([*words, f"others {rest:,}"] if rest else words)


def _gigabytes(n: int) -> str:
    return f"{n / 1e9:.1f} GB" if n >= 1e9 else f"{n / 1e6:.1f} MB"

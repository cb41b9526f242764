"""The pinned list, `articles.jsonl`: which version of which article, with the md5 of its files, in order of PMCID.

Somebody else fetches the same bytes by it (`ldrt fetch --list articles.jsonl`). Rows come from `.fetch/listed.jsonl`
alone, to which searches and refreshes append; of an article the last one counts. The list is written whole from it.
"""

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import (
    BinaryIO,
    NotRequired,  # pydantic checks it, also on Python 3.11
)

from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict

from dataset_builder.articles.kinds import PICTURE_SUFFIXES
from dataset_builder.articles.sidecar import SIDECAR
from dataset_builder.domain import without_version
from dataset_builder.fetching.answers import NotThere, TransferError, json_object, one_line, text
from dataset_builder.fetching.bucket import ArticleVersion, Bucket
from dataset_builder.fetching.searching.found import Found
from dataset_builder.fetching.side_by_side import Failure, article_by_article
from dataset_builder.files.jsonfiles import append_jsonl, read_jsonl, to_line, write_lines
from dataset_builder.files.progress import progress
from dataset_builder.text.licenses import license_id

TEXT_AND_DATA_MINING = "TDM"  # PMC's code for author manuscripts that may be mined and not redistributed
MAX_QUERY_CHARS = 100_000
_BLANK = b" \t\r\n\xef\xbb\xbf"  # and the mark that Windows' editors put before UTF-8
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
    is_pinned: NotRequired[bool]  # whether this version was asked for, not the newest


_LISTED = TypeAdapter(Listed)


@dataclass(frozen=True)
class Stamp:
    """What every row of a list says of its making."""

    query: str
    day: str  # YYYY-MM-DD


class NoSuchVersion(NotThere):
    """The bucket does not have the version that was asked for."""


async def list_articles(
    found: list[Found], bucket: Bucket, growing: Path, stamp: Stamp, again: Collection[str], concurrency: int
) -> list[Failure]:
    """Look up each article and append its row to `growing`; those that are there are kept, unless they are to be looked
    up `again`. Returns the articles that could not be looked up.
    """
    known = {row["pmcid"] for row in read_jsonl(growing)} - set(again)
    missing = [article for article in found if article["pmcid"] not in known]
    batch: list[Listed] = []

    async def work(article: Found) -> None:
        try:
            batch.append(await look_up(article, bucket, stamp))
            if len(batch) >= _BATCH:
                append_jsonl(growing, batch)
                batch.clear()
        finally:
            bar.update()

    with progress(len(missing), "articles", "listing") as bar:
        try:
            return await article_by_article(missing, lambda article: article["pmcid"], work, concurrency)
        finally:
            append_jsonl(growing, batch)


async def look_up(article: Found, bucket: Bucket, stamp: Stamp) -> Listed:
    """The row of the version that is asked for, else of the newest; where there is none at all, one for Europe PMC's
    full text.

    Raises TransferError, of it NoSuchVersion where another is asked for than there are.
    """
    versions = await bucket.versions(article["pmcid"])
    asked = article["version"]
    if not versions and asked is None:
        return _row(article, None, [], stamp)
    version = asked or max(versions)
    if version not in versions:
        there = ", ".join(map(str, sorted(versions))) or "none"
        raise NoSuchVersion(f"{article['pmcid']}: no version {version} in the bucket (there: {there})")
    older = sorted(each for each in versions if each < version)
    return _row(article, await bucket.article(article["pmcid"], version, versions[version]), older, stamp)


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
        "year": found["year"] or (stored.year if stored else None),
        "license_code": code,
        "license": license_id([], code or ""),
        "is_retracted": stored.is_retracted if stored else None,
        "is_manuscript": stored.is_manuscript if stored else None,
        "older_versions": older,
        "metadata_md5": stored.metadata_md5 if stored else None,
        "files": files,
        "query": stamp.query,
        "listed": stamp.day,
        "is_pinned": found["version"] is not None,
    }


# ---- the list as a file ----


def write_list(growing: Path, path: Path, wanted: Iterable[str], licenses: Sequence[str]) -> int:
    """Write the rows of the `wanted` PMCIDs in their order, from `growing`; returns their number.

    `licenses` are the wanted ones without their versions ("CC-BY"); () for all.
    """
    _compact(growing)
    place = _places(growing)
    there = sorted((pmcid for pmcid in set(wanted) if pmcid in place), key=by_number)
    with growing.open("rb") as file:

        def lines() -> Iterator[str]:
            for pmcid in there:
                line = _line_at(file, place[pmcid])
                if not licenses or without_version(json.loads(line)["license"]) in licenses:
                    yield line

        return write_lines(path, lines())


def take_over_news(path: Path, growing: Path) -> None:
    """Put the rows of `growing` in place of those of the same articles in the list `path`; all others stay."""
    place = _places(growing)
    if not place:
        return
    with growing.open("rb") as file:

        def lines() -> Iterator[str]:
            for row in read_list(path):
                start = place.get(row["pmcid"])
                yield to_line(row) if start is None else _line_at(file, start)

        write_lines(path, lines())


def _line_at(file: BinaryIO, start: int) -> str:
    file.seek(start)
    return file.readline().decode("utf-8")


def _compact(growing: Path) -> None:
    """Leave out the rows that later ones have replaced."""
    place = _places(growing)
    if len(place) < sum(1 for _ in read_jsonl(growing)):
        with growing.open("rb") as file:
            write_lines(growing, (_line_at(file, start) for start in sorted(place.values())))


def _places(growing: Path) -> dict[str, int]:
    """PMCID -> where its last row starts, in bytes: the rows of all articles need not fit into memory."""
    place: dict[str, int] = {}
    if not growing.exists():
        return place
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
        raise FileNotFoundError(f"no list {path}; `ldrt fetch --dry_run` writes articles.jsonl")
    seen: set[str] = set()
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip(_BLANK):
                continue
            row = _listed(line, f"{path}, line {number}")
            if row["pmcid"] in seen:
                raise ValueError(f"{path}, line {number}: {row['pmcid']} has a row already; take one of them out")
            seen.add(row["pmcid"])
            yield row


def _listed(line: bytes, where: str) -> Listed:
    """A row whose keys and types are right, and whose ids and names, which become paths, are nothing but that."""
    try:
        row = _LISTED.validate_python(json_object(line.strip(_BLANK), where), strict=True)
    except (TransferError, ValidationError, RecursionError) as error:
        raise ValueError(f"{where}: no row of a list that `ldrt fetch` wrote") from error
    if not _is_named(row):
        raise ValueError(f"{where}: no row of a list that `ldrt fetch` wrote: its ids or file names are none")
    return {**row, "title": text(row["title"]), "query": one_line(row["query"], MAX_QUERY_CHARS)}


def _is_named(row: Listed) -> bool:
    version, names = row["version"], [file["name"] for file in row["files"]]
    is_id = re.fullmatch(r"PMC[1-9][0-9]{0,8}", row["pmcid"]) is not None and row["source"] in ("pmc", "europepmc")
    is_version = version is None if row["source"] == "europepmc" else version is not None and 0 < version < 10**6
    return is_id and is_version and all(_is_file_name(name) for name in names)


def _is_file_name(name: str) -> bool:
    is_plain = Path(name).name == name == one_line(name) and not name.startswith(".") and "\\" not in name
    return is_plain and name != SIDECAR


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

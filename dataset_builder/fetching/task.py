"""One `ldrt fetch` from the search to the folders: what it keeps on the disk, and in which order.

OUTPUT/articles.jsonl          the pinned list          OUTPUT/failed.jsonl    what did not come, and why
OUTPUT/PMC123/…                an article               OUTPUT/.fetch/         what is under way
"""

import datetime
import hashlib
import json
import re
import shlex
import sys
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Literal, TypedDict, cast

import filelock

from dataset_builder.domain import Domain
from dataset_builder.fetching.answers import TransferError
from dataset_builder.fetching.bucket import Bucket
from dataset_builder.fetching.download import Counts, Sources, download_all
from dataset_builder.fetching.listing import Stamp, by_number, describe, list_articles, read_list, write_list
from dataset_builder.fetching.searching.esearch import Asker, search_esearch
from dataset_builder.fetching.searching.europepmc import search_europepmc
from dataset_builder.fetching.searching.found import Found
from dataset_builder.fetching.searching.ids import convert_ids, read_ids
from dataset_builder.fetching.searching.query import with_limits
from dataset_builder.fetching.side_by_side import Failure, reason_of
from dataset_builder.fetching.transfer import Client, Manners, open_client
from dataset_builder.files.errors import UsageError
from dataset_builder.files.jsonfiles import read_jsonl, write_json, write_jsonl, write_lines
from dataset_builder.files.texts import read_text

_CONTACT = re.compile(r"[^\s@()<>]+@[^\s@()<>]+\.[^\s@()<>]+|https?://[^\s()<>]+\.[^\s()<>]+")  # goes into a header
_SERVICE_RATE = 5.0  # requests a second that Europe PMC bears; it documents no limit
_NCBI_RATE = 3.0  # without a key; https://www.ncbi.nlm.nih.gov/books/NBK25497/
_NCBI_RATE_WITH_KEY = 10.0
_SHOWN_FAILURES = 3
_LOOK_UP_REQUESTS = 2  # of an article: its files, its metadata
LISTED = "listed.jsonl"  # in OUTPUT/.fetch: all rows of the list
_LIBRARY = "library-"  # begins the name of the file with a library's ids
_DIGEST_CHARS = 8  # of the hash of ids, which tells one set of them from another
_MAX_IDS_BYTES = 200_000_000  # of a file of ids: a table of all eight million articles


@dataclass(frozen=True)
class Addresses:
    """Where the services are."""

    bucket: str
    europepmc: str
    eutils: str
    converter: str


@dataclass(frozen=True)
class Fetching:
    """What to fetch and how; one of `domain`, `ids` and `pinned` says what (none: a refresh)."""

    domain: Domain | None
    ids: Path | None
    pinned: Path | None
    source: Literal["europepmc", "esearch"]
    contact: str
    dry_run: bool
    search_again: bool
    supplements: bool
    limit: int  # articles; 0 for all
    concurrency: int
    rate: float  # requests a second to the bucket
    max_file_bytes: int
    tries: int
    addresses: Addresses
    today: datetime.date

    def manners(self, world_size: int = 1) -> Manners:
        """How the services are asked: each at its own rate, which `world_size` tasks share."""
        ncbi = _NCBI_RATE_WITH_KEY if Asker(self.contact).has_key() else _NCBI_RATE
        rates = {
            _host(self.addresses.europepmc): _SERVICE_RATE,
            _host(self.addresses.converter): ncbi,
            _host(self.addresses.eutils): ncbi,
            _host(self.addresses.bucket): self.rate,
        }
        shared = {host: rate / world_size for host, rate in rates.items()}
        return Manners(self.contact, self.rate / world_size, shared, self.tries, self.max_file_bytes)


class Search(TypedDict):
    """`.fetch/search.json`: what was searched for, and what came of it."""

    query: str
    found: int  # articles in PMC
    counted: int  # of all kinds, by the service
    day: str


class NothingFoundError(RuntimeError):
    """No id names an article in PMC: `failed` says why of each."""

    def __init__(self, message: str, failed: list[Failure]):
        super().__init__(message)
        self.failed = failed


def check_contact(contact: str | None) -> str:
    """An address to write to, which goes into every request. Raises UsageError for none."""
    if not contact:
        raise UsageError("missing --contact, your e-mail address: the services ask to know whom to write to")
    if not _CONTACT.fullmatch(contact):
        raise UsageError(f"--contact {contact!r}: give an e-mail address or a web address to write to")
    return contact


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """While it lasts no other fetch works in the folder. Raises UsageError where one does already."""
    (folder / ".fetch").mkdir(parents=True, exist_ok=True)
    try:
        with filelock.FileLock(folder / ".fetch" / "lock").acquire(0):
            yield
    except filelock.Timeout as error:
        raise UsageError(f"another `ldrt fetch` works in {folder}; wait for it, or choose another folder") from error


def _host(url: str) -> str:
    return urllib.parse.urlsplit(url).netloc


def with_ids(task: Fetching, ids: list[str], output: Path) -> Fetching:
    """The task that fetches the ids of a library; those of the same library as it was before are searched for anew."""
    lines = "".join(f"{one}\n" for one in ids)
    work = output / ".fetch"
    path = work / f"{_LIBRARY}{hashlib.sha256(lines.encode()).hexdigest()[:_DIGEST_CHARS]}.txt"
    write_lines(path, [lines])
    task = replace(task, ids=path)
    done = work / "search.json"
    before = json.loads(done.read_text(encoding="utf-8"))["query"] if done.exists() else ""
    is_older = before.startswith(f"ids of {_LIBRARY}") and before != _query(task)
    return replace(task, search_again=task.search_again or is_older)


async def list_wanted(output: Path, task: Fetching) -> list[Failure]:
    """Search, and write `articles.jsonl`; returns what could not be found or looked up.

    Raises ConnectionError where a service cannot be asked, FileExistsError for a folder that holds another search,
    RuntimeError when nothing was found.
    """
    (output / ".fetch").mkdir(parents=True, exist_ok=True)
    async with open_client(task.manners()) as client:
        failed = await _listed(output, task, client, Bucket(client, task.addresses.bucket))
    write_jsonl(output / "failed.jsonl", failed)
    return failed


async def fetch_listed(
    output: Path, task: Fetching, rank: int = 0, world_size: int = 1
) -> tuple[Counts, list[Failure]]:
    """Bring the articles of `articles.jsonl` that are not there; of several tasks the share of number `rank`."""
    async with open_client(task.manners(world_size)) as client:
        sources = Sources(client, Bucket(client, task.addresses.bucket), task.addresses.europepmc)
        share = islice(read_list(output / "articles.jsonl"), rank, None, world_size)
        total = len(range(rank, count_list(output), world_size))
        return await download_all(share, output, sources, task.supplements, task.concurrency, total)


def count_list(output: Path) -> int:
    """How many articles `articles.jsonl` has."""
    return sum(1 for _ in read_list(output / "articles.jsonl"))


def finish(output: Path, unlisted: list[Failure], counts: Counts, lost: list[Failure]) -> str:
    """Write `failed.jsonl`; returns the summary. Raises RuntimeError when no article came."""
    once = {failure["id"] for failure in lost}
    failed = [*(failure for failure in unlisted if failure["id"] not in once), *lost]
    write_jsonl(output / "failed.jsonl", failed)
    if not counts["fetched"] + counts["there"]:
        raise RuntimeError(f"no article came; see {output}/failed.jsonl ({failed[0]['reason']})")
    done = f"{counts['fetched']} articles fetched, {counts['there']} were there"
    lines = [describe_list(output), done, *failure_lines(failed, output), next_step(output)]
    return "\n".join(lines)


def next_step(output: Path) -> str:
    """What to do with the articles that were fetched."""
    return f"next: ldrt build {shlex.quote(str(output))} --output dataset"


def describe_list(output: Path) -> str:
    """What `articles.jsonl` amounts to, as lines of text."""
    return describe(read_list(output / "articles.jsonl"))


async def _listed(output: Path, task: Fetching, client: Client, bucket: Bucket) -> list[Failure]:
    """Write `articles.jsonl`; returns what could not be found or looked up."""
    if task.pinned:
        return _pinned(output, task.pinned, task.limit)
    work = output / ".fetch"
    search, failed = await _searched(work, task, client)
    found = _first(cast("list[Found]", list(read_jsonl(work / "found.jsonl"))), task.limit)
    if not found:
        raise NothingFoundError(
            f"nothing found by {search['query']!r}; {search['counted']} articles that are not in PMC", failed
        )
    _announce(len(found), search, task)
    stamp = Stamp(search["query"], search["day"])
    growing = work / LISTED
    again = {row["id"] for row in read_jsonl(output / "failed.jsonl")}  # the bucket may have changed since
    failed += await list_articles(found, bucket, growing, stamp, again, task.concurrency)
    wanted = [article["pmcid"] for article in found]
    if not write_list(growing, output / "articles.jsonl", wanted, task.domain.licenses if task.domain else ()):
        why = failed[0]["reason"] if failed else "none has a licence that the domain wants"
        raise RuntimeError(f"none of {len(found)} articles is left: {why}")
    return failed


def _announce(n: int, search: Search, task: Fetching) -> None:
    """Say what was found before all of it is looked up, which may take an hour."""
    minutes = n * _LOOK_UP_REQUESTS / task.rate / 60
    takes = f"about {minutes:.0f} minutes at {task.rate:g} requests a second" if minutes >= 1 else "less than a minute"
    of_all = f"of {search['counted']:,} that the search counts, " if search["counted"] else ""
    print(f"{of_all}{n:,} articles in PMC are looked up, which takes {takes}", file=sys.stderr)


def _pinned(output: Path, pinned: Path, limit: int) -> list[Failure]:
    """Take over somebody's list. Raises ValueError for one without an article."""
    if not write_jsonl(output / "articles.jsonl", islice(read_list(pinned), limit or None)):
        raise ValueError(f"{pinned} lists no article")
    (output / ".fetch" / LISTED).unlink(missing_ok=True)  # of an earlier search or refresh: not what this list pins
    return []


def _first(found: list[Found], limit: int) -> list[Found]:
    ordered = sorted(found, key=lambda article: by_number(article["pmcid"]))
    return ordered[: limit or None]


# ---- the search ----


async def _searched(work: Path, task: Fetching, client: Client) -> tuple[Search, list[Failure]]:
    """Search once; a search that is there is kept. Its articles are in `found.jsonl`, ids that name none returned."""
    query = _query(task)
    done = work / "search.json"
    if done.exists() and not task.search_again:
        search: Search = json.loads(done.read_text(encoding="utf-8"))
        if search["query"] != query:
            raise FileExistsError(
                f"{work.parent} was fetched by another search ({search['query'][:80]!r}); choose a new --output, or "
                "give --search_again to put this search in its place"
            )
        return search, cast("list[Failure]", list(read_jsonl(work / "unknown.jsonl")))
    try:
        found, counted, unknown = await _search(task, query, client)
    except (TransferError, ValueError, RecursionError) as error:
        raise ConnectionError(f"the search did not come to its end: {reason_of(error)}; run again later") from error
    done.unlink(missing_ok=True)
    (work / LISTED).unlink(missing_ok=True)  # versions are looked up anew
    write_jsonl(work / "unknown.jsonl", unknown)
    write_jsonl(work / "found.jsonl", found)
    search = {"query": query, "found": len(found), "counted": counted, "day": task.today.isoformat()}
    write_json(done, search)
    return search, unknown


def _query(task: Fetching) -> str:
    """The query with the domain's limits; for ids the name of their file, and a hash of them."""
    if task.ids:
        ids, _ = _ids_in(task.ids)
        digest = hashlib.sha256(json.dumps(ids).encode()).hexdigest()[:_DIGEST_CHARS]
        return f"ids of {task.ids.name}, sha256 {digest}"
    assert task.domain is not None
    query = task.domain.europepmc if task.source == "europepmc" else task.domain.esearch
    if not query:
        raise ValueError(f"the domain {task.domain.name} has no query {task.source!r}")
    return with_limits(query, task.source, task.domain.languages, task.domain.years)


async def _search(task: Fetching, query: str, client: Client) -> tuple[list[Found], int, list[Failure]]:
    """The articles, how many the service counts, and ids that name none."""
    asker = Asker(task.contact)
    if task.ids:
        ids, unknown = _ids_in(task.ids)
        found, without = await convert_ids(client, task.addresses.converter, ids, asker)
        return found, len(found), [*unknown, *without]
    if task.source == "europepmc":
        pages = search_europepmc(client, task.addresses.europepmc, query)
    else:
        pages = search_esearch(client, task.addresses.eutils, query, asker, task.today)
    articles: dict[str, Found] = {}
    counted = 0
    async for page, total in pages:
        counted = total
        articles.update((article["pmcid"], article) for article in page)
    return list(articles.values()), counted, []


def _ids_in(path: Path) -> tuple[dict[str, list[str]], list[Failure]]:
    """The ids of a file by their kinds, and its lines without any."""
    if not path.is_file():
        raise FileNotFoundError(f"no file {path}; --ids wants one with PMCIDs, DOIs or PMIDs, one a line")
    return read_ids(read_text(path, _MAX_IDS_BYTES).splitlines())


# ---- what is said at the end ----


def failure_lines(failed: list[Failure], output: Path) -> list[str]:
    """The first failures, a line each, and where all of them are; [] for none."""
    if not failed:
        return []
    head = f"{len(failed)} did not come and are tried again by the next run, see {output}/failed.jsonl:"
    return [head, *(f"  {failure['id']}: {failure['reason']}" for failure in failed[:_SHOWN_FAILURES])]

"""What has become of articles since they were fetched: changed, retracted, under another licence, removed.

Each change is a line of `changes.jsonl` in the articles' folder, written before it is taken over: `article.json` is
brought up to date and a changed article fetched again, so that the next `ldrt build` leaves out what has gone. A kill
at any moment loses no change and notes none twice.
"""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

from dataset_builder.articles.sidecar import SIDECAR, Sidecar, read_sidecar
from dataset_builder.fetching.answers import TransferError
from dataset_builder.fetching.bucket import Bucket
from dataset_builder.fetching.download import Sources, download, is_there, with_news
from dataset_builder.fetching.inventory import read_inventory
from dataset_builder.fetching.listing import (
    Listed,
    NoSuchVersion,
    Stamp,
    by_number,
    look_up,
    read_list,
    take_over_news,
)
from dataset_builder.fetching.side_by_side import Failure, article_by_article, reason_of
from dataset_builder.fetching.task import LISTED, Fetching
from dataset_builder.fetching.transfer import Client, open_client
from dataset_builder.files.jsonfiles import append_jsonl, read_jsonl, write_json, write_jsonl
from dataset_builder.files.progress import progress

CHANGES = "changes.jsonl"
_SHOWN_CHANGES = 20
_REMOVED_AT_ONCE = 10  # articles of a large collection that may go in one refresh, and one in a hundred beside them
_ABOUT = {  # change -> what it is about: of the same thing no two changes in a row are alike
    "removed": "presence",
    "restored": "presence",
    "retracted": "retraction",
    "retraction_withdrawn": "retraction",
    "license": "license",
    "new_version": "files",
    "new_files": "files",
}


class Change(TypedDict):
    """A line of `changes.jsonl`: `change` is one of `_ABOUT`; of new_files the md5s of the metadata are told."""

    pmcid: str
    day: str
    change: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class There:
    """What an article's folder says of it."""

    version: int | None
    metadata_md5: str | None
    is_removed: bool
    is_pinned: bool
    is_listed_so: bool  # whether its row says the same; not after a kill between the two


@dataclass
class _Refresh:
    """A refresh under way."""

    articles: Path
    task: Fetching
    sources: Sources
    noted: Mapping[tuple[str, str], Change]  # (PMCID, what about) -> the last change
    changes: list[Change] = field(default_factory=list)
    gone: dict[str, Change] = field(default_factory=dict)  # PMCID -> its removal, which is taken over last

    @property
    def growing(self) -> Path:
        return self.articles / ".fetch" / LISTED


async def refresh(articles: Path, task: Fetching) -> str:
    """Look for changes and take them over (with `dry_run`: only tell them); returns them as text.

    Raises FileNotFoundError for a folder without fetched articles, RuntimeError where more are gone than can be true.
    """
    there, failed = _there(articles)
    if not there and not failed:
        raise FileNotFoundError(f"{articles} holds no article that `ldrt fetch` brought")
    async with open_client(task.manners()) as client:
        sources = Sources(client, Bucket(client, task.addresses.bucket), task.addresses.europepmc)
        state = _Refresh(articles, task, sources, _noted(articles))
        source, stale = await _stale(there, articles, client, sources.bucket)
        failed += await _renew_all(stale, state)
        why_kept = await _why_kept(state, there)
    if not why_kept:
        _mark_removed(state)
    state.changes.sort(key=lambda change: (by_number(change["pmcid"]), change["change"]))
    if not task.dry_run:
        take_over_news(articles / "articles.jsonl", state.growing)
        write_jsonl(articles / "failed.jsonl", [*_earlier(articles, there), *failed])
    said = _summary(source, len(stale), state.changes, failed, articles, task.dry_run)
    if why_kept:
        raise RuntimeError(f"{why_kept}. All else was looked at: {said.splitlines()[1]}")
    return said


def _there(articles: Path) -> tuple[dict[str, There], list[Failure]]:
    """The articles of the list that have been fetched, and those that a newer `ldrt fetch` has."""
    found: dict[str, There] = {}
    failed: list[Failure] = []
    for row in read_list(articles / "articles.jsonl") if (articles / "articles.jsonl").is_file() else ():
        try:
            sidecar = read_sidecar(articles / row["pmcid"])
        except ValueError as error:
            failed.append({"id": row["pmcid"], "reason": reason_of(error)})
            continue
        if sidecar:
            found[row["pmcid"]] = _of_folder(sidecar, row)
    return found, failed


def _of_folder(sidecar: Sidecar, row: Listed) -> There:
    version, metadata_md5 = sidecar["version"], sidecar["metadata_md5"]
    is_listed_so = (version, metadata_md5) == (row["version"], row["metadata_md5"])
    return There(version, metadata_md5, sidecar["is_removed"], row.get("is_pinned", False), is_listed_so)


def _earlier(articles: Path, there: Mapping[str, There]) -> list[dict]:
    """What did not come in an earlier fetch, and is not there yet."""
    return [row for row in read_jsonl(articles / "failed.jsonl") if row["id"] not in there]


async def _stale(
    there: Mapping[str, There], articles: Path, client: Client, bucket: Bucket
) -> tuple[str, dict[str, Listed]]:
    """Where news come from, and the rows of the articles that may have some; without an inventory all of them."""
    try:
        day, versions = await read_inventory(client, bucket, there.keys(), articles / ".fetch")
        source = f"the inventory of {day}"
        stale = {pmcid for pmcid, article in there.items() if _may_have_changed(article, versions.get(pmcid))}
    except TransferError as error:
        source = f"each article asked for, because there is no inventory ({error})"
        stale = set(there)
    return source, {row["pmcid"]: row for row in _rows(articles) if row["pmcid"] in stale}


def _may_have_changed(article: There, known: Mapping[int, str | None] | None) -> bool:
    if known is None or article.version is None or article.is_removed or not article.is_listed_so:
        return True
    is_newest = article.is_pinned or max(known) == article.version
    return not is_newest or known.get(article.version) != article.metadata_md5


def _rows(articles: Path) -> Iterator[Listed]:
    """The list's rows, and after them those that an interrupted refresh has not yet put into it."""
    yield from read_list(articles / "articles.jsonl")
    listed = articles / ".fetch" / LISTED
    if listed.is_file():
        yield from (row for row in read_jsonl(listed))  # type: ignore[misc]  # its rows are the list's


async def _renew_all(stale: Mapping[str, Listed], state: _Refresh) -> list[Failure]:
    async def work(row: Listed) -> None:
        try:
            await _renew(row, state)
        finally:
            bar.update()

    with progress(len(stale), "articles", "refreshing") as bar:
        concurrency = min(state.task.concurrency, len(stale))
        return await article_by_article(stale.values(), lambda row: row["pmcid"], work, concurrency)


async def _renew(old: Listed, state: _Refresh) -> None:
    """Bring one article and its row up to date; what has changed goes into `state`."""
    sidecar = read_sidecar(state.articles / old["pmcid"])
    if sidecar is None:
        return
    new = await _news(old, state)
    if new is None or (new["version"] is None and sidecar["version"] is not None):
        await _lose(old, sidecar, state)
        return
    found = [*_differences(old, new, sidecar, state.task.today.isoformat())]
    state.changes += found
    if not state.task.dry_run:
        _note(found, state)
        await _take_over(old, new, sidecar, state)


async def _news(old: Listed, state: _Refresh) -> Listed | None:
    """The row of the article as it is now; None for a pinned version that is not there any more."""
    version = old["version"] if old.get("is_pinned") else None
    stamp = Stamp(old["query"], state.task.today.isoformat())
    try:
        return await look_up(
            {
                "pmcid": old["pmcid"],
                "version": version,
                "doi": old["doi"],
                "pmid": old["pmid"],
                "title": old["title"],
                "language": old["language"],
                "year": old["year"],
                "license": old["license_code"],
            },
            state.sources.bucket,
            stamp,
        )
    except NoSuchVersion:
        return None


async def _take_over(old: Listed, new: Listed, sidecar: Sidecar, state: _Refresh) -> None:
    """Write what is said of the article first, then bring its files, then its row: a kill repeats it from the start."""
    folder = state.articles / new["pmcid"]
    said = with_news(sidecar, new)
    if is_there(new, state.articles, sidecar["supplements"]) and not _has_new_files(old, new, sidecar):
        if said != sidecar:
            write_json(folder / SIDECAR, said)
    else:
        write_json(folder / SIDECAR, {**said, "metadata_md5": sidecar["metadata_md5"]})
        await download(new, state.articles, state.sources, sidecar["supplements"])
    if {**new, "listed": old["listed"]} != old:
        append_jsonl(state.growing, [new])


# ---- what has changed


def _differences(old: Listed, new: Listed, sidecar: Sidecar, day: str) -> Iterator[Change]:
    pmcid = old["pmcid"]
    if sidecar["is_removed"]:
        yield _change(pmcid, day, "restored", None, new["version"])
    if new["version"] != sidecar["version"]:
        yield _change(pmcid, day, "new_version", sidecar["version"], new["version"])
    elif _has_new_files(old, new, sidecar):
        yield _change(pmcid, day, "new_files", old["metadata_md5"], new["metadata_md5"])
    if new["license_code"] != sidecar["license_code"]:
        yield _change(pmcid, day, "license", sidecar["license_code"], new["license_code"])
    if new["is_retracted"] and not sidecar["is_retracted"]:
        yield _change(pmcid, day, "retracted", sidecar["is_retracted"], True)
    if new["is_retracted"] is False and sidecar["is_retracted"]:
        yield _change(pmcid, day, "retraction_withdrawn", True, False)


def _has_new_files(old: Listed, new: Listed, sidecar: Sidecar) -> bool:
    """Whether a version has other files than it had, and they have not been brought by a refresh that was killed."""
    is_brought = new["metadata_md5"] is not None and new["metadata_md5"] == sidecar["metadata_md5"]
    return old["version"] == new["version"] and _md5s(new) != _md5s(old) and not is_brought


def _change(pmcid: str, day: str, name: str, before: object, after: object) -> Change:
    said = [None if value is None else str(value) for value in (before, after)]
    return {"pmcid": pmcid, "day": day, "change": name, "before": said[0], "after": said[1]}


def _md5s(row: Listed) -> dict[str, str | None]:
    return {file["name"]: file["md5"] for file in row["files"]}


def _noted(articles: Path) -> dict[tuple[str, str], Change]:
    """(PMCID, what about) -> the last change that is noted."""
    rows = read_jsonl(articles / CHANGES)
    return {(row["pmcid"], _ABOUT.get(row["change"], row["change"])): row for row in rows}  # type: ignore[misc]


def _note(found: list[Change], state: _Refresh) -> None:
    """Append the changes that an interrupted refresh has not noted already."""
    new = [change for change in found if not _is_noted(change, state)]
    if new:
        append_jsonl(state.articles / CHANGES, new)


def _is_noted(change: Change, state: _Refresh) -> bool:
    last = state.noted.get((change["pmcid"], _ABOUT[change["change"]]))
    return last is not None and {**last, "day": change["day"]} == change


# ---- what is gone


async def _lose(old: Listed, sidecar: Sidecar, state: _Refresh) -> None:
    """Remember that the bucket has the article no more. Raises TransferError where it only seems so."""
    if sidecar["is_removed"] or sidecar["version"] is None:
        return
    if await state.sources.bucket.has_metadata(old["pmcid"], sidecar["version"]):
        raise TransferError(f"{old['pmcid']}: the bucket lists no file of it and yet has its metadata; ask again later")
    day = state.task.today.isoformat()
    state.gone[old["pmcid"]] = _change(old["pmcid"], day, "removed", sidecar["version"], None)


async def _why_kept(state: _Refresh, there: Mapping[str, There]) -> str | None:
    """Why articles that seem to be gone are not marked so; None where they may be."""
    n_there = sum(not article.is_removed for article in there.values())
    most = max(1, min(n_there // 2, _REMOVED_AT_ONCE + n_there // 100))
    if not state.gone:
        return None
    address = state.task.addresses.bucket
    if not await state.sources.bucket.has_articles():
        return f"{address} lists no article at all: an outage, or another address; none was marked as removed"
    if len(state.gone) > most:
        return (
            f"{len(state.gone)} of {n_there} articles seem to be removed from {address}, which looks like a wrong "
            f"address or an outage; none was marked so (delete their folders if they are gone for good: "
            f"{', '.join([*state.gone][:3])} …)"
        )
    return None


def _mark_removed(state: _Refresh) -> None:
    for pmcid, change in state.gone.items():
        state.changes.append(change)
        folder = state.articles / pmcid
        sidecar = read_sidecar(folder)
        if sidecar and not state.task.dry_run:
            _note([change], state)
            write_json(folder / SIDECAR, {**sidecar, "is_removed": True})


def _summary(
    source: str, looked_at: int, changes: list[Change], failed: list[Failure], articles: Path, dry_run: bool
) -> str:
    names = [change["change"] for change in changes]
    counted = [f"{names.count(name)} {name}" for name in dict.fromkeys(sorted(names))]
    lines = [f"by {source}; {looked_at} articles looked at", ", ".join(counted) or "nothing has changed"]
    shown = changes[:_SHOWN_CHANGES]
    lines += [f"  {each['pmcid']}: {each['change']}, {each['before']} -> {each['after']}" for each in shown]
    if failed:
        lines.append(f"{len(failed)} could not be asked for; run again ({failed[0]['id']}: {failed[0]['reason']})")
    if changes and not dry_run:
        lines.append(
            f"{articles / CHANGES}; next: ldrt build {shlex.quote(str(articles))} --output DATASET takes their rows out"
        )
    return "\n".join(lines)

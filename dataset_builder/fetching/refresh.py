"""What has become of articles since they were fetched: changed, retracted, under another licence, removed.

Each change is a line of `changes.jsonl` in the articles' folder; `article.json` is brought up to date and a changed
article fetched again, so that the next `ldrt build` leaves out what has gone.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict, cast

from dataset_builder.articles.sidecar import SIDECAR, Sidecar, read_sidecar
from dataset_builder.fetching.bucket import Bucket
from dataset_builder.fetching.download import Sources, download, with_news
from dataset_builder.fetching.inventory import Versions, read_inventory
from dataset_builder.fetching.listing import Listed, Stamp, by_number, look_up, read_list
from dataset_builder.fetching.search import Failure, Found
from dataset_builder.fetching.side_by_side import side_by_side
from dataset_builder.fetching.task import Fetching
from dataset_builder.fetching.transfer import Client, TransferError, open_client
from dataset_builder.files.jsonfiles import append_jsonl, write_json, write_jsonl
from dataset_builder.files.progress import progress

CHANGES = "changes.jsonl"
_SHOWN_CHANGES = 20


class Change(TypedDict):
    """A line of `changes.jsonl`: `change` is new_version, new_files, license, retracted, removed or restored."""

    pmcid: str
    day: str
    change: str
    before: str | None
    after: str | None


async def refresh(articles: Path, task: Fetching) -> str:
    """Look for changes and take them over (with `dry_run`: only tell them); returns them as text.

    Raises FileNotFoundError for a folder without fetched articles.
    """
    listed = {row["pmcid"]: row for row in _rows(articles)}
    if not listed:
        raise FileNotFoundError(f"{articles} holds no article that `ldrt fetch` brought")
    changes: list[Change] = []
    failed: list[Failure] = []
    async with open_client(task.manners()) as client:
        sources = Sources(client, Bucket(client, task.addresses.bucket), task.addresses.europepmc)
        source, stale = await _stale(articles, listed, client, sources.bucket)

        async def work(pmcid: str) -> None:
            try:
                changes.extend(await _renew(listed, pmcid, articles, sources, task))
            except TransferError as error:
                failed.append({"id": pmcid, "reason": str(error)})
            bar.update()

        with progress(len(stale), "articles", "refreshing") as bar:
            await side_by_side(stale, work, task.concurrency)
    changes.sort(key=lambda change: (by_number(change["pmcid"]), change["change"]))
    if not task.dry_run:
        write_jsonl(articles / "articles.jsonl", sorted(listed.values(), key=lambda row: by_number(row["pmcid"])))
        write_jsonl(articles / "failed.jsonl", failed)
        append_jsonl(articles / CHANGES, changes)
    return _summary(source, len(stale), changes, failed, articles, task.dry_run)


def _rows(articles: Path) -> Iterator[Listed]:
    """The list's rows of the articles that are there."""
    if (articles / "articles.jsonl").is_file():
        for row in read_list(articles / "articles.jsonl"):
            if (articles / row["pmcid"] / SIDECAR).is_file():
                yield row


async def _stale(articles: Path, listed: dict[str, Listed], client: Client, bucket: Bucket) -> tuple[str, list[str]]:
    """Where news come from, and the articles that may have some; without an inventory all of them."""
    try:
        day, versions = await read_inventory(client, bucket, listed.keys(), articles / ".fetch")
    except TransferError as error:
        return f"each article asked for, because there is no inventory ({error})", list(listed)
    stale = [
        pmcid for pmcid, row in listed.items() if _may_have_changed(row, versions) or _is_removed(articles / pmcid)
    ]
    return f"the inventory of {day}", stale


def _is_removed(folder: Path) -> bool:
    """Whether an earlier refresh found the article gone: it may be back."""
    sidecar = read_sidecar(folder)
    return sidecar is not None and sidecar["is_removed"]


def _may_have_changed(row: Listed, versions: Versions) -> bool:
    known = versions.get(row["pmcid"])
    if known is None or row["version"] is None:
        return True
    return max(known) != row["version"] or known[row["version"]] != row["metadata_md5"]


async def _renew(
    listed: dict[str, Listed], pmcid: str, articles: Path, sources: Sources, task: Fetching
) -> list[Change]:
    """Bring one article and its row up to date; returns what has changed."""
    old, folder = listed[pmcid], articles / pmcid
    sidecar = read_sidecar(folder)
    if sidecar is None:
        return []
    found = cast("Found", {**old, "license": old["license_code"]})
    new = await look_up(found, sources.bucket, Stamp(old["query"], task.today.isoformat()))
    is_gone = new["version"] is None and old["version"] is not None
    changes = [*_differences(old, new, sidecar, is_gone, task)]
    if task.dry_run or not changes:
        return changes
    if is_gone:
        write_json(folder / SIDECAR, {**sidecar, "is_removed": True})
        return changes
    listed[pmcid] = new
    if any(change["change"] in ("new_version", "new_files") for change in changes):
        await download(new, articles, sources, sidecar["supplements"])
    else:
        write_json(folder / SIDECAR, with_news(sidecar, new))
    return changes


def _differences(old: Listed, new: Listed, sidecar: Sidecar, is_gone: bool, task: Fetching) -> Iterator[Change]:
    def change(name: str, before: object, after: object) -> Change:
        said = [None if value is None else str(value) for value in (before, after)]
        return {
            "pmcid": old["pmcid"],
            "day": task.today.isoformat(),
            "change": name,
            "before": said[0],
            "after": said[1],
        }

    if is_gone:
        if not sidecar["is_removed"]:
            yield change("removed", old["version"], None)
        return
    if sidecar["is_removed"]:
        yield change("restored", None, new["version"])
    if new["version"] != old["version"]:
        yield change("new_version", old["version"], new["version"])
    elif _md5s(new) != _md5s(old):
        yield change("new_files", None, None)
    if new["license_code"] != sidecar["license_code"]:
        yield change("license", sidecar["license_code"], new["license_code"])
    if new["is_retracted"] and not sidecar["is_retracted"]:
        yield change("retracted", sidecar["is_retracted"], True)


def _md5s(row: Listed) -> dict[str, str | None]:
    return {file["name"]: file["md5"] for file in row["files"]}


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
        lines.append(f"{articles / CHANGES}; next: ldrt build {articles} --output DATASET takes their rows out")
    return "\n".join(lines)

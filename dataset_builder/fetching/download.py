"""Article versions of a list -> folders as `ldrt build` reads them: XML, PDF, pictures and `article.json`.

    ARTICLES/PMC123/PMC123.2.xml, PMC123.2.pdf, fig1.jpg, article.json

A folder is put together in `ARTICLES/.fetch/parts` and renamed into place, so that it is there whole or not at all;
what a kill has left there is not asked for again.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from dataset_builder.articles.kinds import XML_SUFFIXES
from dataset_builder.articles.pictures import by_ending, find_pictures
from dataset_builder.articles.sidecar import FORMAT, NOTHING_SAID, SIDECAR, FetchedFile, Sidecar, read_sidecar
from dataset_builder.fetching.answers import TransferError
from dataset_builder.fetching.bucket import Bucket
from dataset_builder.fetching.hrefs import check_article, graphic_hrefs
from dataset_builder.fetching.listing import TEXT_AND_DATA_MINING, Listed, ListedFile
from dataset_builder.fetching.parts import keep_only, make_parts, md5_of, put_folder, refuse_foreign
from dataset_builder.fetching.side_by_side import Failure, article_by_article
from dataset_builder.fetching.transfer import Client
from dataset_builder.files.jsonfiles import write_json
from dataset_builder.files.progress import progress

_NEVER = (".txt", ".json")  # the article's text once more, and its metadata, which `article.json` holds


@dataclass(frozen=True)
class Sources:
    """Where articles come from."""

    client: Client
    bucket: Bucket
    europepmc_url: str


class Counts(TypedDict):
    """What a run did, in articles."""

    fetched: int
    there: int  # already


async def download_all(
    rows: Iterable[Listed], articles: Path, sources: Sources, supplements: bool, concurrency: int, total: int
) -> tuple[Counts, list[Failure]]:
    """Bring every article of the list that is not there in its version; one that fails does not stop the others."""
    counts: Counts = {"fetched": 0, "there": 0}

    async def work(row: Listed) -> None:
        try:
            if is_there(row, articles, supplements):
                counts["there"] += 1
            else:
                await download(row, articles, sources, supplements)
                counts["fetched"] += 1
        finally:
            bar.set_postfix_str(f"{sources.client.bytes_received / 1e6:,.0f} MB", refresh=False)
            bar.update()

    with progress(total, "articles", "fetching") as bar:
        failed = await article_by_article(rows, lambda row: row["pmcid"], work, min(concurrency, total))
    return counts, failed


def is_there(row: Listed, articles: Path, supplements: bool) -> bool:
    """Whether the folder of the article holds this version, with supplements where they are wanted."""
    sidecar = read_sidecar(articles / row["pmcid"])
    if sidecar is None or (sidecar["version"], sidecar["source"]) != (row["version"], row["source"]):
        return False
    md5s = {file["name"]: file["md5"] for file in row["files"]}
    same = all(md5s.get(file["name"]) in (None, file["md5"]) for file in sidecar["files"])
    return same and (sidecar["supplements"] or not supplements)


async def download(row: Listed, articles: Path, sources: Sources, supplements: bool) -> None:
    """Bring one article. Raises TransferError, OSError, and ValueError where somebody else's folder is in the way."""
    name = row["pmcid"] if row["version"] is None else f"{row['pmcid']}.{row['version']}"
    refuse_foreign(articles / row["pmcid"], {file["name"] for file in row["files"]})
    parts = articles / ".fetch" / "parts" / name
    make_parts(parts)
    xml = _xml_of(row, name)
    await _bring(row, xml, parts, sources)
    hrefs = await asyncio.to_thread(_read_xml, row, parts / xml["name"])
    files = [xml, *wanted(row["files"], name, hrefs, supplements)]
    for file in files[1:]:
        await _bring(row, file, parts, sources)
    keep_only(parts, {file["name"] for file in files})
    write_json(parts / SIDECAR, _sidecar(row, files, parts, sources, supplements))
    put_folder(parts, articles / row["pmcid"], articles / ".fetch" / "old")


def _xml_of(row: Listed, name: str) -> ListedFile:
    xmls = [file for file in row["files"] if file["name"].lower().endswith(XML_SUFFIXES)]
    own = [file for file in xmls if file["name"] == f"{name}.xml"] or xmls[:1]
    if not own:
        raise TransferError(f"{name}: no XML among its files")
    return own[0]


def _read_xml(row: Listed, path: Path) -> list[str]:
    """The hrefs of its figures. Raises TransferError where Europe PMC, which says no md5, has sent something else."""
    xml = path.read_bytes()
    if row["source"] == "europepmc":
        try:
            check_article(xml, f"{row['pmcid']}, full text of Europe PMC")
        except TransferError:
            path.unlink()
            raise
    return graphic_hrefs(xml)


def wanted(files: Iterable[ListedFile], name: str, hrefs: Iterable[str], supplements: bool) -> list[ListedFile]:
    """Which of an article's files are fetched beside its XML: its PDF, the pictures of its figures, and supplements.

    A picture is a figure's where a `<graphic>` of the XML names it by one of the `hrefs`; of several formats the one
    that `ldrt build` takes. Names that differ in case alone are all taken.
    """
    by_name = {file["name"]: file for file in files}
    spellings: dict[str, list[str]] = {}
    for each in by_name:
        spellings.setdefault(each.lower(), []).append(each)
    pictures = by_ending(spellings)
    taken = [each for href in hrefs if (found := find_pictures(pictures, href)) for each in found[0]]
    names = [f"{name}.pdf", *taken]
    if supplements:
        names += [each for each in by_name if not each.lower().endswith((*_NEVER, *XML_SUFFIXES))]
    return [by_name[each] for each in dict.fromkeys(names) if each in by_name]


async def _bring(row: Listed, file: ListedFile, parts: Path, sources: Sources) -> None:
    path = parts / file["name"]
    if path.exists() and file["bytes"] in (None, path.stat().st_size) and file["md5"] in (None, md5_of(path)):
        return
    await sources.client.download(_address(row, file["name"], sources), path, file["md5"], file["bytes"])


def _address(row: Listed, name: str, sources: Sources) -> str:
    if row["source"] == "europepmc":
        return f"{sources.europepmc_url.rstrip('/')}/{row['pmcid']}/fullTextXML"
    return sources.bucket.address(f"{row['pmcid']}.{row['version']}/{name}")


def _sidecar(row: Listed, files: list[ListedFile], parts: Path, sources: Sources, supplements: bool) -> Sidecar:
    fetched: list[FetchedFile] = []
    for file in files:
        path = parts / file["name"]
        md5 = file["md5"] or md5_of(path)
        url = _address(row, file["name"], sources)
        fetched.append({"name": file["name"], "bytes": path.stat().st_size, "md5": md5, "url": url})
    said: Sidecar = {
        "format": FORMAT,
        "pmcid": row["pmcid"],
        "version": row["version"],
        "source": row["source"],
        "doi": row["doi"],
        "pmid": row["pmid"],
        "title": row["title"],
        **NOTHING_SAID,
        "listed": row["listed"],
        "supplements": supplements,
        "files": fetched,
    }
    return with_news(said, row)


def with_news(sidecar: Sidecar, row: Listed) -> Sidecar:
    """The sidecar with what a row of the list says of the article, whose files are the same."""
    return {
        **sidecar,
        "license_code": row["license_code"],
        "license": row["license"],
        "may_redistribute": False if row["license_code"] == TEXT_AND_DATA_MINING else None,
        "is_retracted": sidecar["is_retracted"] if row["is_retracted"] is None else row["is_retracted"],
        "is_manuscript": row["is_manuscript"],
        "is_removed": False,
        "metadata_md5": row["metadata_md5"],
    }

"""PMC's article datasets in their public bucket: which versions and files there are of an article, and what they are.

Layout, field names and the types that vary are NLM's: https://pmc.ncbi.nlm.nih.gov/tools/pmcaws/ (August 2026). Nothing
of it was tried live by this project: everything is read tolerantly, and the address is an option.
"""

import json
import re
import urllib.parse
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass

from lxml import etree

from dataset_builder.fetching.transfer import Client, NotThere, TransferError

_KEY = re.compile(r"(?P<folder>(?P<pmcid>PMC\d+)\.(?P<version>\d+))/(?P<name>[^/\\\x00-\x1f\x7f]{1,200})")
_MD5 = re.compile(r"[0-9a-f]{32}", re.IGNORECASE)
_S3_NAMESPACE = "{*}"


@dataclass(frozen=True)
class Stored:
    """A file in the bucket: `md5` (hex) is None where only the length is known."""

    name: str
    bytes: int | None
    md5: str | None


@dataclass(frozen=True)
class ArticleVersion:
    """One version of an article as its metadata and the bucket's listing have it.

    `license_code` is PMC's own word ("CC BY", "TDM"), None where it says nothing.
    """

    pmcid: str
    version: int
    files: tuple[Stored, ...]
    license_code: str | None
    title: str | None
    doi: str | None
    pmid: str | None
    is_retracted: bool | None
    is_manuscript: bool | None
    metadata_md5: str | None  # by which a later change is seen


class Bucket:
    """The bucket at an address, asked through a `Client`."""

    def __init__(self, client: Client, url: str):
        self._client, self._url = client, url.rstrip("/")

    def address(self, key: str) -> str:
        """Where the file with this key is downloaded."""
        return f"{self._url}/{urllib.parse.quote(key)}"

    async def versions(self, pmcid: str) -> dict[int, list[Stored]]:
        """Version -> its files; {} for an article that is not there. Files in folders of their own are left out."""
        found: dict[int, list[Stored]] = {}
        async for key, size, etag in self._listing(f"{pmcid}."):
            match = _KEY.fullmatch(key)
            if match and match["pmcid"] == pmcid and not match["name"].startswith("."):
                found.setdefault(int(match["version"]), []).append(Stored(match["name"], size, md5_of_etag(etag)))
        return found

    async def folders(self, prefix: str) -> list[str]:
        """The folders right below one: "a/" -> ["a/b/", "a/c/"]."""
        pages = self._pages({"prefix": prefix, "delimiter": "/"})
        found = [page.iterfind(f"{_S3_NAMESPACE}CommonPrefixes/{_S3_NAMESPACE}Prefix") async for page in pages]
        return [entry.text or "" for entries in found for entry in entries]

    async def _listing(self, prefix: str) -> AsyncIterator[tuple[str, int | None, str]]:
        """(key, bytes, ETag) of all keys that start with `prefix`."""
        async for page in self._pages({"prefix": prefix}):
            for entry in page.iterfind(f"{_S3_NAMESPACE}Contents"):
                key, size, etag = (entry.findtext(f"{_S3_NAMESPACE}{name}") or "" for name in ("Key", "Size", "ETag"))
                yield key, int(size) if size.isdecimal() else None, etag

    async def _pages(self, asked: Mapping[str, str]) -> AsyncIterator[etree._Element]:
        """The pages of a listing, of a thousand keys each."""
        query = {"list-type": "2", **asked}
        while True:
            page = _xml(await self._client.get(f"{self._url}/", query), self._url)
            yield page
            following = page.findtext(f"{_S3_NAMESPACE}NextContinuationToken")
            if not following or following == query.get("continuation-token"):
                return
            query["continuation-token"] = following

    async def article(self, pmcid: str, version: int, listed: Iterable[Stored]) -> ArticleVersion:
        """What the metadata of a version say, its files with the md5 that these give.

        `listed` are the files of the bucket's listing: only they are there, whatever the metadata name. Raises
        TransferError when there are no metadata or they are no JSON object.
        """
        url = self.address(f"metadata/{pmcid}.{version}.json")
        try:
            data = await self._client.get(url)
        except NotThere:
            url = self.address(f"{pmcid}.{version}/{pmcid}.{version}.json")
            data = await self._client.get(url)
        return _article(pmcid, version, list(listed), _json_object(data, url))


def _article(pmcid: str, version: int, listed: list[Stored], said: Mapping[str, object]) -> ArticleVersion:
    named = _named_md5s(said, f"{pmcid}.{version}")
    own = f"{pmcid}.{version}.json"
    return ArticleVersion(
        pmcid=pmcid,
        version=version,
        files=tuple(
            Stored(file.name, file.bytes, named.get(file.name) or file.md5) for file in listed if file.name != own
        ),
        license_code=_text(said.get("license_code")),
        title=_text(said.get("title")),
        doi=_text(said.get("doi")),
        pmid=_text(said.get("pmid")),
        is_retracted=_truth(said.get("is_retracted")),
        is_manuscript=_truth(said.get("is_manuscript")),
        metadata_md5=next((file.md5 for file in listed if file.name == own), None),
    )


def _named_md5s(said: Mapping[str, object], folder: str) -> dict[str, str]:
    """File name -> md5, from the addresses of the metadata: "s3://bucket/PMC1.1/a.jpg?md5=…". Hosts do not count."""
    found: dict[str, str] = {}
    for name in ("xml_url", "pdf_url", "text_url", "media_urls"):
        value = said.get(name)
        for url in value if isinstance(value, list) else [value]:
            if not isinstance(url, str):
                continue
            parts = urllib.parse.urlsplit(url)
            key = urllib.parse.unquote(parts.path).lstrip("/")
            md5 = urllib.parse.parse_qs(parts.query).get("md5", [""])[0]
            if key.startswith(f"{folder}/") and _MD5.fullmatch(md5):
                found[key.removeprefix(f"{folder}/")] = md5.lower()
    return found


def md5_of_etag(etag: str) -> str | None:
    """The md5 that the ETag of a small object is; None for the "md5-N" of one that was uploaded in parts."""
    bare = etag.strip().strip('"')
    return bare.lower() if _MD5.fullmatch(bare) else None


def _xml(data: bytes, url: str) -> etree._Element:
    """A page of the listing, read without entities, DTD or network."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise TransferError(f"{url}: its listing is no XML ({error.msg})") from error
    if etree.QName(root).localname != "ListBucketResult":
        raise TransferError(f"{url}: no listing but <{root.tag}>")
    return root


def _json_object(data: bytes, url: str) -> dict[str, object]:
    try:
        value = json.loads(data)
    except ValueError as error:
        raise TransferError(f"{url}: no JSON ({error})") from error
    if not isinstance(value, dict):
        raise TransferError(f"{url}: no JSON object")
    return value


def _text(value: object) -> str | None:
    """Text or a number as text; None for nothing, "null" and everything else."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    text = " ".join(str(value).split())
    return text if text and text.lower() not in ("null", "none") else None


def _truth(value: object) -> bool | None:
    """What a flag says, whether it is a boolean or a word; None where it says nothing."""
    word = str(value).strip().lower()
    return True if word in ("true", "1", "yes", "y") else False if word in ("false", "0", "no", "n") else None

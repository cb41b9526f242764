"""PMC's article datasets in their public bucket: which versions and files there are of an article, and what they are.

Layout, field names and the types that vary are NLM's: https://pmc.ncbi.nlm.nih.gov/tools/pmcaws/ (August 2026). Nothing
of it was tried live by this project: everything is read tolerantly, and the address is an option.
"""

import re
import urllib.parse
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from dataclasses import dataclass

from lxml import etree

from dataset_builder.fetching.answers import NotThere, TransferError, json_object, number, quoted, shown, text
from dataset_builder.fetching.transfer import Client

_KEY = re.compile(r"(?P<pmcid>PMC\d{1,9})\.(?P<version>\d{1,6})/(?P<name>[^/\\\x00-\x1f\x7f]{1,200})")
_NAMED_MD5 = re.compile(r"(?:\w+://[^/]*)?/*(?P<key>.+)\?(?:[^?]*&)?md5=(?P<md5>[0-9a-fA-F]{32})(?:&[^?]*)?")
_MAX_ADDRESS_CHARS = 2_000
_MOST_KEYS = 100_000  # of a listing: the articles with most files have some thousands
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
    year: int | None  # of publication, as its citation has it
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

    async def _listing(self, prefix: str, most: int = 1_000) -> AsyncIterator[tuple[str, int | None, str]]:
        """(key, bytes, ETag) of all keys that start with `prefix`, at `most` so many a page."""
        async for page in self._pages({"prefix": prefix, "max-keys": str(most)}):
            for entry in page.iterfind(f"{_S3_NAMESPACE}Contents"):
                key, size, etag = (entry.findtext(f"{_S3_NAMESPACE}{name}") or "" for name in ("Key", "Size", "ETag"))
                yield key, number(size), etag

    async def _pages(self, asked: Mapping[str, str]) -> AsyncIterator[etree._Element]:
        """The pages of a listing. Raises TransferError for one that does not come to its end."""
        query, seen = {"list-type": "2", **asked}, set[str]()
        while True:
            page = _xml(await self._client.get(f"{self._url}/", query), shown(self._url))
            yield page
            following = page.findtext(f"{_S3_NAMESPACE}NextContinuationToken")
            if not following:
                return
            new = {entry.text or "" for entry in page.iter(f"{_S3_NAMESPACE}Key", f"{_S3_NAMESPACE}Prefix")} - seen
            seen |= new
            if not new or len(seen) > _MOST_KEYS:
                raise TransferError(f"{shown(self._url)}: its listing of {quoted(asked['prefix'])!r} does not end")
            query["continuation-token"] = following

    async def article(self, pmcid: str, version: int, listed: Iterable[Stored]) -> ArticleVersion:
        """What the metadata of a version say, its files with the md5 that these give.

        `listed` are the files of the bucket's listing: only they are there, whatever the metadata name. Raises
        TransferError when there are no metadata or they are no JSON object.
        """
        said = await self._metadata(pmcid, version)
        return _article(pmcid, version, list(listed), said)

    async def _metadata(self, pmcid: str, version: int) -> dict[str, object]:
        url = self.address(f"metadata/{pmcid}.{version}.json")
        try:
            data = await self._client.get(url)
        except NotThere:
            url = self.address(f"{pmcid}.{version}/{pmcid}.{version}.json")
            data = await self._client.get(url)
        return json_object(data, shown(url))

    async def has_metadata(self, pmcid: str, version: int) -> bool:
        """Whether a version is there though a listing has none. Raises TransferError where that cannot be told."""
        try:
            await self._metadata(pmcid, version)
        except NotThere as error:
            if error.is_gone:
                return False
            raise
        return True

    async def has_articles(self) -> bool:
        """Whether the bucket lists any article at all: what answers for it in an outage lists none."""
        async for _ in self._listing("PMC", most=1):
            return True
        return False


def _article(pmcid: str, version: int, listed: list[Stored], said: Mapping[str, object]) -> ArticleVersion:
    own = f"{pmcid}.{version}.json"
    named = _named_md5s(said, f"{pmcid}.{version}", {file.name for file in listed})
    return ArticleVersion(
        pmcid=pmcid,
        version=version,
        files=tuple(
            Stored(file.name, file.bytes, named.get(file.name) or file.md5) for file in listed if file.name != own
        ),
        license_code=text(said.get("license_code")),
        title=text(said.get("title")),
        doi=text(said.get("doi")),
        pmid=text(said.get("pmid")),
        year=_year(text(said.get("citation"))),
        is_retracted=_retraction(said.get("is_retracted")),
        is_manuscript=_truth(said.get("is_manuscript")),
        metadata_md5=next((file.md5 for file in listed if file.name == own), None),
    )


def _named_md5s(said: Mapping[str, object], folder: str, listed: Collection[str]) -> dict[str, str]:
    """File name -> md5, from the addresses of the metadata: "s3://bucket/PMC1.1/a.jpg?md5=…". Hosts do not count.

    A "%20" may be a space or itself: the name that is `listed` counts.
    """
    found: dict[str, str] = {}
    for field in ("xml_url", "pdf_url", "text_url", "media_urls"):
        value = said.get(field)
        for url in value if isinstance(value, list) else [value]:
            match = _NAMED_MD5.fullmatch(url) if isinstance(url, str) and len(url) <= _MAX_ADDRESS_CHARS else None
            if match and match["key"].startswith(f"{folder}/"):
                written = match["key"].removeprefix(f"{folder}/")
                name = next((each for each in (written, urllib.parse.unquote(written)) if each in listed), None)
                if name:
                    found[name] = match["md5"].lower()
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


def _truth(value: object) -> bool | None:
    """What a flag says, whether it is a boolean or a word; None where it says nothing."""
    word = str(value).strip().lower()
    return True if word in ("true", "1", "yes", "y") else False if word in ("false", "0", "no", "n") else None


def _retraction(value: object) -> bool | None:
    """As `_truth`; a statement of retraction in other words ("Retracted", "partially retracted") is one, too."""
    word = str(value).strip().lower()
    is_said = "retract" in word and not word.startswith(("not ", "no ", "never ", "un"))
    return True if is_said else _truth(value)


def _year(citation: str | None) -> int | None:
    """ "Radiat Oncol. 2021 Mar 3; 16:12" -> 2021."""
    match = re.search(r"\. ?((?:1[89]|20)\d\d)\b", citation or "")
    return int(match[1]) if match else None

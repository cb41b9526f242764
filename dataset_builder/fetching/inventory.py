"""The bucket's daily inventory: the ETag of the metadata of eight million article versions in a few downloads.

Layout: inventory-reports/pmc-oa-opendata/metadata/DATE/manifest.json names gzipped CSVs without a heading, whose
columns the manifest's `fileSchema` gives. https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory-location.html
"""

import csv
import gzip
import re
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TextIO

from dataset_builder.fetching.answers import TransferError, as_dict, as_list, json_object, shown
from dataset_builder.fetching.bucket import Bucket, md5_of_etag
from dataset_builder.fetching.transfer import Client

_FOLDER = "inventory-reports/pmc-oa-opendata/metadata/"
_METADATA = re.compile(r"metadata/(?P<pmcid>PMC\d{1,9})\.(?P<version>\d{1,6})\.json")
_DAY = re.compile(r"/\d{4}-\d\d-\d\d[^/]*/$")
_BROKEN = (OSError, EOFError, zlib.error, csv.Error, ValueError)
_MAX_LINE_CHARS = 10_000  # of the table: a bucket, a key of at most 1,024 bytes, a few dates and sizes
_DAYS_BACK = 3  # the newest folder may be without its manifest while it is being written

Versions = dict[str, dict[int, str | None]]  # PMCID -> version -> md5 of its metadata


async def read_inventory(client: Client, bucket: Bucket, wanted: Collection[str], work: Path) -> tuple[str, Versions]:
    """The day of the newest inventory, and what it says of the `wanted` PMCIDs.

    Its files are brought to `work` one after the other and removed again. Raises TransferError when there is none.
    """
    days = sorted(folder for folder in await bucket.folders(_FOLDER) if _DAY.search(folder))
    why = TransferError(f"{shown(bucket.address(_FOLDER))}: no inventory there")
    for day in days[: -_DAYS_BACK - 1 : -1]:
        try:
            return day.removeprefix(_FOLDER).rstrip("/"), await _of_day(day, client, bucket, wanted, work)
        except TransferError as error:
            why = error
    raise why


async def _of_day(day: str, client: Client, bucket: Bucket, wanted: Collection[str], work: Path) -> Versions:
    manifest = await client.get(bucket.address(f"{day}manifest.json"))
    keys, columns = _named_files(manifest, shown(bucket.address(f"{day}manifest.json")))
    found: Versions = {}
    path = work / "inventory.csv.gz"
    for key in keys:
        path.unlink(missing_ok=True)
        await client.download(bucket.address(key), path, None, None)
        try:
            for pmcid, version, md5 in _rows(path, columns):
                if pmcid in wanted:
                    found.setdefault(pmcid, {})[version] = md5
        except _BROKEN as error:
            raise TransferError(f"{shown(bucket.address(key))}: no gzipped CSV ({error})") from error
        finally:
            path.unlink()
    return found


def _named_files(manifest: bytes, url: str) -> tuple[list[str], dict[str, int]]:
    """The keys of the inventory's files, and the place of each column in them."""
    value = json_object(manifest, url)
    keys = [as_dict(file).get("key") for file in as_list(value.get("files"))]
    named = [key for key in keys if isinstance(key, str)]
    if not named or len(named) < len(keys):
        raise TransferError(f"{url}: no manifest of an inventory")
    schema = value.get("fileSchema")
    columns = {name.strip().lower(): i for i, name in enumerate(schema.split(","))} if isinstance(schema, str) else {}
    if not {"key", "etag"} <= columns.keys():
        raise TransferError(f"{url}: its files have no columns Key and ETag")
    return named, columns


def _rows(path: Path, columns: dict[str, int]) -> Iterator[tuple[str, int, str | None]]:
    """PMCID, version and md5 of the metadata, line by line."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for cells in csv.reader(_lines(file)):
            if len(cells) < len(columns):
                continue
            match = _METADATA.fullmatch(cells[columns["key"]])
            if match:
                yield match["pmcid"], int(match["version"]), md5_of_etag(cells[columns["etag"]])


def _lines(file: TextIO) -> Iterator[str]:
    """Lines. Raises ValueError for one that is longer than any line of an inventory."""
    while line := file.readline(_MAX_LINE_CHARS):
        if len(line) == _MAX_LINE_CHARS:
            raise ValueError(f"a line of more than {_MAX_LINE_CHARS} characters")
        yield line

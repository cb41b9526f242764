"""The bucket's daily inventory: the ETag of the metadata of eight million article versions in a few downloads.

Layout: inventory-reports/pmc-oa-opendata/metadata/DATE/manifest.json names gzipped CSVs without a heading, whose
columns the manifest's `fileSchema` gives. https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory-location.html
"""

import csv
import gzip
import json
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from dataset_builder.fetching.bucket import Bucket, md5_of_etag
from dataset_builder.fetching.transfer import Client, TransferError

_FOLDER = "inventory-reports/pmc-oa-opendata/metadata/"
_METADATA = re.compile(r"metadata/(?P<pmcid>PMC\d+)\.(?P<version>\d+)\.json")
_DAY = re.compile(r"/\d{4}-\d\d-\d\d[^/]*/$")
_BROKEN = (OSError, EOFError, csv.Error, UnicodeDecodeError)

Versions = dict[str, dict[int, str | None]]  # PMCID -> version -> md5 of its metadata


async def read_inventory(client: Client, bucket: Bucket, wanted: Collection[str], work: Path) -> tuple[str, Versions]:
    """The day of the newest inventory, and what it says of the `wanted` PMCIDs.

    Its files are brought to `work` one after the other and removed again. Raises TransferError when there is none.
    """
    days = sorted(folder for folder in await bucket.folders(_FOLDER) if _DAY.search(folder))
    if not days:
        raise TransferError(f"{bucket.address(_FOLDER)}: no inventory there")
    manifest = await client.get(bucket.address(f"{days[-1]}manifest.json"))
    keys, columns = _named_files(manifest, bucket.address(days[-1]))
    found: Versions = {}
    for key in keys:
        path = work / "inventory.csv.gz"
        path.unlink(missing_ok=True)
        await client.download(bucket.address(key), path, None, None)
        try:
            for pmcid, version, md5 in _rows(path, columns):
                if pmcid in wanted:
                    found.setdefault(pmcid, {})[version] = md5
        except _BROKEN as error:
            raise TransferError(f"{bucket.address(key)}: no gzipped CSV ({error})") from error
        path.unlink()
    return days[-1].removeprefix(_FOLDER).rstrip("/"), found


def _named_files(manifest: bytes, url: str) -> tuple[list[str], dict[str, int]]:
    """The keys of the inventory's files, and the place of each column in them."""
    try:
        value = json.loads(manifest)
        keys = [str(file["key"]) for file in value["files"]]
        columns = {name.strip().lower(): i for i, name in enumerate(value["fileSchema"].split(","))}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise TransferError(f"{url}manifest.json: no manifest of an inventory") from error
    if not {"key", "etag"} <= columns.keys():
        raise TransferError(f"{url}manifest.json: its files have no columns Key and ETag")
    return keys, columns


def _rows(path: Path, columns: dict[str, int]) -> Iterator[tuple[str, int, str | None]]:
    """PMCID, version and md5 of the metadata, line by line."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for cells in csv.reader(file):
            if len(cells) < len(columns):
                continue
            match = _METADATA.fullmatch(cells[columns["key"]])
            if match:
                yield match["pmcid"], int(match["version"]), md5_of_etag(cells[columns["etag"]])

"""What an export writes: pictures by the hash of their content, JSON item by item, tars with nothing of the machine.

Everything is written in a folder for drafts and renamed when it is whole, and the same rows give the same bytes.
"""

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from trust.pictures.derived import as_file
from trust.pictures.stored import StoredPicture, stored_bytes

PICTURES = "images"
SHARD_BYTES = 500_000_000  # of pictures and texts in a tar, at least; fewer than WebDataset's 1 GB, to be streamed
_SUFFIXES = ("jpg", "png")
_FILE_MODE = 0o644

Sample = tuple[str, dict[str, bytes]]  # key without a dot; suffix -> content


def write_pictures(pictures: list[StoredPicture | None], output: Path, drafts: Path) -> list[str]:
    """Write a row's pictures, unless they are there; returns their paths from `output`, `images/ab/abcd….png`.

    Each is named by the hash of what the row stores: no name of a stranger's becomes one on the disk, and a picture
    that several rows have is one file. Raises `UnreadablePicture` for one, before any is written.
    """
    found = [_named(picture, output) for picture in pictures]
    for path, content in found:
        if content is not None:
            draft = drafts / Path(path).name
            draft.write_bytes(content)
            (output / path).parent.mkdir(parents=True, exist_ok=True)
            os.replace(draft, output / path)
    return [path for path, _ in found]


def _named(picture: StoredPicture | None, output: Path) -> tuple[str, bytes | None]:
    """A picture's path from `output`, and what to write there; None where it is there."""
    name = hashlib.sha256(stored_bytes(picture)).hexdigest()
    stem = f"{PICTURES}/{name[:2]}/{name}"
    for suffix in _SUFFIXES:
        if (output / f"{stem}.{suffix}").exists():
            return f"{stem}.{suffix}", None
    content, suffix = as_file(picture)
    return f"{stem}.{suffix}", content


def write_text(text: str, path: Path, drafts: Path) -> None:
    """Write a text file."""
    draft = drafts / path.name
    draft.write_text(text, encoding="utf-8")
    os.replace(draft, path)


def write_array(items: Iterable[Mapping[str, Any]], path: Path, drafts: Path) -> int:
    """Write a JSON array, an item a line; returns their number, and writes no file where there are none."""
    return _write(path, drafts, ("[\n", ",\n", "\n]\n"), items)


def write_lines(items: Iterable[Mapping[str, Any]], path: Path, drafts: Path) -> int:
    """Write JSON lines; otherwise as `write_array`."""
    return _write(path, drafts, ("", "\n", "\n"), items)


def _write(path: Path, drafts: Path, signs: tuple[str, str, str], items: Iterable[Mapping[str, Any]]) -> int:
    start, between, end = signs
    draft, n = drafts / path.name, 0
    with draft.open("w", encoding="utf-8") as file:
        for n, item in enumerate(items, 1):
            file.write(start if n == 1 else between)
            file.write(json.dumps(item, ensure_ascii=False))
        file.write(end)
    if n:
        os.replace(draft, path)
    return n


def write_tars(samples: Iterable[Sample], output: Path, stem: str, drafts: Path) -> int:
    """Write `STEM-000000.tar` and so on; returns the number of samples, and writes no file where there are none.

    A sample's files follow each other under its key (https://github.com/webdataset/webdataset). Each tar is plain
    ustar: no time, no owner.
    """
    left, draft = iter(samples), drafts / f"{stem}.tar"
    n, shard = 0, 0
    while n_in_tar := _write_tar(left, draft):
        os.replace(draft, output / f"{stem}-{shard:06}.tar")
        n, shard = n + n_in_tar, shard + 1
    return n


def _write_tar(samples: Iterator[Sample], path: Path) -> int:
    """Write a tar with the next samples, until it has `SHARD_BYTES`; returns their number."""
    n, n_bytes = 0, 0
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for key, files in samples:
            for suffix, content in files.items():
                tar.addfile(_member(f"{key}.{suffix}", len(content)), io.BytesIO(content))
                n_bytes += len(content)
            n += 1
            if n_bytes >= SHARD_BYTES:
                break
    return n


def _member(name: str, n_bytes: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)  # its time, owner and group are 0, and without names
    member.size, member.mode = n_bytes, _FILE_MODE
    return member


def numbered(stem: str, rows: Iterable[dict[str, bytes]]) -> Iterator[Sample]:
    """Each row's files under a key of its own: a number, as ids of strangers may hold dots and slashes."""
    for number, files in enumerate(rows):
        yield f"{stem}-{number:09}", files

"""Archives of articles: unpacked without trusting what they say of themselves.

unpack(Path("PMC1234567.tar.gz"), Path("work/unpacked/PMC1234567"))
"""

import gzip
import os
import shutil
import tarfile
from pathlib import Path, PurePosixPath
from typing import Any, cast

from dataset_builder.articles.kinds import PDF_SUFFIX, PICTURE_SUFFIXES, XML_SUFFIXES

MAX_MEMBERS = 10_000  # files in an archive; a PMC package has tens
MAX_NAME_BYTES = 65_536  # of a member's long name and further attributes, which tarfile reads into memory as a whole
MAX_UNPACKED_BYTES = 2 * 1024**3  # of an archive, videos and data included
_READ_AS_A_WHOLE = (*b"xgXLK",)  # kinds of header that carry attributes or a long name of the member behind them


def unpack(archive: Path, target: Path) -> None:
    """Unpack the articles and pictures of a `.tar.gz` into the new folder `target`, all of them or none.

    Other files, links and devices are left out. Raises ValueError for a member outside the archive's own folder, more
    than `MAX_MEMBERS` members or `MAX_UNPACKED_BYTES` bytes; OSError, EOFError, zlib.error or TarError when it is
    broken.
    """
    partial = target.with_name(f"{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)  # of a run that was killed
    partial.mkdir(parents=True)
    try:
        with gzip.open(archive) as stream, _open_tar(stream, archive.name) as tar:
            for count, member in enumerate(tar):
                if count >= MAX_MEMBERS:
                    raise ValueError(f"{archive.name}: more than {MAX_MEMBERS} files in the archive")
                _unpack_member(tar, member, partial, archive.name)
        os.replace(partial, target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _unpack_member(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path, archive: str) -> None:
    """Write one member below the folder `target`; what is no file of an article is passed over."""
    name = PurePosixPath(member.name.replace("\\", "/"))
    if name.is_absolute() or ".." in name.parts or ":" in name.parts[:1] or "\0" in member.name:
        raise ValueError(f"{archive}: the member {member.name!r} leads out of the archive")
    if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE):
        return
    if not name.name.lower().endswith((*XML_SUFFIXES, PDF_SUFFIX, *PICTURE_SUFFIXES)):
        return
    path = target / name
    path.parent.mkdir(parents=True, exist_ok=True)
    source = tar.extractfile(member)
    assert source is not None  # of a file there is one
    with source, path.open("wb") as file:
        shutil.copyfileobj(source, file)


def _open_tar(stream: gzip.GzipFile, name: str) -> tarfile.TarFile:
    bounded = cast("Any", _Bounded(stream, name))  # a tar that is read as a stream needs no more than `read`
    return tarfile.open(fileobj=bounded, mode="r|", tarinfo=_Header)


class _Header(tarfile.TarInfo):
    """A header that announces no name or attributes of more than `MAX_NAME_BYTES`."""

    @classmethod
    def frombuf(cls, buf, encoding, errors):
        header = super().frombuf(buf, encoding, errors)
        if header.type[0] in _READ_AS_A_WHOLE and header.size > MAX_NAME_BYTES:
            raise tarfile.ReadError(f"a header of {header.size} bytes, more than {MAX_NAME_BYTES}")
        return header


class _Bounded:
    """A stream that fails after `MAX_UNPACKED_BYTES`: what an archive says about its sizes need not be true."""

    def __init__(self, stream: gzip.GzipFile, name: str):
        self.stream, self.name, self.left = stream, name, MAX_UNPACKED_BYTES

    def read(self, size: int) -> bytes:
        data = self.stream.read(size)
        self.left -= len(data)
        if self.left < 0:
            raise ValueError(f"{self.name}: more than {MAX_UNPACKED_BYTES} bytes in the archive")
        return data

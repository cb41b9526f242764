"""Archives of articles: unpacked without trusting what they say of themselves.

unpack(Path("PMC1234567.tar.gz"), Path("work/unpacked/PMC1234567"))

The gate is the same for each kind (`.tar.gz`, `.zip`, MECA, a single XML in `.gz`): nothing outside of its own folder,
no links, no archives in archives, bounded in files and in bytes as they really come out.
"""

import gzip
import os
import shutil
import stat
import tarfile
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, cast

from dataset_builder.articles.kinds import (
    PACKED_SUFFIXES,
    PACKED_XML_SUFFIXES,
    PDF_SUFFIX,
    PICTURE_SUFFIXES,
    XML_SUFFIXES,
    ZIP_SUFFIXES,
)
from dataset_builder.articles.skipped import HIDDEN_FILES, LINKS, Skipped, suffix_of
from dataset_builder.articles.tables import is_named_table

MAX_MEMBERS = 10_000  # files in an archive; a PMC package has tens
MAX_NAME_BYTES = 65_536  # of a member's long name and further attributes, which tarfile reads into memory as a whole
MAX_UNPACKED_BYTES = 2 * 1024**3  # of an archive, videos and data included
SKIPPED_FILE = "skipped.jsonl"  # in the unpacked folder: the members that were passed over, see `Skipped.write`
MAX_RATIO = 200  # unpacked / packed bytes of a zip: blank pictures have 100, a bomb 1000
_RATIO_FROM_BYTES = 64 * 1024**2  # smaller ones do no harm
_ENCRYPTED = 0x1  # flag of a member
_READ_AS_A_WHOLE = (*b"xgXLK",)  # kinds of header that carry attributes or a long name of the member behind them


def unpack(archive: Path, target: Path) -> None:
    """Unpack the articles and pictures of an archive into the new folder `target`, all of them or none.

    Other files, links and devices are left out, and counted in `SKIPPED_FILE`. Raises ValueError for a member outside
    the archive's own folder, an encrypted one, more than `MAX_MEMBERS` members or `MAX_UNPACKED_BYTES` bytes; OSError,
    EOFError, zlib.error, TarError or BadZipFile when it is broken.
    """
    partial = target.with_name(f"{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)  # of a run that was killed
    partial.mkdir(parents=True)
    skipped = Skipped()
    try:
        if archive.name.lower().endswith(ZIP_SUFFIXES):
            _unpack_zip(archive, partial, skipped)
        elif archive.name.lower().endswith(PACKED_XML_SUFFIXES):
            _unpack_xml(archive, partial)
        else:
            _unpack_tar(archive, partial, skipped)
        skipped.write(partial / SKIPPED_FILE)
        os.replace(partial, target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _unpack_tar(archive: Path, target: Path, skipped: Skipped) -> None:
    with gzip.open(archive) as stream, _open_tar(stream, archive.name) as tar:
        for count, member in enumerate(tar):
            _check_count(count, archive.name)
            name = _inside(member.name, archive.name)
            if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or not _is_wanted(name):
                if not member.isdir():
                    skipped.add(str(name), _why_skipped(name, member.issym() or member.islnk()))
                continue
            source = tar.extractfile(member)
            assert source is not None  # of a file there is one
            with source, _new_file(target / name) as file:
                shutil.copyfileobj(source, file)


def _unpack_zip(archive: Path, target: Path, skipped: Skipped) -> None:
    with zipfile.ZipFile(archive) as packed:
        members = packed.infolist()
        _check_count(len(members) - 1, archive.name)
        _check_size(sum(member.file_size for member in members), archive)
        written = 0
        for member in members:
            name = _inside(member.filename, archive.name)
            mode = member.external_attr >> 16  # of Unix; 0 where another system has made it
            special = stat.S_IFMT(mode) not in (0, stat.S_IFREG)
            if member.is_dir():
                continue
            if special or not _is_wanted(name):
                skipped.add(str(name), _why_skipped(name, stat.S_ISLNK(mode)))
                continue
            if member.flag_bits & _ENCRYPTED:
                raise ValueError(f"{archive.name}: the archive is encrypted; unpack it with its password")
            with packed.open(member) as source, _new_file(target / name) as file:
                while block := source.read(1024**2):
                    written += len(block)
                    _check_size(written, archive)
                    file.write(block)


def _unpack_xml(archive: Path, target: Path) -> None:
    """A single XML file that is compressed: `x.xml.gz` -> `x.xml`."""
    with gzip.open(archive) as stream, _new_file(target / archive.name.removesuffix(archive.suffix)) as file:
        shutil.copyfileobj(cast("Any", _Bounded(stream, archive.name)), file)


def _check_count(count: int, archive: str) -> None:
    if count >= MAX_MEMBERS:
        raise ValueError(f"{archive}: more than {MAX_MEMBERS} files in the archive")


def _check_size(size: int, archive: Path) -> None:
    """Refuse what a zip says that it holds, and what comes out of it, when it is too much."""
    if size > MAX_UNPACKED_BYTES:
        raise ValueError(f"{archive.name}: more than {MAX_UNPACKED_BYTES} bytes in the archive")
    if size > max(_RATIO_FROM_BYTES, MAX_RATIO * archive.stat().st_size):
        raise ValueError(f"{archive.name}: more than {MAX_RATIO} times as many bytes unpacked as packed")


def _inside(member: str, archive: str) -> PurePosixPath:
    """The path of a member below the archive's folder. Raises ValueError when it leads out of it."""
    name = PurePosixPath(member.replace("\\", "/"))
    if name.is_absolute() or ".." in name.parts or ":" in name.parts[:1] or "\0" in member:
        raise ValueError(f"{archive}: the member {member!r} leads out of the archive")
    return name


def _is_wanted(name: PurePosixPath) -> bool:
    is_read = name.name.lower().endswith((*XML_SUFFIXES, PDF_SUFFIX, *PICTURE_SUFFIXES)) or is_named_table(name.name)
    return is_read and not _is_hidden(name)


def _is_hidden(name: PurePosixPath) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in name.parts)


def _why_skipped(name: PurePosixPath, link: bool) -> str:
    if link or _is_hidden(name):
        return LINKS if link else HIDDEN_FILES
    suffix = suffix_of(name.name)
    return f"{suffix} (in an archive)" if suffix.endswith(PACKED_SUFFIXES) else suffix


def _new_file(path: Path) -> BinaryIO:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("wb")


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

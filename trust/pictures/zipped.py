"""Pictures in a ZIP of strangers, here or on the Hub: single members by name, bounded; nothing is unpacked."""

import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from trust.pictures.opener import MAX_BYTES, UnreadablePicture
from trust.pictures.stored import StoredPicture

_BLOCK_BYTES = 2**18  # fetched at once of a ZIP on the Hub: a picture of a paper, not 5 MB around it


def zipped_pictures(address: str, names: Sequence[str]) -> Iterator[StoredPicture]:
    """The members of the ZIP at `address`, a path or hf:// address, by their file names without folders, in the order
    asked for; without bytes where none of that name can be read, or it has more than a picture may have.

    Raises `UnreadablePicture` for what is no ZIP.
    """
    import fsspec

    options = {"block_size": _BLOCK_BYTES} if "://" in address else {}
    with fsspec.open(address, "rb", **options) as file:
        try:
            archive = zipfile.ZipFile(file)
        except zipfile.BadZipFile as error:
            raise UnreadablePicture(f"{address} is no ZIP: {error}") from error
        with archive:
            members = {PurePosixPath(info.filename).name: info for info in archive.infolist() if not info.is_dir()}
            for name in names:
                member = members.get(PurePosixPath(name).name)
                yield {"bytes": None if member is None else _read(archive, member), "path": name}


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes | None:
    try:
        with archive.open(member) as file:
            data = file.read(MAX_BYTES + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):  # broken, encrypted
        return None
    return data if len(data) <= MAX_BYTES else None

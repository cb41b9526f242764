"""What is under way on the disk: a file that comes piece by piece, a folder that goes into place when it is whole.

Nobody's link is followed, and no file is removed that `ldrt fetch` has not brought.
"""

import hashlib
import os
import shutil
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from dataset_builder.articles.sidecar import SIDECAR, read_sidecar

_SHOWN_FOREIGN = 3
_OF_FILE_MANAGERS = (".DS_Store", "Thumbs.db", "desktop.ini")  # they put these into every folder


@dataclass(frozen=True)
class PartFile:
    """A file on its way to `path`: what came is in `NAME.part`. `md5` (hex) and `bytes` of all of it, None if unknown.

    Where no md5 will tell that its halves belong together, the ETag does, which is kept in `NAME.etag`.
    """

    path: Path
    md5: str | None
    bytes: int | None

    @property
    def _part(self) -> Path:
        return self.path.with_name(self.path.name + ".part")

    @property
    def _etag(self) -> Path:
        return self.path.with_name(self.path.name + ".etag")

    def n_bytes(self) -> int:
        """That came so far."""
        return self._part.stat().st_size if self._part.is_file() else 0

    def is_complete(self) -> bool:
        """Whether all has come, and a kill came before it was checked."""
        n = self.n_bytes()
        if self.bytes is None:
            return n > 0 and self.md5 is not None and md5_of(self._part) == self.md5
        return n > 0 and n == self.bytes

    def fault(self) -> str | None:
        """Why what came is not the file; None where it is."""
        if self.md5 is not None:
            found = md5_of(self._part)
            return None if found == self.md5 else f"its md5 is {found}, the list says {self.md5}"
        n = self.n_bytes()
        return None if self.bytes in (None, n) else f"it has {n} bytes, the list says {self.bytes}"

    def resuming(self) -> dict[str, str]:
        """The header fields that ask for the rest; {} where it has to start anew."""
        n, etag = self.n_bytes(), self._noted()
        is_too_long = self.bytes is not None and n >= self.bytes
        if not n or is_too_long or (self.md5 is None and etag is None):
            return {}
        return {"Range": f"bytes={n}-"} | ({"If-Range": etag} if etag else {})

    def is_of(self, etag: str) -> bool:
        """Whether a rest with this ETag belongs to what came: not every server minds If-Range."""
        return self.md5 is not None or etag == self._noted()

    def open(self, etag: str, is_rest: bool) -> BinaryIO:
        """The file to write on, after what came or anew; `etag` of the answer."""
        if not is_rest:
            self.drop()
            if self.md5 is None and etag.startswith('"'):  # a weak one (W/"…") says nothing of bytes
                self._etag.write_text(etag, encoding="utf-8")
        return self._part.open("ab" if is_rest else "wb")

    def _noted(self) -> str | None:
        return self._etag.read_text(encoding="utf-8") if self.md5 is None and self._etag.is_file() else None

    def drop(self) -> None:
        """Forget what came."""
        self._part.unlink(missing_ok=True)
        self._etag.unlink(missing_ok=True)

    def put_in_place(self) -> None:
        self._part.replace(self.path)
        self._etag.unlink(missing_ok=True)


def md5_of(path: Path) -> str:
    """Hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


# ---- folders


def make_parts(parts: Path) -> None:
    """Make the folder where an article is put together; of what is there plain files are kept."""
    if parts.is_symlink() or (parts.exists() and not parts.is_dir()):
        parts.unlink()
    parts.mkdir(parents=True, exist_ok=True)
    for path in parts.iterdir():
        if path.is_symlink() or not path.is_file():
            _remove(path)


def keep_only(parts: Path, names: Collection[str]) -> None:
    """Remove what an earlier run has left of files that are not wanted any more."""
    for path in parts.iterdir():
        if path.name not in names:
            _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def refuse_foreign(folder: Path, names: Collection[str]) -> None:
    """Raises ValueError for a folder that `ldrt fetch` would replace, with something in it that is not its own.

    Its own are `article.json`, the files that this names, and those that are to come (`names`).
    """
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise ValueError(f"{folder.name} is in the way, a link or a file; move it away and run again")
    if not folder.exists():
        return
    sidecar = read_sidecar(folder)
    own = {SIDECAR, *_OF_FILE_MANAGERS, *names, *(file["name"] for file in (sidecar["files"] if sidecar else ()))}
    foreign = sorted(path.name for path in folder.iterdir() if path.name not in own)
    if foreign:
        shown = ", ".join(foreign[:_SHOWN_FOREIGN])
        raise ValueError(f"{folder.name} holds what `ldrt fetch` has not brought ({shown}); move it away and run again")


def put_folder(parts: Path, folder: Path, old: Path) -> None:
    """Rename the finished folder `parts` into place; that of an earlier version goes, by way of the folder `old`."""
    shutil.rmtree(old / folder.name, ignore_errors=True)
    if folder.exists():
        old.mkdir(parents=True, exist_ok=True)
        os.replace(folder, old / folder.name)
    os.replace(parts, folder)
    shutil.rmtree(old / folder.name, ignore_errors=True)

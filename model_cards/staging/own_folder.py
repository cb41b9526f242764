"""A folder that belongs to one run: others may work beside it, and what a killed run left goes away."""

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout


@contextmanager
def own_folder(parent: Path, name: str) -> Iterator[Path]:
    """A new folder NAME-… in `parent`, removed at the end.

    A lock file beside it says that its process lives; the system lets go of it however the process ends. Folders of
    the same name whose process is gone are removed first.
    """
    parent.mkdir(parents=True, exist_ok=True)
    for left in parent.glob(f"{name}-*.lock"):
        _remove_left(left)
    folder = parent / f"{name}-{secrets.token_hex(4)}"
    with FileLock(_lock_of(folder)):
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            _lock_of(folder).unlink(missing_ok=True)


def _lock_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.lock")


def _remove_left(lock: Path) -> None:
    try:
        with FileLock(lock, timeout=0):
            shutil.rmtree(lock.with_name(lock.stem), ignore_errors=True)
            lock.unlink(missing_ok=True)
    except Timeout:  # its process lives
        pass

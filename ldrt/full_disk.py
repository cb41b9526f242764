"""What is said when a disk is full: which one, how much is needed, that nothing is lost."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import NamedTuple

# Command -> (its input, what it writes as a multiple of that), measured on the sample corpus and rounded up.
NEEDS = {
    "build": ("articles", 6.0),
    "instruct": ("dataset", 1.0),
    "prefer": ("dataset", 1.0),
    "push": ("dataset", 1.0),
    "export": ("dataset", 1.0),
    "merge": ("base", 2.0),
    "human": ("dataset", 1.0),
}


class Disk(NamedTuple):
    """A disk, by a folder that a command uses."""

    folder: str
    free_bytes: int
    total_bytes: int


def describe_full(name: str, options: object) -> str:
    """One line, of the command `name` with these options."""
    disk = min(_disks(options), key=lambda one: one.free_bytes)
    free, total = _size(disk.free_bytes), _size(disk.total_bytes)
    needed = _needed(name, options)
    wanted = f"needs about {_size(needed)} in all" if needed else "free some"
    return (
        f"no space left on the disk of {disk.folder} ({free} free of {total}): {wanted}; "
        "nothing that was done is lost, run the same command again to continue"
    )


def _disks(options: object) -> list[Disk]:
    """Those of the folders that a command is given, of models and of temporary files; where it writes comes first."""
    named = vars(options) if options is not None else {}
    named = {name: named[name] for name in sorted(named, key=lambda name: not name.startswith("output"))}
    given = [word for value in named.values() for word in (value if isinstance(value, list) else [value])]
    paths = [word for word in given if isinstance(word, str) and word and "\0" not in word]
    cache = os.environ.get("HF_HOME", os.path.expanduser("~/.cache/huggingface"))
    found = []
    for path in [*paths, cache, tempfile.gettempdir()]:
        if there := _nearest_folder(path):
            usage = shutil.disk_usage(there)
            found.append(Disk(path, usage.free, usage.total))
    return found


def _nearest_folder(path: str) -> Path | None:
    """The folder, or the first one above it that is there; None for a word that is no path."""
    try:
        return next((folder for folder in [Path(path), *Path(path).absolute().parents] if folder.is_dir()), None)
    except OSError:  # a name too long for one
        return None


def _needed(name: str, options: object) -> int:
    """Bytes; 0 where that is not known."""
    option, factor = NEEDS.get(name, ("", 0.0))
    folder = getattr(options, option, None)
    if not folder or not os.path.isdir(folder):
        return 0
    return int(factor * sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file()))


def _size(n_bytes: int) -> str:
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes >= 1e8 else f"{n_bytes / 1e6:.1f} MB"

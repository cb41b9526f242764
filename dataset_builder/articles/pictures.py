"""The picture files of an article: which lie beside it, and which of them a name in its XML means."""

import functools
import os
import urllib.parse
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from dataset_builder.articles.kinds import PDF_SUFFIX, PICTURE_SUFFIXES, XML_SUFFIXES


def pictures_in(folder: Path) -> dict[str, Path]:
    """The pictures of a folder and of the folders below it that hold no article: "folder/name" in lower case -> path.

    Links that lead out of the folder are left out.
    """
    inside = folder.resolve()
    found: dict[str, Path] = {}
    for current, folders, names in os.walk(folder):
        if Path(current) != folder and any(name.lower().endswith((*XML_SUFFIXES, PDF_SUFFIX)) for name in names):
            folders.clear()
            continue
        folders.sort()
        for name in sorted(names):
            path = Path(current, name)
            if name.lower().endswith(PICTURE_SUFFIXES) and _stays_inside(path, inside):
                found.setdefault(path.relative_to(folder).as_posix().lower(), path)
    return found


@functools.lru_cache(maxsize=1)
def pictures_in_shared(folder: Path, changed_ns: int) -> dict[str, Path]:
    """`by_ending` of a folder with many articles, listed once for all of them as long as it does not change.

    `changed_ns` is the folder's time of change.
    """
    return by_ending(pictures_in(folder))


def by_ending(pictures: Mapping[str, Path]) -> dict[str, Path]:
    """The pictures by their path and by each ending of it that is only theirs: "a/f1.png" and, if unique, "f1.png"."""
    ending: dict[str, Path | None] = {}
    for name, path in pictures.items():
        for start in _endings(name)[1:]:
            ending[start] = None if start in ending else path
    return {name: path for name, path in ending.items() if path} | dict(pictures)


def _endings(path: str) -> list[str]:
    """ "a/b/f1" -> "a/b/f1", "b/f1", "f1"."""
    parts = path.split("/")
    return ["/".join(parts[i:]) for i in range(len(parts))]


def _stays_inside(path: Path, folder: Path) -> bool:
    return path.is_file() and (not path.is_symlink() or path.resolve().is_relative_to(folder))


def find_pictures(pictures: Mapping[str, Path], href: str) -> list[Path]:
    """The picture files that a `<graphic>`'s href may mean, best format first; [] when there is none.

    `pictures` are those of `by_ending`. The longest ending of the href's path that names any counts, so that "a/f1" and
    "b/f1" are two pictures and a folder that is not there does no harm. Hosts and "../" are dropped: nothing outside of
    the package can be reached. The extension may be missing or another one.
    """
    for name in _endings(path_of(href).lower()):
        stem = _stem(name)
        candidates = [stem + suffix for suffix in PICTURE_SUFFIXES]
        if name in candidates:
            candidates.remove(name)
            candidates.insert(0, name)
        if found := [pictures[candidate] for candidate in candidates if candidate in pictures]:
            return found
    return []


def _stem(name: str) -> str:
    """The name without the suffix of a picture, if it has one."""
    for suffix in PICTURE_SUFFIXES:
        if name.endswith(suffix):
            return name.removesuffix(suffix)
    return name


def path_of(href: str) -> str:
    """ "https://host/a/../fig1.jpg?x=1" -> "host/a/fig1.jpg"."""
    path = href
    if "://" in href:
        path = href.split("://", 1)[1].split("?")[0].split("#")[0]
    parts = urllib.parse.unquote(path).replace("\\", "/").split("/")
    return "/".join(part for part in parts if part not in ("", ".", ".."))


def bare_name(href: str) -> str:
    """ "https://host/a/fig1.jpg?x=1" -> "fig1.jpg"."""
    return PurePosixPath(path_of(href)).name

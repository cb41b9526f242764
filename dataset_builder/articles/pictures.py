"""The picture files of an article: which lie beside it, and which of them a name in its XML means."""

import functools
import os
import urllib.parse
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from dataset_builder.articles.kinds import PDF_SUFFIX, PICTURE_SUFFIXES, XML_SUFFIXES


def pictures_in(folder: Path) -> dict[str, Path]:
    """The pictures of a folder and of the folders below it that hold no article: bare name in lower case -> path.

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
                found.setdefault(name.lower(), path)
    return found


@functools.lru_cache(maxsize=1)
def pictures_in_shared(folder: Path, changed_ns: int) -> dict[str, Path]:
    """`pictures_in` a folder with many articles, listed once for all of them as long as it does not change.

    `changed_ns` is the folder's time of change.
    """
    return pictures_in(folder)


def _stays_inside(path: Path, folder: Path) -> bool:
    return path.is_file() and (not path.is_symlink() or path.resolve().is_relative_to(folder))


def find_pictures(pictures: Mapping[str, Path], href: str) -> list[Path]:
    """The picture files that a `<graphic>`'s href may mean, best format first; [] when there is none.

    Only the bare name counts: folders, hosts and "../" in an href are dropped, so that nothing outside the package can
    be reached. The extension may be missing or another one.
    """
    name = bare_name(href).lower()
    if not name:
        return []
    candidates = [_stem(name) + suffix for suffix in PICTURE_SUFFIXES]
    if name in candidates:
        candidates.remove(name)
        candidates.insert(0, name)
    return [pictures[candidate] for candidate in candidates if candidate in pictures]


def _stem(name: str) -> str:
    """The name without the suffix of a picture, if it has one."""
    for suffix in PICTURE_SUFFIXES:
        if name.endswith(suffix):
            return name.removesuffix(suffix)
    return name


def bare_name(href: str) -> str:
    """ "https://host/a/fig1.jpg?x=1" -> "fig1.jpg"."""
    path = href.split("?")[0].split("#")[0] if "://" in href else href
    return PurePosixPath(urllib.parse.unquote(path).replace("\\", "/")).name

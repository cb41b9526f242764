"""The picture files of an article: which lie beside it, and which of them a name in its XML means."""

import functools
import os
import urllib.parse
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, TypeVar

from dataset_builder.articles.kinds import PDF_SUFFIX, PICTURE_SUFFIXES, XML_SUFFIXES

MAX_PICTURE_BYTES = 1024**3  # of a file: 120 million pixels in 16-bit RGB, uncompressed, have 720 MB
MISSING, OUTSIDE = "image_missing", "image_outside"  # filters, see `Figure`
TOO_LARGE, UNREADABLE = "image_too_large", "image_unreadable"
_HREFS_KEPT = 256  # of one article, each asked for several times
_LINK = "a link that leads out of the article's folder; copy what it leads to"

_T = TypeVar("_T")


class Refusal(NamedTuple):
    """Why a picture file is not opened: the filter that leaves its figure out, and what to say."""

    fault: str
    reason: str


@dataclass
class FolderPictures:
    """The picture files of a folder: "folder/name" in lower case -> path; and those that are not opened."""

    found: dict[str, Path] = field(default_factory=dict)
    refused: dict[str, Refusal] = field(default_factory=dict)


def pictures_in(folder: Path) -> FolderPictures:
    """The pictures of a folder and of the folders below it that hold no article.

    Links that lead out of the folder, what is no file, cannot be opened or is larger than `MAX_PICTURE_BYTES` is
    refused.
    """
    inside = folder.resolve()
    pictures = FolderPictures()
    for current, folders, names in os.walk(folder):
        if Path(current) != folder and any(name.lower().endswith((*XML_SUFFIXES, PDF_SUFFIX)) for name in names):
            folders.clear()
            continue
        folders.sort()
        for name in sorted(names):
            if name.lower().endswith(PICTURE_SUFFIXES):
                _add(pictures, Path(current, name), folder, inside)
    return pictures


def _add(pictures: FolderPictures, path: Path, folder: Path, inside: Path) -> None:
    name = path.relative_to(folder).as_posix().lower()
    if refusal := _refusal(path, inside):
        pictures.refused.setdefault(name, refusal)
    else:
        pictures.found.setdefault(name, path)


def _refusal(path: Path, inside: Path) -> Refusal | None:
    """Why the picture is not to be opened; None where nothing speaks against it. Raises no error."""
    try:
        if path.is_symlink() and not path.resolve(strict=True).is_relative_to(inside):
            return Refusal(OUTSIDE, _LINK)
        size = path.stat().st_size
    except (OSError, RuntimeError) as error:  # RuntimeError: a circle of links, before Python 3.13
        return Refusal(UNREADABLE, f"cannot be opened ({getattr(error, 'strerror', None) or 'a circle of links'})")
    if not path.is_file():
        return Refusal(UNREADABLE, "no regular file but a device, pipe or socket")
    if size > MAX_PICTURE_BYTES:
        return Refusal(TOO_LARGE, f"{size} bytes, more than {MAX_PICTURE_BYTES}")
    return None if os.access(path, os.R_OK) else Refusal(UNREADABLE, "cannot be opened (Permission denied)")


def pictures_named(folder: Path, names: Iterable[str]) -> FolderPictures:
    """The pictures that are named by their whole paths from `folder`, with "/"; the names are as they are given.

    Besides what `pictures_in` refuses: addresses, paths out of the folder, and what is not there.
    """
    inside = folder.resolve()
    pictures = FolderPictures()
    for name in names:
        if refusal := _refusal_of_name(name, folder, inside):
            pictures.refused[name] = refusal
        else:
            pictures.found[name] = folder / name
    return pictures


def _refusal_of_name(name: str, folder: Path, inside: Path) -> Refusal | None:
    if "://" in name:
        return Refusal(OUTSIDE, "an address; download the picture and name its file")
    if names_outside(name):
        return Refusal(OUTSIDE, "named outside of the table's folder")
    path = folder / name
    try:
        if not os.path.lexists(path):
            return Refusal(MISSING, "no such picture file")
        if path.exists() and not path.resolve().is_relative_to(inside):
            return Refusal(OUTSIDE, _LINK)
    except (OSError, RuntimeError) as error:
        return Refusal(UNREADABLE, f"cannot be opened ({getattr(error, 'strerror', None) or 'a circle of links'})")
    return _refusal(path, inside)


@functools.lru_cache(maxsize=1)
def pictures_in_shared(folder: Path, changed_ns: int) -> FolderPictures:
    """The pictures of a folder with many articles by every name of `by_ending`, listed once for all of the articles as
    long as it does not change.

    `changed_ns` is the folder's time of change.
    """
    return by_every_name(pictures_in(folder))


def by_every_name(pictures: FolderPictures) -> FolderPictures:
    """The pictures by every name that an XML may call them by."""
    return FolderPictures(by_ending(pictures.found), by_ending(pictures.refused))


def by_ending(pictures: Mapping[str, _T]) -> dict[str, _T]:
    """The pictures by their path and by each ending of it that is only theirs: "a/f1.png" and, if unique, "f1.png"."""
    ending: dict[str, _T | None] = {}
    for name, picture in pictures.items():
        for start in _endings(name)[1:]:
            ending[start] = None if start in ending else picture
    return {name: picture for name, picture in ending.items() if picture} | dict(pictures)


def _endings(path: str) -> list[str]:
    """ "a/b/f1" -> "a/b/f1", "b/f1", "f1"."""
    parts = path.split("/")
    return ["/".join(parts[i:]) for i in range(len(parts))]


def find_pictures(pictures: Mapping[str, _T], href: str) -> list[_T]:
    """The picture files that a `<graphic>`'s href may mean, best format first; [] when there is none.

    `pictures` are those of `by_ending`. The longest ending of the href's path that names any counts, so that "a/f1" and
    "b/f1" are two pictures and a folder that is not there does no harm. Hosts and "../" are dropped: nothing outside of
    the package can be reached. The extension may be missing or another one. "a%20b" may be called so, or "a b".
    """
    if not pictures:  # an XML without its pictures: thousands of names to take apart for nothing
        return []
    for spelling in dict.fromkeys((href, href.replace("%", "%25"))):
        if found := _find_spelled(pictures, spelling):
            return found
    return []


def _find_spelled(pictures: Mapping[str, _T], href: str) -> list[_T]:
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


def names_outside(href: str) -> bool:
    """Whether an href names a file by an absolute path, or one above its folder."""
    parts = urllib.parse.unquote(href).replace("\\", "/").split("/")
    return ".." in parts or parts[0] in ("", "file:") and len(parts) > 1 or parts[0][1:] == ":"


@functools.lru_cache(_HREFS_KEPT)
def path_of(href: str) -> str:
    """ "https://host/a/../fig1.jpg?x=1" -> "host/a/fig1.jpg"."""
    path = href
    if "://" in href:
        path = href.split("://", 1)[1].split("?")[0].split("#")[0]
    parts = urllib.parse.unquote(path).replace("\\", "/").split("/")
    return "/".join(part for part in parts if part not in ("", ".", ".."))


def bare_name(href: str) -> str:
    """ "https://host/a/fig1.jpg?x=1" -> "fig1.jpg"."""
    return path_of(href).rpartition("/")[2]

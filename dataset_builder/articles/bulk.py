"""XML files with several articles (`<pmc-articleset>`, `<articles>`, OAI-PMH, …) -> a file an article.

They are cut at the tags, not parsed, so that one broken article fails alone, and read through a memory map.
"""

import mmap
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import IO

from dataset_builder.articles.kinds import is_envelope, utf16_of

MAX_ARTICLES = 100_000  # of one file
MAX_BYTES = 8 * 1024**3  # of one file

_START = re.compile(rb"<(?:[\w.-]+:)?article[\s>]")
_END = re.compile(rb"</(?:[\w.-]+:)?article\s*>")
_DECLARATION = re.compile(rb"^\s*(<\?xml[^>]*\?>)")
_NAMESPACE = re.compile(rb"\sxmlns(?::[\w.-]+)?\s*=\s*(?:\"[^\"]*\"|'[^']*')")
_HEAD_BYTES = 65_536  # in which the root's namespaces stand
_BLOCK_CHARS = 1024**2  # copied at a time


def split(path: Path, target: Path) -> list[Path]:
    """The articles of a file, each in a file of its own in the folder `target`; [] when it has no or one article.

    Raises ValueError when there are more than `MAX_ARTICLES` or `MAX_BYTES`, OSError.
    """
    if not is_envelope(path):
        return []
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"{path.name}: more than {MAX_BYTES} bytes of XML")
    if not target.is_dir():
        partial = target.with_name(f"{target.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        try:
            _write_articles_of(path, partial)
            os.replace(partial, target)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    found = sorted(target.iterdir())
    return found if len(found) > 1 else []


def _write_articles_of(path: Path, target: Path) -> None:
    with path.open("rb") as file, tempfile.TemporaryFile(dir=target.parent) as in_utf8:
        encoding = utf16_of(file.read(2))
        source: IO[bytes] = file
        if encoding:
            _copy_as_utf8(path, encoding, in_utf8)
            source = in_utf8
        with mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ) as data:
            _write_articles(data, target, path.name)


def _copy_as_utf8(path: Path, encoding: str, target: IO[bytes]) -> None:
    """Copy a file in another encoding, without the declaration that names it."""
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        start = file.read(_HEAD_BYTES).lstrip("\ufeff").encode()
        target.write(_DECLARATION.sub(b"", start, count=1))
        while block := file.read(_BLOCK_CHARS):
            target.write(block.encode())
    target.flush()


def _write_articles(data: mmap.mmap, target: Path, name: str) -> None:
    starts = [match.start() for match in _START.finditer(data)]
    if len(starts) > MAX_ARTICLES:
        raise ValueError(f"{name}: {len(starts)} articles, more than {MAX_ARTICLES}")
    if len(starts) < 2:
        return
    head = data[: min(starts[0], _HEAD_BYTES)]
    declaration = _DECLARATION.match(head)
    namespaces = _NAMESPACE.findall(head)
    for number, text in enumerate(_articles(data, [*starts, len(data)]), 1):
        with (target / f"{number:06}.xml").open("wb") as file:
            file.write(declaration[1] + b"\n" if declaration else b"")
            file.write(_with_namespaces(text, namespaces))


def _articles(data: mmap.mmap, starts: list[int]) -> Iterator[bytes]:
    for start, following in pairwise(starts):
        end = _END.search(data, start, following)
        yield data[start : end.end() if end else following]


def _with_namespaces(article: bytes, namespaces: list[bytes]) -> bytes:
    """The article with the namespaces that the file's root declares and it does not."""
    tag_end = article.find(b">")
    tag = article[:tag_end]
    missing = [one for one in namespaces if one.split(b"=")[0].strip() not in re.split(rb"[\s=]", tag)]
    name = re.match(rb"<[^\s>/]+", tag)
    assert name is not None
    return article[: name.end()] + b"".join(missing) + article[name.end() :]

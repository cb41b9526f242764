"""What kind of file is it: by its name, and of an XML file by its first kilobytes."""

import os
import re
from pathlib import Path

XML_SUFFIXES = (".xml", ".nxml")
PDF_SUFFIX = ".pdf"
ZIP_SUFFIXES = (".zip", ".meca")
PACKED_XML_SUFFIXES = (".xml.gz", ".nxml.gz")
ARCHIVE_SUFFIXES = (".tar.gz", ".tgz", *ZIP_SUFFIXES)
PACKED_SUFFIXES = (*ZIP_SUFFIXES, ".tar", ".tgz", ".gz", ".bz2", ".xz", ".zst", ".7z", ".rar")  # may hold articles
PICTURE_SUFFIXES = (".tif", ".tiff", ".png", ".jpg", ".jpeg", ".jpe", ".webp", ".bmp", ".gif")  # best first
HEAD_BYTES = 65_536  # enough of an XML file to see its root element behind any prolog

_UTF8_MARK = b"\xef\xbb\xbf"
_UTF16_STARTS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"<\0": "utf-16-le", b"\0<": "utf-16-be"}
_PROLOG = re.compile(
    rb"(?:\s+|<\?.*?\?>|<!--.*?-->|<!DOCTYPE\s[^\[>]*(?:\[(?:[^\]\"']|\"[^\"]*\"|'[^']*')*\]\s*)?>)*", re.DOTALL
)
_ROOT = re.compile(rb"<(?:[\w.-]+:)?(?P<name>[\w.-]+)(?P<attributes>[^>]*)")
_ENVELOPES = (b"OAI-PMH", b"pmc-articleset", b"articles")  # any other root is one where JATS stands in it
_JATS = re.compile(rb"<(?:[\w.-]+:)?(?:article-meta|journal-meta|front)[\s>/]")
_ARTICLE = re.compile(rb"<(?:[\w.-]+:)?article[\s>]")
_FOREIGN = re.compile(rb"docbook|xmlns\s*=\s*[\"']http://www\.elsevier\.com", re.IGNORECASE)


def is_special(path: Path) -> bool:
    """Whether something is there that is no file: to open a pipe may last, to read a device may not end."""
    return os.path.exists(path) and not os.path.isfile(path)


def archive_stem(name: str) -> str | None:
    """The name without its suffix; None when it is no archive's."""
    for suffix in ARCHIVE_SUFFIXES:
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return None


def is_article(path: Path) -> bool:
    """Whether the file is JATS, or should be: unreadable files, files that are no XML at all and every `.nxml` are
    taken for articles, so that their failure is recorded. XML with another root is not.
    """
    if path.suffix.lower() == ".nxml" or is_special(path):
        return True
    try:
        return _begins_article(_head(path))
    except OSError:
        return True


def utf16_of(start: bytes) -> str | None:
    """The name of the encoding where the first bytes of an XML file tell that it is UTF-16."""
    return _UTF16_STARTS.get(start[:2])


def _head(path: Path) -> bytes:
    """The first kilobytes of an XML file, in UTF-8 if they are in UTF-16."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    encoding = utf16_of(head)
    return (head.decode(encoding, "ignore").encode() if encoding else head).removeprefix(_UTF8_MARK)


def _begins_article(head: bytes) -> bool:
    prolog = _PROLOG.match(head)
    assert prolog is not None  # it may be empty
    root = _ROOT.match(head, prolog.end())
    if not root:
        return True
    if root["name"] == b"article":
        return not _FOREIGN.search(head[: root.end()])
    inside = _ARTICLE.search(head, root.end())
    return inside is not None and (root["name"] in _ENVELOPES or _JATS.search(head, inside.end()) is not None)


def is_envelope(path: Path) -> bool:
    """Whether another element than `<article>` is the root of an XML file: several articles may stand in it."""
    head = _head(path)
    prolog = _PROLOG.match(head)
    assert prolog is not None
    root = _ROOT.match(head, prolog.end())
    return root is not None and root["name"] != b"article"

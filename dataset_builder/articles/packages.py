"""A folder of articles -> packages: the XML and the PDF of one article with the picture files beside them.

    for package in find_packages(Path("articles"), Path("work/unpacked")):
        package.source_file, package.xml, package.pdf, package.files, package.error

Articles are JATS files (`.xml`, `.nxml` with the root `article`, also inside an OAI-PMH or pmc-articleset answer),
PDFs, and `.tar.gz`/`.tgz` packages as PMC ships them. Everything else is ignored. Listing opens only the first
kilobytes of an XML file; the files of a package are read when they are asked for.
"""

import dataclasses
import functools
import gzip
import hashlib
import os
import re
import shutil
import tarfile
import urllib.parse
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

XML_SUFFIXES = (".xml", ".nxml")
ARCHIVE_SUFFIXES = (".tar.gz", ".tgz")
PICTURE_SUFFIXES = (".tif", ".tiff", ".png", ".jpg", ".jpeg", ".jpe", ".webp", ".bmp", ".gif")  # best first
MAX_MEMBERS = 10_000  # files in an archive; a PMC package has tens
MAX_NAME_BYTES = 65_536  # of a member's long name and further attributes, which tarfile reads into memory as a whole
MAX_UNPACKED_BYTES = 2 * 1024**3  # of an archive, videos and data included
HEAD_BYTES = 65_536  # enough of an XML file to see its root element behind any prolog

_PROLOG = re.compile(
    rb"(?:\s+|<\?.*?\?>|<!--.*?-->|<!DOCTYPE\s[^\[>]*(?:\[(?:[^\]\"']|\"[^\"]*\"|'[^']*')*\]\s*)?>)*", re.DOTALL
)
_ROOT = re.compile(rb"<(?:[\w.-]+:)?(?P<name>[\w.-]+)(?P<attributes>[^>]*)")
_ENVELOPES = (b"OAI-PMH", b"pmc-articleset")
_ARTICLE = re.compile(rb"<(?:[\w.-]+:)?article[\s>]")
_FOREIGN = re.compile(rb"docbook|xmlns\s*=\s*[\"']http://www\.elsevier\.com", re.IGNORECASE)
_SELF = re.compile(rb"<self-uri[^>]*>")
_HREF = re.compile(rb"href\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")


@dataclasses.dataclass(frozen=True)
class Package:
    """One article's files.

    `source_file` is the path of the main file (the XML where there is one) relative to the articles folder, with "/";
    for a file out of an archive `x.tar.gz!inner/path.nxml`. `error` is set, and both files are None, for an archive
    that could not be unpacked and a file that could not be opened.
    """

    source_file: str
    xml: Path | None = None
    pdf: Path | None = None
    error: str | None = None
    shared_folder: bool = False  # other articles lie in the same folder

    @functools.cached_property
    def files(self) -> Mapping[str, Path]:
        """The picture files beside the XML: bare name in lower case -> path.

        Those in the XML's folder and in the folders below that hold no article. Where several articles share a folder,
        only those that the XML refers to. Links that lead out of the folder are left out.
        """
        if not self.xml:
            return {}
        folder = self.xml.parent
        if not self.shared_folder:
            return _pictures(folder)
        pictures = _shared_pictures(folder, folder.stat().st_mtime_ns)
        referred = (path for href in _hrefs(self.xml) for path in find_pictures(pictures, href))
        return {path.name.lower(): path for path in referred}

    def digest(self) -> str:
        """sha256 over the names and the contents of the XML, the PDF and the pictures. Raises OSError."""
        total = hashlib.sha256()
        for path in (self.xml, self.pdf, *(self.files[name] for name in sorted(self.files))):
            if path:
                with path.open("rb") as file:
                    content = hashlib.file_digest(file, "sha256").digest()
                total.update(os.fsencode(path.name) + b"\0" + content)
        return total.hexdigest()


def find_packages(folder: Path, unpacked: Path) -> Iterator[Package]:
    """The packages below `folder`, folder by folder in sorted order; archives are unpacked into the folder `unpacked`.

    A PDF belongs to the XML of the same name, or to the only XML of its folder when it is the only PDF there. Beside a
    single XML, further PDFs that the XML refers to are its supplements and left out. An archive that also lies there
    unpacked (folder `x` beside `x.tar.gz`) is left out. Raises FileNotFoundError when there is no `folder`.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no such folder")
    skipped, unlisted = unpacked.resolve(), []
    for current, folders, names in os.walk(folder, onerror=unlisted.append):
        here = Path(current)
        folders[:] = sorted(name for name in folders if not name.startswith(".") and (here / name).resolve() != skipped)
        yield from _packages_in(here, sorted(names), _relative(here, folder))
        for name in sorted(names):
            stem = _archive_stem(name)
            if stem is not None and stem not in folders:
                yield from _unpacked_packages(here / name, _relative(here / name, folder), unpacked)
    for error in unlisted:
        yield Package(_relative(Path(error.filename), folder), error=f"the folder cannot be listed ({error.strerror})")


def _relative(path: Path, folder: Path) -> str:
    """The path as the dataset's column `source_file` has it: with "/", and valid Unicode whatever the disk holds."""
    return os.fsencode(path.relative_to(folder).as_posix()).decode("utf-8", "replace")


def find_pictures(pictures: Mapping[str, Path], href: str) -> list[Path]:
    """The picture files that a `<graphic>`'s href may mean, best format first; [] when there is none.

    Only the bare name counts: folders, hosts and "../" in an href are dropped, so that nothing outside the package can
    be reached. The extension may be missing or another one.
    """
    name = bare_name(href).lower()
    if not name:
        return []
    stem = name
    for suffix in PICTURE_SUFFIXES:
        stem = stem.removesuffix(suffix) if stem == name else stem
    candidates = [stem + suffix for suffix in PICTURE_SUFFIXES]
    if name in candidates:
        candidates.remove(name)
        candidates.insert(0, name)
    return [pictures[candidate] for candidate in candidates if candidate in pictures]


def bare_name(href: str) -> str:
    """ "https://host/a/fig1.jpg?x=1" -> "fig1.jpg"."""
    path = href.split("?")[0].split("#")[0] if "://" in href else href
    return PurePosixPath(urllib.parse.unquote(path).replace("\\", "/")).name


def _packages_in(here: Path, names: list[str], relative: str) -> Iterator[Package]:
    """The packages that the files `names` of the folder `here` make up, in the order of their main file."""
    prefix = "" if relative == "." else f"{relative}/"
    xmls = [name for name in names if name.lower().endswith(XML_SUFFIXES) and _is_article(here / name)]
    pdfs = [name for name in names if name.lower().endswith(".pdf")]
    pairs = _pair(here, xmls, pdfs)
    paired = set(pairs.values())
    alone = [pdf for pdf in pdfs if pdf not in paired]
    if len(xmls) == 1 and alone:
        alone = _without_supplements(here / xmls[0], alone)
    files = {xml: (here / xml, here / pairs[xml] if xml in pairs else None) for xml in xmls}
    files |= {pdf: (None, here / pdf) for pdf in alone}
    for name, (xml, pdf) in sorted(files.items()):
        yield _package(prefix + _relative(here / name, here), xml, pdf, len(xmls) > 1)


def _package(source_file: str, xml: Path | None, pdf: Path | None, shared_folder: bool) -> Package:
    for path in filter(None, (xml, pdf)):
        if _is_special(path):
            return Package(source_file, error=f"{path.name}: no regular file but a device, pipe or socket")
        try:
            path.open("rb").close()
        except OSError as error:
            return Package(source_file, error=f"{path.name}: cannot be opened ({error.strerror})")
    return Package(source_file, xml, pdf, shared_folder=shared_folder)


def _pair(here: Path, xmls: list[str], pdfs: list[str]) -> dict[str, str]:
    """XML name -> name of the PDF of the same article."""
    by_stem = {Path(pdf).stem.lower(): pdf for pdf in reversed(pdfs)}
    pairs: dict[str, str] = {}
    for xml in xmls:
        if pdf := by_stem.pop(Path(xml).stem.lower(), None):
            pairs[xml] = pdf
    if len(xmls) == 1 and not pairs and pdfs:
        rest = pdfs if len(pdfs) == 1 else _without_supplements(here / xmls[0], pdfs)
        if len(rest) == 1:
            pairs[xmls[0]] = rest[0]
    return pairs


def _without_supplements(xml: Path, pdfs: list[str]) -> list[str]:
    """The PDFs that the XML does not refer to as `<supplementary-material>` or `<media>`; `<self-uri>` is its own."""
    referred = {bare_name(href).lower() for href in _hrefs(xml)}
    return [pdf for pdf in pdfs if pdf.lower() not in referred]


def _hrefs(xml: Path) -> list[str]:
    try:
        data = _SELF.sub(b"", xml.read_bytes())
    except OSError:
        return []  # the reader reports it
    return [(a or b).decode("utf-8", "replace") for a, b in _HREF.findall(data)]


def _is_special(path: Path) -> bool:
    """Whether something is there that is no file: to open a pipe may last, to read a device may not end."""
    return path.exists() and not path.is_file()


def _is_article(path: Path) -> bool:
    """Whether the file is JATS, or should be: unreadable files, files that are no XML at all and every `.nxml` are
    taken for articles, so that their failure is recorded. XML with another root is not.
    """
    if path.suffix.lower() == ".nxml" or _is_special(path):
        return True
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError:
        return True
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        head = head.decode("utf-16", "ignore").encode()
    head = head.removeprefix(b"\xef\xbb\xbf")
    root = _ROOT.match(head, _PROLOG.match(head).end())
    if not root:
        return True
    if root["name"] in _ENVELOPES:
        return bool(_ARTICLE.search(head, root.end()))
    return root["name"] == b"article" and not _FOREIGN.search(head[: root.end()])


@functools.lru_cache(maxsize=1)
def _shared_pictures(folder: Path, changed_ns: int) -> dict[str, Path]:
    """`_pictures` of a folder with many articles, listed once for all of them as long as it does not change."""
    return _pictures(folder)


def _pictures(folder: Path) -> dict[str, Path]:
    """The pictures of a folder and of the folders below it that hold no article, by lower-case bare name."""
    inside = folder.resolve()
    found: dict[str, Path] = {}
    for current, folders, names in os.walk(folder):
        if Path(current) != folder and any(name.lower().endswith((*XML_SUFFIXES, ".pdf")) for name in names):
            folders.clear()
            continue
        folders.sort()
        for name in sorted(names):
            path = Path(current, name)
            if name.lower().endswith(PICTURE_SUFFIXES) and _stays_inside(path, inside):
                found.setdefault(name.lower(), path)
    return found


def _stays_inside(path: Path, folder: Path) -> bool:
    return path.is_file() and (not path.is_symlink() or path.resolve().is_relative_to(folder))


# ---- archives ----


def _archive_stem(name: str) -> str | None:
    suffix = next((suffix for suffix in ARCHIVE_SUFFIXES if name.lower().endswith(suffix)), None)
    return name[: -len(suffix)] if suffix else None


def _unpacked_packages(archive: Path, relative: str, unpacked: Path) -> Iterator[Package]:
    """The packages inside an archive, unpacked once (its size and time of change name the folder)."""
    try:
        stat = archive.stat()
        key = hashlib.sha256(f"{relative}\0{stat.st_size}\0{stat.st_mtime_ns}".encode()).hexdigest()[:32]
        if not (unpacked / key).is_dir():
            unpack(archive, unpacked / key)
    except (OSError, EOFError, zlib.error, tarfile.TarError, ValueError) as error:
        message = str(error) if isinstance(error, ValueError) else f"{archive.name}: not a readable archive ({error})"
        yield Package(relative, error=message)
        return
    for current, folders, names in os.walk(unpacked / key):
        folders.sort()
        here = Path(current)
        for package in _packages_in(here, sorted(names), _relative(here, unpacked / key)):
            yield dataclasses.replace(package, source_file=f"{relative}!{package.source_file}")


def unpack(archive: Path, target: Path) -> None:
    """Unpack the articles and pictures of a `.tar.gz` into the new folder `target`, all of them or none.

    Other files, links and devices are left out. Raises ValueError for a member outside the archive's own folder, more
    than `MAX_MEMBERS` members or `MAX_UNPACKED_BYTES` bytes; OSError, EOFError, zlib.error or TarError when it is
    broken.
    """
    partial = target.with_name(f"{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)  # of a run that was killed
    partial.mkdir(parents=True)
    try:
        with gzip.open(archive) as stream, _open_tar(stream, archive.name) as tar:
            for count, member in enumerate(tar):
                if count >= MAX_MEMBERS:
                    raise ValueError(f"{archive.name}: more than {MAX_MEMBERS} files in the archive")
                _unpack_member(tar, member, partial, archive.name)
        os.replace(partial, target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _unpack_member(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path, archive: str) -> None:
    name = PurePosixPath(member.name.replace("\\", "/"))
    if name.is_absolute() or ".." in name.parts or ":" in name.parts[:1] or "\0" in member.name:
        raise ValueError(f"{archive}: the member {member.name!r} leads out of the archive")
    if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE):
        return
    if not name.name.lower().endswith((*XML_SUFFIXES, ".pdf", *PICTURE_SUFFIXES)):
        return
    path = target / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with tar.extractfile(member) as source, path.open("wb") as file:
        shutil.copyfileobj(source, file)


def _open_tar(stream: gzip.GzipFile, name: str) -> tarfile.TarFile:
    return tarfile.open(fileobj=_Bounded(stream, name), mode="r|", tarinfo=_Header)


_READ_AS_A_WHOLE = (*b"xgXLK",)  # kinds of header that carry attributes or a long name of the member behind them


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

    def __init__(self, stream, name: str):
        self.stream, self.name, self.left = stream, name, MAX_UNPACKED_BYTES

    def read(self, size: int) -> bytes:
        data = self.stream.read(size)
        self.left -= len(data)
        if self.left < 0:
            raise ValueError(f"{self.name}: more than {MAX_UNPACKED_BYTES} bytes in the archive")
        return data

"""A folder of articles -> packages: the XML and the PDF of one article with the picture files beside them.

    for package in find_packages(Path("articles"), Path("work/unpacked")):
        package.source_file, package.xml, package.pdf, package.files, package.error

Articles are JATS files (`.xml`, `.nxml` with the root `article`, also inside an OAI-PMH or pmc-articleset answer),
PDFs, and `.tar.gz`/`.tgz` packages as PMC ships them. Everything else is ignored. Listing opens only the first
kilobytes of an XML file; the files of a package are read when they are asked for.
"""

import dataclasses
import functools
import hashlib
import os
import re
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from dataset_builder.articles.archives import unpack
from dataset_builder.articles.kinds import PDF_SUFFIX, XML_SUFFIXES, archive_stem, is_article, is_special
from dataset_builder.articles.pictures import bare_name, by_ending, find_pictures, pictures_in, pictures_in_shared

_KEY_CHARS = 32  # hex digits that name an unpacked archive's folder: 128 bits
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
        """The picture files beside the XML: path from its folder, in lower case -> path.

        Those in the XML's folder and in the folders below that hold no article. Where several articles share a folder,
        only those that the XML refers to. Links that lead out of the folder are left out.
        """
        if not self.xml:
            return {}
        folder = self.xml.parent
        if not self.shared_folder:
            return pictures_in(folder)
        pictures = pictures_in_shared(folder, folder.stat().st_mtime_ns)
        referred = (path for href in _hrefs(self.xml) for path in find_pictures(pictures, href))
        return {path.relative_to(folder).as_posix().lower(): path for path in referred}

    @property
    def pictures(self) -> Mapping[str, Path]:
        """`files` by every name that the XML may call them by, see `find_pictures`."""
        return by_ending(self.files)

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
    skipped = unpacked.resolve()
    unlisted: list[OSError] = []
    for current, folders, names in os.walk(folder, onerror=unlisted.append):
        here = Path(current)
        visible = [name for name in folders if not name.startswith(".")]
        folders[:] = sorted(name for name in visible if (here / name).resolve() != skipped)
        yield from _packages_in(here, sorted(names), _relative(here, folder))
        for name in sorted(names):
            stem = archive_stem(name)
            if stem is not None and stem not in folders:
                yield from _unpacked_packages(here / name, _relative(here / name, folder), unpacked)
    for error in unlisted:
        yield Package(_relative(Path(error.filename), folder), error=f"the folder cannot be listed ({error.strerror})")


def _relative(path: Path, folder: Path) -> str:
    """The path as the dataset's column `source_file` has it: with "/", and valid Unicode whatever the disk holds."""
    return os.fsencode(path.relative_to(folder).as_posix()).decode("utf-8", "replace")


def _packages_in(here: Path, names: list[str], relative: str) -> Iterator[Package]:
    """The packages that the files `names` of the folder `here` make up, in the order of their main file.

    `relative` is the path of the folder in `Package.source_file`.
    """
    prefix = "" if relative == "." else f"{relative}/"
    xmls = [name for name in names if name.lower().endswith(XML_SUFFIXES) and is_article(here / name)]
    pdfs = [name for name in names if name.lower().endswith(PDF_SUFFIX)]
    pdf_of = _pair(here, xmls, pdfs)
    files: dict[str, tuple[Path | None, Path | None]] = {}  # main file -> XML, PDF
    for xml in xmls:
        files[xml] = here / xml, (here / pdf_of[xml] if xml in pdf_of else None)
    for pdf in _alone(here, xmls, pdfs, pdf_of):
        files[pdf] = None, here / pdf
    for name, (xml_file, pdf_file) in sorted(files.items()):
        source_file = prefix + _relative(here / name, here)
        yield _package(source_file, xml_file, pdf_file, shared_folder=len(xmls) > 1)


def _alone(here: Path, xmls: list[str], pdfs: list[str], pdf_of: dict[str, str]) -> list[str]:
    """The PDFs that are articles of their own: of no XML, and no supplement of an only one."""
    paired = set(pdf_of.values())
    alone = [pdf for pdf in pdfs if pdf not in paired]
    if len(xmls) == 1 and alone:
        return _without_supplements(here / xmls[0], alone)
    return alone


def _package(source_file: str, xml: Path | None, pdf: Path | None, shared_folder: bool) -> Package:
    """A package of these files; one with `error` when one of them cannot be opened."""
    for path in filter(None, (xml, pdf)):
        if is_special(path):
            return Package(source_file, error=f"{path.name}: no regular file but a device, pipe or socket")
        try:
            path.open("rb").close()
        except OSError as error:
            return Package(source_file, error=f"{path.name}: cannot be opened ({error.strerror})")
    return Package(source_file, xml, pdf, shared_folder=shared_folder)


def _pair(here: Path, xmls: list[str], pdfs: list[str]) -> dict[str, str]:
    """XML name -> name of the PDF of the same article: that of the same stem, or the only one beside an only XML."""
    by_stem = {Path(pdf).stem.lower(): pdf for pdf in reversed(pdfs)}  # of equal stems the first
    pairs: dict[str, str] = {}
    for xml in xmls:
        pdf = by_stem.pop(Path(xml).stem.lower(), None)
        if pdf:
            pairs[xml] = pdf
    if len(xmls) == 1 and not pairs:
        rest = _without_supplements(here / xmls[0], pdfs) if len(pdfs) > 1 else pdfs
        if len(rest) == 1:
            pairs[xmls[0]] = rest[0]
    return pairs


def _without_supplements(xml: Path, pdfs: list[str]) -> list[str]:
    """The PDFs that the XML does not refer to as `<supplementary-material>` or `<media>`; `<self-uri>` is its own."""
    referred = {bare_name(href).lower() for href in _hrefs(xml)}
    return [pdf for pdf in pdfs if pdf.lower() not in referred]


def _hrefs(xml: Path) -> list[str]:
    """The hrefs of the XML but for those of `<self-uri>`, found without parsing it."""
    try:
        data = _SELF.sub(b"", xml.read_bytes())
    except OSError:
        return []  # the reader reports it
    return [(a or b).decode("utf-8", "replace") for a, b in _HREF.findall(data)]


def _unpacked_packages(archive: Path, relative: str, unpacked: Path) -> Iterator[Package]:
    """The packages inside an archive, unpacked once (its size and time of change name the folder)."""
    try:
        stat = archive.stat()
        key = hashlib.sha256(f"{relative}\0{stat.st_size}\0{stat.st_mtime_ns}".encode()).hexdigest()
        inside = unpacked / key[:_KEY_CHARS]
        if not inside.is_dir():
            unpack(archive, inside)
    except (OSError, EOFError, zlib.error, tarfile.TarError, ValueError) as error:
        message = str(error) if isinstance(error, ValueError) else f"{archive.name}: not a readable archive ({error})"
        yield Package(relative, error=message)
        return
    for current, folders, names in os.walk(inside):
        folders.sort()
        here = Path(current)
        for package in _packages_in(here, sorted(names), _relative(here, inside)):
            yield dataclasses.replace(package, source_file=f"{relative}!{package.source_file}")

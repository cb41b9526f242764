"""A folder of articles -> packages: the XML and the PDF of one article with the picture files beside them.

    for package in find_packages(Path("articles"), Path("work/unpacked")):
        package.source_file, package.xml, package.pdf, package.files, package.error

Articles are JATS files (`.xml`, `.nxml` with the root `article`, one or many of them also inside an OAI-PMH answer, a
pmc-articleset or the like, also compressed as `.gz`), PDFs, and packages as PMC and bioRxiv ship them: `.tar.gz`,
`.tgz`, `.zip`, `.meca`. So are the articles in a table of figures (`tables.py`). Everything else is passed over and
counted. Listing opens only the first kilobytes of an XML file; the files of a package are read when they are asked for.
"""

import dataclasses
import functools
import hashlib
import os
import re
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from dataset_builder.articles import bulk, tables
from dataset_builder.articles.archives import SKIPPED_FILE, unpack
from dataset_builder.articles.kinds import (
    ARCHIVE_SUFFIXES,
    PACKED_XML_SUFFIXES,
    PDF_SUFFIX,
    PICTURE_SUFFIXES,
    XML_SUFFIXES,
    archive_stem,
    is_article,
    is_special,
)
from dataset_builder.articles.pictures import (
    FolderPictures,
    bare_name,
    by_every_name,
    find_pictures,
    pictures_in,
    pictures_in_shared,
    pictures_named,
)
from dataset_builder.articles.sidecar import FETCH_FILES, FETCH_FOLDER
from dataset_builder.articles.skipped import HIDDEN_FILES, HIDDEN_FOLDERS, Skipped, suffix_of

_KEY_CHARS = 32  # hex digits that name an unpacked archive's folder: 128 bits
_READ = (*XML_SUFFIXES, *PACKED_XML_SUFFIXES, PDF_SUFFIX, *ARCHIVE_SUFFIXES, *PICTURE_SUFFIXES)  # not skipped
_BROKEN = (OSError, EOFError, zlib.error, tarfile.TarError, zipfile.BadZipFile, NotImplementedError, ValueError)
_SPECIAL = "no regular file but a device, pipe or socket"
_MAX_SEARCHED_BYTES = 100 * 1024**2  # of an XML file: a larger one is no article
_WORK = ".work"  # of a dataset that `ldrt build` has made
_APPLE_DOUBLE = "._"  # macOS puts such a file beside others, with their attributes
_MANIFEST = "manifest.xml"
_ITEM = re.compile(rb"(?P<tag><item\b[^>]*>).*?</item>", re.DOTALL)
_ITEM_TYPE = re.compile(rb"\b(?:item-)?type\s*=\s*[\"'](?P<type>[^\"']*)")
_SELF = re.compile(rb"<self-uri[^>]*>")
_HREF = re.compile(rb"href\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")


@dataclasses.dataclass(frozen=True)
class Package:
    """One article's files.

    `source_file` is the path of the main file (the XML where there is one) relative to the articles folder, with "/";
    for a file out of an archive `x.tar.gz!inner/path.nxml`, for an article of a table `figures.csv!its id`. `error` is
    set, and all files are None, for an archive that could not be unpacked, a file that could not be opened and a row of
    a table that is none.
    """

    source_file: str
    xml: Path | None = None
    pdf: Path | None = None
    table: Path | None = None  # rows of a table of figures, see `tables.read_rows`
    error: str | None = None
    shared_folder: bool = False  # other articles lie in the same folder
    pictures_in: Path | None = None  # the folder of the pictures, where it is not that of the XML or the rows

    @property
    def texts(self) -> dict[str, Path]:
        """The files that are read for themselves, each by the `source` of its reader (`extraction/units.py`)."""
        there = {"jats": self.xml, "pdf": self.pdf, "csv": self.table}
        return {source: path for source, path in there.items() if path}

    @functools.cached_property
    def files(self) -> Mapping[str, Path]:
        """The picture files beside the XML: path from its folder, in lower case -> path.

        Those in the XML's folder and in the folders below that hold no article. Where several articles share a folder,
        only those that the XML refers to. Links that lead out of the folder are left out. Of a table the pictures that
        it names, by these names.
        """
        if self.table:
            return self._in_table.found
        if not self.xml:
            return {}
        folder = self.pictures_in or self.xml.parent
        if not self.shared_folder:
            return self._in_folder.found
        referred = (path for href in _hrefs(self.xml) for path in find_pictures(self._in_folder.found, href))
        return {path.relative_to(folder).as_posix().lower(): path for path in referred}

    @functools.cached_property
    def _in_folder(self) -> FolderPictures:
        """The pictures beside the XML, of all articles there; in a shared folder by every name."""
        assert self.xml is not None  # only an XML names picture files
        folder = self.pictures_in or self.xml.parent
        return pictures_in_shared(folder, folder.stat().st_mtime_ns) if self.shared_folder else pictures_in(folder)

    @functools.cached_property
    def _in_table(self) -> FolderPictures:
        """The pictures that the rows of a table name."""
        assert self.table is not None
        assert self.pictures_in is not None
        return pictures_named(self.pictures_in, [row["picture"] for row in tables.read_rows(self.table)])

    @property
    def pictures(self) -> FolderPictures:
        """`files`, and the picture files that are not opened, by every name that the XML may call them by."""
        if self.table:
            return self._in_table
        if not self.xml:
            return FolderPictures()
        return by_every_name(FolderPictures(dict(self.files), self._in_folder.refused))

    def digest(self) -> str:
        """sha256 over the names and the contents of the XML, the PDF, the rows and the pictures. Raises OSError."""
        total = hashlib.sha256()
        for path in (*self.texts.values(), *(self.files[name] for name in sorted(self.files))):
            with path.open("rb") as file:
                content = hashlib.file_digest(file, "sha256").digest()
            total.update(os.fsencode(path.name) + b"\0" + content)
        return total.hexdigest()


def find_packages(folder: Path, unpacked: Path, skipped: Skipped | None = None) -> Iterator[Package]:
    """The packages below `folder`, folder by folder in sorted order; archives are unpacked into the folder `unpacked`.

    A PDF belongs to the XML of the same name, or to the only XML of its folder when it is the only PDF there. Beside a
    single XML, further PDFs and archives that the XML refers to are its supplements and left out. An archive that also
    lies there unpacked (folder `x` beside `x.tar.gz`, `x.xml` beside `x.xml.gz`) is left out. What is neither article
    nor picture, and what is hidden, is added to `skipped`. Raises FileNotFoundError when there is no `folder`.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no such folder")
    skipped = skipped or Skipped()
    unlisted: list[OSError] = []
    for current, folders, names in os.walk(folder, onerror=unlisted.append):
        here = Path(current)
        visible = [name for name in folders if not name.startswith(".")]
        _add_passed_over(skipped, here, folders, names, folder)
        for name in sorted(visible):
            if _leads_out(here / name, folder):
                yield _outside(here / name, _relative(here / name, folder))
        folders[:] = sorted(name for name in visible if not _is_output(here / name, unpacked))
        inside = sorted(name for name in names if not name.startswith("."))
        yield from _packages_in(here, inside, _relative(here, folder), unpacked, folder)
        yield from _packages_of_archives(here, inside, folders, folder, unpacked, skipped)
    for error in unlisted:
        yield Package(_relative(Path(error.filename), folder), error=f"the folder cannot be listed ({error.strerror})")


def _add_passed_over(skipped: Skipped, here: Path, folders: list[str], names: list[str], root: Path) -> None:
    """Add what of a folder is neither article nor picture, and what is hidden and looks like one."""
    for name in sorted(folders):
        if name.startswith(".") and name not in (_WORK, FETCH_FOLDER):
            skipped.add(_relative(here / name, root), HIDDEN_FOLDERS)
    for name in sorted(names):
        hidden = name.startswith(".")
        read = name.lower().endswith(_READ) or tables.is_named_table(name)
        if hidden and read and not name.startswith(_APPLE_DOUBLE):
            skipped.add(_relative(here / name, root), HIDDEN_FILES)
        elif not hidden and not read and name not in FETCH_FILES:
            skipped.add(_relative(here / name, root), suffix_of(name))
    _add_no_tables(skipped, here, names, root, "")


def _add_no_tables(skipped: Skipped, here: Path, names: list[str], root: Path, prefix: str) -> None:
    """Add what has the name of a table of figures and not its columns."""
    for name in sorted(names):
        if tables.is_named_table(name) and not name.startswith(".") and not tables.is_table(here / name):
            skipped.add(prefix + _relative(here / name, root), tables.NO_TABLE)


def _is_output(folder: Path, unpacked: Path) -> bool:
    """Whether a folder is one that archives are unpacked to, or a dataset that was made from articles."""
    has_work = os.path.isdir(folder / _WORK)  # not Path.is_dir, which fails in a folder that may not be read
    return folder.resolve() == unpacked.resolve() or has_work


def _leads_out(path: Path, folder: Path) -> bool:
    """Whether a link, or a name below one, leads to what does not lie in the articles folder."""
    return path.is_symlink() and os.path.exists(path) and not path.resolve().is_relative_to(folder.resolve())


def _outside(path: Path, relative: str) -> Package:
    return Package(relative, error=f"{path.name}: a link that leads out of the articles folder; copy what it leads to")


def _packages_of_archives(
    here: Path, names: list[str], folders: list[str], root: Path, unpacked: Path, skipped: Skipped
) -> Iterator[Package]:
    """The packages inside the archives among the `names` of a folder, `folders` being those below it."""
    xmls = [name for name in names if name.lower().endswith(XML_SUFFIXES)]
    supplements = {bare_name(href).lower() for href in _hrefs(here / xmls[0])} if len(xmls) == 1 else set()
    for name in names:
        stem = archive_stem(name)
        packed_xml = name.lower().endswith(PACKED_XML_SUFFIXES) and name[: -len(".gz")] not in names
        if not packed_xml and (stem is None or stem in folders):
            continue
        if name.lower() in supplements:
            skipped.add(_relative(here / name, root), f"{suffix_of(name)} (supplements)")
        elif _leads_out(here / name, root):
            yield _outside(here / name, _relative(here / name, root))
        elif is_special(here / name):
            yield Package(_relative(here / name, root), error=f"{name}: {_SPECIAL}")
        else:
            yield from _unpacked_packages(here / name, _relative(here / name, root), unpacked, skipped)


def _relative(path: Path, folder: Path) -> str:
    """The path as the dataset's column `source_file` has it: with "/", and valid Unicode whatever the disk holds."""
    return os.fsencode(path.relative_to(folder).as_posix()).decode("utf-8", "replace")


def _packages_in(here: Path, names: list[str], relative: str, unpacked: Path, root: Path) -> Iterator[Package]:
    """The packages that the files `names` of the folder `here` make up, in the order of their main file.

    `relative` is the path of the folder in `Package.source_file`; the articles of a file with several are written below
    `unpacked`; links that lead out of `root` are refused.
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
        package = _package(source_file, xml_file, pdf_file, root, shared_folder=len(xmls) > 1)
        yield from _articles_of(package, unpacked)
    for name in names:
        if tables.is_named_table(name) and tables.is_table(here / name):
            yield from _articles_of_table(here / name, prefix + _relative(here / name, here), unpacked, root)


def _articles_of_table(path: Path, source_file: str, unpacked: Path, root: Path) -> Iterator[Package]:
    """The articles of a table of figures, and its rows that are none."""
    refused = _refused(path, source_file, root)
    if refused:
        yield refused
        return
    try:
        articles, bad = tables.split(path, unpacked / _key(source_file, path))
    except (OSError, ValueError) as error:
        yield Package(source_file, error=str(error))
        return
    for name, rows in articles.items():
        yield Package(f"{source_file}!{name}", table=rows, pictures_in=path.parent)
    for row in bad:
        yield Package(f"{source_file}!line {row.line}", error=f"line {row.line}: {row.reason}")


def _articles_of(package: Package, unpacked: Path) -> Iterator[Package]:
    """The package, or those of the articles that its XML holds when these are several."""
    articles: list[Path] = []
    if package.xml:
        try:
            articles = bulk.split(package.xml, unpacked / _key(package.source_file, package.xml))
        except (OSError, ValueError) as error:
            yield Package(package.source_file, error=str(error))
            return
    if not articles or not package.xml:
        yield package
        return
    for xml in articles:
        name = f"{package.source_file}!{xml.name}"
        yield Package(name, xml, shared_folder=True, pictures_in=package.pictures_in or package.xml.parent)
    if package.pdf:
        yield Package(str(Path(package.source_file).with_name(package.pdf.name)), pdf=package.pdf)


def _key(relative: str, path: Path) -> str:
    """The name of the folder that a file is unpacked to: by its path, size and time of change."""
    stat = path.stat()
    key = hashlib.sha256(f"{relative}\0{stat.st_size}\0{stat.st_mtime_ns}".encode()).hexdigest()
    return key[:_KEY_CHARS]


def _alone(here: Path, xmls: list[str], pdfs: list[str], pdf_of: dict[str, str]) -> list[str]:
    """The PDFs that are articles of their own: of no XML, and no supplement of an only one."""
    paired = set(pdf_of.values())
    alone = [pdf for pdf in pdfs if pdf not in paired]
    if len(xmls) == 1 and alone:
        return _without_supplements(here / xmls[0], alone)
    return alone


def _package(source_file: str, xml: Path | None, pdf: Path | None, root: Path, shared_folder: bool) -> Package:
    """A package of these files; one with `error` when one of them cannot be opened or lies outside of `root`."""
    for path in filter(None, (xml, pdf)):
        if refused := _refused(path, source_file, root):
            return refused
    return Package(source_file, xml, pdf, shared_folder=shared_folder)


def _refused(path: Path, source_file: str, root: Path) -> Package | None:
    """The package that says why a file is not opened; None where it may be."""
    if is_special(path):
        return Package(source_file, error=f"{path.name}: {_SPECIAL}")
    if _leads_out(path, root):
        return _outside(path, source_file)
    try:
        path.open("rb").close()
    except OSError as error:
        return Package(source_file, error=f"{path.name}: cannot be opened ({error.strerror})")
    return None


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
        if is_special(xml) or xml.stat().st_size > _MAX_SEARCHED_BYTES:
            return []
        data = _SELF.sub(b"", xml.read_bytes())
    except OSError:
        return []  # the reader reports it
    return [(a or b).decode("utf-8", "replace") for a, b in _HREF.findall(data)]


def _unpacked_packages(archive: Path, relative: str, unpacked: Path, skipped: Skipped) -> Iterator[Package]:
    """The packages inside an archive, unpacked once (its size and time of change name the folder)."""
    try:
        inside = unpacked / _key(relative, archive)
        if not (inside / SKIPPED_FILE).is_file():
            shutil.rmtree(inside, ignore_errors=True)  # of an earlier version
            unpack(archive, inside)
    except _BROKEN as error:
        why = getattr(error, "strerror", None) or error  # an OSError's whole text holds the path
        message = str(error) if isinstance(error, ValueError) else f"{archive.name}: not a readable archive ({why})"
        yield Package(relative, error=message)
        return
    skipped.add_written(inside / SKIPPED_FILE, f"{relative}!")
    beside = archive.parent if archive.name.lower().endswith(PACKED_XML_SUFFIXES) else None
    supplements = _supplements(inside / _MANIFEST)
    for current, folders, names in os.walk(inside):
        folders.sort()
        here = Path(current)
        _add_no_tables(skipped, here, names, inside, f"{relative}!")
        articles = sorted(name for name in names if (here / name).relative_to(inside).as_posix() not in supplements)
        for package in _packages_in(here, articles, _relative(here, inside), unpacked, inside):
            name = f"{relative}!{package.source_file}"
            if beside and package.xml:
                package = dataclasses.replace(package, shared_folder=True, pictures_in=beside)
            yield dataclasses.replace(package, source_file=name)


def _supplements(manifest: Path) -> set[str]:
    """The XML and PDF files that the manifest of a MECA archive does not call the article (NISO RP-30)."""
    if not manifest.is_file():
        return set()
    files: dict[bool, set[str]] = {True: set(), False: set()}
    for item in _ITEM.finditer(manifest.read_bytes()):
        kind = _ITEM_TYPE.search(item["tag"])
        is_main = kind is not None and re.search(rb"article|manuscript", kind["type"], re.IGNORECASE) is not None
        files[is_main] |= {(a or b).decode("utf-8", "replace") for a, b in _HREF.findall(item[0])}
    there = {name for name in files[True] if (manifest.parent / name).is_file()}
    others = {name for name in files[False] - there if name.lower().endswith((*XML_SUFFIXES, PDF_SUFFIX))}
    return others if there else set()

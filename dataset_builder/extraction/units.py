"""Which files there are to read, and how one of them becomes a record; `executors.py` reads them all."""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from dataset_builder.articles.packages import Package
from dataset_builder.extraction.makers import makers_digest
from dataset_builder.extraction.records import is_written, read_record, write_record
from dataset_builder.readers.article import Article
from dataset_builder.text.language import detect_language


@dataclass(frozen=True)
class Unit:
    """One file to read: the XML or the PDF of a package (or the package that cannot be opened), and its record."""

    package: Package
    source: str  # jats | pdf | package
    record: Path

    @property
    def source_file(self) -> str:
        """The file's path relative to the articles folder."""
        if self.source == "pdf" and self.package.xml:
            return str(Path(self.package.source_file).with_name(self.package.pdf.name))
        return self.package.source_file

    def about(self) -> dict:
        """What the record says besides the article: its file, its package's hash, whether that has XML and PDF."""
        paired = self.package.xml is not None and self.package.pdf is not None
        digest = self.package.digest()
        return {
            "source": self.source,
            "source_file": self.source_file,
            "digest": digest,
            "paired": paired,
            "error": None,
        }


def units(packages: list[Package], records: Path, layout: str) -> Iterator[Unit]:
    """The files of the packages. A record's folder is named by a hash of what it depends on: the file and those
    beside it (path, size, time of change), the readers' code and the layout model; it is read again when one changes.
    """
    salt = makers_digest() + layout
    for package in packages:
        stat = [(name, path.stat().st_size, path.stat().st_mtime_ns) for name, path in _inputs(package)]
        for source, there in (("jats", package.xml), ("pdf", package.pdf), ("package", package.error)):
            if there:
                key = hashlib.sha256(json.dumps([salt, package.source_file, source, stat]).encode()).hexdigest()
                # a fresh copy of the package, because `package` keeps the list of its files once it was asked for
                yield Unit(replace(package), source, records / key[:2] / key[:32])


def _inputs(package: Package) -> list[tuple[str, Path]]:
    own = [(path.name, path) for path in (package.xml, package.pdf) if path]
    return own + sorted(package.files.items())


def extract(unit: Unit, layout: str) -> None:
    """Read one file and write its record; a file that cannot be read gives a record with `error`.

    Raises MemoryError, and OSError when the record cannot be written.
    """
    about = unit.about()
    read, article = _reader(unit, layout), None
    try:
        article = read()
        article.language = article.language or detect_language(article.markdown)
    except MemoryError:
        raise
    except Exception as error:  # whatever a stranger's file provokes is that file's failure, not the batch's
        folder = str((unit.package.xml or unit.package.pdf or unit.record).parent)
        about["error"] = one_line(error).replace(f"{folder}/", "")
    write_record(unit.record, article, **about)


def _reader(unit: Unit, layout: str) -> Callable[[], Article]:
    """What reads this unit; imported here, so that `ldrt build` on XML alone never loads the PDF reader."""
    if unit.source == "jats":
        from dataset_builder.readers.jats.reader import read_jats

        return lambda: read_jats(unit.package.xml, unit.package.files)
    if unit.source == "pdf":
        from dataset_builder.readers.pdf.reader import read_pdf

        return lambda: read_pdf(unit.package.pdf, layout=layout)
    return lambda: _fail(unit.package.error)


def _fail(error: str) -> Article:
    raise ValueError(error)


def one_line(error: Exception) -> str:
    """The error's text, or its type where it has none, as valid Unicode (file names need not be)."""
    return " ".join(str(error).encode("utf-8", "replace").decode().split()) or type(error).__name__


def record_failure(unit: Unit, error: str) -> None:
    """Write the record of a file whose reader could not."""
    for partial in unit.record.parent.glob(f"{unit.record.name}.*.partial"):
        shutil.rmtree(partial)
    write_record(unit.record, None, **unit.about() | {"error": error})


def forget_failures(units: list[Unit]) -> None:
    """Remove the records of files that could not be read, so that they are read again."""
    for unit in units:
        if is_written(unit.record) and read_record(unit.record)["error"]:
            shutil.rmtree(unit.record)

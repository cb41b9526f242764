"""Which files there are to read, and how one of them becomes a record; `executors.py` reads them all."""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from dataset_builder.articles.packages import Package
from dataset_builder.extraction.makers import makers_digest
from dataset_builder.extraction.records import About, is_written, read_record, write_record
from dataset_builder.files.full import is_full
from dataset_builder.files.hashes import file_sha256
from dataset_builder.readers.article import Article
from dataset_builder.text.language import detect_language

Layout = Literal["geometric", "heron"]  # what finds the blocks of a PDF's page: rules, or docling's model
_KEY_CHARS = 32  # hex digits that name a record's folder: 128 bits


@dataclass(frozen=True)
class Unit:
    """One file to read: the XML or the PDF of a package (or the package that cannot be opened), and its record."""

    package: Package
    source: str  # one of `Package.texts`, or package
    record: Path

    @property
    def source_file(self) -> str:
        """The file's path relative to the articles folder."""
        package = self.package
        if self.source == "pdf" and package.xml and package.pdf:
            return str(Path(package.source_file).with_name(package.pdf.name))
        return package.source_file

    @property
    def file(self) -> Path | None:
        """The file itself; None for a package that cannot be opened."""
        return self.package.texts.get(self.source)

    def about(self) -> About:
        """What the record says besides the article. Raises OSError when a file of the package cannot be read."""
        return {
            "source": self.source,
            "source_file": self.source_file,
            "digest": self.package.digest(),
            "file_sha256": file_sha256(self.file) if self.file else None,
            "paired": self.package.xml is not None and self.package.pdf is not None,
            "error": None,
        }


def units(packages: list[Package], records: Path, layout: Layout) -> Iterator[Unit]:
    """The files of the packages. A record's folder is named by a hash of what it depends on: the file and those
    beside it (path, size, time of change), the readers' code and the layout model; it is read again when one changes.
    """
    salt = makers_digest() + layout
    for package in packages:
        stats = [(name, path.stat().st_size, path.stat().st_mtime_ns) for name, path in _inputs(package)]
        if package.table:  # written anew whenever one row of its table has changed
            stats.append((package.table.read_text(encoding="utf-8"), 0, 0))
        for source in _sources(package):
            depends_on = json.dumps([salt, package.source_file, source, stats])
            key = hashlib.sha256(depends_on.encode()).hexdigest()
            # a fresh copy of the package, because `package` keeps the list of its files once it was asked for
            yield Unit(replace(package), source, records / key[:2] / key[:_KEY_CHARS])


def _sources(package: Package) -> list[str]:
    return [*package.texts, "package"] if package.error else list(package.texts)


def _inputs(package: Package) -> list[tuple[str, Path]]:
    own = [(path.name, path) for path in package.texts.values() if path != package.table]
    return own + sorted(package.files.items())


def extract(unit: Unit, layout: Layout) -> None:
    """Read one file and write its record; a file that cannot be read gives a record with `error`.

    Raises MemoryError, and OSError when the record cannot be written.
    """
    about = unit.about()
    read = _reader(unit, layout)  # outside of `try`: a library that is missing is no file's fault
    article = None
    try:
        article = read()
        article.language = article.language or detect_language(article.markdown)
    except MemoryError:
        raise
    except Exception as error:  # whatever a stranger's file provokes is that file's failure, not the batch's
        if is_full(error):
            raise
        folder = str((unit.file or unit.record).parent)
        about["error"] = one_line(error).replace(f"{folder}/", "")
    write_record(unit.record, article, about)


def _reader(unit: Unit, layout: Layout) -> Callable[[], Article]:
    """What reads this unit. Readers are imported here: `ldrt build` on XML alone never loads that of PDFs."""
    package, path = unit.package, unit.file
    if path is None:
        return lambda: _fail(package.error)
    if unit.source == "jats":
        from dataset_builder.readers.jats.reader import read_jats

        return lambda: read_jats(path, package.pictures)
    if unit.source == "pdf":
        from dataset_builder.readers.pdf.reader import read_pdf

        return lambda: read_pdf(path, layout=layout)
    if unit.source == "csv":
        from dataset_builder.readers.tables.reader import read_table

        return lambda: read_table(path, package.pictures)
    raise NotImplementedError(f"no reader of {unit.source}")


def _fail(error: str | None) -> Article:
    raise ValueError(error)


def one_line(error: Exception) -> str:
    """The error's text, or its type where it has none, as valid Unicode (file names need not be)."""
    return " ".join(str(error).encode("utf-8", "replace").decode().split()) or type(error).__name__


def record_failure(unit: Unit, error: str) -> None:
    """Write the record of a file whose reader could not."""
    for partial in unit.record.parent.glob(f"{unit.record.name}.*.partial"):
        shutil.rmtree(partial)
    write_record(unit.record, None, {**unit.about(), "error": error})


def forget_failures(units: list[Unit]) -> None:
    """Remove the records of files that could not be read, so that they are read again."""
    for unit in units:
        if is_written(unit.record) and read_record(unit.record)["error"]:
            shutil.rmtree(unit.record)

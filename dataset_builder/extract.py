"""Read every file of the packages into a record, in worker processes: a crash or a hang costs one file, not the run."""

import hashlib
import json
import multiprocessing
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import TimeoutError
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from pebble import ProcessExpired, ProcessPool

from dataset_builder.article import Article
from dataset_builder.language import detect_language
from dataset_builder.packages import Package
from dataset_builder.progress import progress
from dataset_builder.records import is_written, write_record

_NOT_READERS = (
    "assemble",
    "build",
    "filters",
    "instruct",
    "ldrt",
    "llm",
    "manifest",
    "progress",
    "schema",
    "splits",
    "teachers",
)


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
    salt = _readers_digest() + layout
    for package in packages:
        stat = [(name, path.stat().st_size, path.stat().st_mtime_ns) for name, path in _inputs(package)]
        for source, there in (("jats", package.xml), ("pdf", package.pdf), ("package", package.error)):
            if there:
                key = hashlib.sha256(json.dumps([salt, package.source_file, source, stat]).encode()).hexdigest()
                yield Unit(package, source, records / key[:2] / key[:32])


def _inputs(package: Package) -> list[tuple[str, Path]]:
    own = [(path.name, path) for path in (package.xml, package.pdf) if path]
    return own + sorted(package.files.items())


def _readers_digest() -> str:
    """A hash of the code that reads articles: of all modules here but those of later stages and the sample corpus."""
    modules = sorted(Path(__file__).parent.glob("*.py"))
    readers = [m for m in modules if m.stem not in _NOT_READERS and not m.stem.startswith("sample_")]
    return hashlib.sha256(b"".join(m.read_bytes() for m in readers) + version("docling").encode()).hexdigest()


def extract(unit: Unit, layout: str) -> None:
    """Read one file and write its record; a file that cannot be read gives a record with `error`."""
    about = unit.about()
    read, article = _reader(unit, layout), None
    try:
        article = read()
        article.language = article.language or detect_language(article.markdown)
    except Exception as error:  # whatever a stranger's file provokes is that file's failure, not the batch's
        folder = str((unit.package.xml or unit.package.pdf or unit.record).parent)
        about["error"] = " ".join(str(error).replace(f"{folder}/", "").split()) or type(error).__name__
    write_record(unit.record, article, **about)


def _reader(unit: Unit, layout: str) -> Callable[[], Article]:
    """What reads this unit; imported here, so that `ldrt build` on XML alone never loads the PDF reader."""
    if unit.source == "jats":
        from dataset_builder.jats import read_jats

        return lambda: read_jats(unit.package.xml, unit.package.files)
    if unit.source == "pdf":
        from dataset_builder.pdf import read_pdf

        return lambda: read_pdf(unit.package.pdf, layout=layout)
    return lambda: _fail(unit.package.error)


def _fail(error: str) -> Article:
    raise ValueError(error)


def extract_all(todo: list[Unit], layout: str, workers: int, timeout_s: float) -> None:
    """Read the units that have no record yet, `workers` at a time.

    A file that takes longer than `timeout_s` seconds, or kills its worker, gets a record with `error`, too.
    """
    todo = [unit for unit in todo if not is_written(unit.record)]
    if not todo:
        return
    context = multiprocessing.get_context("spawn")  # a fork would copy the threads' locks of this process
    with (
        ProcessPool(max_workers=workers, context=context) as pool,
        progress(len(todo), "files", "read") as bar,
    ):
        futures = [(unit, pool.schedule(extract, args=(unit, layout), timeout=timeout_s)) for unit in todo]
        try:
            for unit, future in futures:
                _wait(unit, future, timeout_s)
                bar.update()
        except BaseException:
            pool.stop()
            raise


def _wait(unit: Unit, future, timeout_s: float) -> None:
    try:
        future.result()
    except TimeoutError:
        _record_failure(unit, f"took longer than {timeout_s:g} s")
    except ProcessExpired as error:
        _record_failure(unit, f"the reader's process died (exit code {error.exitcode})")


def _record_failure(unit: Unit, error: str) -> None:
    for partial in unit.record.parent.glob(f"{unit.record.name}.*.partial"):
        shutil.rmtree(partial)
    write_record(unit.record, None, **unit.about() | {"error": error})

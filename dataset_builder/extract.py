"""Read every file of the packages into a record, in worker processes: a crash or a hang costs one file, not the run."""

import hashlib
import json
import multiprocessing
import shutil
from collections.abc import Iterator
from concurrent.futures import TimeoutError
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from pebble import ProcessExpired, ProcessPool
from tqdm import tqdm

from dataset_builder.article import Article
from dataset_builder.packages import Package
from dataset_builder.records import read_record, write_record

_READERS = ("article", "images", "jats", "layout_geometric", "mentions", "packages", "page_layout", "pdf", "records")


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
    here = Path(__file__).parent
    code = b"".join((here / f"{name}.py").read_bytes() for name in _READERS if (here / f"{name}.py").exists())
    return hashlib.sha256(code + version("docling").encode()).hexdigest()


def extract(unit: Unit, layout: str) -> None:
    """Read one file and write its record; a file that cannot be read gives a record with `error`."""
    about = {"source": unit.source, "source_file": unit.source_file, "digest": unit.package.digest(), "error": None}
    article = None
    try:
        article = _read(unit, layout)
    except Exception as error:  # whatever a stranger's file provokes is that file's failure, not the batch's
        about["error"] = " ".join(str(error).split()) or type(error).__name__
    write_record(unit.record, article, **about)


def _read(unit: Unit, layout: str) -> Article:
    if unit.package.error:
        raise ValueError(unit.package.error)
    if unit.source == "jats":
        from dataset_builder.jats import read_jats

        return read_jats(unit.package.xml, unit.package.files)
    from dataset_builder.pdf import read_pdf

    return read_pdf(unit.package.pdf, layout=layout)


def extract_all(todo: list[Unit], layout: str, workers: int, timeout_s: float) -> None:
    """Read the units that have no record yet, `workers` at a time.

    A file that takes longer than `timeout_s` seconds, or kills its worker, gets a record with `error`, too.
    """
    todo = [unit for unit in todo if read_record(unit.record) is None]
    if not todo:
        return
    context = multiprocessing.get_context("spawn")  # a fork would copy the threads' locks of this process
    with ProcessPool(max_workers=workers, context=context) as pool, tqdm(total=len(todo), unit="file") as bar:
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
    write_record(
        unit.record, None, source=unit.source, source_file=unit.source_file, digest=unit.package.digest(), error=error
    )

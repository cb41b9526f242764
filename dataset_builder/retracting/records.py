"""What the build keeps of each file that it has read, in `.work/records`: of what is taken down, only a mark.

The mark keeps the file from being read again: it has the hash of the package, and none of its text and pictures.
"""

import shutil
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from dataset_builder.extraction.records import Record, read_record
from dataset_builder.retracted import TAKEN_DOWN


def records_of(dataset: Path, names: Collection[str], sources: Collection[str]) -> dict[Path, Record]:
    """folder -> record of every file of an article: by PMCID or DOI, by its path, and what shares a package with it.

    Records of files that could not be read count by their path alone.
    """
    every = dict(_records(dataset))
    own = {folder for folder, record in every.items() if _is_of(record, names, sources)}
    packages = {every[folder]["digest"] for folder in own if every[folder]["error"] in (None, TAKEN_DOWN)}
    return {
        folder: record
        for folder, record in every.items()
        if folder in own or (record["error"] in (None, TAKEN_DOWN) and record["digest"] in packages)
    }


def _records(dataset: Path) -> Iterator[tuple[Path, Record]]:
    for path in sorted((dataset / ".work" / "records").glob("*/*/article.json")):
        yield path.parent, read_record(path.parent)


def _is_of(record: Record, names: Collection[str], sources: Collection[str]) -> bool:
    own = [name.lower() for name in (record.get("pmcid"), record.get("doi")) if name]
    return record["source_file"] in sources or any(name in names for name in own)


def remove_unpacked(dataset: Path, sources: Iterable[str]) -> None:
    """Remove the copies of archives' and tables' content, where an article comes from one; they are made again."""
    if any("!" in source for source in sources):
        shutil.rmtree(dataset / ".work" / "unpacked", ignore_errors=True)

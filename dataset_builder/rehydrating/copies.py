"""One's own copies of the articles that are wanted: found among others by the hash of their files, else by their ids.

What is found is read as `ldrt build` reads it; records are kept in the dataset's .work, so that it is read once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from dataset_builder.articles.packages import Package, find_packages
from dataset_builder.articles.sidecar import read_sidecar
from dataset_builder.assembly.articles import Head, JoinedArticle, join_articles, join_files, notices_of, read_heads
from dataset_builder.extraction.executors import ReadArticles, missing_records
from dataset_builder.extraction.isolation import Limits
from dataset_builder.extraction.records import read_record
from dataset_builder.extraction.units import Layout, forget_failures, units
from dataset_builder.files.hashes import file_sha256
from dataset_builder.rehydrating.published import Wanted

_MAX_SEARCHED_BYTES = 100 * 1024**2  # of an XML file: a larger one is no article


@dataclass(frozen=True)
class Copy:
    """One article as it was read; `article` is None where none of its files could be."""

    hashes: frozenset[str]  # sha256 of its files
    names: frozenset[str]  # PMCID and DOI, lower case
    article: JoinedArticle | None
    error: str | None


@dataclass(frozen=True)
class Found:
    """The packages to read: those with a wanted file, and those that may be another version of a wanted article."""

    same: list[Package]
    perhaps: list[Package]
    missing: list[Wanted]  # figures whose article's file is not there


def find(articles: Path, unpacked: Path, wanted: Sequence[Wanted]) -> Found:
    """Look for the articles of the wanted figures below `articles`. Raises FileNotFoundError for no such folder."""
    if not articles.is_dir():
        raise FileNotFoundError(f"no folder {articles}; give the folder that holds your PDFs and JATS packages")
    by_package = [(package, _hashes(package)) for package in find_packages(articles, unpacked)]
    there = {sha256 for _, hashes in by_package for sha256 in hashes}
    asked = {sha256 for one in wanted for sha256 in _files_of(one)}
    missing = [one for one in wanted if one.row["source_sha256"] not in there]
    names = {name for one in missing for name in names_of(one)}
    rest = [package for package, hashes in by_package if not hashes & asked]
    same = [package for package, hashes in by_package if hashes & asked]
    return Found(same, [package for package in rest if names and _may_be(package, names)], missing)


def names_of(wanted: Wanted) -> frozenset[str]:
    """PMCID and DOI of a figure's article, lower case."""
    return frozenset(name.lower() for name in (wanted.row["pmcid"], wanted.row["doi"]) if name)


def _files_of(wanted: Wanted) -> Iterable[str]:
    """The hashes of the files of an article that a figure is made of; pictures are found by their article's XML."""
    return (wanted.row["source_sha256"], *(file["sha256"] for file in wanted.row["picture_files"]))


def _hashes(package: Package) -> set[str]:
    """The hashes of a package's XML and PDF; of one that cannot be opened none."""
    try:
        return {file_sha256(path) for path in (package.xml, package.pdf) if path}
    except OSError:
        return set()


def _may_be(package: Package, names: set[str]) -> bool:
    """Whether a package may be one of the articles `names`: an XML says so, of a PDF one knows when it is read."""
    path = package.xml or package.pdf
    if path is None or package.table:
        return False
    said = read_sidecar(path.parent)
    if said and {name.lower() for name in (said["pmcid"], said["doi"]) if name} & names:
        return True
    return True if package.xml is None else _is_in(package.xml, names)


def _is_in(xml: Path, names: set[str]) -> bool:
    """Whether an XML file names an article: DOIs as they stand, PMCIDs by their digits, which JATS gives alone."""
    try:
        if xml.stat().st_size > _MAX_SEARCHED_BYTES:
            return False
        text = xml.read_bytes().lower()
    except OSError:
        return False
    return any(name.removeprefix("pmc").encode() in text for name in names)


# ---- reading them


def read(packages: list[Package], work: Path, layout: Layout, limits: Limits) -> list[Copy]:
    """The articles of the packages, each read once; a file that cannot be read is tried again each time."""
    files = list(units(packages, work / "records", layout))
    forget_failures(files)
    if missing := missing_records(files):
        ReadArticles(missing, work / "todo.jsonl", layout, limits).run()
    heads = read_heads(files)
    notices = notices_of(heads)
    return [_copy(of_article, join_files(of_article, notices)) for of_article in join_articles(heads)]


def _copy(heads: list[Head], article: JoinedArticle | None) -> Copy:
    hashes = {read_record(head.record).get("file_sha256") for head in heads}
    names = {name for head in heads for name in head.names}
    errors = [head.error for head in heads if head.error]
    return Copy(frozenset(filter(None, hashes)), frozenset(names), article, "; ".join(errors) or None)

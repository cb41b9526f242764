"""Several files of one article: copies, and versions of it. Which one is taken, and what to say of the others."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from dataset_builder.extraction.records import Record

OTHER_VERSIONS = "other files of articles that are there"  # reason in `provenance/skipped.jsonl`


@dataclass(frozen=True, eq=False)
class ArticleFile:
    """The record of one file of an article, the folder where its pictures lie, and its package's main file."""

    folder: Path
    record: Record
    package: str

    @property
    def markdown(self) -> str:
        return (self.folder / "article.md").read_text(encoding="utf-8")


class _Standing(NamedTuple):
    """What speaks for a file, the weightiest first: the greatest is taken, of equals the first."""

    has_figures: bool
    is_table: bool  # somebody chose its figures by hand, and may have asked questions about them
    is_xml: bool
    published: bool  # no author's manuscript or preprint
    version: list[int]
    has_pictures: bool
    date: str  # of publication, ISO 8601; "" for none
    figures: int
    pictures: int
    paired: bool  # an XML and a PDF in one package


def _standing(file: ArticleFile) -> _Standing:
    record = file.record
    pictures = sum(figure["image_file"] is not None for figure in record["figures"])
    version = record["version"]
    return _Standing(
        has_figures=bool(record["figures"]),
        is_table=record["source"] == "csv",
        is_xml=record["source"] == "jats",
        published=not (version and version["manuscript"]),
        version=version["number"] if version else [],
        has_pictures=pictures > 0,
        date=(version["date"] if version else None) or "",
        figures=len(record["figures"]),
        pictures=pictures,
        paired=record["paired"],
    )


def taken(files: Sequence[ArticleFile]) -> list[ArticleFile]:
    """The files that an article is made of: the best one, whose text it has, and the best one of the other format.

    The best one has figures, is a table of figures rather than XML, XML rather than PDF, published rather than a
    manuscript, the newest, the richest. Beside a table no other file is taken.
    """
    main = max(files, key=_standing)  # of equals the first
    if main.record["source"] == "csv":
        return [main]
    others = [file for file in files if file.record["source"] != main.record["source"]]
    beside = [max(others, key=lambda file: (file.package == main.package, _standing(file)))] if others else []
    return [main, *beside]


def passed_over(files: Sequence[ArticleFile]) -> list[tuple[str, str]]:
    """(file, why another one is taken) of the files of an article that are not `taken`."""
    chosen = taken(files)
    by_format = {file.record["source"]: file for file in chosen}
    pairs = [(file, by_format.get(file.record["source"], chosen[0])) for file in files]
    return [(file.record["source_file"], _why(file, chosen)) for file, chosen in pairs if file is not chosen]


def _why(file: ArticleFile, chosen: ArticleFile) -> str:
    name = chosen.record["source_file"]
    if _says(file) == _says(chosen):
        return f"a copy of {name}"
    title, other = file.record["title"], chosen.record["title"]
    if title and other and title.casefold() != other.casefold():
        name += ", which has another title under the same DOI or PMCID"
    return f"{_difference(_standing(file), _standing(chosen))}; taken: {name}"


def _says(file: ArticleFile) -> tuple:
    """What two copies have in common: their text, and their pictures."""
    pictures = [figure.get("image_sha256") for figure in file.record["figures"]]
    return file.markdown, pictures, file.record["version"]


def _difference(one: _Standing, chosen: _Standing) -> str:
    """What speaks for the file that was chosen rather than for this one of the same format."""
    if chosen.has_figures != one.has_figures:
        return "without figures"
    if chosen.is_table != one.is_table:
        return "not the table of figures that was made of it"
    if chosen.published != one.published:
        return "a manuscript or preprint of a published article"
    if chosen.version != one.version:
        return f"an older version ({_printed(one.version)}, not {_printed(chosen.version)})"
    if chosen.has_pictures != one.has_pictures:
        return "without pictures"
    if chosen.date != one.date:
        return f"older ({one.date or 'no date'}, not {chosen.date})"
    if (chosen.figures, chosen.pictures) != (one.figures, one.pictures):
        return f"{one.figures} figures, {one.pictures} of them with pictures, not {chosen.figures}, {chosen.pictures}"
    return "of two that are as new and as rich the later one by its path, or the one without a file of the other format"


def _printed(version: list[int]) -> str:
    return ".".join(map(str, version)) or "no number"

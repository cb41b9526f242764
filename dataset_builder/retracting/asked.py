"""Which articles and figures of a dataset folder are meant, and what the folder holds of them."""

import datetime
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow.parquet as parquet

from dataset_builder.files.jsonfiles import read_jsonl
from dataset_builder.files.nearest import nearest
from dataset_builder.retracted import Retracted, Retraction
from dataset_builder.schema import CONFIGS
from trust.errors import UsageError

_COLUMNS = (
    *("article_id", "figure_id", "pmcid", "doi", "source_file", "duplicate_group", "context_of", "example_id"),
    "image_sha256",
)
_ROWS_AT_ONCE = 5000  # without pictures: some megabytes


@dataclass
class Known:
    """What a dataset folder knows: ids of articles with their other names, ids of figures."""

    articles: dict[str, set[str]] = field(default_factory=dict)  # article_id -> PMCID and DOI, lower case
    figures: dict[str, set[str]] = field(default_factory=dict)  # article_id -> figure_ids
    sources: dict[str, set[str]] = field(default_factory=dict)  # article_id -> files that it was read from
    copies: dict[str, set[str]] = field(default_factory=dict)  # group of duplicates -> figure_ids

    def add(self, row: Mapping[str, Any]) -> None:
        """A row of whatever file that says of which article it is."""
        article_id, figure_id = row.get("article_id"), row.get("figure_id")
        if not isinstance(article_id, str):
            return
        names = self.articles.setdefault(article_id, set())
        names.update(name.lower() for name in (row.get("pmcid"), row.get("doi")) if name)
        if row.get("source_file"):
            self.sources.setdefault(article_id, set()).add(row["source_file"])
        if isinstance(figure_id, str):
            self.figures.setdefault(article_id, set()).add(figure_id)
            if row.get("duplicate_group"):
                self.copies.setdefault(row["duplicate_group"], set()).add(figure_id)

    def article(self, asked: str) -> str | None:
        """The id of the article that is called so: by its id, PMCID or DOI, in any case; None where there is none."""
        if asked in self.articles:
            return asked
        name = asked.lower()
        return next((a for a, names in self.articles.items() if name == a.lower() or name in names), None)

    def figure(self, asked: str) -> str | None:
        """The id of a figure, if there is one of that id."""
        return asked if any(asked in figures for figures in self.figures.values()) else None

    def shown_elsewhere(self, figure_ids: Iterable[str]) -> list[str]:
        """Other figures, of the articles that stay, that show the same pictures."""
        gone = set(figure_ids)
        groups = [group for group in self.copies.values() if group & gone]
        return sorted(set().union(*groups) - gone)


def read_known(dataset: Path) -> Known:
    """One pass over configs, provenance and what the build left. Raises FileNotFoundError for no dataset folder."""
    if not any((dataset / "pairs").glob("*.parquet")):
        raise FileNotFoundError(f"{dataset} is no dataset repo folder (no pairs/train-*.parquet): give that of a build")
    known = Known()
    for config in CONFIGS:
        for row in config_rows(dataset, config):
            known.add(row)
    for path in (*sorted((dataset / "provenance").glob("*.jsonl")), dataset / ".work" / "verdicts.jsonl"):
        for row in read_jsonl(path):
            known.add(row)
    for path in (dataset / "provenance" / "markdown").glob("[!.]*.md"):
        known.articles.setdefault(unquote(path.stem), set())
    return known


def config_rows(dataset: Path, config: str) -> Iterator[dict]:
    """The rows of a config, with as many of the columns that say what they are of as it has."""
    for path in sorted((dataset / config).glob("*.parquet")):
        with parquet.ParquetFile(path) as file:
            columns = [name for name in _COLUMNS if name in file.schema_arrow.names]
            for batch in file.iter_batches(_ROWS_AT_ONCE, columns=columns):
                yield from batch.to_pylist()


def entries_for(
    dataset: Path, known: Known, articles: Sequence[str], figures: Sequence[str], why: str, day: datetime.date
) -> list[Retraction]:
    """The lines of the list for what is asked for; without the hashes of its files, which only records know.

    Raises ValueError for an id that nothing has, naming the nearest one.
    """
    ids = dict.fromkeys(_known_article(dataset, known, asked) for asked in articles)  # one article by two names is one
    entries = [_of_article(known, article_id, why, day) for article_id in ids]
    entries += [_of_figure(_known_figure(dataset, known, asked), why, day) for asked in figures]
    for entry in entries:
        entry["rows"] = count_rows(dataset, entry)
    return entries


def sort_asked(
    listed: Sequence[Retraction], articles: Sequence[str], figures: Sequence[str]
) -> tuple[list[Retraction], list[str], list[str]]:
    """(entries of the list that are asked for, articles and figures that are not on it), each once."""
    by_name = {name: entry for entry in listed if entry["article_id"] for name in _names(entry)}
    by_figure = {entry["figure_id"]: entry for entry in listed if entry["figure_id"]}
    found = [by_name.get(asked.lower()) for asked in articles] + [by_figure.get(asked) for asked in figures]
    before = [entry for entry in found if entry is not None]
    unlisted = [asked for asked in dict.fromkeys(articles) if asked.lower() not in by_name]
    return before, unlisted, [asked for asked in dict.fromkeys(figures) if asked not in by_figure]


def _names(entry: Retraction) -> list[str]:
    return [str(entry["article_id"]).lower(), *entry["names"]]


def refuse_everything(dataset: Path, entries: Sequence[Retraction]) -> None:
    """Raises ValueError where no figure would be left."""
    retracted = Retracted.of(entries)
    if all(map(retracted.has_row, config_rows(dataset, "pairs"))):
        raise ValueError(f"{dataset} would have no figure left: delete the folder, and the repository, instead")


def count_rows(dataset: Path, entry: Retraction) -> dict[str, int]:
    """config -> rows of it that go, of those configs that have any."""
    retracted = Retracted.of([entry])
    counts: Counter[str] = Counter()
    for config in CONFIGS:
        counts[config] = sum(map(retracted.has_row, config_rows(dataset, config)))
    return dict(+counts)


def _known_article(dataset: Path, known: Known, asked: str) -> str:
    found = known.article(asked)
    if found is None:
        every = [*known.articles, *(name for names in known.articles.values() for name in names)]
        raise UsageError(f"no article {asked!r} in {dataset}{nearest(asked, every)}; nothing was taken out")
    return found


def _known_figure(dataset: Path, known: Known, asked: str) -> str:
    if known.figure(asked) is None:
        every = [figure for figures in known.figures.values() for figure in figures]
        raise UsageError(f"no figure {asked!r} in {dataset}{nearest(asked, every)}; nothing was taken out")
    return asked


def _of_article(known: Known, article_id: str, why: str, day: datetime.date) -> Retraction:
    return {
        "day": day.isoformat(),
        "article_id": article_id,
        "figure_id": None,
        "why": why,
        "names": sorted(known.articles[article_id]),
        "digests": [],
        "figure_ids": sorted(known.figures.get(article_id, ())),
        "rows": {},
    }


def _of_figure(figure_id: str, why: str, day: datetime.date) -> Retraction:
    return {
        "day": day.isoformat(),
        "article_id": None,
        "figure_id": figure_id,
        "why": why,
        "names": [],
        "digests": [],
        "figure_ids": [figure_id],
        "rows": {},
    }

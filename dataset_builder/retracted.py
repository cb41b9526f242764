"""`provenance/retracted.jsonl`: which articles and figures were taken down with `ldrt retract`, and never come back.

Only ids, names, hashes of files and the reason: nothing of what was taken down. `ldrt build` and `ldrt instruct` leave
out what is on this list, even where its files are still among the articles.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from typing_extensions import TypedDict

from trust.handovers import Kind

FILE = "retracted.jsonl"  # in provenance/
TAKEN_DOWN = "taken down with `ldrt retract`"  # the `error` of a record of which nothing is left


class Retraction(TypedDict):
    """A line of the list: an article, or one figure."""

    day: str  # YYYY-MM-DD
    article_id: str | None  # None: a figure alone
    figure_id: str | None  # None: an article with all its figures
    why: str
    names: list[str]  # PMCID and DOI of the article, lower case
    digests: list[str]  # sha256 of the packages that it was read from; by these it is known under another id, too
    figure_ids: list[str]  # of all that goes, rejected figures too
    rows: dict[str, int]  # config -> rows that it had


RETRACTED_FILE = Kind(Retraction, "ldrt retract {folder}", is_edited=True)


@dataclass(frozen=True)
class Retracted:
    """What is on the list, to be asked of rows and articles."""

    articles: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    digests: frozenset[str] = frozenset()
    figures: frozenset[str] = frozenset()  # of these articles, too
    single_figures: frozenset[str] = field(default=frozenset())  # those that went alone
    articles_of_figures: frozenset[str] = field(default=frozenset())  # of those that went alone

    @classmethod
    def of(cls, entries: Iterable[Retraction]) -> "Retracted":
        every = list(entries)
        whole = [entry for entry in every if entry["article_id"] is not None]
        alone = [entry for entry in every if entry["figure_id"] is not None]
        return cls(
            articles=frozenset(entry["article_id"] for entry in whole if entry["article_id"]),
            names=frozenset(name for entry in whole for name in entry["names"]),
            digests=frozenset(digest for entry in whole for digest in entry["digests"]),
            figures=frozenset(figure for entry in every for figure in entry["figure_ids"]),
            single_figures=frozenset(entry["figure_id"] for entry in alone if entry["figure_id"]),
            articles_of_figures=frozenset(article_of(str(entry["figure_id"])) for entry in alone),
        )

    def __bool__(self) -> bool:
        return bool(self.articles or self.figures)

    def has_row(self, row: Mapping[str, Any]) -> bool:
        """Whether a row, of whatever file, is of something on the list: its article, figure, or the text it is from."""
        if row.get("article_id") in self.articles:
            return True
        if any(row.get(column) in self.figures for column in ("figure_id", "context_of", "image_figure_id")):
            return True
        return "figure_id" not in row and self._has_example(str(row.get("example_id", "")))

    def _has_example(self, example_id: str) -> bool:
        """By the figure that an example's id, `FIGURE/TASK` or `FIGURE/PANEL/TASK`, begins with."""
        while example_id:
            example_id = example_id.rpartition("/")[0]
            if example_id in self.figures:
                return True
        return False

    def has_article(self, article_id: str, names: Iterable[str], digests: Iterable[str]) -> bool:
        """Whether an article is on the list, by its id, PMCID or DOI (`names`, lower case) or one of its packages."""
        return article_id in self.articles or not (
            self.names.isdisjoint(names) and self.digests.isdisjoint(digests)  # under another id than before
        )


def read_retracted(dataset: Path) -> Retracted:
    """The list of a dataset repo folder; an empty one where there is none."""
    return Retracted.of(RETRACTED_FILE.rows(dataset / "provenance" / FILE))


def article_of(figure_id: str) -> str:
    """The article that a figure's id, `ARTICLE/figLABEL`, begins with."""
    return figure_id.rpartition("/")[0]

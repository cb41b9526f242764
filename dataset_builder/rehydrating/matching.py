"""Wanted figures against the copies of their articles: which rows come out the same, and what differs in the others.

A row is taken where its picture and its text have the published hashes, whatever the file is called and whichever
version of the article it comes from; a picture also where its pixels are the published ones, and only another library
has compressed them. Licences are the published ones, and those that the copy states besides.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from typing_extensions import TypedDict

from dataset_builder.assembly.archive import MINING_ONLY
from dataset_builder.assembly.rebuild import ABOUT, TEXTS, column_hash
from dataset_builder.assembly.rows import Unjudged
from dataset_builder.rehydrating.copies import Copy, names_of
from dataset_builder.rehydrating.published import Wanted, Withheld
from dataset_builder.text.licenses import figure_attribution
from trust.licenses import in_order

MISSING, UNREADABLE, NO_FIGURE = "article missing", "article unreadable", "figure missing"
NO_PICTURE, PICTURE, TEXT = "picture missing", "picture differs", "text differs"
GONE, TAKEN_DOWN, ABOUT_DIFFERS = "article withdrawn", "taken down", "said of the article differs"
_WITHDRAWN = ("retracted", "removed")  # `status` of an article whose figures no dataset has
_UNSEEN_RIGHTS = "rights of its own, which this copy of the article does not state"
_AS_PUBLISHED = (  # columns of a row that are the published ones
    *("figure_id", "article_id", "pmcid", "doi", "license", "status", "source", "source_file"),
    *("page", "bbox", "duplicate_group"),
)


class Difference(TypedDict):
    """A row of provenance/differences.jsonl."""

    figure_id: str
    article_id: str
    split: str
    is_taken: bool  # whether the row is in `pairs` all the same
    reason: str
    detail: str | None


@dataclass(frozen=True)
class Outcome:
    """What became of a wanted figure: a row of `pairs`, something to say of it, or both."""

    wanted: Wanted
    row: dict[str, Any] | None
    reason: str | None = None
    detail: str | None = None

    def difference(self) -> Difference | None:
        """What is written down of it; None where all is as published."""
        if self.reason is None:
            return None
        ids = {"figure_id": self.wanted.row["figure_id"], "article_id": self.wanted.article, "split": self.wanted.split}
        said = {"is_taken": self.row is not None, "reason": self.reason, "detail": self.detail}
        return cast("Difference", ids | said)


def match(wanted: Iterable[Wanted], same: Sequence[Copy], perhaps: Sequence[Copy]) -> list[Outcome]:
    """Each wanted figure against the copy with the same file, else against one with the same PMCID or DOI."""
    by_hash = {sha256: copy for copy in same for sha256 in copy.hashes}
    by_name = {name: copy for copy in (*perhaps, *same) for name in copy.names}
    outcomes = []
    for one in wanted:
        named = (by_name[name] for name in sorted(names_of(one)) if name in by_name)
        outcomes.append(_outcome(one, by_hash.get(one.row["source_sha256"]) or next(named, None)))
    return outcomes


def is_same(wanted: Wanted, row: dict[str, Any]) -> bool:
    """Whether a row that was made has the published picture and text."""
    return _is_picture(wanted.row, row) and not _differing(wanted.row, row, TEXTS)


def _is_picture(published: Withheld, made: Mapping[str, Any]) -> bool:
    """Whether the bytes are the same, or the pixels: libraries decode a JPEG differently, and compress a PNG so."""
    return any(made[name] == published[name] for name in ("image_sha256", "pixels_sha256"))


def _outcome(wanted: Wanted, copy: Copy | None) -> Outcome:
    row = wanted.row
    if copy is None:
        return Outcome(wanted, None, MISSING, f"no copy of {row['source_file']}, by its hash or by its article's ids")
    if copy.article is None:
        return Outcome(wanted, None, UNREADABLE, copy.error)
    if copy.article.columns["status"] in _WITHDRAWN:
        return Outcome(wanted, None, GONE, f"the copy says that it is {copy.article.columns['status']}")
    figure = _figure(row, copy.article.columns["article_id"], copy.article.figures)
    if figure is None:
        return Outcome(wanted, None, NO_FIGURE, _version(row, copy))
    if not _is_picture(row, figure):
        return _other_picture(wanted, figure, copy)
    if texts := _differing(row, figure, TEXTS):
        return Outcome(wanted, None, TEXT, f"{', '.join(texts)}: {_version(row, copy)}")
    made = _made(row, figure)
    about = _differing(row, made, ABOUT)
    if figure["license"] and figure["license"] not in row["licenses"]:
        about.append("license")
    return Outcome(wanted, made, ABOUT_DIFFERS if about else None, ", ".join(about) or None)


def _figure(row: Withheld, article_id: str, figures: Sequence[Unjudged]) -> Unjudged | None:
    """The figure with the same picture, of several the one in the same place, else the one in that place."""
    place = row["figure_id"].removeprefix(row["article_id"])
    in_place = [figure for figure in figures if figure["figure_id"].removeprefix(article_id) == place]
    alike = [figure for figure in figures if _is_picture(row, figure)]
    both = [figure for figure in in_place if figure in alike]
    return next(iter([*both, *alike, *in_place]), None)


def _other_picture(wanted: Wanted, figure: Unjudged, copy: Copy) -> Outcome:
    """No picture at all, one of other files, or another one of the same files."""
    if figure["image_sha256"] is None:
        return Outcome(wanted, None, NO_PICTURE, figure["image_error"])
    published = {file["sha256"] for file in wanted.row["picture_files"]}
    here = {file["sha256"] for file in figure["picture_files"]}
    if published == here:
        return Outcome(wanted, None, PICTURE, _version(wanted.row, copy))
    names = ", ".join(file["name"] for file in wanted.row["picture_files"])
    return Outcome(wanted, None, PICTURE, f"made of another file than {names} was")


def _version(row: Withheld, copy: Copy) -> str:
    """Why something may differ: another file, or the same file read by another program."""
    if row["source_sha256"] not in copy.hashes:
        version = f" {row['article_version']}" if row["article_version"] else ""
        return f"another version of the article than the one{version} that was published"
    return f"the same file, read by another version of the program or its libraries than {row['tool']} there"


def _differing(row: Withheld, made: Any, columns: Sequence[str]) -> list[str]:
    """Of these columns those that have another hash than the published row."""
    published = {one["column"]: one["sha256"] for one in row["hashes"]}
    return [name for name in columns if column_hash(made[name]) != published.get(name)]


def _made(row: Withheld, figure: Unjudged) -> dict[str, Any]:
    """The row of `pairs`: text, picture and measures of the copy, ids, place and licences as published."""
    made: dict[str, Any] = {**figure, **{name: cast("dict", row)[name] for name in _AS_PUBLISHED}}
    stated = [figure["license"]] if figure["license"] else []
    made["licenses"] = list(in_order([*row["licenses"], *stated]))
    if row["has_rights"] and figure["rights"] is None:
        made["rights"] = _unseen_rights(row)
        made["attribution"] = figure_attribution(figure["attribution"], made["rights"], row["license"])
    return made


def _unseen_rights(row: Withheld) -> str:
    """The rights of a figure whose copy does not state them: an archive's word is known by its hash."""
    published = {one["column"]: one["sha256"] for one in row["hashes"]}
    return MINING_ONLY if published.get("rights") == column_hash(MINING_ONLY) else _UNSEEN_RIGHTS

"""Which states of a published dataset still hold rows that were taken down, and which models were trained on them.

Of each Parquet file only the columns that name article and figure are read, by ranges; a file that several commits
share is looked at once.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NotRequired

import pyarrow.parquet as parquet
from huggingface_hub import HfFileSystem
from huggingface_hub.errors import EntryNotFoundError, GatedRepoError, RepositoryNotFoundError
from huggingface_hub.hf_api import RepoFile
from typing_extensions import TypedDict

from model_cards.files import matches
from model_cards.hub.history import Leftovers, commits_of
from model_cards.hub.repo import Repo, api, tree
from model_cards.hub.retry import retried
from model_cards.provenance_files import PROVENANCE
from trust.handovers import Kind
from trust.weights.checkpoint_files import LINEAGE

TAKEN_DOWN = "were taken down (provenance/retracted.jsonl)"
_LISTS = ("provenance/retracted.jsonl", "provenance/changelog.jsonl")  # ids of what is gone, and nothing of it
_LOOKED_AT = ("*/*.parquet", "provenance/*.jsonl")
_OF_ROW = ("article_id", "figure_id", "context_of")
_SHA_SHOWN = 12  # characters of a commit


@dataclass(frozen=True)
class Taken:
    """What was taken down of a dataset."""

    articles: frozenset[str]
    figures: frozenset[str]  # of these articles, too

    def __bool__(self) -> bool:
        return bool(self.articles or self.figures)

    def has(self, row: Mapping[str, Any]) -> bool:
        """Whether a row is of one of them, made from its text, or shows its picture."""
        return self.named(row) is not None

    def named(self, row: Mapping[str, Any]) -> str | None:
        """Which of them a row is of, as `has` says it."""
        columns = [row.get(column) for column in ("figure_id", "context_of", "image_figure_id")]
        of_article = [row["article_id"]] if row.get("article_id") in self.articles else []
        return next((name for name in (*of_article, *columns) if name in self.figures or name in self.articles), None)


def read_taken(dataset: Path) -> Taken:
    """What `ldrt retract` has taken out of a dataset folder."""
    rows = list(PROVENANCE["retracted.jsonl"].rows(dataset / "provenance" / "retracted.jsonl"))
    articles = frozenset(row["article_id"] for row in rows if row["article_id"])
    return Taken(articles, frozenset(figure for row in rows for figure in row["figure_ids"]))


def states_with(repo: Repo, taken: Taken) -> Leftovers:
    """The commits of `main`, tags and branches of a dataset repository that hold a row of what was taken down."""
    if not taken:
        return Leftovers()
    look = _Look(repo, taken)
    refs = retried(lambda: api().list_repo_refs(repo.id, repo_type=repo.type))
    commits = [commit.commit_id for commit in commits_of(repo, "main") if look.holds(commit.commit_id)]
    tags = [tag.name for tag in refs.tags if look.holds(tag.target_commit)]
    others = [branch for branch in refs.branches if branch.name != "main"]
    return Leftovers(commits, sorted(tags), sorted(b.name for b in others if look.holds(b.target_commit)))


class _Look:
    """Looks into the files of a repository, into each content once."""

    def __init__(self, repo: Repo, taken: Taken):
        self._repo, self._taken = repo, taken
        self._of_commit: dict[str, bool] = {}
        self._of_content: dict[str, bool] = {}  # hash of a file -> whether it holds such a row
        self._hub = HfFileSystem()

    def holds(self, sha: str) -> bool:
        """Whether a file of this commit holds a row of what was taken down."""
        if sha not in self._of_commit:
            files = retried(lambda: tree(self._repo, sha))
            looked_at = {path: file for path, file in files.items() if matches(path, _LOOKED_AT) and path not in _LISTS}
            self._of_commit[sha] = any(self._has(sha, path, file) for path, file in looked_at.items())
        return self._of_commit[sha]

    def _has(self, sha: str, path: str, file: RepoFile) -> bool:
        content = file.lfs.sha256 if file.lfs else file.blob_id
        if content not in self._of_content:
            rows = self._parquet_rows if path.endswith(".parquet") else self._json_rows
            self._of_content[content] = retried(lambda: any(map(self._taken.has, rows(sha, path))))
        return self._of_content[content]

    def _parquet_rows(self, sha: str, path: str) -> Iterator[dict[str, Any]]:
        with self._hub.open(f"datasets/{self._repo.id}@{sha}/{path}", "rb", cache_type="none") as opened:
            file = parquet.ParquetFile(opened, pre_buffer=True)
            columns = [name for name in _OF_ROW if name in file.schema_arrow.names]
            for batch in file.iter_batches(columns=columns) if columns else ():
                yield from batch.to_pylist()

    def _json_rows(self, sha: str, path: str) -> Iterator[dict[str, Any]]:
        repo = self._repo
        there = api().hf_hub_download(repo.id, path, repo_type=repo.type, revision=sha)
        yield from _ANY_ROWS.rows(Path(there))


# ---- models


class _Phase(TypedDict):
    dataset: NotRequired[str]
    dataset_revision: NotRequired[str | None]


class _Lineage(TypedDict):
    phases: list[_Phase]


class _AnyRow(TypedDict):
    article_id: NotRequired[str | None]
    figure_id: NotRequired[str | None]


_LINEAGE = Kind(_Lineage, "ldrt train")
_ANY_ROWS: Kind[Any] = Kind(_AnyRow, "ldrt build")


def models_trained_on(repo: Repo, holding: list[str]) -> list[str]:
    """The models on the Hub, as far as this token sees them, whose lineage names the dataset at a commit `holding` such
    rows, or at none: "lab/model (at 0123456789ab)"."""
    named = retried(lambda: list(api().list_models(filter=f"dataset:{repo.id}")))
    found = ((model.id, _revisions(model.id, repo.id)) for model in named)
    return [f"{name} ({', '.join(told)})" for name, revisions in found if (told := _told(revisions, holding))]


def _revisions(model: str, dataset: str) -> list[str | None]:
    """The dataset's revisions that a model was trained on; [] where it has no lineage that we can read."""
    try:
        path = retried(lambda: api().hf_hub_download(model, LINEAGE))
        lineage = _LINEAGE.read(Path(path))
    except (EntryNotFoundError, GatedRepoError, RepositoryNotFoundError, ValueError):
        return []
    phases = [phase for phase in lineage["phases"] if phase.get("dataset") == dataset]
    return list(dict.fromkeys(phase.get("dataset_revision") for phase in phases))


def _told(revisions: list[str | None], holding: list[str]) -> list[str]:
    known = [f"at {revision[:_SHA_SHOWN]}" for revision in revisions if revision in holding and revision]
    return known + ["at a commit that its lineage does not say"] * (None in revisions)

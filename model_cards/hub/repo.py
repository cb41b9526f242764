"""A repository on the Hub, as it is read: its head, its files, its tags."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from huggingface_hub import HfApi, constants
from huggingface_hub.errors import HFValidationError
from huggingface_hub.hf_api import RepoFile
from huggingface_hub.utils import validate_repo_id

from trust.errors import UsageError


class HubError(RuntimeError):
    """What the Hub or the network refused, as one clear line."""


@dataclass(frozen=True)
class Repo:
    """A repository to publish to: `id` is ORG/NAME. Raises UsageError for another form."""

    id: str
    type: Literal["dataset", "model", "space"]
    private: bool

    def __post_init__(self):
        if not re.fullmatch(r"[\w.-]+/[\w.-]+", self.id, re.ASCII):
            raise UsageError(f"{self.id!r} is no repository id; expected ORG/NAME or USER/NAME")
        try:
            validate_repo_id(self.id)
        except HFValidationError as error:
            raise UsageError(f"{self.id!r} is no repository id ({error})") from error

    @property
    def url(self) -> str:
        return f"{constants.ENDPOINT}/{'' if self.type == 'model' else f'{self.type}s/'}{self.id}"


def api() -> HfApi:
    """The Hub's client, which says who asks."""
    return HfApi(library_name="ldrt-vlm")


def head(repo: Repo) -> str:
    """The sha of the newest commit on `main`."""
    sha = api().repo_info(repo.id, repo_type=repo.type).sha
    assert sha is not None, "the Hub names the head of a repository that was asked for without a revision"
    return sha


def tree(repo: Repo, sha: str) -> dict[str, RepoFile]:
    """path -> file of the state `sha`, with the hashes of its content."""
    rows = api().list_repo_tree(repo.id, recursive=True, revision=sha, repo_type=repo.type)
    return {row.path: row for row in rows if isinstance(row, RepoFile)}


def tags(repo: Repo) -> dict[str, str]:
    """tag -> the sha of the commit it names."""
    return {ref.name: ref.target_commit for ref in api().list_repo_refs(repo.id, repo_type=repo.type).tags}


def download(repo: Repo, revision: str | None, patterns: list[str]) -> Path:
    """The folder with a copy of the files that match, in the Hub's cache; only what is not there yet is fetched."""
    return Path(api().snapshot_download(repo.id, repo_type=repo.type, revision=revision, allow_patterns=patterns))

"""One commit that makes a repository hold what is to be published, checked afterwards; and its tag.

`upload_folder` is not used: it commits in parts. Here all files go up first, then one commit names them all, tied to
the head that was read (`parent_commit`), so that readers see the old state or the new one. An answer that got lost is
not an error: the head is read again, and when its files are the planned ones the commit counts as done.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from huggingface_hub import CommitOperationAdd, CommitOperationDelete
from huggingface_hub.hf_api import RepoFile
from tqdm import tqdm

from model_cards.files import matches
from model_cards.hub.repo import HubError, Repo, api, head, tags, tree
from model_cards.hub.retry import ATTEMPTS, RETRIED, retried, wait
from model_cards.hub.session import after_commit, is_transient

_READ_BYTES = 1 << 20  # of a file at a time, while it is hashed


@dataclass(frozen=True)
class Commit:
    """The state after `commit`: its sha, what was sent, and whether a new commit was needed for it."""

    sha: str
    added: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)

    def describe(self, repo: Repo) -> str:
        """One line: what was sent where, for a command's summary."""
        if not self.added and not self.deleted:
            return f"nothing new: {repo.url} is at this content, commit {self.sha}"
        return f"{repo.url}: {len(self.added)} files sent, {len(self.deleted)} deleted, commit {self.sha}"


def commit(
    repo: Repo, files: Mapping[str, Path], managed: tuple[str, ...], message: str, tag_name: str | None = None
) -> Commit:
    """Make the repository hold `files` (path in the repository -> local file), in at most one commit.

    Remote files that match a `managed` pattern and are not in `files` are deleted; others are never touched.
    When nothing differs no commit is made. Afterwards every file's hash is compared at the commit. Raises HubError
    when `tag_name` is taken by another commit, when somebody else commits meanwhile, or when the check fails.
    """
    plan = _Plan.of(files, managed)
    parent = retried(lambda: head(repo))
    remote = retried(lambda: tree(repo, parent))
    added, deleted = plan.to_send(remote), plan.to_delete(remote)
    if not added and not deleted:
        return Commit(parent)
    if tag_name and tag_name in retried(lambda: tags(repo)):
        raise HubError(f"{repo.id} has a tag {tag_name} for other content: choose another --tag")
    additions = [CommitOperationAdd(path, files[path]) for path in added]
    deletions = [CommitOperationDelete(path, is_folder=False) for path in deleted]
    sha = _send(repo, parent, additions, deletions, message, plan)
    with after_commit(repo, sha, "what arrived is not checked: run this again"):
        remote = retried(lambda: tree(repo, sha))
    _check(repo, sha, plan, remote)
    return Commit(sha, added, deleted)


def changes(repo: Repo, files: Mapping[str, Path], managed: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """(paths that `commit` would send, paths that it would delete)."""
    plan = _Plan.of(files, managed)
    remote = retried(lambda: tree(repo, head(repo)))
    return plan.to_send(remote), plan.to_delete(remote)


def refuse_taken_tag(repo: Repo, name: str, is_changing: bool) -> None:
    """Raises HubError where `name` is a tag of another state than the one to come: the newest, unless that changes."""
    named = retried(lambda: tags(repo)).get(name)
    if named is not None and (is_changing or named != retried(lambda: head(repo))):
        raise HubError(f"{repo.id} has a tag {name} for other content: choose another --tag")


def next_tag(repo: Repo) -> str:
    """The next free v1, v2, …"""
    return _own_tag(retried(lambda: tags(repo)), "")


def tag(repo: Repo, sha: str, name: str | None = None) -> str:
    """Name the commit `sha`; without a `name`, by the tag it has already or the next free v1, v2, …; returns it.

    Raises HubError when `name` is taken by another commit, or the Hub does not take the tag: then it says that the
    commit is there, and how to tag it.
    """
    kind = "" if repo.type == "model" else f" --type {repo.type}"
    by_hand = f"hf repos tag create {repo.id} {name or 'NAME'} --revision {sha}{kind}"
    wanted = f"the tag {name}" if name else "its tag"
    with after_commit(repo, sha, f"{wanted} is not: run this again, or `{by_hand}`"):
        return retried(lambda: _tag(repo, sha, name))


def _tag(repo: Repo, sha: str, name: str | None) -> str:
    taken = tags(repo)
    if name is None:
        name = _own_tag(taken, sha)
    if taken.get(name) == sha:
        return name
    if name in taken:
        raise HubError(f"{repo.id} has a tag {name} for other content: choose another --tag")
    api().create_tag(repo.id, tag=name, revision=sha, repo_type=repo.type)
    return name


def _own_tag(taken: dict[str, str], sha: str) -> str:
    """The tag that names `sha` already, else the next free v1, v2, …"""
    same = sorted(name for name, target in taken.items() if target == sha)
    if same:
        return same[0]
    numbers = [int(name[1:]) for name in taken if re.fullmatch(r"v\d+", name)]
    return f"v{max(numbers, default=0) + 1}"


# ---- what the repository is to hold


@dataclass(frozen=True)
class Digests:
    """What identifies a file's content on the Hub: LFS files by sha256, regular ones by git's blob id."""

    size: int  # bytes
    sha256: str
    git_blob: str

    @classmethod
    def of(cls, path: Path) -> "Digests":
        size = path.stat().st_size
        sha256, blob = hashlib.sha256(), hashlib.sha1(b"blob %d\0" % size)
        with open(path, "rb") as file:
            while chunk := file.read(_READ_BYTES):
                sha256.update(chunk)
                blob.update(chunk)
        return cls(size, sha256.hexdigest(), blob.hexdigest())

    def match(self, file: RepoFile) -> bool:
        same = file.lfs.sha256 == self.sha256 if file.lfs else file.blob_id == self.git_blob
        return same and file.size == self.size


@dataclass(frozen=True)
class _Plan:
    """What the repository is to hold, by path, and which of its other files may be deleted."""

    digests: dict[str, Digests]
    managed: tuple[str, ...]

    @classmethod
    def of(cls, files: Mapping[str, Path], managed: tuple[str, ...]) -> "_Plan":
        items = tqdm(files.items(), desc="hash", unit="file", disable=None)
        return cls({path: Digests.of(file) for path, file in items}, managed)

    def to_send(self, remote: dict[str, RepoFile]) -> list[str]:
        """The planned files that `remote` lacks or has with other content."""
        return sorted(p for p, digests in self.digests.items() if p not in remote or not digests.match(remote[p]))

    def to_delete(self, remote: dict[str, RepoFile]) -> list[str]:
        """The managed files of `remote` that are not planned."""
        return sorted(p for p in remote if p not in self.digests and matches(p, self.managed))


# ---- making it hold that


def _send(
    repo: Repo,
    parent: str,
    additions: list[CommitOperationAdd],
    deletions: list[CommitOperationDelete],
    message: str,
    plan: _Plan,
) -> str:
    """Upload and commit on top of `parent`, again after passing failures; returns the new commit's sha."""
    attempt = 1
    while True:
        try:
            api().preupload_lfs_files(repo.id, additions, repo_type=repo.type, free_memory=False)
            made = api().create_commit(
                repo.id,
                [*additions, *deletions],
                commit_message=message,
                repo_type=repo.type,
                parent_commit=parent,
            )
            return made.oid
        except RETRIED as error:
            landed = _landed(repo, parent, plan)
            if landed:
                return landed
            if attempt == ATTEMPTS or not is_transient(error):
                raise
        wait(attempt)
        attempt += 1


def _landed(repo: Repo, parent: str, plan: _Plan) -> str | None:
    """The new head when it holds the plan, None when the head has not moved or cannot be read."""
    try:
        now = head(repo)
        if now == parent:
            return None
        remote = tree(repo, now)
    except RETRIED:
        return None  # the next attempt is tied to the old head, so it can do no harm
    if plan.to_send(remote) or plan.to_delete(remote):
        raise HubError(f"somebody else committed to {repo.id} meanwhile: look at {repo.url}, then run this again")
    return now


def _check(repo: Repo, sha: str, plan: _Plan, remote: dict[str, RepoFile]) -> None:
    """Raises HubError where the commit, with the files `remote`, does not hold what was sent."""
    wrong = plan.to_send(remote) + plan.to_delete(remote)
    if wrong:
        raise HubError(f"{repo.id} at {sha} differs from what was sent in {len(wrong)} files, first {wrong[0]}")

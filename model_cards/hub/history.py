"""What stays readable under older commits and tags when a push leaves rows out, and the squash that ends it."""

import re
from dataclasses import dataclass, field
from functools import partial
from typing import get_args

from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.hf_api import GitCommitInfo

from model_cards.hub.repo import HubError, Repo, api, head, tree
from model_cards.hub.retry import retried
from trust.licenses import Policy

_POLICIES: tuple[str, ...] = get_args(Policy)  # each permits what those before it permit, and more
_TITLE = re.compile(r"Push rows under policy (\w+)")
SHOWN = 5  # older commits named one by one


def title(policy: Policy) -> str:
    """The commit's title, by which `leftovers` knows later what it holds."""
    return f"Push rows under policy {policy}"


@dataclass(frozen=True)
class Leftovers:
    """States of a repository that hold rows which the policy of today leaves out; all empty where there are none."""

    commits: list[str] = field(default_factory=list)  # of `main`, newest first
    tags: list[str] = field(default_factory=list)
    branches: list[str] = field(default_factory=list)  # other than `main`

    def __bool__(self) -> bool:
        return bool(self.commits or self.tags or self.branches)

    def describe(self, repo: Repo, rows: str) -> str:
        """One line: what still holds such `rows` ("policy commercial leaves out"), and how to end that."""
        more = f" and {len(self.commits) - SHOWN} more" if len(self.commits) > SHOWN else ""
        commits = "commits " + ", ".join(sha[:12] for sha in self.commits[:SHOWN]) + more if self.commits else ""
        tags = f"tags {', '.join(self.tags)}" if self.tags else ""
        branches = f"branches {', '.join(self.branches)} (delete them by hand)" if self.branches else ""
        states = "; ".join(filter(None, [commits, tags, branches]))
        named = f" --delete_tags {' '.join(self.tags)}" if self.tags else ""
        return (
            f"rows that {rows} are still there for whoever may read {repo.url}: {states}. "
            f"To remove them for good, run this again with --squash{named}"
        )

    def by_hand(self, repo: Repo) -> str:
        """The same in Python, and what a squash means for whoever has pinned one of these states."""
        calls = [f'super_squash_history("{repo.id}", repo_type="{repo.type}")']
        calls += [f'delete_tag("{repo.id}", tag="{tag}", repo_type="{repo.type}")' for tag in self.tags]
        return (
            f"by hand: {'; '.join(f'HfApi().{call}' for call in calls)}. A squashed commit cannot be loaded any "
            "more: a model, a card or a script that pins one has to name the new one. The Hub keeps large files of "
            f'squashed commits until HfApi().permanently_delete_lfs_files("{repo.id}", …) is told which'
        )


def leftovers(repo: Repo, policy: Policy) -> Leftovers:
    """The older states of the repository that were pushed under a wider policy than `policy`."""
    wider = set(_POLICIES[_POLICIES.index(policy) + 1 :])
    refs = retried(lambda: api().list_repo_refs(repo.id, repo_type=repo.type))
    of_main = _policies(commits_of(repo, "main"))
    tags = [tag.name for tag in refs.tags if _policy_at(repo, tag.name, tag.target_commit, of_main) in wider]
    others = [branch for branch in refs.branches if branch.name != "main"]
    branches = [ref.name for ref in others if _policy_at(repo, ref.name, ref.target_commit, of_main) in wider]
    return Leftovers([sha for sha, held in of_main.items() if held in wider], sorted(tags), sorted(branches))


def refuse_unnamed_tags(repo: Repo, holding: list[str], rows: str, named: list[str]) -> None:
    """Raises HubError where a squash would leave `rows` reachable, as a tag `holding` them is not among `named`."""
    unnamed = [tag for tag in holding if tag not in named]
    if unnamed:
        raise HubError(
            f"{repo.id}: the tags {', '.join(unnamed)} hold rows that {rows}, and a squash keeps what a tag holds: to "
            f"delete them say --delete_tags {' '.join(unnamed)}"
        )


def squash(repo: Repo, sha: str, message: str, delete_tags: list[str]) -> str:
    """Make the state `sha` the only commit of `main` and delete these tags; returns the commit's new sha.

    Safe to be run again after an interruption. Raises HubError where the squashed state is another one.
    """
    before = retried(lambda: tree(repo, sha))
    if len(commits_of(repo, "main")) > 1:
        retried(lambda: api().super_squash_history(repo.id, commit_message=message, repo_type=repo.type))
        sha = retried(lambda: head(repo))
        after = retried(lambda: tree(repo, sha))
        if {path: file.blob_id for path, file in after.items()} != {path: f.blob_id for path, f in before.items()}:
            raise HubError(f"somebody else committed to {repo.id} meanwhile: look at {repo.url}, then run this again")
    for name in delete_tags:
        retried(partial(_delete_tag, repo, name))
    return sha


def _delete_tag(repo: Repo, name: str) -> None:
    try:
        api().delete_tag(repo.id, tag=name, repo_type=repo.type)
    except HfHubHTTPError as error:
        if error.response.status_code != 404:  # 404: gone already
            raise


def commits_of(repo: Repo, revision: str) -> list[GitCommitInfo]:
    """From `revision` back to the first."""
    return retried(lambda: api().list_repo_commits(repo.id, repo_type=repo.type, revision=revision))


def _policies(commits: list[GitCommitInfo]) -> dict[str, str | None]:
    """sha -> the policy of the last push up to there (None: before the first one), in the same order."""
    held: str | None = None
    policies = {}
    for commit in reversed(commits):
        match = _TITLE.fullmatch(commit.title)
        held = match[1] if match else held
        policies[commit.commit_id] = held
    return dict(reversed(policies.items()))


def _policy_at(repo: Repo, name: str, sha: str, of_main: dict[str, str | None]) -> str | None:
    """The policy of what a tag or a branch holds, whether or not it lies on `main`."""
    return of_main[sha] if sha in of_main else _policies(commits_of(repo, name)).get(sha)

"""Everything the project says to the Hugging Face Hub when it publishes: preflight, one commit, check, tag.

    with hub.session(repo, limit_s=3600):
        hub.preflight(repo, card)  # cheap: token, rights, visibility, the card's YAML; before any heavy work
        done = hub.commit(repo, files, managed=("README.md", "pairs/*.parquet"), message="…")
        hub.tag(repo, done.sha, "v1")

`upload_folder` is not used: it commits in parts. Here all files go up first, then one commit names them all, tied to
the head that was read (`parent_commit`), so that readers see the old state or the new one. An answer that got lost is
not an error: the head is read again, and when its files are the planned ones the commit counts as done.

Tokens come from `hf auth login` or the environment variable HF_TOKEN, never from an argument.
"""

import fnmatch
import hashlib
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import yaml
from huggingface_hub import (
    CommitOperationAdd,
    CommitOperationDelete,
    HfApi,
    constants,
    get_session,
    get_token,
    set_client_factory,
)
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError
from huggingface_hub.hf_api import RepoFile

# The default client has no time-out at all; importing its factory keeps its hooks (offline mode, request ids).
from huggingface_hub.utils._http import default_client_factory
from tqdm import tqdm

STALL_S = 300.0  # longest wait for one answer, seconds; a commit of thousands of files takes the Hub minutes
ATTEMPTS = 5  # of upload + commit, with 1, 2, 4, 8 s between them
_RETRIED = (HfHubHTTPError, httpx.HTTPError, RuntimeError, ConnectionError)  # LFS raises RuntimeError, Xet both others
_TRANSIENT_STATUS = {408, 409, 425, 429, 500, 502, 503, 504}


@dataclass(frozen=True)
class Repo:
    """A repository to publish to: `id` is ORG/NAME, `type` dataset or model. Raises ValueError for another form."""

    id: str
    type: str
    private: bool

    def __post_init__(self):
        if not re.fullmatch(r"[\w.-]+/[\w.-]+", self.id, re.ASCII):
            raise ValueError(f"{self.id!r} is no repository id; expected ORG/NAME or USER/NAME")

    @property
    def url(self) -> str:
        return f"{constants.ENDPOINT}/{'datasets/' if self.type == 'dataset' else ''}{self.id}"


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


class HubError(RuntimeError):
    """What the Hub or the network refused, as one clear line."""


class OutOfTime(Exception):
    """The session's wall-clock limit is reached."""


@contextmanager
def session(repo: Repo, limit_s: float) -> Iterator[None]:
    """Talk to the Hub for at most `limit_s` seconds; what goes wrong there is raised as HubError with one clear line.

    The limit is checked at every request, and no request waits longer than `STALL_S` for its next byte. Transfers
    that hf_xet makes are outside of it.
    """
    deadline = time.monotonic() + limit_s

    def bound(request: httpx.Request) -> None:
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            raise OutOfTime
        request.extensions["timeout"] = httpx.Timeout(min(STALL_S, left_s)).as_dict()

    def client() -> httpx.Client:
        made = default_client_factory()
        made.event_hooks["request"].append(bound)
        return made

    set_client_factory(client)
    try:
        yield
    except Exception as error:
        line = _explain(error, repo, limit_s if time.monotonic() >= deadline else None)
        if line is None:
            raise
        raise HubError(line) from error
    finally:
        set_client_factory(default_client_factory)


def preflight(repo: Repo, card: str) -> None:
    """Make sure that publishing can succeed: token, right to write, visibility, card. Creates the repository.

    Raises HubError or ValueError with one line. `card` is the text of the README.md that will be published.
    """
    front_matter(card)
    if get_token() is None:
        raise HubError("no Hub token: run `hf auth login` or set HF_TOKEN to a token that may write")
    api = _api()
    who = api.whoami()
    role = who.get("auth", {}).get("accessToken", {}).get("role")  # absent for OAuth and JWT tokens
    if role == "read":
        raise HubError(f"the token of {who['name']} may only read: make one that may write, at {_tokens_page()}")
    try:
        api.create_repo(repo.id, repo_type=repo.type, private=repo.private, exist_ok=True)
        api.auth_check(repo.id, repo_type=repo.type, write=True)
    except HfHubHTTPError as error:
        if error.response.status_code not in (403, 404):
            raise
        names = ", ".join([who["name"], *(org["name"] for org in who.get("orgs", []))])
        raise HubError(f"{who['name']} may not write to {repo.id}, only to repositories of: {names}") from error
    private = api.repo_info(repo.id, repo_type=repo.type).private
    if private != repo.private:
        state = "private" if private else "public"
        raise HubError(f"{repo.id} is {state} already: pass --private {str(private).lower()}, or change its settings")
    _validate_on_hub(repo, card)


def front_matter(card: str) -> dict:
    """The card's YAML block. Raises ValueError when it is absent or no YAML mapping."""
    match = re.match(r"---\n(.*?)\n---(\n|$)", card, re.DOTALL)
    try:
        data = yaml.safe_load(match[1]) if match else None
    except yaml.YAMLError as error:
        raise ValueError(f"README.md: its YAML block cannot be read: {error}") from error
    if not isinstance(data, dict):
        raise ValueError("README.md: it does not begin with a YAML block between `---` lines")
    return data


def _validate_on_hub(repo: Repo, card: str) -> None:
    """The Hub's own check of the card's YAML (the one in `RepoCard.validate` ignores HF_ENDPOINT)."""
    answer = get_session().post(
        f"{constants.ENDPOINT}/api/validate-yaml", json={"content": card, "repoType": repo.type}
    )
    if answer.status_code == 400:
        raise ValueError("README.md: " + "; ".join(str(row.get("message")) for row in answer.json().get("errors", [])))
    answer.raise_for_status()


def commit(
    repo: Repo, files: Mapping[str, Path], managed: tuple[str, ...], message: str, tag_name: str | None = None
) -> Commit:
    """Make the repository hold `files` (path in the repository -> local file), in at most one commit.

    Remote files that match a `managed` pattern and are not in `files` are deleted; others are never touched.
    When nothing differs no commit is made. Afterwards every file's hash is compared at the commit. Raises HubError
    when `tag_name` is taken by another commit, when somebody else commits meanwhile, or when the check fails.
    """
    items = tqdm(files.items(), desc="hash", unit="file", disable=None)
    plan = _Plan({path: _Digests.of(file) for path, file in items}, managed)
    head = _head(repo)
    remote = _tree(repo, head)
    added, deleted = plan.to_send(remote), plan.to_delete(remote)
    if not added and not deleted:
        return Commit(head)
    if tag_name and tag_name in _tags(repo):
        raise HubError(f"{repo.id} has a tag {tag_name} for other content: choose another --tag")
    additions = [CommitOperationAdd(path, files[path]) for path in added]
    deletions = [CommitOperationDelete(path, is_folder=False) for path in deleted]
    sha = _send(repo, head, additions, deletions, message, plan)
    remote = _tree(repo, sha)
    wrong = plan.to_send(remote) + plan.to_delete(remote)
    if wrong:
        raise HubError(f"{repo.id} at {sha} differs from what was sent in {len(wrong)} files, first {wrong[0]}")
    return Commit(sha, added, deleted)


def _send(repo: Repo, head: str, additions: list, deletions: list, message: str, plan: "_Plan") -> str:
    """Upload and commit on top of `head`, again after passing failures; returns the new commit's sha."""
    attempt = 1
    while True:
        try:
            api = _api()
            api.preupload_lfs_files(repo.id, additions, repo_type=repo.type, free_memory=False)
            operations = [*additions, *deletions]
            return api.create_commit(
                repo.id, operations, commit_message=message, repo_type=repo.type, parent_commit=head
            ).oid
        except _RETRIED as error:
            landed = _landed(repo, head, plan)
            if landed:
                return landed
            if attempt == ATTEMPTS or not _is_transient(error):
                raise
        time.sleep(2 ** (attempt - 1))
        attempt += 1


def _landed(repo: Repo, head: str, plan: "_Plan") -> str | None:
    """The new head when it holds the plan, None when the head has not moved or cannot be read."""
    try:
        now = _head(repo)
        if now == head:
            return None
        remote = _tree(repo, now)
    except _RETRIED:
        return None  # the next attempt is tied to the old head, so it can do no harm
    if plan.to_send(remote) or plan.to_delete(remote):
        raise HubError(f"somebody else committed to {repo.id} meanwhile: look at {repo.url}, then run this again")
    return now


def tag(repo: Repo, sha: str, name: str | None = None) -> str:
    """Name the commit `sha`; without a `name`, by the tag it has already or the next free v1, v2, …; returns it."""
    tags = _tags(repo)
    if name is None:
        same = sorted(tag for tag, target in tags.items() if target == sha)
        numbers = [int(tag[1:]) for tag in tags if re.fullmatch(r"v\d+", tag)]
        name = same[0] if same else f"v{max(numbers, default=0) + 1}"
    if tags.get(name) == sha:
        return name
    if name in tags:
        raise HubError(f"{repo.id} has a tag {name} for other content: choose another --tag")
    _api().create_tag(repo.id, tag=name, revision=sha, repo_type=repo.type)
    return name


@dataclass(frozen=True)
class _Digests:
    """What identifies a file's content on the Hub: LFS files by sha256, regular ones by git's blob id."""

    size: int
    sha256: str
    git_blob: str

    @classmethod
    def of(cls, path: Path) -> "_Digests":
        size = path.stat().st_size
        sha256, blob = hashlib.sha256(), hashlib.sha1(b"blob %d\0" % size)
        with open(path, "rb") as file:
            while chunk := file.read(1 << 20):
                sha256.update(chunk)
                blob.update(chunk)
        return cls(size, sha256.hexdigest(), blob.hexdigest())

    def match(self, file: RepoFile) -> bool:
        same = file.lfs.sha256 == self.sha256 if file.lfs else file.blob_id == self.git_blob
        return same and file.size == self.size


@dataclass(frozen=True)
class _Plan:
    """What the repository is to hold, by path, and which of its other files may be deleted."""

    digests: dict[str, _Digests]
    managed: tuple[str, ...]

    def to_send(self, remote: dict[str, RepoFile]) -> list[str]:
        """The planned files that `remote` lacks or has with other content."""
        return sorted(p for p, digests in self.digests.items() if p not in remote or not digests.match(remote[p]))

    def to_delete(self, remote: dict[str, RepoFile]) -> list[str]:
        """The managed files of `remote` that are not planned."""
        return sorted(p for p in remote if p not in self.digests and is_managed(p, self.managed))


def _api() -> HfApi:
    return HfApi(library_name="ldrt-vlm")


def _head(repo: Repo) -> str:
    return _api().repo_info(repo.id, repo_type=repo.type).sha


def _tree(repo: Repo, sha: str) -> dict[str, RepoFile]:
    rows = _api().list_repo_tree(repo.id, recursive=True, revision=sha, repo_type=repo.type)
    return {row.path: row for row in rows if isinstance(row, RepoFile)}


def _tags(repo: Repo) -> dict[str, str]:
    return {ref.name: ref.target_commit for ref in _api().list_repo_refs(repo.id, repo_type=repo.type).tags}


def is_managed(path: str, patterns: tuple[str, ...]) -> bool:
    """Whether `path` matches one of the fnmatch `patterns`; `*` stays within a folder, a final `/**` does not."""
    return any(
        fnmatch.fnmatchcase(path, pattern) and (pattern.endswith("/**") or path.count("/") == pattern.count("/"))
        for pattern in patterns
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    """`error` and what caused it, outermost first."""
    while error is not None:
        yield error
        error = error.__cause__


def _is_transient(error: Exception) -> bool:
    causes = list(_chain(error))
    if any(isinstance(cause, OutOfTime) for cause in causes):
        return False
    answers = [answer for cause in causes if (answer := _response(cause)) is not None]
    return answers[0].status_code in _TRANSIENT_STATUS if answers else True


def _response(error: BaseException) -> httpx.Response | None:
    """The answer that came with the error; None when there was none (a connection that broke, another error)."""
    return error.response if isinstance(error, (HfHubHTTPError, httpx.HTTPStatusError)) else None


def _explain(error: BaseException, repo: Repo, limit_s: float | None) -> str | None:
    """One line for what the network or the Hub did; None for other errors, which explain themselves.

    `limit_s` is given when the session's time is over.
    """
    causes = list(_chain(error))
    if limit_s is not None and any(isinstance(cause, (OutOfTime, httpx.TimeoutException)) for cause in causes):
        return f"not done within {limit_s:g} s; run it again with a larger --limit_s, what is uploaded stays"
    cause = next((cause for cause in causes if isinstance(cause, httpx.HTTPError)), None)
    if cause is None or isinstance(error, HubError):
        return None
    response = _response(cause)
    return _explain_silence(cause) if response is None else _explain_answer(cause, response, repo)


def _explain_silence(error: httpx.HTTPError) -> str:
    if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout)):
        return f"cannot reach {constants.ENDPOINT}: check the network, the proxy and HF_ENDPOINT ({error})"
    if isinstance(error, httpx.TimeoutException):
        return f"{constants.ENDPOINT} did not answer in time; run it again, what is uploaded stays"
    return f"the connection to {constants.ENDPOINT} broke ({error}); run it again, what is uploaded stays"


def _explain_answer(error: httpx.HTTPError, response: httpx.Response, repo: Repo) -> str:
    said = " ".join(str(error.server_message if isinstance(error, HfHubHTTPError) else "").split())
    status = response.status_code
    if status in (402, 413) or re.search(r"quota|storage (limit|patterns)|too large", said, re.IGNORECASE):
        return f"the Hub refuses the size of what is sent to {repo.id} (status {status}): {said or 'quota reached'}"
    if isinstance(error, RepositoryNotFoundError):
        return f"no repository {repo.id} that this token can see"
    if status == 401:
        return "the Hub does not accept the token (wrong, revoked or expired): run `hf auth login` or renew HF_TOKEN"
    if status == 403:
        return f"the token may not write to {repo.id}: {said or 'forbidden'}"
    if status == 412:
        return f"{repo.id} changed while this ran: look at {repo.url}, then run it again"
    asked = f"{response.request.method} {response.request.url.path}"
    return f"the Hub answered {status} to {asked}: {said or 'no reason given'}"


def _tokens_page() -> str:
    return f"{constants.ENDPOINT}/settings/tokens"

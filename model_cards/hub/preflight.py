"""What can go wrong when publishing, asked before the work is done: token, rights, visibility, whose it is, card."""

import re

import httpx
import yaml
from huggingface_hub import constants, get_session, get_token
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.hf_api import KernelInfo

from model_cards.hub.repo import HubError, Repo, api, download
from model_cards.hub.retry import retried

_CARD = "README.md"
_OF_A_NEW_ONE = (
    _CARD,
    ".gitattributes",
    ".gitignore",
    "LICENSE",
)  # what the Hub, or its user, begins a repository with
_OURS = "ldrt-vlm"  # on every card that is written here
_HASHES = ("hashes.json", "results/hashes.json", "provenance/hashes.json")  # beside a card that was changed by hand


def preflight(repo: Repo, card: str) -> None:
    """Make sure that publishing can succeed: token, right to write, visibility, whose files are there, card. Creates
    the repository.

    Raises HubError or ValueError with one line. `card` is the text of the README.md that will be published.
    """
    front_matter(card)
    prepare(repo)
    _validate_on_hub(repo, card)


def prepare(repo: Repo) -> None:
    """The same without a card. Creates the repository."""
    account = _account()
    _create(repo, account)
    _check_what_is_there(repo)


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


def _account() -> dict:
    """Whose token it is, as the Hub answers `whoami`. Raises HubError without one, or where it may only read."""
    if get_token() is None:
        raise HubError("no Hub token: run `hf auth login` or set HF_TOKEN to a token that may write")
    account = retried(lambda: api().whoami())
    role = account.get("auth", {}).get("accessToken", {}).get("role")  # absent for OAuth and JWT tokens
    if role == "read":
        page = f"{constants.ENDPOINT}/settings/tokens"
        raise HubError(f"the token of {account['name']} may only read: make one that may write, at {page}")
    return account


def _create(repo: Repo, account: dict) -> None:
    """Create the repository where it is not there yet. Raises HubError where the account may not write to it."""
    try:
        retried(lambda: _create_once(repo))
        retried(lambda: api().auth_check(repo.id, repo_type=repo.type, write=True))
    except HfHubHTTPError as error:
        if error.response.status_code not in (403, 404):
            raise
        names = ", ".join([account["name"], *(org["name"] for org in account.get("orgs", []))])
        raise HubError(f"{account['name']} may not write to {repo.id}, only to repositories of: {names}") from error


def _create_once(repo: Repo) -> None:
    sdk = "gradio" if repo.type == "space" else None
    api().create_repo(repo.id, repo_type=repo.type, private=repo.private, exist_ok=True, space_sdk=sdk)


def _check_what_is_there(repo: Repo) -> None:
    """Raises HubError for another visibility than is asked for, and for a repository that holds something else."""
    info = retried(lambda: api().repo_info(repo.id, repo_type=repo.type))
    assert not isinstance(info, KernelInfo), "neither a model nor a dataset nor a Space is one"
    if info.private != repo.private:
        state = "private" if info.private else "public"
        raise HubError(
            f"{repo.id} is {state} already: pass --private {str(info.private).lower()}, or change its settings"
        )
    names = {file.rfilename for file in info.siblings or ()}
    others = sorted(names - set(_OF_A_NEW_ONE))
    if others and names.isdisjoint(_HASHES) and not _is_ours(repo, info.sha):
        raise HubError(
            f"{repo.url} holds something else ({len(others)} files, first {others[0]}), which would be replaced: "
            "choose another name, or delete these files there first"
        )


def _is_ours(repo: Repo, sha: str | None) -> bool:
    """Whether the card says that this project has written it."""
    card = retried(lambda: download(repo, sha, [_CARD])) / _CARD
    return card.is_file() and _OURS in card.read_text(encoding="utf-8", errors="replace")


def _validate_on_hub(repo: Repo, card: str) -> None:
    """The Hub's own check of the card's YAML (the one in `RepoCard.validate` ignores HF_ENDPOINT)."""
    answer = retried(lambda: _ask_for_validation(repo, card))
    if answer.status_code == 400:
        messages = [str(row.get("message")) for row in answer.json().get("errors", [])]
        raise ValueError(f"README.md: {'; '.join(messages)}")


def _ask_for_validation(repo: Repo, card: str) -> httpx.Response:
    """The Hub's answer, 400 for a card with faults. Raises httpx.HTTPStatusError for other refusals."""
    question = {"content": card, "repoType": repo.type}
    answer = get_session().post(f"{constants.ENDPOINT}/api/validate-yaml", json=question)
    return answer if answer.status_code == 400 else answer.raise_for_status()

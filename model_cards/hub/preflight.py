"""What can go wrong when publishing, asked before the work is done: token, rights, visibility, whose it is, card."""

import re

import httpx
import yaml
from huggingface_hub import constants, get_session, get_token
from huggingface_hub.errors import HfHubHTTPError

from model_cards.hub.repo import HubError, Repo, api, download, head, tree
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
    _check_visibility(repo)
    _refuse_foreign(repo)


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


def _check_visibility(repo: Repo) -> None:
    private = retried(lambda: api().repo_info(repo.id, repo_type=repo.type)).private
    if private != repo.private:
        state = "private" if private else "public"
        raise HubError(f"{repo.id} is {state} already: pass --private {str(private).lower()}, or change its settings")


def _refuse_foreign(repo: Repo) -> None:
    """Raises HubError where the repository holds files, and none of it says that this project has published it."""
    sha = retried(lambda: head(repo))
    files = retried(lambda: tree(repo, sha))
    others = sorted(files.keys() - set(_OF_A_NEW_ONE))
    if not others or not files.keys().isdisjoint(_HASHES):
        return
    card = retried(lambda: download(repo, sha, [_CARD])) / _CARD
    if card.is_file() and _OURS in card.read_text(encoding="utf-8", errors="replace"):
        return
    raise HubError(
        f"{repo.url} holds something else ({len(others)} files, first {others[0]}), which would be replaced: choose "
        "another name, or delete these files there first"
    )


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

"""The time that talking to the Hub may take, and what it refuses as one clear line."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from huggingface_hub import constants, set_client_factory
from huggingface_hub.errors import (
    HfHubHTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)

# The default client has no time-out at all; importing its factory keeps its hooks (offline mode, request ids).
from huggingface_hub.utils._http import default_client_factory

from model_cards.hub.repo import HubError, Repo

STALL_S = 300.0  # longest wait for one answer, seconds; a commit of thousands of files takes the Hub minutes
_TRANSIENT_STATUS = {408, 409, 425, 429, 500, 502, 503, 504}


class OutOfTime(Exception):
    """The session's wall-clock limit is reached."""


# A connection may come back, but not after these: the time is over, HF_HUB_OFFLINE is set, HF_ENDPOINT is no address.
_LASTING = (OutOfTime, OfflineModeIsEnabled, httpx.UnsupportedProtocol)


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
        is_over = time.monotonic() >= deadline
        line = _explain(error, repo, limit_s if is_over else None)
        if line is None:
            raise
        raise HubError(line) from error
    finally:
        set_client_factory(default_client_factory)


@contextmanager
def after_commit(repo: Repo, sha: str, otherwise: str) -> Iterator[None]:
    """What follows a commit that is in place: where it fails, HubError says so, and `otherwise`, what is missing and
    how to make good for it."""
    try:
        yield
    except Exception as error:
        reason = _explain(error, repo, None) or " ".join(str(error).split()) or "the time is over"
        raise HubError(f"commit {sha} is in place at {repo.url}, but {otherwise} ({reason})") from error


def is_transient(error: Exception) -> bool:
    """Whether the same request may succeed a little later."""
    causes = list(_chain(error))
    if any(isinstance(cause, _LASTING) for cause in causes):
        return False
    for cause in causes:
        answer = _response(cause)
        if answer is not None:
            return answer.status_code in _TRANSIENT_STATUS
    return True  # nobody answered


def _chain(error: BaseException) -> Iterator[BaseException]:
    """`error` and what caused it, outermost first."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__


def _response(error: BaseException) -> httpx.Response | None:
    """The answer that came with the error; None when there was none (a connection that broke, another error)."""
    return error.response if isinstance(error, (HfHubHTTPError, httpx.HTTPStatusError)) else None


def _explain(error: Exception, repo: Repo, limit_s: float | None) -> str | None:
    """One line for what the network or the Hub did; None for other errors, which explain themselves.

    `limit_s` is given when the session's time is over.
    """
    if isinstance(error, HubError):
        return None
    causes = list(_chain(error))
    if limit_s is not None and any(isinstance(cause, (OutOfTime, httpx.TimeoutException)) for cause in causes):
        return f"not done within {limit_s:g} s; run it again with a larger --limit_s, what is uploaded stays"
    of_http = [cause for cause in causes if isinstance(cause, httpx.HTTPError)]
    if not of_http:
        return _explain_offline(causes, repo)
    response = _response(of_http[0])
    return _explain_silence(of_http[0]) if response is None else _explain_answer(of_http[0], response, repo)


def _explain_offline(causes: list[BaseException], repo: Repo) -> str | None:
    """One line where the Hub was not asked, as HF_HUB_OFFLINE says; None for other errors."""
    if any(isinstance(cause, LocalEntryNotFoundError) for cause in causes):
        return f"{repo.id} was not downloaded before, and the Hub is not asked while HF_HUB_OFFLINE is set: unset it"
    if any(isinstance(cause, OfflineModeIsEnabled) for cause in causes):
        return f"the Hub is not asked about {repo.id} while HF_HUB_OFFLINE is set: unset it"
    return None


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

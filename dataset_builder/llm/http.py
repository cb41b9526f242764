"""HTTP to an OpenAI-compatible server: retries, waiting as long as the server asks, proxies of the environment.

It is aiohttp's: the package openai takes ten times the CPU time for a request (2.6 ms against 0.2 ms) and a second to
import, which cost 5 % of the time of 128 requests side by side.
"""

import asyncio
import os
import random
import urllib.parse
import urllib.request
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import aiohttp

from dataset_builder.llm.replies import MAX_ERROR_CHARS, error_reason, is_moderated
from dataset_builder.llm.requests import Server

_CHECK_RETRIES = 2  # 1.5 s: a server that is not there is told before the first request
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 8.0  # before a request is tried again, doubled each time
_LEAST_OF_WAIT = 0.75  # share of that wait, drawn at random up to all of it: many clients do not come back at once
_LONGEST_ASKED_WAIT_S = 600.0  # whoever asks for more has no room for this run: it stops, and goes on another time
_BUSY_STATUSES = (408, 409, 429)  # time-out, conflict, too many requests
_UNITS_OF_ASKED_WAIT_S = {"Retry-After-Ms": 1e-3, "Retry-After": 1.0}  # the first that is there counts


@dataclass(frozen=True)
class Answer:
    """What came back: HTTP status and text; status None and why, where no answer came."""

    status: int | None
    text: str

    @property
    def is_down(self) -> bool:
        """Gone, busy or broken: the server is the reason, and asking again may help."""
        return self.status is None or self.status in _BUSY_STATUSES or self.status >= 500

    @property
    def refusal(self) -> str | None:
        """Why the server will not have the request; None where it took it, is down, or its moderation did not."""
        if self.status == 200 or self.is_down or is_moderated(self.status, self.text):
            return None
        return f"HTTP {self.status}: {error_reason(self.text)}"


def open_session(server: Server) -> aiohttp.ClientSession:
    """A session for as many requests at once as the caller sends; to be closed by `async with`."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        timeout=aiohttp.ClientTimeout(total=server.timeout_s),
        proxy=proxy_of(server.base_url),
    )


async def check(session: aiohttp.ClientSession, server: Server) -> None:
    """Raises ConnectionError or PermissionError where no request can succeed; any answer will do, not every server
    lists its models."""
    answer = await fetch(session, server, _CHECK_RETRIES, "GET", "/models")
    if answer.status is None:
        raise ConnectionError(f"{server.base_url} does not answer ({answer.text})")


async def fetch(
    session: aiohttp.ClientSession,
    server: Server,
    retries: int,
    method: str,
    path: str,
    body: dict | Callable[[], aiohttp.FormData] | None = None,
    before_retry: Callable[[], Awaitable[None]] | None = None,
) -> Answer:
    """Send `body` as JSON, or as the form that it makes, to `path` of the server. Raises PermissionError for a rejected
    key.

    Busy or broken servers and lost connections are tried again, after the time that the server asks for; not where it
    asks for more than ten minutes.
    """
    for attempt in range(retries + 1):
        answer, asked_wait_s = await _fetch_once(session, server, method, path, body)
        if answer.status == 401:
            said = answer.text[:MAX_ERROR_CHARS]
            raise PermissionError(f"{server.base_url} rejects the API key; set OPENAI_API_KEY ({said})")
        if not answer.is_down or attempt == retries:
            break
        if asked_wait_s and asked_wait_s > _LONGEST_ASKED_WAIT_S:
            return Answer(answer.status, f"asks to wait for {asked_wait_s:.0f} s: {answer.text}")
        longest_s = min(_FIRST_WAIT_S * 2**attempt, _LONGEST_WAIT_S)
        await asyncio.sleep(asked_wait_s or longest_s * random.uniform(_LEAST_OF_WAIT, 1))
        if before_retry:
            await before_retry()
    return answer


async def download(session: aiohttp.ClientSession, server: Server, path: str, to: Path) -> None:
    """Write what the server has at `path` to a file that is whole after a crash. Raises ConnectionError without it."""
    partial = to.with_name(to.name + ".partial")
    try:
        async with session.get(_address(server, path), headers=_headers(), raise_for_status=True) as response:
            with partial.open("wb") as file:
                async for chunk in response.content.iter_any():
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
    except (aiohttp.ClientError, TimeoutError) as error:
        raise ConnectionError(f"{_address(server, path)} cannot be fetched ({error}); run again later") from error
    os.replace(partial, to)


async def _fetch_once(
    session: aiohttp.ClientSession,
    server: Server,
    method: str,
    path: str,
    body: dict | Callable[[], aiohttp.FormData] | None,
) -> tuple[Answer, float | None]:
    """The answer, and how long the server asks to wait before the next try."""
    content = {"data": body()} if callable(body) else {"json": body}
    try:
        async with session.request(method, _address(server, path), headers=_headers(), **content) as response:
            text = (await response.read()).decode(errors="replace")
            return Answer(response.status, text), _asked_wait_s(response.headers)
    except (aiohttp.ClientError, TimeoutError) as error:
        return Answer(None, str(error) or type(error).__name__), None


def _address(server: Server, path: str) -> str:
    return server.base_url.rstrip("/") + path


def _headers() -> dict[str, str]:
    return {"Authorization": f"Bearer {os.environ.get('OPENAI_API_KEY', 'none')}"}


def _asked_wait_s(headers: Mapping[str, str]) -> float | None:
    """How long the server asks to wait, in seconds from now where it names a date; None where it does not ask."""
    for name, unit_s in _UNITS_OF_ASKED_WAIT_S.items():
        wait_s = _seconds(headers.get(name, ""), unit_s)
        if wait_s is not None and wait_s > 0:
            return wait_s
    return None


def _seconds(value: str, unit_s: float) -> float | None:
    if value.replace(".", "", 1).isdecimal():
        return float(value) * unit_s
    try:
        date = parsedate_to_datetime(value)
    except ValueError:
        return None
    return (date.replace(tzinfo=date.tzinfo or UTC) - datetime.now(UTC)).total_seconds()


def proxy_of(url: str) -> str | None:
    """The proxy that the environment (HTTPS_PROXY, NO_PROXY …) names for this address."""
    parts = urllib.parse.urlsplit(url)
    if not parts.hostname or urllib.request.proxy_bypass(parts.hostname):
        return None
    return urllib.request.getproxies().get(parts.scheme)

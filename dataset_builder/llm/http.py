"""HTTP to an OpenAI-compatible server: retries, waiting as long as the server asks, proxies of the environment.

It is aiohttp's: the package openai takes ten times the CPU time for a request (2.6 ms against 0.2 ms) and a second to
import, which cost 5 % of the time of 128 requests side by side.
"""

import asyncio
import os
import random
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp

from dataset_builder.llm.replies import MAX_ERROR_CHARS
from dataset_builder.llm.requests import Server

_CHECK_RETRIES = 2  # 1.5 s: a server that is not there is told before the first request
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 8.0  # before a request is tried again, doubled each time
_LEAST_OF_WAIT = 0.75  # share of that wait, drawn at random up to all of it: many clients do not come back at once
_LONGEST_ASKED_WAIT_S = 120.0
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
    session: aiohttp.ClientSession, server: Server, retries: int, method: str, path: str, body: dict | None = None
) -> Answer:
    """Send `body` as JSON to `path` of the server. Raises PermissionError for a rejected key.

    Busy or broken servers and lost connections are tried again, after the time that the server asks for.
    """
    for attempt in range(retries + 1):
        answer, asked_wait_s = await _fetch_once(session, server, method, path, body)
        if answer.status == 401:
            said = answer.text[:MAX_ERROR_CHARS]
            raise PermissionError(f"{server.base_url} rejects the API key; set OPENAI_API_KEY ({said})")
        if not answer.is_down or attempt == retries:
            break
        longest_s = min(_FIRST_WAIT_S * 2**attempt, _LONGEST_WAIT_S)
        await asyncio.sleep(asked_wait_s or longest_s * random.uniform(_LEAST_OF_WAIT, 1))
    return answer


async def _fetch_once(
    session: aiohttp.ClientSession, server: Server, method: str, path: str, body: dict | None
) -> tuple[Answer, float | None]:
    """The answer, and how long the server asks to wait before the next try."""
    address = server.base_url.rstrip("/") + path
    headers = {"Authorization": f"Bearer {os.environ.get('OPENAI_API_KEY', 'none')}"}
    try:
        async with session.request(method, address, headers=headers, json=body) as response:
            text = (await response.read()).decode(errors="replace")
            return Answer(response.status, text), _asked_wait_s(response.headers)
    except (aiohttp.ClientError, TimeoutError) as error:
        return Answer(None, str(error) or type(error).__name__), None


def _asked_wait_s(headers: Mapping[str, str]) -> float | None:
    """How long the server asks to wait, up to two minutes; None where it does not ask, or for a date."""
    for name, unit_s in _UNITS_OF_ASKED_WAIT_S.items():
        value = headers.get(name, "")
        if value.isdecimal() and 0 < int(value) * unit_s <= _LONGEST_ASKED_WAIT_S:
            return int(value) * unit_s
    return None


def proxy_of(url: str) -> str | None:
    """The proxy that the environment (HTTPS_PROXY, NO_PROXY …) names for this address."""
    parts = urllib.parse.urlsplit(url)
    if not parts.hostname or urllib.request.proxy_bypass(parts.hostname):
        return None
    return urllib.request.getproxies().get(parts.scheme)

"""HTTP to public archives: paced, patient, bounded. What a stranger's server may do to a download is decided here.

    async with open_client(Manners(contact="me@example.org")) as client:
        page = await client.get("https://www.ebi.ac.uk/…/search", {"query": "LDRT"})
        await client.download("https://…/PMC1.1.pdf", Path("parts/PMC1.1.pdf"), md5="…", expected_bytes=1_000)

Every request waits for its turn (`Pace`), is tried again after time-outs, lost connections, 429 and 5xx, and waits as
long as the server asks. A redirect to another host, an answer that is too large and a file whose md5 is not the listed
one are failures with one clear line.
"""

import asyncio
import hashlib
import random
import time
import urllib.parse
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TypeVar

import aiohttp
from yarl import URL

T = TypeVar("T")

MAX_ANSWER_BYTES = 64 * 2**20  # of a page of search results, a listing, an article's metadata or XML
_CHUNK_BYTES = 256 * 1024
_SILENCE_S = 60.0  # longest time without a byte
_LEAST_BYTES_PER_S = 4_096  # a server that drips more slowly is asked again, from where it stood
_TRIES = 6
_DOWNLOADS = 2  # of a file whose md5 is not the listed one: the first may have been damaged on its way
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 30.0  # before the next try, doubled each time
_LONGEST_ASKED_WAIT_S = 600.0  # a server that asks for more has closed for today
_MAX_REDIRECTS = 5  # within a host
_MAX_ERROR_CHARS = 200
_BURST_S = 0.25  # of turns that were not taken in time may be caught up
_BUSY = (408, 425, 429, 500, 502, 503, 504)
_REDIRECTS = (301, 302, 303, 307, 308)
_PARTIAL, _BAD_RANGE = 206, 416


class TransferError(Exception):
    """What could not be had, and why, in one line."""


class NotThere(TransferError):
    """The server says that there is no such thing (404, 410), or that nobody may have it (401, 403, 451)."""


class _TryAgain(Exception):
    """A failure that may be over soon; `wait_s` is what the server asks for."""

    def __init__(self, why: str, wait_s: float | None = None):
        super().__init__(why)
        self.wait_s = wait_s


@dataclass(frozen=True)
class Manners:
    """How servers are asked. `rates` are requests a second by host; a host without one is asked `rate` times."""

    contact: str  # an e-mail or web address in the User-Agent: all of the services ask for one
    rate: float = 20.0
    rates: Mapping[str, float] = field(default_factory=dict)
    tries: int = _TRIES
    max_file_bytes: int = 2**31


class Pace:
    """Turns at an even rate: `await turn()` returns when the next request may start."""

    def __init__(self, rate: float):
        """`rate`: requests a second."""
        self._gap_s = 1 / rate
        self._next = 0.0

    async def turn(self) -> None:
        now = time.monotonic()
        self._next = max(self._next, now - _BURST_S) + self._gap_s
        start = self._next - self._gap_s
        if start > now:
            await asyncio.sleep(start - now)

    def hold(self, wait_s: float) -> None:
        """Nobody's turn comes before `wait_s` seconds have passed: the server has asked for it."""
        self._next = max(self._next, time.monotonic() + wait_s)


class Client:
    """Asks servers with `Manners`; made by `open_client`. `bytes_received` counts what came in."""

    def __init__(self, session: aiohttp.ClientSession, manners: Manners):
        self._session, self._manners = session, manners
        self._paces: dict[str, Pace] = {}
        self.bytes_received = 0

    async def get(
        self, url: str, query: Mapping[str, str] | None = None, form: Mapping[str, str] | None = None
    ) -> bytes:
        """The body of the answer to GET, or to POST where there is a `form`.

        Raises NotThere, and TransferError when all tries have failed or the answer is no answer.
        """

        async def once() -> bytes:
            async with self._answer(url, query=query, form=form) as response:
                pieces = [piece async for piece in self._pieces(response, MAX_ANSWER_BYTES)]
                return b"".join(pieces)

        return await self._persist(url, once)

    async def download(self, url: str, path: Path, md5: str | None, expected_bytes: int | None) -> None:
        """Bring a file to `path`; what an earlier call has left in `NAME.part` is not asked for again.

        `md5` (hex) is that of the whole file, None where it is not known; `expected_bytes` only sets the time limit.
        Raises NotThere, and TransferError for a file that is too large or another than the listed one.
        """
        part = path.with_name(path.name + ".part")
        for _ in range(_DOWNLOADS):
            await self._persist(url, lambda: self._append(url, part, expected_bytes))
            found = await asyncio.to_thread(md5_of, part)
            if md5 is None or found == md5.lower():
                part.replace(path)
                return
            part.unlink()
        raise TransferError(f"{url}: its md5 is {found}, the list says {md5}")

    async def _append(self, url: str, part: Path, expected_bytes: int | None) -> None:
        """Download to `part` what it lacks."""
        there = part.stat().st_size if part.exists() else 0
        headers = {"Accept-Encoding": "identity"}  # of a compressed answer no range could be asked for
        if there:
            headers["Range"] = f"bytes={there}-"
        longest_s = _SILENCE_S + (expected_bytes or self._manners.max_file_bytes) / _LEAST_BYTES_PER_S
        async with asyncio.timeout(longest_s), self._answer(url, headers=headers) as response:
            goes_on = response.status == _PARTIAL and _starts_at(response) == there
            if response.status == _BAD_RANGE or (response.status == _PARTIAL and not goes_on):
                part.unlink()
                raise _TryAgain("the server has no rest of it")
            limit = self._manners.max_file_bytes - (there if goes_on else 0)
            with part.open("ab" if goes_on else "wb") as file:
                async for piece in self._pieces(response, limit):
                    file.write(piece)

    async def _pieces(self, response: aiohttp.ClientResponse, limit: int) -> AsyncIterator[bytes]:
        """The body piece by piece. Raises TransferError beyond `limit` bytes."""
        too_large = TransferError(f"{response.url}: more than {limit / 2**20:.0f} MB; see --max_file_mb")
        if (response.content_length or 0) > limit:
            raise too_large
        received = 0
        async for piece in response.content.iter_chunked(_CHUNK_BYTES):
            received += len(piece)
            if received > limit:
                raise too_large
            self.bytes_received += len(piece)
            yield piece

    @asynccontextmanager
    async def _answer(
        self,
        url: str,
        query: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """An answer with a body that means something; redirects are followed within the host."""
        method = "GET" if form is None else "POST"
        url = f"{url}?{urllib.parse.urlencode(query)}" if query else url
        for _ in range(_MAX_REDIRECTS + 1):
            await self._pace_of(url).turn()
            async with self._session.request(
                method, URL(url, encoded=True), data=form, headers=headers, allow_redirects=False
            ) as response:
                if response.status not in _REDIRECTS:
                    await self._check(response)
                    yield response
                    return
                url = _redirected(url, response.headers.get("Location", ""))
        raise TransferError(f"{url}: redirected more than {_MAX_REDIRECTS} times")

    async def _check(self, response: aiohttp.ClientResponse) -> None:
        """Raises for a status that is no success."""
        if response.status < 300 or response.status == _BAD_RANGE:
            return
        said = (await response.content.read(_MAX_ERROR_CHARS * 4)).decode("utf-8", "replace")
        why = f"HTTP {response.status} {' '.join(said.split())[:_MAX_ERROR_CHARS]}".strip()
        if response.status in _BUSY:
            wait_s = asked_wait_s(response.headers.get("Retry-After"))
            if wait_s:
                self._pace_of(str(response.url)).hold(wait_s)
            raise _TryAgain(why, wait_s)
        if response.status in (401, 403, 404, 410, 451):
            raise NotThere(f"{response.url}: {why}")
        raise TransferError(f"{response.url}: {why}")

    async def _persist(self, url: str, once: Callable[[], Awaitable[T]]) -> T:
        """The result of `once`, tried again as long as that makes sense."""
        for attempt in range(self._manners.tries):
            try:
                return await once()
            except (_TryAgain, aiohttp.ClientError, TimeoutError, ConnectionError) as error:
                why = str(error) or type(error).__name__
                asked = error.wait_s if isinstance(error, _TryAgain) else None
            if attempt + 1 < self._manners.tries:
                await asyncio.sleep(asked or _wait_s(attempt))
        raise TransferError(f"{url}: {why} ({self._manners.tries} tries)")

    def _pace_of(self, url: str) -> Pace:
        host = urllib.parse.urlsplit(url).netloc
        if host not in self._paces:
            self._paces[host] = Pace(self._manners.rates.get(host, self._manners.rate))
        return self._paces[host]


@asynccontextmanager
async def open_client(manners: Manners) -> AsyncIterator[Client]:
    """A client, with the proxy of the environment."""
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=_SILENCE_S, sock_read=_SILENCE_S)
    headers = {"User-Agent": f"ldrt-vlm ({manners.contact})", "Accept-Encoding": "gzip, identity"}
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout, headers=headers, trust_env=True) as session:
        yield Client(session, manners)


def asked_wait_s(retry_after: str | None) -> float | None:
    """Seconds that a `Retry-After` (a number or a date) asks for, at most ten minutes; None where it asks for none."""
    if not retry_after:
        return None
    if retry_after.strip().isdecimal():
        seconds = float(retry_after)
    else:
        try:
            seconds = parsedate_to_datetime(retry_after).timestamp() - time.time()
        except ValueError:
            return None
    return min(seconds, _LONGEST_ASKED_WAIT_S) if seconds > 0 else None


def _wait_s(attempt: int) -> float:
    """A time drawn between half and all of what doubles with each try: many clients do not come back at once."""
    longest_s = min(_FIRST_WAIT_S * 2**attempt, _LONGEST_WAIT_S)
    return longest_s * random.uniform(0.5, 1)


def _redirected(url: str, location: str) -> str:
    """Where a redirect leads. Raises TransferError for another host, or from https to http."""
    target = urllib.parse.urljoin(url, location)
    old, new = urllib.parse.urlsplit(url), urllib.parse.urlsplit(target)
    if new.netloc != old.netloc or (old.scheme, new.scheme) == ("https", "http"):
        raise TransferError(f"{url}: redirects to {new.scheme}://{new.netloc}, which is not followed")
    return target


def _starts_at(response: aiohttp.ClientResponse) -> int | None:
    """The first byte that a partial answer holds: "bytes 100-199/200" -> 100."""
    _, _, span = response.headers.get("Content-Range", "").partition(" ")
    first = span.partition("-")[0].strip()
    return int(first) if first.isdecimal() else None


def md5_of(path: Path) -> str:
    """Hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()

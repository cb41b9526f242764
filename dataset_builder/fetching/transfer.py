"""HTTP to public archives: paced, patient, bounded. What a stranger's server may do to a download is decided here.

    async with open_client(Manners(contact="me@example.org")) as client:
        page = await client.get("https://www.ebi.ac.uk/…/search", {"query": "LDRT"})
        await client.download("https://…/PMC1.1.pdf", Path("parts/PMC1.1.pdf"), md5="…", expected_bytes=1_000)

Every request waits for its turn (`Pace`), is tried again after time-outs, lost connections, 429 and 5xx, and waits as
long as the server asks. A redirect to another host, an answer that is too large and a file whose md5 is not the listed
one are failures with one clear line.
"""

import asyncio
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

from dataset_builder.fetching.answers import NotThere, TransferError, number, quoted, shown
from dataset_builder.fetching.parts import PartFile
from dataset_builder.llm.http import proxy_of

T = TypeVar("T")

MAX_ANSWER_BYTES = 64 * 2**20  # of a page of search results, a listing, an article's metadata or XML
_CHUNK_BYTES = 256 * 1024
_SILENCE_S = 60.0  # longest time without a byte
_LEAST_BYTES_PER_S = 4_096  # a server that drips more slowly is asked again, from where it stood
_TRIES = 6
_DOWNLOADS = 2  # of a file that is not the listed one: the first may have been damaged on its way
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 30.0  # before the next try, doubled each time
_LONGEST_ASKED_WAIT_S = 600.0  # a server that asks for more has closed for today
_MAX_REDIRECTS = 5  # within a host
_MAX_ERROR_BYTES = 1_000  # that are read of an error's text
_BURST_S = 0.25  # of turns that were not taken in time may be caught up
_BUSY = (408, 425, 429, 500, 502, 503, 504)
_REDIRECTS = (301, 302, 303, 307, 308)
_PARTIAL, _BAD_RANGE = 206, 416


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


@dataclass(frozen=True)
class _Host:
    """How one server is asked."""

    pace: Pace
    proxy: str | None


class Client:
    """Asks servers with `Manners`; made by `open_client`. `bytes_received` counts what came in."""

    def __init__(self, session: aiohttp.ClientSession, manners: Manners):
        self._session, self._manners = session, manners
        self._hosts: dict[str, _Host] = {}
        self.bytes_received = 0

    async def get(
        self, url: str, query: Mapping[str, str] | None = None, form: Mapping[str, str] | None = None
    ) -> bytes:
        """The body of the answer to GET, or to POST where there is a `form`.

        Raises NotThere, and TransferError when all tries have failed or the answer is no answer.
        """
        too_large = f"{shown(url)}: more than {MAX_ANSWER_BYTES / 2**20:.0f} MB, which is no answer of this service"

        async def once() -> bytes:
            async with self._answer(url, query=query, form=form) as response:
                pieces = [piece async for piece in self._pieces(response, MAX_ANSWER_BYTES, too_large)]
                return b"".join(pieces)

        return await self._persist(url, once)

    async def download(self, url: str, path: Path, md5: str | None, expected_bytes: int | None) -> None:
        """Bring a file to `path`; what an earlier call has left in `NAME.part` is not asked for again.

        `md5` (hex) and `expected_bytes` are those of the whole file, None where they are not known. Raises NotThere,
        TransferError for a file that is too large or another than the listed one, OSError naming the file.
        """
        part = PartFile(path, md5, expected_bytes)
        try:
            for _ in range(_DOWNLOADS):
                if not part.is_complete():
                    await self._persist(url, lambda: self._append(url, part))
                fault = await asyncio.to_thread(part.fault)
                if fault is None:
                    part.put_in_place()
                    return
                part.drop()
        except OSError as error:  # of the disk: those of the network are TransferErrors by now
            raise OSError(error.errno, error.strerror, error.filename or str(path)) from error
        raise TransferError(f"{shown(url)}: {fault}")

    async def _append(self, url: str, part: PartFile) -> None:
        """Download what the part lacks."""
        resuming = part.resuming()
        there = part.n_bytes() if resuming else 0
        headers = {"Accept-Encoding": "identity", **resuming}  # of a compressed answer no range could be asked for
        async with self._answer(url, headers=headers) as response:
            is_partial = response.status == _PARTIAL
            is_rest = is_partial and bool(there) and _starts_at(response) == there
            etag = response.headers.get("ETag", "")
            if response.status == _BAD_RANGE or is_partial and not (is_rest and part.is_of(etag)):
                part.drop()
                raise _TryAgain("the server has no rest of it")
            limit = self._manners.max_file_bytes - there if is_rest else self._manners.max_file_bytes
            too_large = f"{shown(url)}: more than {self._manners.max_file_bytes / 1e6:.0f} MB; see --max_file_mb"
            with part.open(etag, is_rest) as file:
                async for piece in self._pieces(response, limit, too_large):
                    file.write(piece)

    async def _pieces(self, response: aiohttp.ClientResponse, limit: int, too_large: str) -> AsyncIterator[bytes]:
        """The body piece by piece. Raises TransferError beyond `limit` bytes, _TryAgain where it only drips."""
        if (response.content_length or 0) > limit:
            raise TransferError(too_large)
        received, started = 0, time.monotonic()
        async for piece in response.content.iter_chunked(_CHUNK_BYTES):
            received += len(piece)
            if received > limit:
                raise TransferError(too_large)
            if received < (time.monotonic() - started - _SILENCE_S) * _LEAST_BYTES_PER_S:
                raise _TryAgain(f"fewer than {_LEAST_BYTES_PER_S} bytes a second come")
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
            host = self._host_of(url)
            await host.pace.turn()
            request = self._session.request(
                method, URL(url, encoded=True), data=form, headers=headers, allow_redirects=False, proxy=host.proxy
            )
            async with asyncio.timeout(_SILENCE_S) as until_it_answers, request as response:
                until_it_answers.reschedule(None)
                if response.status not in _REDIRECTS:
                    await self._check(response)
                    yield response
                    return
                url = _redirected(url, response.headers.get("Location", ""))
        raise TransferError(f"{shown(url)}: redirected more than {_MAX_REDIRECTS} times")

    async def _check(self, response: aiohttp.ClientResponse) -> None:
        """Raises for a status that is no success."""
        if response.status < 300 or response.status == _BAD_RANGE:
            return
        why = f"HTTP {response.status} {quoted(await response.content.read(_MAX_ERROR_BYTES))}".strip()
        if response.status in _BUSY:
            wait_s = asked_wait_s(response.headers.get("Retry-After"))
            if wait_s:
                self._host_of(str(response.url)).pace.hold(wait_s)
            raise _TryAgain(why, wait_s)
        if response.status in (401, 403, 404, 410, 451):
            raise NotThere(f"{shown(str(response.url))}: {why}", response.status)
        raise TransferError(f"{shown(str(response.url))}: {why}")

    async def _persist(self, url: str, once: Callable[[], Awaitable[T]]) -> T:
        """The result of `once`, tried again as long as that makes sense."""
        for attempt in range(self._manners.tries):
            try:
                return await once()
            except (_TryAgain, aiohttp.ClientError, TimeoutError, ConnectionError) as error:
                why = quoted(str(error)) or type(error).__name__
                asked = error.wait_s if isinstance(error, _TryAgain) else None
            if attempt + 1 < self._manners.tries:
                await asyncio.sleep(asked or _wait_s(attempt))
        raise TransferError(f"{shown(url)}: {why} ({self._manners.tries} tries)")

    def _host_of(self, url: str) -> "_Host":
        name = urllib.parse.urlsplit(url).netloc
        if name not in self._hosts:
            self._hosts[name] = _Host(Pace(self._manners.rates.get(name, self._manners.rate)), proxy_of(url))
        return self._hosts[name]


@asynccontextmanager
async def open_client(manners: Manners) -> AsyncIterator[Client]:
    """A client, to be used within `async with`."""
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=_SILENCE_S, sock_read=_SILENCE_S)
    headers = {"User-Agent": f"ldrt-vlm ({manners.contact})", "Accept-Encoding": "gzip, identity"}
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout, headers=headers) as session:
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
        except (ValueError, OverflowError):
            return None
    return min(seconds, _LONGEST_ASKED_WAIT_S) if seconds > 0 else None


def _wait_s(attempt: int) -> float:
    """A time drawn between half and all of what doubles with each try: many clients do not come back at once."""
    longest_s = min(_FIRST_WAIT_S * 2**attempt, _LONGEST_WAIT_S)
    return longest_s * random.uniform(0.5, 1)


def _redirected(url: str, location: str) -> str:
    """Where a redirect leads. Raises TransferError for another host, or from https to http."""
    try:
        target = urllib.parse.urljoin(url, location)
        old, new = urllib.parse.urlsplit(url), urllib.parse.urlsplit(target)
    except ValueError as error:
        raise TransferError(f"{shown(url)}: redirects to {quoted(location)!r}, which is no address") from error
    if new.netloc != old.netloc or (old.scheme, new.scheme) == ("https", "http"):
        raise TransferError(f"{shown(url)}: redirects to {new.scheme}://{new.netloc}, which is not followed")
    return target


def _starts_at(response: aiohttp.ClientResponse) -> int | None:
    """The first byte that a partial answer holds: "bytes 100-199/200" -> 100."""
    _, _, span = response.headers.get("Content-Range", "").partition(" ")
    return number(span.partition("-")[0])

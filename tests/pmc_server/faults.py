"""What a server, or the way to it, may do to an answer."""

import asyncio
import re
from dataclasses import dataclass, field

from aiohttp import web

_DRIP_BYTES_PER_S = 200


@dataclass
class Fault:
    """Happens to the next `times` requests whose path with query matches `path`; what is not set stays as it was."""

    path: str  # regular expression
    times: int = 1
    status: int | None = None
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    is_dropped: bool = False  # no answer at all
    cut_after: int | None = None  # bytes of the body, then the connection breaks
    drips: bool = False  # a few bytes a second
    claimed_bytes: int | None = None  # Content-Length

    def matches(self, path: str) -> bool:
        return self.times > 0 and re.search(self.path, path) is not None

    async def answer(self, request: web.Request, right: web.Response) -> web.StreamResponse:
        """The answer in place of the `right` one."""
        self.times -= 1
        assert request.transport is not None
        body = self.body if self.body is not None else bytes(right.body or b"")  # type: ignore[arg-type]
        if self.is_dropped:
            request.transport.close()
            return web.Response(status=500)
        if self.cut_after is None and not self.drips and self.claimed_bytes is None:
            return web.Response(status=self.status or right.status, body=body, headers=self._headers(right))
        response = web.StreamResponse(status=right.status, headers=self._headers(right))
        response.content_length = self.claimed_bytes or len(body)
        await response.prepare(request)
        if self.drips:
            for i in range(len(body)):
                await response.write(body[i : i + 1])
                await asyncio.sleep(1 / _DRIP_BYTES_PER_S)
        else:
            await response.write(body[: self.cut_after or len(body)])
        request.transport.close()
        return response

    def _headers(self, right: web.Response) -> dict[str, str]:
        kept = {name: value for name, value in right.headers.items() if name in ("Content-Range", "ETag")}
        return kept | self.headers

"""A judge's server in a process of its own: every reply takes `LATENCY_S`, `capacity` requests at once, others wait.

python -m tests.benchmarks.judge_server 16 2.0      # prints its port
"""

import asyncio
import json
import sys
from collections.abc import Callable

from tests.dataset_builder.llm_server import completion

_BODY = json.dumps(completion("Nothing is wrong.\nSCORE: 7")).encode()
_MODELS = b'{"object": "list", "data": []}'


async def serve(capacity: int, latency_s: float, reply: Callable[[bytes], bytes]) -> None:
    """Serve for ever on a free port of loopback, which is printed; `reply` makes the answer's body of a request's."""
    free = asyncio.Semaphore(capacity)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await _head(reader):
            body = _MODELS
            if head.startswith(b"POST"):
                asked = await reader.readexactly(_length(head))
                async with free:
                    await asyncio.sleep(latency_s)
                body = reply(asked)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
            writer.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def _head(reader: asyncio.StreamReader) -> bytes:
    """The next request up to its body, or nothing when the client is gone."""
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""


def _length(head: bytes) -> int:
    lines = head.lower().split(b"\r\n")
    return next(int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length"))


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2]), lambda _: _BODY))

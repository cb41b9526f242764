"""A model's server in a process of its own: every reply takes `LATENCY_S`, `capacity` requests at once, others wait.

python -m tests.benchmarks.judge_server 16 2.0      # prints its port

Bodies are counted and thrown away as they come: with pictures in them, two cores must not be busy with reading.
"""

import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator

from tests.dataset_builder.llm_server import completion

_BODY = json.dumps(completion("Nothing is wrong.\nSCORE: 7")).encode()
_MODELS = b'{"object": "list", "data": []}'
_READ_BYTES = 2**20  # at once
_END_OF_HEAD = b"\r\n\r\n"


@contextlib.contextmanager
def serve(capacity: int, latency_s: float) -> Iterator[str]:
    """The server's base URL; it runs in a process of its own until the block ends."""
    command = [sys.executable, "-m", "tests.benchmarks.judge_server", str(capacity), str(latency_s)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}/v1"
        finally:
            process.kill()


class _Connection(asyncio.BufferedProtocol):
    """One request after the other."""

    buffer = bytearray(_READ_BYTES)  # of all connections: it is done with before the next is read

    def __init__(self, free: asyncio.Semaphore, latency_s: float):
        self._free, self._latency_s = free, latency_s
        self._head, self._left = b"", 0  # bytes of the body to come

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def get_buffer(self, sizehint: int) -> bytearray:
        return self.buffer

    def buffer_updated(self, nbytes: int) -> None:
        if self._left:
            self._left -= nbytes
        else:
            self._head += self.buffer[:nbytes]
            if _END_OF_HEAD not in self._head:
                return
            head, _, body = self._head.partition(_END_OF_HEAD)
            self._head, self._left = head, _length(head) - len(body)
        if not self._left:
            self._task = asyncio.ensure_future(self._reply(self._head.startswith(b"POST")))
            self._head = b""

    async def _reply(self, is_question: bool) -> None:
        if is_question:
            async with self._free:
                await asyncio.sleep(self._latency_s)
        body = _BODY if is_question else _MODELS
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        self._transport.write(head + body)


def _length(head: bytes) -> int:
    lines = head.lower().split(b"\r\n")
    return next((int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length")), 0)


async def _serve(capacity: int, latency_s: float) -> None:
    free = asyncio.Semaphore(capacity)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(free, latency_s), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), float(sys.argv[2])))

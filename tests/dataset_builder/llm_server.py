"""A small OpenAI-compatible server on loopback whose replies a test decides."""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

RETRY_AFTER_MS = 5  # what the server asks of clients that it turns away, so that tests need not wait


@contextlib.contextmanager
def serve(
    answer: Callable[[dict], dict | str | bytes | int | None],
    api_key: str | None = None,
    retry_after_ms: int = RETRY_AFTER_MS,
) -> Iterator[tuple[str, list[dict]]]:
    """Yields (base_url, requests so far). `answer` maps a request's JSON to a completion (see `completion`), to another
    text to send, to the bytes after which the connection breaks, to an HTTP status, or to None for a connection that is
    dropped. With `api_key`, requests without it get 401."""
    seen: list[dict] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # connections are kept, as real servers do
        wbufsize = -1  # head and body in one packet: else the body waits 40 ms for the head's acknowledgement

        def do_GET(self) -> None:
            self._send(200, b'{"object": "list", "data": []}')  # /models

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            seen.append(request)
            allowed = api_key is None or self.headers["Authorization"] == f"Bearer {api_key}"
            reply = answer(request) if allowed else 401
            if reply is None:
                self.close_connection = True
            elif isinstance(reply, bytes):
                self._send(200, reply, promised=len(reply) + 1)
                self.close_connection = True
            elif isinstance(reply, int):
                self._send(reply, b'{"error": {"message": "no"}}')
            else:
                self._send(200, (reply if isinstance(reply, str) else json.dumps(reply)).encode())

        def _send(self, status: int, body: bytes, promised: int | None = None) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(promised or len(body)))
            if status != 200:
                self.send_header("Retry-After-Ms", str(retry_after_ms))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", seen
    finally:
        server.shutdown()
        server.server_close()


def completion(text: str | None, finish_reason: str = "stop") -> dict:
    """A chat completion as OpenAI-compatible servers send it."""
    choice = {"index": 0, "finish_reason": finish_reason, "message": {"role": "assistant", "content": text}}
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    return {
        "id": "1",
        "object": "chat.completion",
        "created": 0,
        "model": "served",
        "choices": [choice],
        "usage": usage,
    }

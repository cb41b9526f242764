"""A small OpenAI-compatible server on loopback whose replies a test decides."""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from tests.dataset_builder.batch_server import Batches
from tests.loopback import LoopbackServer

RETRY_AFTER_MS = 5  # what the server asks of clients that it turns away, so that tests need not wait


@dataclass
class _Script:
    answer: Callable[[dict], dict | str | bytes | int | None]
    api_key: str | None
    error_headers: dict[str, str]
    honours: str
    batches: Batches | None
    seen: list[dict] = field(default_factory=list)


@contextlib.contextmanager
def serve(
    answer: Callable[[dict], dict | str | bytes | int | None],
    api_key: str | None = None,
    retry_after_ms: int = RETRY_AFTER_MS,
    error_headers: dict[str, str] | None = None,
    honours: str = "none",
    batches: Batches | None = None,
) -> Iterator[tuple[str, list[dict]]]:
    """Yields (base_url, requests so far). `answer` maps a request's JSON to a completion (see `completion`), to another
    text to send, to the bytes after which the connection breaks, to an HTTP status, or to None for a connection that is
    dropped. With `api_key`, requests without it get 401. `error_headers` take the place of Retry-After-Ms.

    The client's question what the server `honours` of `response_format` (json_schema, json_object, none: it is ignored,
    refused) is answered, and is none of the requests. With `batches` there is a Batch API, too.
    """
    headers = {"Retry-After-Ms": str(retry_after_ms)} if error_headers is None else error_headers
    script = _Script(answer, api_key, headers, honours, batches)
    server = LoopbackServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"script": script}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", script.seen
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    script: _Script
    protocol_version = "HTTP/1.1"  # connections are kept, as real servers do
    wbufsize = -1  # head and body in one packet: else the body waits 40 ms for the head's acknowledgement

    def do_GET(self) -> None:
        if self.script.batches and "/models" not in self.path:
            self._send(*self.script.batches.get(self.path))
        else:
            self._send(200, b'{"object": "list", "data": []}')  # /models

    def do_POST(self) -> None:
        body = self._body()
        if self.script.batches and "/chat/" not in self.path:
            self._send(*self.script.batches.post(self.path, body, self.script.answer))
            return
        request = json.loads(body)
        if _is_probe(request):
            self._send(*_probed(request, self.script.honours))
            return
        self.script.seen.append(request)
        key = self.script.api_key
        allowed = key is None or self.headers["Authorization"] == f"Bearer {key}"
        self._reply(self.script.answer(request) if allowed else 401)

    def _reply(self, reply: dict | str | bytes | int | None) -> None:
        if reply is None:
            self.close_connection = True
        elif isinstance(reply, bytes):
            self._send(200, reply, promised=len(reply) + 1)
            self.close_connection = True
        elif isinstance(reply, int):
            self._send(reply, b'{"error": {"message": "no"}}')
        else:
            self._send(200, (reply if isinstance(reply, str) else json.dumps(reply)).encode())

    def _body(self) -> bytes:
        if "Content-Length" in self.headers:
            return self.rfile.read(int(self.headers["Content-Length"]))
        chunks = []
        while n := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(n))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _send(self, status: int, body: bytes, promised: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(promised or len(body)))
        for name, value in self.script.error_headers.items() if status != 200 else ():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_) -> None:
        pass


def completion(text: str | None, finish_reason: str = "stop", **message: str) -> dict:
    """A chat completion as OpenAI-compatible servers send it; `message` has more fields of the message."""
    said = {"role": "assistant", "content": text, **message}
    choice = {"index": 0, "finish_reason": finish_reason, "message": said}
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    return {
        "id": "1",
        "object": "chat.completion",
        "created": 0,
        "model": "served",
        "choices": [choice],
        "usage": usage,
    }


def _is_probe(request: dict) -> bool:
    return "clear sky" in str(request["messages"])


def _probed(request: dict, honours: str) -> tuple[int, bytes]:
    asked = request.get("response_format", {}).get("type")
    if asked and honours == "refused":
        return 400, b'{"error": {"message": "response_format is not supported"}}'
    text = "Blue."
    if asked == honours == "json_schema":
        text = json.dumps({"ldrt_probe": "green"})
    elif asked == honours == "json_object":
        text = json.dumps({"colour": "blue"})
    return 200, json.dumps(completion(text)).encode()

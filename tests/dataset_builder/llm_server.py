"""A small OpenAI-compatible server on loopback whose replies a test decides."""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextlib.contextmanager
def serve(answer: Callable[[dict], dict | int | None]) -> Iterator[tuple[str, list[dict]]]:
    """Yields (base_url, requests so far). `answer` maps a request's JSON to a completion (see `completion`), to an HTTP
    status, or to None for a connection that is dropped."""
    seen: list[dict] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            seen.append(request)
            reply = answer(request)
            if reply is None:
                self.close_connection = True
                return
            body = json.dumps(reply if isinstance(reply, dict) else {"error": {"message": "no"}}).encode()
            self.send_response(200 if isinstance(reply, dict) else reply)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", seen
    finally:
        server.shutdown()
        server.server_close()


def completion(text: str, finish_reason: str = "stop") -> dict:
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

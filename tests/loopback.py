"""The HTTP server of tests, on loopback."""

import socket
from http.server import ThreadingHTTPServer


class LoopbackServer(ThreadingHTTPServer):
    """Takes as many connections at once as clients open, and ends at once.

    Its parent's queue of 5 makes a kernel drop what 64 requests at once begin, which then wait for minutes.
    """

    request_queue_size = socket.SOMAXCONN
    daemon_threads = True

    def serve_forever(self, poll_interval: float = 0.02) -> None:
        super().serve_forever(poll_interval)

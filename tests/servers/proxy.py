"""A proxy before an HTTP server that loses answers or requests, or answers in the server's place."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

Fault = Literal["", "lose request", "lose answer", "busy"]
_BUSY = b'{"error":{"type":"es_rejected_execution_exception","reason":"busy"},"status":429}'


class Proxy(ThreadingHTTPServer):
    """`fault` says, for each request's method and path, what happens to it."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, address: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.server = address
        self.fault: Callable[[str, str], Fault] = lambda _method, _path: ""
        self.met: dict[Fault, int] = {}

    @property
    def url(self) -> str:
        """What clients take instead of the server's."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, *_: object) -> None:
        """Connections end as they like."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Proxy

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        fault = self.server.fault(self.command, self.path)
        self.server.met[fault] = self.server.met.get(fault, 0) + 1
        if fault == "busy":
            self._answer(429, "application/vnd.elasticsearch+json;compatible-with=8", _BUSY)
        elif fault == "lose request":
            self.close_connection = True
        else:
            self._forward(body, lose=fault == "lose answer")

    def _forward(self, body: bytes, lose: bool) -> None:
        connection = http.client.HTTPConnection(self.server.server, timeout=120)
        with suppress(OSError, http.client.HTTPException):
            connection.request(self.command, self.path, body, dict(self.headers))
            answer = connection.getresponse()
            data = answer.read()
            if not lose:
                self._answer(answer.status, answer.getheader("content-type", ""), data)
                connection.close()
                return
        connection.close()
        self.close_connection = True

    def _answer(self, status: int, kind: str, data: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("x-elastic-product", "Elasticsearch")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@contextmanager
def proxied(address: str) -> Iterator[Proxy]:
    """A proxy before the server at host:port."""
    with Proxy(address) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            thread.join()

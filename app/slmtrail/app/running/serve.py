"""An ASGI application on a socket, as one task among others of this process."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from slmtrail.collectors.receive.door import CERTIFICATE
from slmtrail.core.errors import SettingsError
from slmtrail.core.metrics import REQUESTS_PUT_OFF

HEAD_S = 30
"""For the head of a request, from the connection or its first byte."""

KEEP_ALIVE_S = 15
SHUTDOWN_S = 5


def listen(host: str, port: int, setting: str = "ingest.port") -> socket.socket:
    """A listening socket, taken before anything is started, so that a port in use is said at once."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
        sock.listen(512)
    except OSError as error:
        sock.close()
        raise SettingsError(
            f"{host}:{port}: can't listen there: {error.strerror}; set {setting} (or "
            f"SLMTRAIL_{setting.replace('.', '_').upper()}) to another port, 0 for any free one"
        ) from None
    return sock


class _Connection(HttpToolsProtocol):
    """A connection whose requests know what TLS has verified of the client, and whose heads have to come in time."""

    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if certificate := transport.get_extra_info("peercert"):
            self.app_state = {**self.app_state, CERTIFICATE: certificate}
        self._wait_for_head()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._wait_for_head()

    def on_headers_complete(self) -> None:
        self._head_came()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_came()
        super().connection_lost(exc)

    def _wait_for_head(self) -> None:
        self._head_came()
        self._waiting = self.loop.call_later(HEAD_S, self._too_slow)

    def _head_came(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _too_slow(self) -> None:
        REQUESTS_PUT_OFF.labels("slow_head").inc()
        self.transport.close()


class Server(uvicorn.Server):
    """uvicorn without its signal handlers: the process has its own."""

    def __init__(self, app: ASGIApp, tls: ssl.SSLContext | None = None) -> None:
        config = uvicorn.Config(
            app,
            http=_Connection,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=SHUTDOWN_S,
            limit_concurrency=1000,
        )
        config.load()
        config.ssl = tls
        super().__init__(config)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves signals alone."""
        yield

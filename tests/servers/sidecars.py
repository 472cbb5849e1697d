"""A sidecar in a thread, the events that it made, and an upstream in the test's hand, byte by byte."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any, cast

import uvloop

from slmtrail.collectors.collector import Collector
from slmtrail.collectors.guard.gate import Gate
from slmtrail.collectors.item import Accepted
from slmtrail.collectors.sidecar.options import SidecarOptions
from slmtrail.collectors.sidecar.proxy import serve
from slmtrail.core.errors import SpoolFull

WAIT_S = 60
"""Longer than a stop may take: exchanges under way, then the parsing process."""


class Offered:
    """Stands for a collector: keeps what it is offered."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.dropped = 0
        self.full = False

    def offer(self, lines: list[bytes]) -> None:
        """Takes events."""
        self.lines += lines

    def submit(self, lines: list[bytes]) -> Future[Accepted]:
        """Takes events for good, unless it is full."""
        future: Future[Accepted] = Future()
        if self.full:
            future.set_exception(SpoolFull("the spool is full"))
        else:
            self.lines += lines
            future.set_result(Accepted([(1, place) for place in range(len(lines))]))
        return future

    def drop(self, count: int) -> None:
        """Counts what was lost."""
        self.dropped += count


class Sidecar:
    """The sidecar and what it recorded."""

    def __init__(self, options: SidecarOptions, loop: str = "uvloop", gate: Gate | None = None) -> None:
        self.offered = Offered()
        self._sock = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port: int = self._sock.getsockname()[1]
        self._loop = uvloop.new_event_loop() if loop == "uvloop" else asyncio.new_event_loop()
        collector = cast("Collector", self.offered)
        self._task = self._loop.create_task(serve(options, collector, self._sock, gate))
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.faults: list[dict[str, Any]] = []
        self._loop.set_exception_handler(lambda _, context: self.faults.append(context))
        self._thread.start()

    def _run(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._task)
        self._loop.close()

    def stop(self) -> None:
        """Stops it, as a signal would, and makes sure that nothing went wrong unseen."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._task.cancel)
            self._thread.join(WAIT_S)
        assert not self._thread.is_alive()
        assert self.faults == []

    def call(self, work: Callable[[], object]) -> None:
        """Does `work` on its loop, and waits for it."""
        done = threading.Event()
        self._loop.call_soon_threadsafe(lambda: (work(), done.set()))
        assert done.wait(WAIT_S)

    @property
    def events(self) -> list[dict[str, Any]]:
        """What it recorded so far."""
        return [json.loads(line) for line in self.offered.lines]

    def event(self, condition: Callable[[dict[str, Any]], bool] = lambda _: True) -> dict[str, Any]:
        """The first event that is so, as soon as there is one."""
        self.until(lambda: any(map(condition, self.events)))
        return next(filter(condition, self.events))

    def until(self, condition: Callable[[], bool]) -> None:
        """Waits for something to be so."""
        end = time.monotonic() + WAIT_S
        while not condition():
            assert time.monotonic() < end, self.events
            time.sleep(0.002)

    def event_of(self, path: str) -> dict[str, Any]:
        """The event of the exchange with a path that only one has."""
        return self.event(lambda event: f'"path":"{path}"' in event.get("slm.attributes", ""))

    def connect(self, tls: ssl.SSLContext | None = None) -> socket.socket:
        """A client's connection."""
        sock = socket.create_connection(("127.0.0.1", self.port), timeout=WAIT_S)
        return tls.wrap_socket(sock, server_hostname="localhost") if tls else sock

    def ask(self, data: bytes) -> bytes:
        """Sends bytes on a connection of their own; all that comes back until it is closed."""
        with self.connect() as sock:
            sock.sendall(data)
            return read_all(sock)


class Upstream:
    """A server that does on each connection what `script` says, which reads and writes bytes itself."""

    def __init__(self) -> None:
        self.script: Callable[[socket.socket], None] = lambda sock: None
        self.connections = 0
        self._open: list[socket.socket] = []
        self._server = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self._server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def begin(self, script: Callable[[socket.socket], None]) -> None:
        """Closes what is open, and does `script` from now on."""
        for sock in self._open:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        self._open.clear()
        self.script, self.connections = script, 0

    def stop(self) -> None:
        """Listens no more."""
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self.begin(lambda sock: None)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._server.accept()
                sock.settimeout(WAIT_S)
                self.connections += 1
                self._open.append(sock)
                threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        with sock, contextlib.suppress(OSError):
            self.script(sock)


def read_until(sock: socket.socket, end: bytes) -> bytes:
    """All bytes up to `end`, or up to the close."""
    data = b""
    while not data.endswith(end) and (piece := sock.recv(1)):
        data += piece
    return data


def read_exactly(sock: socket.socket, count: int) -> bytes:
    """`count` bytes, fewer only where the connection closes."""
    data = bytearray()
    while len(data) < count and (piece := sock.recv(min(65536, count - len(data)))):
        data += piece
    return bytes(data)


def read_all(sock: socket.socket) -> bytes:
    """All bytes up to the close, in whatever way it comes."""
    data = b""
    with contextlib.suppress(ConnectionError):
        while piece := sock.recv(65536):
            data += piece
    return data


@contextlib.contextmanager
def before(options: SidecarOptions, loop: str = "uvloop", gate: Gate | None = None) -> Iterator[Sidecar]:
    """A sidecar, until left."""
    sidecar = Sidecar(options, loop, gate)
    try:
        yield sidecar
    finally:
        sidecar.stop()

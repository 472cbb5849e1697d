"""The switch every server has, whatever runs it."""

from __future__ import annotations

import random
import signal
import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol


class UnavailableError(Exception):
    """This machine can't run the server; the text says what is missing and how to get it."""


class NotReadyError(Exception):
    """The server was started and did not come up; the text ends with the tail of its log."""


class Runtime(Protocol):
    """What runs a server: a process of this machine or a container."""

    host: str
    data: Path | None
    """The folder with the server's data, where it lies on this machine."""

    @property
    def pid(self) -> int: ...
    def launch(self) -> None: ...
    def alive(self) -> bool: ...
    def stop(self, timeout_s: float) -> None: ...
    def kill(self) -> None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def log(self) -> bytes: ...
    def discard(self) -> None: ...


class Server(ABC):
    """One server that can be stopped in every way and started again on the same data and port."""

    name: str

    def __init__(self, runtime: Runtime, port: int) -> None:
        self._runtime = runtime
        self.port = port
        self.data = runtime.data

    @abstractmethod
    def ready(self, log: bytes) -> bool:
        """Whether it serves; `log` is what it has written since its last start."""

    @property
    def address(self) -> str:
        """host:port"""
        return f"{self._runtime.host}:{self.port}"

    @property
    def pid(self) -> int:
        """The process id on the machine that runs it."""
        return self._runtime.pid

    @property
    def log(self) -> str:
        """Everything it has written since it was made."""
        return self._runtime.log().decode(errors="replace")

    def alive(self) -> bool:
        """Whether its process is there, paused or not."""
        return self._runtime.alive()

    def start(self, timeout_s: float = 120) -> None:
        """Makes it serve: starts it if it is down, resumes it if it is paused. Blocks until it is ready."""
        if self.alive():
            self._runtime.resume()
            return
        written = len(self._runtime.log())
        self._runtime.launch()
        deadline = time.monotonic() + timeout_s
        while not self.ready(self._runtime.log()[written:]):
            if not self.alive():
                raise NotReadyError(f"{self.name} ended while it was starting{self._tail()}")
            if time.monotonic() > deadline:
                self._runtime.kill()
                raise NotReadyError(f"{self.name} on {self.address} was not ready after {timeout_s} s{self._tail()}")
            time.sleep(0.05)

    def stop(self, timeout_s: float = 30) -> None:
        """Asks it to end (SIGTERM) and waits; kills it after `timeout_s`."""
        if self.alive():
            self._runtime.resume()
            self._runtime.stop(timeout_s)

    def kill(self) -> None:
        """Ends it at once (SIGKILL)."""
        if self.alive():
            self._runtime.kill()

    def pause(self) -> None:
        """Freezes it: connections stay open and nothing answers."""
        self._runtime.pause()

    def resume(self) -> None:
        """Ends a pause."""
        self._runtime.resume()

    def discard(self) -> None:
        """Stops it for good."""
        self.stop()
        self._runtime.discard()

    def _tail(self, lines: int = 40) -> str:
        return "; the end of its log:\n" + "\n".join(self.log.splitlines()[-lines:])


def first_available(name: str, ways: Sequence[Callable[[], Runtime]]) -> Runtime:
    """The first runtime that this machine can offer."""
    reasons = []
    for way in ways:
        try:
            return way()
        except UnavailableError as reason:
            reasons.append(str(reason))
    raise UnavailableError(f"no {name} here: {'; '.join(reasons)}")


def free_port() -> int:
    """A free loopback port, below those that outgoing connections take, so that a restart finds it free too."""
    for port in random.sample(range(20_000, 32_000), 200):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise UnavailableError("no free port among 200 tried between 20000 and 32000")


def serve(server: Server, address: str) -> None:
    """Prints where the server is and blocks until SIGINT or SIGTERM."""
    print(address, flush=True)
    ends = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    signal.sigwait(ends)

"""A collector with its keys and spool, and a reader of what it wrote."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from starlette.applications import Starlette

from slmtrail.collectors.collector import Collector, CollectorOptions
from slmtrail.collectors.framer import Identity
from slmtrail.collectors.ingest import IngestLimits, ingest_routes
from slmtrail.collectors.missing import Missing
from slmtrail.collectors.screen import Screen
from slmtrail.collectors.spool import Spool
from slmtrail.core import frames
from slmtrail.core.errors import StorageError
from slmtrail.core.frames import FIRST_PREVIOUS, Frame

SIGNING = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OPENING = X25519PrivateKey.from_private_bytes(bytes(range(32, 64)))


def eventually(what: str, condition: Callable[[], Any], deadline_s: float = 20) -> Any:
    """Waits until `condition` gives something true, and returns that."""
    end = time.monotonic() + deadline_s
    while not (value := condition()):
        assert time.monotonic() < end, f"not within {deadline_s} s: {what}"
        time.sleep(0.002)
    return value


class Boots:
    """What stands in a spool, believed and opened, and whether its chains hold."""

    def __init__(self, spool: Spool) -> None:
        spooled = spool.oldest(1_000_000, 1 << 40)
        self.frames: list[Frame] = [frames.from_bytes(frame.data) for frame in spooled]
        for frame in self.frames:
            frame.verify(SIGNING.public_key())
            lines = frame.open(OPENING)[1]
            assert len(lines) == frame.header.events

    @property
    def lines(self) -> list[bytes]:
        """Every event, in order."""
        return [line for frame in self.frames for line in frame.open(OPENING)[1]]

    @property
    def dropped(self) -> int:
        """How many events the frames sign as dropped."""
        return sum(frame.header.dropped for frame in self.frames)

    @property
    def sampled_out(self) -> int:
        """How many events the frames sign as left out."""
        return sum(frame.header.sampled_out for frame in self.frames)

    @property
    def kinds(self) -> list[str]:
        """The kinds of the frames, in order."""
        return [frame.header.kind for frame in self.frames]

    def check_chains(self) -> None:
        """Each boot counts from 0 without a gap, each frame names the one before."""
        expected: dict[str, tuple[int, str]] = {}
        for frame in self.frames:
            boot = frame.header.boot
            assert (frame.header.sequence, frame.header.previous) == expected.get(boot, (0, FIRST_PREVIOUS))
            expected[boot] = frame.header.sequence + 1, frame.digest


class Disk:
    """A spool that fails or waits where a test says so."""

    def __init__(self, spool: Spool) -> None:
        self.spool = spool
        self.commits = 0
        self.failing = False
        self.open = threading.Event()
        self.open.set()
        self.waiting = threading.Event()

    def begin_boot(self, boot: str) -> str:
        """As the spool does."""
        return self.spool.begin_boot(boot)

    @property
    def unsigned(self) -> Missing:
        """As the spool does."""
        return self.spool.unsigned

    def commit(self, data: list[bytes], **more: Any) -> None:
        """As the spool does, once it is allowed."""
        self.waiting.set()
        assert self.open.wait(20)
        self.waiting.clear()
        if self.failing:
            raise StorageError("disk: full; free space on that disk")
        self.spool.commit(data, **more)
        self.commits += 1

    def notes(self, prefix: str) -> dict[str, bytes]:
        """As the spool does."""
        return self.spool.notes(prefix)


class Client:
    """A caller of an endpoint on a real socket."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port

    @property
    def url(self) -> str:
        """The endpoint's address."""
        return f"http://{self.host}:{self.port}"

    def connect(self) -> http.client.HTTPConnection:
        """A connection of its own."""
        return http.client.HTTPConnection(self.host, self.port, timeout=20)

    def ask(
        self, body: Any, headers: dict[str, str] | None = None, method: str = "POST", path: str = "/v1/events"
    ) -> tuple[int, dict[str, Any], dict[str, str]]:
        """Status, JSON and headers of the answer. A body that is no bytes is sent in chunks."""
        with contextlib.closing(self.connect()) as connection:
            chunked = not isinstance(body, bytes)
            more = {"transfer-encoding": "chunked"} if chunked else {}
            connection.request(method, path, body, (headers or {}) | more, encode_chunked=chunked)
            answer = connection.getresponse()
            data = answer.read()
            is_json = answer.headers["content-type"] == "application/json"
            return answer.status, json.loads(data) if is_json else {}, dict(answer.headers)

    def post(self, body: Any, headers: dict[str, str] | None = None) -> tuple[int, dict[str, Any]]:
        """Status and JSON of the answer."""
        return self.ask(body, headers)[:2]


@contextlib.contextmanager
def serving(app: Starlette, port: int = 0) -> Iterator[Client]:
    """The application on a loopback socket."""
    sock = socket.create_server(("127.0.0.1", port))
    server = uvicorn.Server(
        uvicorn.Config(app, http="httptools", ws="none", lifespan="off", log_config=None, access_log=False)
    )
    server.config.load()
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, daemon=True)
    thread.start()
    try:
        yield Client("127.0.0.1", sock.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(20)
        sock.close()


@pytest.fixture
def serve() -> Callable[..., contextlib.AbstractContextManager[Client]]:
    """Puts an endpoint before a collector."""

    def start(collector: Collector, limits: IngestLimits | None = None, port: int = 0) -> Any:
        limits = limits or IngestLimits(max_event_bytes=10_000, max_request_bytes=2_000_000)
        return serving(Starlette(routes=[*ingest_routes(collector, limits)]), port)

    return start


@pytest.fixture
def identity() -> Identity:
    """Who collects."""
    return Identity("edge-1", "prod", SIGNING, OPENING.public_key())


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    """A spool with room."""
    made = Spool(tmp_path / "spool", 1 << 30)
    yield made
    made.close()


@pytest.fixture
def disk(spool: Spool) -> Disk:
    """The spool's disk, in the test's hand."""
    return Disk(spool)


@pytest.fixture
def collecting(identity: Identity, spool: Spool) -> Iterator[Callable[..., Collector]]:
    """Starts collectors, and stops them in the end, before `spool` closes."""
    started: list[Collector] = []

    def start(
        spool: Any, on_frame: Callable[[], None] = lambda: None, screen: Screen | None = None, **options: Any
    ) -> Collector:
        collector = Collector(identity, spool, CollectorOptions(**options), on_frame, screen)
        collector.start()
        started.append(collector)
        return collector

    yield start
    for collector in started:
        collector.stop()


@pytest.fixture
def read() -> Callable[[Spool], Boots]:
    """Reads what stands in a spool."""
    return Boots


@pytest.fixture
def until() -> Callable[..., Any]:
    """Waits for a condition."""
    return eventually


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 4 MB of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", folder], capture_output=True, check=False)
    if made.returncode:
        pytest.skip(f"no file system can be mounted here: {made.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)

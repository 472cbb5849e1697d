"""A trail whose events a test can read."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import Response
from tests.unit.collectors.conftest import serving

from slmtrail.collectors.collector import Collector
from slmtrail.collectors.ingest import IngestLimits, ingest_routes
from slmtrail.collectors.sdk import Trail, outbox, quiet
from slmtrail.collectors.spool import Spool

EVENTS = Callable[[], list[dict[str, Any]]]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quiet, "_said", {})
    monkeypatch.setattr(outbox, "RETRY_MIN_S", 0.01)
    monkeypatch.setattr(outbox, "RETRY_MAX_S", 0.02)
    monkeypatch.setattr(outbox, "EXIT_DEADLINE_S", 0.01)


@pytest.fixture(scope="session")
def door() -> Iterator[tuple[str, dict[str, Any]]]:
    """The address of one server for all tests, and the applications behind it by the first word of the path."""
    apps: dict[str, Any] = {}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        name, _, rest = scope["path"].removeprefix("/").partition("/")
        await apps.get(name, Response(status_code=404))(scope | {"path": f"/{rest}"}, receive, send)

    with serving(app) as client:  # type: ignore[arg-type]
        yield client.url, apps


@pytest.fixture
def endpoint(door: Any) -> Iterator[Callable[..., str]]:
    """Gives a collector an address of its own there."""
    url, apps = door
    name = uuid.uuid4().hex

    def mount(collector: Collector, limits: IngestLimits) -> str:
        apps[name] = Starlette(routes=[*ingest_routes(collector, limits)])
        return f"{url}/{name}"

    yield mount
    apps.pop(name, None)


@pytest.fixture
def collector_url(collecting: Any, endpoint: Callable[..., str], spool: Spool) -> str:
    """A collector's endpoint that takes events of any size."""
    limits = IngestLimits(max_event_bytes=1024**2, max_request_bytes=32 * 1024**2)
    return endpoint(collecting(spool, heartbeat_ms=3_600_000), limits)


@pytest.fixture
def trail(collector_url: str) -> Trail:
    """A trail to it."""
    return Trail(collector_url, service="helpdesk")


@pytest.fixture
def events(trail: Trail, spool: Spool, read: Any) -> EVENTS:
    """What arrived; nothing was refused or dropped."""

    def arrived() -> list[dict[str, Any]]:
        assert trail.flush(20)
        boots = read(spool)
        assert not trail._outbox._drops and not boots.dropped
        return [json.loads(line) for line in boots.lines]

    return arrived


@pytest.fixture
def event(events: EVENTS) -> Callable[[], dict[str, Any]]:
    """The one event that arrived."""

    def arrived() -> dict[str, Any]:
        (one,) = events()
        return one

    return arrived

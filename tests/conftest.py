"""Fixtures every test may use: a real Kafka and a real Elasticsearch, each started at most once in a worker.

A test or fixture that raises `UnavailableError` is skipped with its reason, or fails with it where
SLMTRAIL_REQUIRE_SERVERS=1.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from servers.elastic import Elastic, start_elastic
from servers.kafka import Kafka, start_kafka
from servers.server import Server, UnavailableError

# The same examples in every run, and none too slow: machines here are shared. HYPOTHESIS_PROFILE=default looks further.
settings.register_profile("steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))

# Servers live for a minute here, in which it does not pay to compile them well: it takes half of their time.
os.environ.setdefault("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")

_shared: list[Server] = []


@pytest.fixture(scope="session")
def kafka() -> Iterator[Kafka]:
    """The shared Kafka; a test may stop, kill or pause it, and the next test finds it up again."""
    with start_kafka() as server:
        _shared.append(server)
        yield server
        _shared.remove(server)


@pytest.fixture(scope="session")
def elastic() -> Iterator[Elastic]:
    """The shared Elasticsearch; a test may stop, kill or pause it, and the next test finds it up again."""
    with start_elastic() as server:
        _shared.append(server)
        yield server
        _shared.remove(server)


@pytest.fixture(autouse=True)
def _servers_up_again() -> Iterator[None]:
    """Brings back what a test left stopped or paused, also when the test failed."""
    yield
    for server in _shared:
        server.start()


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """The same in every worker, which a packed text with the time in it is not."""
    return None if not isinstance(val, bytes) or val.isascii() else f"{argname}-{len(val)}-bytes"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what asks for a server, so that `-m "not servers"` leaves it out. First of the hooks, so that it does; the
    files that take longest come first, so that no worker ends with one alone."""
    long: set[Path] = set()
    for item in items:
        if {"kafka", "elastic"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.servers)
        if item.get_closest_marker("servers") or item.get_closest_marker("slow"):
            long.add(item.path)
    items.sort(key=lambda item: item.path not in long)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Generator[None]:
    """Fixtures that need a server run here."""
    return (yield from _skipped_without_servers())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None]:
    """Tests that start a server of their own do it here."""
    return (yield from _skipped_without_servers())


def _skipped_without_servers() -> Generator[None]:
    try:
        return (yield)
    except UnavailableError as reason:
        if os.environ.get("SLMTRAIL_REQUIRE_SERVERS") == "1":
            pytest.fail(str(reason), pytrace=False)
        pytest.skip(str(reason))

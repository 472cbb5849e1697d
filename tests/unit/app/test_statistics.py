"""The overview of a long span: hourly statistics where they are made, also when the records are gone."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

import pytest

from slmtrail.app.reading import Reading
from slmtrail.app.web.overview import Overview, overview
from slmtrail.app.web.statistics import statistics
from slmtrail.core.events import timestamp_text
from slmtrail.core.ports import Sealed
from slmtrail.core.readers import EVERYTHING, Scope
from slmtrail.core.rollup import DAY_MS, HOUR_MS, Rollup
from slmtrail.core.settings import Settings
from slmtrail.indexer.store.sqlite import SqliteStore


@pytest.fixture(scope="module")
def reading(tmp_path_factory: pytest.TempPathFactory) -> Reading:
    """A request now, and statistics of an hour of half a year ago: nothing else is left of it."""
    data = tmp_path_factory.mktemp("statistics")
    now_ms = time.time_ns() // 1_000_000
    old_ms = (now_ms - 180 * DAY_MS) // HOUR_MS * HOUR_MS
    record = {
        "@timestamp": timestamp_text(now_ms - 1000),
        "event.id": "1" * 32,
        "event.outcome": "failure",
        "slm.kind": "inference",
        "slm.collector.id": "edge",
        "deployment.environment.name": "prod",
        "gen_ai.request.model": "phi-3",
    }
    with closing(SqliteStore(data / "store.sqlite", writable=True)) as store:
        store.write([Sealed("a/0", 0, "1" * 32, record, b"{}")])
        store.roll_up(
            old_ms,
            [
                Rollup(old_ms, "phi-2", "prod", "inference", 10, 2, 0, 1000, 500, 0, {80: 10}),
                Rollup(old_ms, "", "dev", "policy", 5, 0, 3),
            ],
        )
    return Reading(Settings(data=data))


def seen(reading: Reading, since: str, environment: str = "", scope: Scope = EVERYTHING) -> Overview:
    return overview(reading.within(scope), since, environment)


def test_what_is_gone_still_counts(reading: Reading) -> None:
    year = seen(reading, "52w")
    assert (year.requests, year.failures, year.blocked) == (11, 3, 3)
    assert {row.name: row.count for row in year.models} == {"phi-2": 10, "phi-3": 1}
    assert {row.name: row.count for row in year.environments} == {"prod": 11, "dev": 5}
    assert (year.input_tokens, year.output_tokens) == (100, 50)
    assert year.latency["p50"] == pytest.approx(32, rel=0.05)
    assert year.traffic
    assert sum(bar.count for bar in year.traffic.bars) == 11
    assert sum(bar.wrong_count for bar in year.traffic.bars) == 3
    assert year.statistics_until


def test_a_span_without_statistics_is_told_from_its_records(reading: Reading) -> None:
    for since in ("1h", "4w"):
        assert (seen(reading, since).requests, seen(reading, since).statistics_until) == (1, "")


def test_statistics_are_told_as_far_as_their_reader_sees(reading: Reading) -> None:
    assert seen(reading, "52w", environment="dev").blocked == 3
    assert seen(reading, "52w", environment="dev").requests == 0
    assert seen(reading, "52w", scope=Scope(("prod",), ("*",), ("*",))).blocked == 0
    assert seen(reading, "52w", scope=Scope(("prod",), ("*",), ("*",))).requests == 11
    assert seen(reading, "52w", scope=Scope(("*",), ("*",), ("desk",))).requests == 0


def test_a_long_time_is_told_by_days_and_its_newest_by_hours(tmp_path: Path) -> None:
    now_ms = time.time_ns() // 1_000_000
    newest_ms = now_ms // HOUR_MS * HOUR_MS - 2 * HOUR_MS
    hours = [
        Rollup(at_ms, "phi-3", "prod", "inference", 3, 1, latency={80: 2, 96: 1})
        for at_ms in range(newest_ms, now_ms - 40 * DAY_MS, -HOUR_MS)
    ]
    with closing(SqliteStore(tmp_path / "store.sqlite", writable=True)) as store:
        for hour in hours:
            store.roll_up(hour.hour_ms, [hour, Rollup(hour.hour_ms, "", "prod", "policy", 2, 0, 1)])
    reading = Reading(Settings(data=tmp_path))
    for days, step_ms in ((40, DAY_MS), (28, DAY_MS), (7, HOUR_MS)):
        since_ms = now_ms - days * DAY_MS
        count = sum(since_ms // HOUR_MS * HOUR_MS <= hour.hour_ms for hour in hours)
        told = statistics(reading, since_ms, now_ms, "")
        assert (told.step_ms, told.until_ms) == (step_ms, newest_ms + HOUR_MS)
        assert (told.requests.count, told.requests.failures, told.blocked) == (3 * count, count, count)
        assert told.kinds == {"inference": 3 * count, "policy": 2 * count}
        assert (told.by_hour.total(), told.requests.latency) == (3 * count, {80: 2 * count, 96: count})
        assert len(told.by_hour) <= max(count // 24 + 48, 7 * 24 + 1)
        assert reading.within(Scope(("dev",), ("*",), ("*",))).rollups(since_ms, now_ms, step_ms) == []

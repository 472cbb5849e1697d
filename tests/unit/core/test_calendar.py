"""Times that trip programs: leap days, the end of 32 bits, the change of clocks where the machine stands."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from builders import NOW_MS, Edge, Stream, inference, records
from slmtrail.core import events, frames
from slmtrail.core.events import timestamp_ms, timestamp_text
from slmtrail.core.retaining import DAY_MS, Retention

MOMENTS = {
    "1970-01-01T00:00:00.000Z": 0,
    "2000-02-29T23:59:59.999Z": 951_868_799_999,
    "2026-03-29T01:30:00.000Z": 1_774_747_800_000,  # the hour that Europe leaves out
    "2026-10-25T00:30:00.000Z": 1_792_888_200_000,  # and the one it has twice
    "2028-02-29T12:00:00.000Z": 1_835_438_400_000,
    "2038-01-19T03:14:07.999Z": 2_147_483_647_999,
    "2038-01-19T03:14:08.000Z": 2_147_483_648_000,
    "2100-03-01T00:00:00.000Z": 4_107_542_400_000,
    "2106-02-07T06:28:16.000Z": 4_294_967_296_000,
}


@pytest.fixture(params=["UTC", "Europe/Berlin", "America/St_Johns", "Pacific/Apia"])
def _here(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Where the machine stands."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", request.param)
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("_here")
def test_a_time_is_the_same_wherever_it_is_written_and_read() -> None:
    for text, epoch_ms in MOMENTS.items():
        assert timestamp_text(epoch_ms) == text
        assert timestamp_ms(text) == epoch_ms
        assert events.parse({"@timestamp": epoch_ms, **inference()} | {"@timestamp": epoch_ms}, 0)["@timestamp"] == text


@given(st.integers(0, 253_402_300_799_999))
def test_every_millisecond_comes_back(epoch_ms: int) -> None:
    text = timestamp_text(epoch_ms)
    assert timestamp_ms(text) == epoch_ms
    assert text[:19] == f"{datetime.fromtimestamp(epoch_ms // 1000, UTC):%Y-%m-%dT%H:%M:%S}".rjust(19, "0")


@pytest.mark.parametrize("epoch_ms", MOMENTS.values())
def test_a_frame_keeps_any_time(epoch_ms: int) -> None:
    key = X25519PrivateKey.generate()
    edge = Edge(key, now_ms=epoch_ms)
    read = frames.from_bytes(frames.to_bytes(edge.frame([inference()])))
    assert (read.header.first_ms, read.header.last_ms) == (epoch_ms, epoch_ms)


def test_a_clock_that_jumps_both_ways_costs_no_event(tmp_path: Path) -> None:
    stream = Stream(tmp_path)
    edge, found = stream.edge(), []
    days = (0, 6, -6, 0, 365, -1, 4000, 0)  # a frame from before all that the bus keeps would be a replay
    jumps = [NOW_MS + day * DAY_MS for day in days]
    for edge.now_ms in jumps:
        output = stream.take(edge.frame([inference(**{"@timestamp": edge.now_ms})]))
        assert output.deadletters == []
        found += records(output)
    asked = [record for record in found if record["slm.kind"] == "inference"]
    assert [timestamp_ms(record["@timestamp"]) for record in asked] == jumps
    assert not [record for record in found if record.get("event.action") in ("gap", "chain_broken", "dropped")]


@pytest.mark.parametrize("epoch_ms", [ms for ms in MOMENTS.values() if ms > 400 * DAY_MS])
def test_what_is_kept_is_kept_for_whole_days(epoch_ms: int) -> None:
    kept = Retention.model_validate({"classes": {"standard": {"content": "10d", "keep": "100d"}}}).classes["standard"]
    assert 100 * DAY_MS <= epoch_ms - kept.kept_before_ms(epoch_ms) <= 100 * DAY_MS + kept.period_ms

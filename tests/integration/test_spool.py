"""Kafka is away for long and comes back: all that was collected meanwhile arrives once, in order, without a pause."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from servers.kafka import Kafka
from slmtrail.app import parts
from slmtrail.app.running.run import collecting
from slmtrail.bus.connect import connect
from slmtrail.core import frames
from slmtrail.core.errors import BusError
from slmtrail.core.frames import SHIP_WINDOW_FRAMES
from slmtrail.core.ports import FRAMES, Message
from slmtrail.core.settings import Settings

EVENTS = 400


class Counted:
    """A bus that counts how often frames were published, and how often that failed."""

    def __init__(self, url: str) -> None:
        self._bus = connect(url, partitions=1)
        self.published = self.failed = 0

    async def publish(self, topic: str, messages: Sequence[Message]) -> None:
        try:
            await self._bus.publish(topic, messages)
        except BusError:
            self.failed += 1
            raise
        self.published += 1

    def __getattr__(self, name: str) -> object:
        return getattr(self._bus, name)


def test_what_was_collected_while_kafka_was_away_arrives_in_order(
    kafka: Kafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("slmtrail.collectors.shipper.RETRY_MAX_S", 0.5)
    monkeypatch.setattr("slmtrail.bus.kafka.PUBLISH_TIMEOUT_S", 2.0)
    settings = Settings.model_validate({"data": tmp_path, "collector": {"name": "long-away"}})
    parts.make_keys(settings)

    async def run() -> None:
        bus = Counted(f"kafka://{kafka.bootstrap}")
        await bus.ensure_topics()  # type: ignore[operator]
        async with collecting(settings, bus) as (collector, work):  # type: ignore[arg-type]
            working = asyncio.create_task(work.run())
            await asyncio.wrap_future(collector.submit([b'{"n":0}']))
            while collector.spool.waiting_bytes:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            await asyncio.to_thread(kafka.stop)
            for number in range(1, EVENTS):
                await asyncio.wrap_future(collector.submit([b'{"n":%d}' % number]))
            while not bus.failed:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            before = bus.published
            await asyncio.to_thread(kafka.start)
            while collector.spool.waiting_bytes:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            assert bus.published - before <= EVENTS // SHIP_WINDOW_FRAMES + 3  # whole windows, one after another
            working.cancel()
        reader = await bus.read(FRAMES, 0, 0)  # type: ignore[operator]
        found = []
        while not (found and found[-1].header.kind == "close"):
            delivered = [frames.from_bytes(one.value) for one in await reader.poll(1000, 1000)]
            found += [frame for frame in delivered if frame.header.collector == "long-away"]
        await reader.close()
        await bus.close()  # type: ignore[operator]
        # What comes again is known by its number: the first of each is what counts.
        kept = list(dict.fromkeys(frame.header.sequence for frame in found))
        assert kept == sorted(kept) == list(range(len(kept)))
        assert sum({frame.header.sequence: frame.header.events for frame in found}.values()) == EVENTS
        newest = 0
        for frame in found:
            newest = max(newest, frame.header.sequence)
            assert frame.header.sequence > newest - SHIP_WINDOW_FRAMES  # else it would pass for a replay

    asyncio.run(asyncio.wait_for(run(), 300))

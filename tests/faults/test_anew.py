"""The stream's topics are deleted and made anew, beside workers that run or are killed: nothing is lost or doubled.

SLMTRAIL_FAULT_SEED: when workers are killed.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from jobs import Feed, JobTrail, check, read_all, until
from servers.kafka import Kafka
from slmtrail.core.errors import BusError
from slmtrail.core.ports import FRAMES, SIGNALS

SEED = int(os.environ.get("SLMTRAIL_FAULT_SEED", "20261126"))
FRAMES_BEFORE, FRAMES_AFTER = 120, 40
"""Fewer come behind than were before: all of them lie below the offsets that were seen."""


@pytest.mark.slow
@pytest.mark.parametrize("topics", [(FRAMES, SIGNALS), (FRAMES,), (SIGNALS,)], ids=["both", "frames", "signals"])
def test_topics_made_anew_cost_no_record_and_no_alert(kafka: Kafka, tmp_path: Path, topics: Sequence[str]) -> None:
    print(f"SLMTRAIL_FAULT_SEED={SEED}")
    counts = asyncio.run(moved(JobTrail(tmp_path / "trail", kafka.bootstrap), topics))
    print(counts)
    assert counts["alerts"] > 0


async def moved(trail: JobTrail, topics: Sequence[str]) -> dict[str, int]:
    """Feeds the job before and behind the deletion, and counts."""
    rng, bus = random.Random(SEED), trail.bus()
    await anew(trail, [FRAMES, SIGNALS, "slm.records", "slm.alerts", "slm.deadletters", "slm.state"])
    feed = Feed(bus, [trail.edge(f"edge-{number}") for number in range(6)])
    try:
        await asyncio.to_thread(trail.start)
        await sent(feed, FRAMES_BEFORE)
        await trail.caught_up()
        before = await read_all(bus, FRAMES, trail.partitions) if FRAMES in topics else []
        await asyncio.to_thread(trail.process("stream").stop)
        await anew(trail, topics)
        await asyncio.to_thread(trail.start)
        await sent(feed, FRAMES_BEFORE + FRAMES_AFTER // 2)
        await asyncio.to_thread(trail.kill_worker, rng.choice(trail.workers()))
        await sent(feed, FRAMES_BEFORE + FRAMES_AFTER)
        await trail.caught_up()
        return await check(trail, bus, before)
    finally:
        await asyncio.to_thread(trail.stop)
        await bus.close()


async def sent(feed: Feed, frames: int) -> None:
    """Sends until there were so many frames."""
    while feed.sent < frames:
        await feed.send(feed.edges[feed.sent % len(feed.edges)])


async def anew(trail: JobTrail, topics: Sequence[str]) -> None:
    """Deletes topics and makes them again."""
    admin = AIOKafkaAdminClient(bootstrap_servers=trail.bootstrap)
    await admin.start()
    try:
        there = set(await admin.list_topics())
        if doomed := sorted(there & set(topics)):
            await admin.delete_topics(doomed)

        async def gone() -> bool:
            return not set(topics) & set(await admin.list_topics())

        await until("the topics are gone", gone)
    finally:
        await admin.close()
    bus = trail.bus()

    async def made() -> bool:
        try:
            await bus.ensure_topics()
        except BusError:
            return False
        return True

    await until("the topics are there again", made)
    await bus.close()

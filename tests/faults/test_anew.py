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
from slmtrail.core.ports import ALERTS, DEADLETTERS, FRAMES, RECORDS, SIGNALS, STATE, Delivery

SEED = int(os.environ.get("SLMTRAIL_FAULT_SEED", "20261126"))
ANEW = ((FRAMES, SIGNALS), (FRAMES,), (SIGNALS,))
SENT = (120, 60, 30, 30)
"""At first and behind each deletion: fewer than before, so that all lie below the offsets that were seen."""


@pytest.mark.slow
def test_topics_made_anew_cost_no_record_and_no_alert(kafka: Kafka, tmp_path: Path) -> None:
    print(f"SLMTRAIL_FAULT_SEED={SEED}")
    counts = asyncio.run(moved(JobTrail(tmp_path / "trail", kafka.bootstrap)))
    print(counts)
    assert counts["alerts"] > 0


async def moved(trail: JobTrail) -> dict[str, int]:
    """Feeds the job before and behind each deletion, and counts."""
    rng, bus = random.Random(SEED), trail.bus()
    await anew(trail, [FRAMES, SIGNALS, RECORDS, ALERTS, DEADLETTERS, STATE])
    feed = Feed(bus, [trail.edge(f"edge-{number}") for number in range(6)])
    gone_frames: list[Delivery] = []
    try:
        await asyncio.to_thread(trail.start)
        await sent(feed, SENT[0])
        for topics, frames in zip(ANEW, SENT[1:], strict=True):
            await trail.caught_up()
            if FRAMES in topics:
                gone_frames += await read_all(bus, FRAMES, trail.partitions)
            await asyncio.to_thread(trail.process("stream").stop)
            await anew(trail, topics)
            await asyncio.to_thread(trail.start)
            await sent(feed, feed.sent + frames // 2)
            await asyncio.to_thread(trail.kill_worker, rng.choice(trail.workers()))
            await sent(feed, feed.sent + frames // 2)
        await trail.caught_up()
        return await check(trail, feed, {FRAMES: gone_frames})
    finally:
        await asyncio.to_thread(trail.stop)
        await bus.close()


async def sent(feed: Feed, frames: int) -> None:
    """Sends until there were so many frames."""
    while feed.sent < frames:
        await feed.send(feed.edges[feed.sent % len(feed.edges)])


async def anew(trail: JobTrail, topics: Sequence[str]) -> None:
    """Deletes topics and makes them again."""
    await gone(trail.bootstrap, topics)
    bus = trail.bus()

    async def made() -> bool:
        try:
            await bus.ensure_topics()
        except BusError:
            return False
        return True

    await until("the topics are there again", made)
    await bus.close()


async def gone(bootstrap: str, topics: Sequence[str]) -> None:
    """Deletes topics."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        there = set(await admin.list_topics())
        if doomed := sorted(there & set(topics)):
            await admin.delete_topics(doomed)

        async def deleted() -> bool:
            return not set(topics) & set(await admin.list_topics())

        await until("the topics are gone", deleted)
    finally:
        await admin.close()

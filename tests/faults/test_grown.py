"""Partitions are added to topics in use, and then used, as docs/recovery.md says: each event is a record, sealed.

SLMTRAIL_FAULT_SEED: when a worker is killed.
"""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions

from faults.test_anew import SEED, anew, gone, sent
from jobs import Feed, JobTrail, by_id, check, read_all, until
from servers.kafka import Kafka
from slmtrail.core.ports import ALERTS, DEADLETTERS, FRAMES, RECORDS, SIGNALS
from trails import eventually

FEW, MANY = 2, 5
FRAMES_SENT = 40
REMADE = (FRAMES, SIGNALS, RECORDS, ALERTS, DEADLETTERS)


@pytest.mark.slow
def test_more_partitions_cost_no_record_and_no_alert(kafka: Kafka, tmp_path: Path) -> None:
    try:
        counts, trail = asyncio.run(grown(kafka.bootstrap, tmp_path / "trail"))
        assert counts["alerts"] > 0
        try:
            trail.process("index again", "index").start()
            eventually("all is sealed", lambda: trail.verify()["records"] >= counts["records"])
            proved = trail.verify()
            assert (proved["exit_code"], proved["faults"]) == (0, [])
            assert len(proved["ledgers"]) == MANY
        finally:
            trail.stop()
    finally:
        asyncio.run(gone(kafka.bootstrap, REMADE))  # who shares this Kafka has another number of them


async def grown(bootstrap: str, folder: Path) -> tuple[dict[str, int], JobTrail]:
    """Adds partitions in vain, then makes the topics anew with more, and counts."""
    print(f"SLMTRAIL_FAULT_SEED={SEED}")
    trail = JobTrail(folder, bootstrap, FEW)
    bus = trail.bus()
    await anew(trail, [*REMADE, "slm.state", "slm.checkpoints"])
    feed = Feed(bus, [trail.edge(f"edge-{number}") for number in range(6)])
    try:
        await asyncio.to_thread(trail.start)
        trail.process("index").start()
        await sent(feed, FRAMES_SENT)
        await added(bootstrap)
        await sent(feed, 2 * FRAMES_SENT)
        await asyncio.to_thread(trail.kill_worker, random.Random(SEED).choice(trail.workers()))
        await sent(feed, 3 * FRAMES_SENT)
        await feed.boot_again()
        await trail.caught_up()
        before = {topic: await read_all(bus, topic, FEW) for topic in REMADE}
        await check(trail, feed)
        records = len(by_id(delivery.value for delivery in before[RECORDS]))  # some of them came twice
        await until("all is sealed", lambda: asyncio.to_thread(sealed, trail, records))
        await asyncio.to_thread(trail.stop)
        await bus.close()

        trail.partitions = MANY
        trail.environ["SLMTRAIL_BUS_PARTITIONS"] = str(MANY)
        await anew(trail, REMADE)
        trail.process("index anew", "index", "--new-topic").start()
        await asyncio.to_thread(trail.start)
        feed.bus = trail.bus()
        await sent(feed, 4 * FRAMES_SENT)
        await trail.caught_up()
        return await check(trail, feed, before), trail
    finally:
        await asyncio.to_thread(trail.stop)
        await feed.bus.close()


async def added(bootstrap: str) -> None:
    """Partitions, as an operator adds them."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_partitions({topic: NewPartitions(MANY) for topic in REMADE})
    finally:
        await admin.close()


def sealed(trail: JobTrail, records: int) -> bool:
    """Whether so many are in the store."""
    return len(trail.search()) >= records

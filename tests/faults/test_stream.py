"""The stream's job on a real Kafka, hurt at random moments: no record or alert is lost, doubled or invented.

SLMTRAIL_FAULT_ROUNDS: how many times (`make faults` takes 30). SLMTRAIL_FAULT_SEED: to whom, and when.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from pathlib import Path

import pytest

from jobs import Feed, JobTrail, check, until
from servers.kafka import Kafka, start_kafka
from small_disk import fill, small_disk
from trails import eventually

SEED = int(os.environ.get("SLMTRAIL_FAULT_SEED", "20261126"))
DISK_MB = 96
ROUNDS = int(os.environ.get("SLMTRAIL_FAULT_ROUNDS", "2"))
KINDS = (
    "kill one",
    "broker",
    "extra",
    "kill all",
    "stop",
    "freeze",
    "kill one",
    "kill extra",
    "kill broker",
    "kill one",
)


@pytest.mark.slow
def test_what_happens_to_workers_and_broker_costs_no_record_and_no_alert(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", DISK_MB) as disk:
        properties = {"log.dirs": str(disk / "kafka")} if disk else {}
        with start_kafka(properties=properties) as kafka:
            trail = JobTrail(tmp_path / "trail", kafka.bootstrap)
            counts = asyncio.run(hurt(trail, kafka, rounds(can_be_full=disk is not None)))
    print(counts)
    assert counts["alerts"] > 0


def rounds(*, can_be_full: bool) -> list[str]:
    """What happens, one thing after the other; the disk runs full after every ten and at the end, where it can."""
    kinds: list[str] = []
    for number in range(ROUNDS):
        kinds.append(KINDS[number % len(KINDS)])
        if can_be_full and (number % 10 == 9 or number == ROUNDS - 1):
            kinds.append("full disk")
    return kinds


async def hurt(trail: JobTrail, kafka: Kafka, kinds: list[str]) -> dict[str, int]:
    """Hurts the job in rounds while frames come in, lets it catch up, and counts."""
    print(f"SLMTRAIL_FAULT_SEED={SEED}", flush=True)
    rng = random.Random(SEED)
    bus, stop = trail.bus(), asyncio.Event()
    await bus.ensure_topics()
    feed = Feed(bus, [trail.edge(f"edge-{number}") for number in range(6)])
    await asyncio.to_thread(trail.start)
    feeding = asyncio.create_task(feed.run(stop))
    try:
        for number, kind in enumerate(kinds):
            await asyncio.sleep(rng.uniform(0, 6))
            print(f"round {number}: {kind}, {feed.sent} frames", flush=True)
            if kind == "full disk":
                await full(kafka, feed)
            else:
                await asyncio.to_thread(one, kind, trail, kafka, rng)
            if number % 5 == 4:
                await trail.caught_up()
        stop.set()
        await feeding
        await asyncio.to_thread(trail.launch)
        await trail.caught_up()
        return await check(trail, feed)
    finally:
        feeding.cancel()
        await asyncio.to_thread(trail.stop)
        await bus.close()


async def full(kafka: Kafka, feed: Feed) -> None:
    """The broker's disk runs full, it ends, and comes back when there is room."""
    assert kafka.data is not None
    filler = await asyncio.to_thread(fill, kafka.data)

    async def ended() -> bool:
        return not kafka.alive()

    await until("the broker ends on its full disk", ended)
    filler.unlink()
    sent = feed.sent
    await asyncio.to_thread(kafka.start)

    async def goes_on() -> bool:
        return feed.sent > sent + len(feed.edges)

    await until("frames come in again", goes_on)


def one(kind: str, trail: JobTrail, kafka: Kafka, rng: random.Random) -> None:
    """One thing that happens."""
    workers = eventually("workers run", trail.workers)
    if kind == "kill one":
        trail.kill_worker(rng.choice(workers))
    elif kind == "kill all":
        trail.process("stream").kill()
        for pid in workers:
            trail.kill_worker(pid)
        trail.launch()
    elif kind == "stop":
        trail.process("stream").stop()
        trail.launch()
    elif kind == "freeze":
        trail.signal(workers[0], signal.SIGSTOP)
        pause(rng.uniform(8, 25))
        trail.signal(workers[0], signal.SIGCONT)
    elif kind in ("extra", "kill extra"):
        extra = trail.extra(rng.randrange(2))
        extra.start()
        extra.wait_for(r"(took over)")
        pause(rng.uniform(0, 4))
        extra.kill() if kind == "kill extra" else extra.stop()
    elif kind == "broker":
        kafka.stop()
        pause(rng.uniform(0, 3))
        kafka.start()
    elif kind == "kill broker":
        kafka.kill()
        kafka.start()


def pause(seconds: float) -> None:
    """Lets time pass: how long is part of what happens."""
    time.sleep(seconds)

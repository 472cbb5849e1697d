"""The stream's job on a real Kafka, hurt at random moments: no record or alert is lost, doubled or invented.

SLMTRAIL_FAULT_ROUNDS: how many times (`make faults` takes 30).
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from pathlib import Path

import pytest

from jobs import Feed, JobTrail, check
from servers.kafka import Kafka, start_kafka

SEED = 20261126
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
    with start_kafka() as kafka:
        counts = asyncio.run(hurt(JobTrail(tmp_path, kafka.bootstrap), kafka))
    print(counts)
    assert counts["alerts"] > 0


async def hurt(trail: JobTrail, kafka: Kafka) -> dict[str, int]:
    """Hurts the job in rounds while frames come in, lets it catch up, and counts."""
    rng = random.Random(SEED)
    bus, stop = trail.bus(), asyncio.Event()
    await bus.ensure_topics()
    feed = Feed(bus, [trail.edge(f"edge-{number}") for number in range(6)])
    await asyncio.to_thread(trail.start)
    feeding = asyncio.create_task(feed.run(stop))
    try:
        for number in range(ROUNDS):
            kind = KINDS[number % len(KINDS)]
            await asyncio.sleep(rng.uniform(0, 6))
            print(f"round {number}: {kind}, {feed.sent} frames", flush=True)
            await asyncio.to_thread(one, kind, trail, kafka, rng)
            if number % 5 == 4:
                await trail.caught_up()
        stop.set()
        await feeding
        await asyncio.to_thread(trail.launch)
        await trail.caught_up()
        return await check(trail, bus)
    finally:
        feeding.cancel()
        await asyncio.to_thread(trail.stop)
        await bus.close()


def one(kind: str, trail: JobTrail, kafka: Kafka, rng: random.Random) -> None:
    """One thing that happens."""
    workers = trail.workers()
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

"""The job as its operator starts it, with redaction, on a real Kafka: it makes what one process makes of the same."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from typing import Any

import orjson
import pytest

from jobs import Feed, JobTrail, by_id, read_all, until
from servers.kafka import start_kafka
from slmtrail.bus.connect import connect
from slmtrail.core import frames
from slmtrail.core.ports import ALERTS, DEADLETTERS, FRAMES, RECORDS, Bus, Message
from trails import Process

NOISE = b"no frame at all"
CARD = "4012 8888 8888 1881"


class Both:
    """A bus that is two: what is published on it is on each."""

    def __init__(self, *buses: Bus) -> None:
        self._buses = buses

    async def publish(self, topic: str, messages: list[Message]) -> None:
        for bus in self._buses:
            await bus.publish(topic, messages)


@pytest.mark.slow
def test_one_process_and_a_job_make_the_same_byte_for_byte_and_a_job_drains(tmp_path: Path) -> None:
    with start_kafka() as kafka:
        trail = JobTrail(tmp_path, kafka.bootstrap)
        job = Process(["stream", "--workers", "2"], trail.environ, tmp_path / "job.log")
        trail.processes["stream"] = job
        alone = Process(["stream"], {"SLMTRAIL_DATA": str(trail.data)}, tmp_path / "alone.log")
        try:
            asyncio.run(compared(trail, job, alone))
            assert job.stop() == 0
            assert "did not drain" not in job.log
        finally:
            job.kill()
            alone.kill()


async def compared(trail: JobTrail, job: Process, alone: Process) -> None:
    kafka, sqlite = trail.bus(), connect(f"sqlite:{trail.data / 'bus.sqlite'}", partitions=1)
    for bus in (kafka, sqlite):
        await bus.ensure_topics()
    job.start()
    alone.start()
    edges = [trail.edge(f"edge-{number}") for number in range(3)]
    feed = Feed(Both(kafka, sqlite), edges)  # type: ignore[arg-type]
    for number in range(12):
        await feed.send(edges[number % 3])
    closing = [
        Message(edge.name, frames.to_bytes(edge.frame([personal(edge.now_ms)], kind="events"))) for edge in edges
    ]
    await Both(kafka, sqlite).publish(FRAMES, [*closing, Message("edge-0", NOISE)])
    await asyncio.to_thread(job.wait_for, r"(took over)")

    await trail.caught_up()
    await until("one process has worked through it", lambda: read_all(sqlite, DEADLETTERS, 1))
    by_job = by_id(delivery.value for delivery in await read_all(kafka, RECORDS, 4))
    by_one = by_id(delivery.value for delivery in await read_all(sqlite, RECORDS, 1))
    assert plain(by_job) == plain(by_one)
    assert any(b"my card is <" in value for value in by_job.values())
    assert not [value for value in by_job.values() if CARD.encode() in value]
    assert raised([d.value for d in await read_all(kafka, ALERTS, 4)]) == raised(
        [d.value for d in await read_all(sqlite, ALERTS, 1)]
    )
    letters = [*await read_all(kafka, DEADLETTERS, 4), *await read_all(sqlite, DEADLETTERS, 1)]
    told = [(letter["reason"], letter["frame_base64"]) for letter in (orjson.loads(each.value) for each in letters)]
    # After a rebalance a dead letter may come twice.
    assert len(told) >= 2
    assert set(told) == {("not_a_frame", base64.b64encode(NOISE).decode())}
    await kafka.close()
    await sqlite.close()


def personal(now_ms: int) -> dict[str, Any]:
    """An event with personal data in it."""
    return {
        "@timestamp": now_ms,
        "slm.kind": "inference",
        "user.id": "zoe@example.org",
        "gen_ai.request.model": "phi-3",
        "gen_ai.input.messages": f"my card is {CARD} and my mail zoe@example.org",
    }


def plain(records: dict[str, bytes]) -> dict[str, bytes]:
    """Those that are no alerts."""
    return {i: value for i, value in records.items() if orjson.loads(value)["slm.kind"] != "alert"}


def raised(values: list[bytes]) -> set[tuple[Any, ...]]:
    """Alerts by rule, subject and window, and how far they grew."""
    fields = ("slm.alert.id", "slm.alert.revision", "rule.id", "slm.alert.subject", "slm.alert.count")
    return {tuple(orjson.loads(value)[field] for field in fields) for value in values}

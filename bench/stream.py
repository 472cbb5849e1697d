"""The stream's job on a real Kafka: `python bench/stream.py [--quick] [--json] [--memory] [--profile]`.

One worker works through frames that lie ready: with redaction and all rules, and without redaction. Beside it stands
plain Faust, as one would write it first, over the same events. It does the same work, one message an event: it checks
the event, removes what vanilla Presidio finds, asks the same rules, sends the record, and sends what the windows are to
see, a message a subject, to a second agent, which keeps the windows and sends alerts. It is spared signed and encrypted
frames, and keeping its state. Then, once more, it only redacts. No text comes twice where it is redacted.

Counted are the events a second by the clock of Kafka, and the CPU time of the worker and all it started until it rests.
At half of that rate it is measured how long a frame takes to become records. Before that, the stages of the work are
measured one by one, and memory (bench/stream_parts.py).
`--quick` takes fewer events; `--memory` and `--profile` do one thing alone.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import cProfile
import json
import logging
import os
import pstats
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "tests")]

import orjson  # noqa: E402
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition  # noqa: E402

from builders import Edge, NoRedaction, Stream  # noqa: E402
from jobs import JOB, JobTrail, now_ms  # noqa: E402
from servers.kafka import start_kafka  # noqa: E402
from slmtrail.bus.connect import connect  # noqa: E402
from slmtrail.core import canonical, frames  # noqa: E402
from slmtrail.core.events import parse  # noqa: E402
from slmtrail.core.identity import Position, identified  # noqa: E402
from slmtrail.core.ports import FRAMES, RECORDS, Bus, Message  # noqa: E402
from slmtrail.stream import alerting  # noqa: E402
from slmtrail.stream.job import repartition  # noqa: E402
from slmtrail.stream.job.shards import Shards  # noqa: E402
from slmtrail.stream.process import Output, process  # noqa: E402
from stream_parts import FRAME_EVENTS, made_events, made_frames, memory, stages  # noqa: E402
from trails import COMMAND  # noqa: E402

EVENTS_IN, EVENTS_OUT, SIGNALS, ALERTS = "bench.events", "bench.records", "bench.signals", "bench.alerts"
_ORIGIN = re.compile(rb'"slm.collector.boot":"([0-9a-f]+)","slm.collector.frame":([0-9]+)')
TICKS = os.sysconf("SC_CLK_TCK")
RESTING_CPU_S = 0.03
"""In half a second; a tenth of it is what Faust takes to wait."""


class Tree:
    """A process with all it started."""

    def __init__(self, command: list[str], environ: dict[str, str], log: Path) -> None:
        self.log = log
        self._log = log.open("wb")
        self.process = subprocess.Popen(
            command,
            env={**os.environ, **environ},
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )

    def stats(self) -> tuple[float, float]:
        """CPU seconds so far, and resident megabytes."""
        cpu_ticks, pages = 0, 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                fields = stat.read_text().rpartition(")")[2].split()
                if int(fields[3]) == self.process.pid:  # the session
                    cpu_ticks += sum(map(int, fields[11:15]))
                    pages += int(fields[21])
        return cpu_ticks / TICKS, pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    async def wait_for(self, text: str) -> None:
        """Waits until it has logged this."""
        while text not in self.log.read_text():
            if self.process.poll() is not None:
                raise SystemExit(f"the worker ended:\n{self.log.read_text()[-2000:]}")
            await asyncio.sleep(0.1)

    async def rested_cpu_s(self) -> float:
        """CPU seconds so far, once it has nothing left to do."""
        cpu_s, before_s = self.stats()[0], -1.0
        while cpu_s - before_s > RESTING_CPU_S:
            await asyncio.sleep(0.5)
            cpu_s, before_s = self.stats()[0], cpu_s
        return cpu_s

    def stop(self) -> None:
        """Ends it."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(30)
            os.killpg(self.process.pid, signal.SIGKILL)
        self._log.close()


async def records_on(
    bootstrap: str, topic: str, at_least: int, from_: int = 0, tree: Tree | None = None
) -> list[tuple[int, bytes]]:
    """When each message came on a topic of one partition, and what it is; waits until there are so many."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, max_partition_fetch_bytes=2**23)
    await consumer.start()
    try:
        place = TopicPartition(topic, 0)
        consumer.assign([place])
        consumer.seek(place, from_)
        found: list[tuple[int, bytes]] = []
        while len(found) < at_least:
            if tree is not None and tree.process.poll() is not None:
                raise SystemExit(f"the worker ended:\n{tree.log.read_text()[-2000:]}")
            for messages in (await consumer.getmany(timeout_ms=500)).values():
                found += [(message.timestamp, message.value) for message in messages]
        return found
    finally:
        await consumer.stop()


async def end_of(bootstrap: str, topic: str) -> int:
    """How many messages there are on a topic of one partition."""
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap) as consumer:
        return int((await consumer.end_offsets([TopicPartition(topic, 0)]))[TopicPartition(topic, 0)])


async def job(
    trail: JobTrail, bus: Bus, command: list[str], events: list[dict[str, Any]], count: int
) -> dict[str, Any]:
    """One worker over `count` events; then frames at half its rate."""
    edges = [trail.edge(f"edge-{os.urandom(3).hex()}") for _ in range(4)]
    before = await end_of(trail.bootstrap, RECORDS)
    tree = Tree(command, trail.environ, trail.folder / "bench.log")
    try:
        await tree.wait_for("took over")
        # Once round, so that all is loaded and warm.
        await once(trail, bus, tree, made_frames(edges, events[-5 * FRAME_EVENTS :], 4 * FRAME_EVENTS, now_ms), before)
        made = made_frames(edges, events, count, now_ms)
        total = len(made) * FRAME_EVENTS
        watching, sampled_mb = True, [tree.stats()[1]]

        async def watch() -> None:
            while watching:
                await asyncio.sleep(0.5)
                sampled_mb.append(tree.stats()[1])

        watcher = asyncio.create_task(watch())
        cpu_s, before = await tree.rested_cpu_s(), await end_of(trail.bootstrap, RECORDS)
        took_s = await once(trail, bus, tree, made, before)
        cpu_s = await tree.rested_cpu_s() - cpu_s
        watching = False
        await watcher
        rate = total / took_s
        waits_ms = await at_half_load(trail, bus, edges, events, rate)
    finally:
        tree.stop()
    waits_ms.sort()
    return {
        "events": total,
        "events_a_second": round(rate),
        "cpu_s_a_million": round(cpu_s / total * 1e6, 1),
        "events_a_cpu_second": round(total / cpu_s),
        "resident_mb_first": round(sampled_mb[0]),
        "resident_mb_middle": round(sampled_mb[len(sampled_mb) // 2]),
        "resident_mb_peak": round(max(sampled_mb)),
        "frame_to_record_p50_ms": waits_ms[len(waits_ms) // 2],
        "frame_to_record_p99_ms": waits_ms[int(len(waits_ms) * 0.99)],
    }


async def once(trail: JobTrail, bus: Bus, tree: Tree, made: list[Message], before: int) -> float:
    """Publishes frames; seconds, by Kafka's clock, from the first of them to the last of their records."""
    frames_before = await end_of(trail.bootstrap, FRAMES)
    for first in range(0, len(made), 50):
        await bus.publish(FRAMES, made[first : first + 50])
    found = await records_on(trail.bootstrap, RECORDS, len(made) * FRAME_EVENTS, before, tree)
    began_ms = (await records_on(trail.bootstrap, FRAMES, 1, frames_before))[0][0]
    return max(1, found[-1][0] - began_ms) / 1000


async def at_half_load(
    trail: JobTrail, bus: Bus, edges: list[Edge], events: list[dict[str, Any]], rate: float
) -> list[int]:
    """Milliseconds from each frame on Kafka to each of its records, by Kafka's clock."""
    before, frames_before = await end_of(trail.bootstrap, RECORDS), await end_of(trail.bootstrap, FRAMES)
    made = made_frames(edges, events, int(min(rate / 2 * 8, 60_000)), now_ms)
    pause_s = FRAME_EVENTS / (rate / 2)
    next_s = time.monotonic()
    for message in made:
        await bus.publish(FRAMES, [message])
        next_s += pause_s
        await asyncio.sleep(max(0, next_s - time.monotonic()))
    sent = await records_on(trail.bootstrap, FRAMES, len(made), frames_before)
    numbers = {}
    for (came_ms, _), message in zip(sent, made, strict=True):
        header = frames.from_bytes(message.value).header
        numbers[header.boot, header.sequence] = came_ms
    waits = []
    # Alerts and coverage come between them.
    for came_ms, value in await records_on(trail.bootstrap, RECORDS, len(made) * FRAME_EVENTS, before):
        named = _ORIGIN.search(value)
        sent_ms = numbers.get((named[1].decode(), int(named[2]))) if named else None
        if sent_ms is not None:
            waits.append(came_ms - sent_ms)
    return waits or [0]


async def plain(trail: JobTrail, events: list[dict[str, Any]], work: str) -> dict[str, Any]:
    """Faust as one would write it first: a message an event, Presidio as it comes."""
    producer = AIOKafkaProducer(bootstrap_servers=trail.bootstrap)
    topics = [f"{topic}.{work}" for topic in (EVENTS_IN, EVENTS_OUT, SIGNALS, ALERTS)]
    bus = connect(f"kafka://{trail.bootstrap}", partitions=1, topics=topics, compacted=[])
    await bus.ensure_topics()
    await producer.start()
    tree = Tree([sys.executable, __file__, "--plain", trail.bootstrap, work], {}, trail.folder / f"{work}.log")
    try:
        # A few first, so that all is loaded and warm.
        for event in (few := events[:50]):
            await producer.send(topics[0], orjson.dumps(event))
        await records_on(trail.bootstrap, topics[1], len(few), 0, tree)
        cpu_s, begun_s = await tree.rested_cpu_s(), time.monotonic()
        for event in events:
            await producer.send(topics[0], orjson.dumps(event))
        await records_on(trail.bootstrap, topics[1], len(few) + len(events), 0, tree)
        took_s, cpu_s = time.monotonic() - begun_s, await tree.rested_cpu_s() - cpu_s
    finally:
        tree.stop()
        await producer.stop()
        await bus.close()
    count = len(events)
    return {
        "events": count,
        "events_a_second": round(count / took_s),
        "cpu_s_a_million": round(cpu_s / count * 1e6, 1),
        "events_a_cpu_second": round(count / cpu_s),
    }


def plain_worker(bootstrap: str, work: str) -> None:
    """The process of `plain`."""
    import faust

    from slmtrail.stream.redact.options import RedactOptions
    from slmtrail.stream.redact.reference import ReferenceAnalyzer

    logging.getLogger("presidio-analyzer").setLevel(logging.ERROR)
    analyzer = ReferenceAnalyzer(RedactOptions(secrets=False))
    folder = tempfile.mkdtemp()
    desk = Stream(Path(folder), redactor=NoRedaction()).desk
    shards = Shards(desk.judge, 1)
    shards.hold({0: 0}, {}, {0: 0})
    app = faust.App(
        "bench-plain",
        broker=f"kafka://{bootstrap}",
        store="memory://",
        datadir=folder,
        web_enabled=False,
        topic_disable_leader=True,
        topic_allow_declare=False,
        value_serializer="raw",
    )
    events, records, signals, alerts = (
        app.topic(f"{topic}.{work}", value_serializer="raw") for topic in (EVENTS_IN, EVENTS_OUT, SIGNALS, ALERTS)
    )

    def without_personal_data(event: dict[str, Any]) -> dict[str, Any]:
        for field in ("gen_ai.input.messages", "gen_ai.output.messages"):
            for part in (part for message in event[field] for part in message["parts"]):
                text = part["content"]
                for found in sorted(analyzer.find(text), key=lambda found: -found.start):
                    text = f"{text[: found.start]}<{found.type}>{text[found.end :]}"
                part["content"] = text
        return event

    async def redact(stream: Any) -> None:
        async for value in stream:
            await records.send(value=orjson.dumps(without_personal_data(orjson.loads(value))))

    async def all_of_it(stream: Any) -> None:
        number = 0
        async for value in stream:
            number += 1
            event = without_personal_data(parse(value, now_ms(), framed=True))
            record = identified(event, "bench", "0" * 32, Position(0, number, 0))
            judged = desk.judge.judge(record, "5eed", now_ms())
            if judged.flags:
                record["slm.flags"] = judged.flags
            await records.send(value=canonical.dumps(desk.finished(record, number.to_bytes(32, "big"))))
            told = Output(signals=judged.signals, sources=[(0, number, len(judged.signals))])
            for message in repartition.packed(told, 1):
                await signals.send(key=message.key, value=message.value)

    async def windows(stream: Any) -> None:
        number = 0
        async for value in stream:
            number += 1
            for message in alerting.told(shards.take(0, number, repartition.opened(value)), desk).alerts:
                await alerts.send(key=message.key, value=message.value)

    app.agent(events)(all_of_it if work == "all" else redact)
    app.agent(signals)(windows)
    faust.Worker(app, quiet=True, override_logging=False, redirect_stdouts=False).execute_from_commandline()


def profile(events: list[dict[str, Any]]) -> None:
    """Where the time of the pure function goes, without redaction."""
    with tempfile.TemporaryDirectory() as folder:
        stream = Stream(Path(folder), redactor=NoRedaction())
        made = made_frames([stream.edge()], events, 20 * FRAME_EVENTS, now_ms)
        deliveries = stream.deliveries(*(message.value for message in made))
        profiler = cProfile.Profile()
        profiler.enable()
        process(deliveries, {}, stream.desk)
        profiler.disable()
        pstats.Stats(profiler).sort_stats("tottime").print_stats(25)


@contextlib.contextmanager
def trail_on_kafka() -> Iterator[JobTrail]:
    """A trail of one partition on a Kafka of its own."""
    with tempfile.TemporaryDirectory(prefix="slmtrail-bench-") as folder, start_kafka() as kafka:
        yield JobTrail(Path(folder), kafka.bootstrap, 1)


async def measured(quick: bool) -> dict[str, Any]:
    """All of it."""
    redacted = 3_000 if quick else 100_000
    # More than are sent at once, and those of the round before that warms it up.
    events = made_events(redacted + 5 * FRAME_EVENTS)
    result: dict[str, Any] = {"stages_cpu_us_an_event": stages(quick)}
    if not quick:
        result["resident_mb"] = memory()
    work = ["stream", "--worker", "bench-0"]
    for name, command, count in (
        ("with_redaction", [*COMMAND, *work], redacted),
        ("without_redaction", [*JOB, "work", "bench-0"], 9_000 if quick else 1_000_000),
    ):
        with trail_on_kafka() as trail:
            bus = trail.bus()
            await bus.ensure_topics()
            result[name] = await job(trail, bus, command, events, count)
            await bus.close()
            if name == "with_redaction":
                result["plain_faust_vanilla_presidio"] = await plain(trail, events[: 500 if quick else 2_000], "all")
                result["plain_faust_that_only_redacts"] = await plain(
                    trail, events[: 500 if quick else 2_000], "redact"
                )
    ours, theirs = result["with_redaction"], result["plain_faust_vanilla_presidio"]
    rest_us = result["without_redaction"]["cpu_s_a_million"] - result["stages_cpu_us_an_event"]["all"]
    result["kafka_faust_and_state_cpu_us_an_event"] = round(rest_us, 1)
    result["times_by_cpu"] = round(theirs["cpu_s_a_million"] / ours["cpu_s_a_million"], 1)
    result["times_by_clock"] = round(ours["events_a_second"] / theirs["events_a_second"], 1)
    return result


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer events: under a minute")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    parser.add_argument("--memory", action="store_true", help="only the memory over a million events, without Kafka")
    parser.add_argument("--profile", action="store_true", help="only where the time of the pure function goes")
    parser.add_argument("--plain", nargs=2, metavar=("KAFKA", "WORK"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.plain:
        plain_worker(*given.plain)
        return
    if given.profile:
        profile(made_events(1_000))
        return
    if given.memory:
        for done, resident_mb in memory().items():
            print(f"{done:30} {resident_mb} MB")
        return
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    result = asyncio.run(measured(given.quick))
    for name, row in result.items():
        print(f"{name:30} {row}")
    if given.json:
        print(json.dumps(result))


if __name__ == "__main__":
    main()

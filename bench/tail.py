"""What tailing costs, from a file to acknowledged by Kafka: CPU seconds a million events of about 1.2 KB.

`slmtrail tail` runs as its user runs it, in a process of its own; what starting it costs is measured on an empty
file, as the median of three, and taken off. Beside it, on the same lines, what is here of kcat, syslog-ng, rsyslog and
the OTel Collector (as otelcol; bench/peers/get.py gets them): with zstd and acknowledged too, but unsigned,
unencrypted and unchecked.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from aiokafka import AIOKafkaConsumer, TopicPartition

from peers import get
from peers.followers import PEERS, FailedError, Peer, measured
from servers.kafka import start_kafka
from servers.server import UnavailableError
from slmtrail.app import parts
from slmtrail.bus.connect import connect
from slmtrail.collectors.tail.formats.names import named
from slmtrail.core.settings import Settings

CHANCE = random.Random(1)
WORDS = ["".join(CHANCE.choices("etaoinshrdlucmfwypvbgk", k=CHANCE.randint(2, 9))) for _ in range(3000)]


def line(number: int) -> bytes:
    """An event of about 1.2 KB; no two are alike."""
    asked, said = (" ".join(CHANCE.choices(WORDS, k=56)) for _ in range(2))
    event = {
        "@timestamp": f"2026-01-02T03:{number // 60000 % 60:02d}:{number // 1000 % 60:02d}.{number % 1000:03d}Z",
        "slm.kind": "inference",
        "event.outcome": "success",
        "user.id": f"user-{number % 997}",
        "session.id": f"{number * 2654435761 % 2**32:08x}",
        "trace.id": f"{number * 11400714819323198485 % 2**64:032x}",
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "phi-3-mini",
        "gen_ai.request.temperature": 0.7,
        "gen_ai.usage.input_tokens": number % 300,
        "gen_ai.usage.output_tokens": number % 170,
        "slm.latency_ms": number % 2000,
        "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": asked}]}],
        "gen_ai.output.messages": [{"role": "assistant", "parts": [{"type": "text", "content": said}]}],
    }
    return json.dumps(event, separators=(",", ":")).encode()


def children_cpu_s() -> float:
    """CPU seconds of all processes that were waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def timed(command: list[str], environ: dict[str, str] | None = None) -> tuple[float, float]:
    """Runs a command: its CPU seconds, and how long it took."""
    before, began = children_cpu_s(), time.perf_counter()
    done = subprocess.run(command, env={**os.environ, **(environ or {})}, capture_output=True, timeout=300, check=False)
    if done.returncode:
        raise SystemExit(f"{command[0]} failed:\n{done.stderr.decode()[-2000:]}")
    return children_cpu_s() - before, time.perf_counter() - began


async def make_topics(url: str, *topics: str) -> None:
    """Topics as the stream makes them; its own where none are named."""
    bus = connect(url, partitions=1, topics=topics, compacted=()) if topics else connect(url, partitions=1)
    await bus.ensure_topics()
    await bus.close()


def tailed(folder: Path, bus: str, file: Path) -> tuple[float, float]:
    """`slmtrail tail --once` over a file with a data folder of its own."""
    settings = Settings(data=folder)
    parts.make_keys(settings)
    arguments = ["--data", str(folder), "tail", str(file), "--format", "slmtrail", "--once"]
    return timed([sys.executable, "-m", "slmtrail.app.cli", *arguments], {"SLMTRAIL_BUS_URL": bus})


def per_million(cpu_s: float, seconds: float, count: int) -> dict[str, float]:
    """As the table says it."""
    return {"cpu_s_per_million": round(cpu_s * 1e6 / count, 1), "events_per_s": round(count / seconds)}


def end_to_end(folder: Path, file: Path, count: int, bus: str, name: str) -> dict[str, float]:
    """The tailer, less its start."""
    asyncio.run(make_topics(bus))
    empty = folder / "empty.log"
    empty.touch()
    starts = [tailed(folder / f"{name}-start-{n}", bus, empty) for n in range(3)]
    start_cpu_s, start_s = (statistics.median(each) for each in zip(*starts, strict=True))
    cpu_s, seconds = tailed(folder / name, bus, file)
    spool = parts.open_spool(Settings(data=folder / name))
    assert not spool.waiting_bytes, f"{spool.waiting_bytes} bytes were not acknowledged"
    spool.close()
    return per_million(cpu_s - start_cpu_s, max(seconds - start_s, 1e-3), count)


def format_alone(lines: list[bytes]) -> dict[str, float]:
    """The check of slmtrail's own lines, in this process."""
    form = named("slmtrail", 1 << 20)
    before, began = time.process_time(), time.perf_counter()
    for first in range(0, len(lines), 1000):
        taken = form.events(lines[first : first + 1000], 0)
        assert not taken.refused
    return per_million(time.process_time() - before, time.perf_counter() - began, len(lines))


def kcat(program: str, file: Path, count: int, bootstrap: str) -> dict[str, float]:
    """kcat with zstd, acknowledged by all."""
    asyncio.run(make_topics(f"kafka://{bootstrap}", "bench-kcat"))
    command = [program, "-P", "-b", bootstrap, "-t", "bench-kcat", "-z", "zstd", "-X", "acks=all", "-l", str(file)]
    cpu_s, seconds = timed(command)
    return per_million(cpu_s, seconds, count)


def peered(peer: Peer, folder: Path, lines: list[bytes], bootstrap: str) -> dict[str, float]:
    """Another follower of files, until Kafka has all."""
    topic = f"bench-{peer.program}"
    asyncio.run(make_topics(f"kafka://{bootstrap}", topic))
    with asyncio.Runner() as runner:
        partition = TopicPartition(topic, 0)
        consumer = runner.run(_consumer(bootstrap))
        try:
            arrived = lambda: int(runner.run(consumer.end_offsets([partition]))[partition])  # noqa: E731
            cpu_s, seconds = measured(peer, folder / peer.program, lines, bootstrap, topic, arrived)
        finally:
            runner.run(consumer.stop())
    return per_million(cpu_s, seconds, len(lines))


async def _consumer(bootstrap: str) -> AIOKafkaConsumer:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap)
    await consumer.start()
    return consumer


def main() -> None:
    """Prints a table, and with --json one object as the last line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="in about a minute")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    parser.add_argument("--kafka", help="host:port of a Kafka that runs; else one is started where it can be")
    arguments = parser.parse_args()
    count = 100_000 if arguments.quick else 300_000
    results: dict[str, Any] = {}
    skipped: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        lines = [line(number) for number in range(count)]
        file = folder / "app.log"
        file.write_bytes(b"\n".join(lines) + b"\n")
        results["check of a line"] = format_alone(lines)
        results["file to SQLite"] = end_to_end(folder, file, count, f"sqlite:{folder / 'bus.sqlite'}", "sqlite")
        try:
            bootstrap = arguments.kafka or stack.enter_context(start_kafka()).bootstrap
        except UnavailableError as reason:
            no_kafka = " ".join(str(reason).split())[:200]
            skipped |= dict.fromkeys(["file to Kafka", "kcat", *(peer.name for peer in PEERS)], no_kafka)
        else:
            results["file to Kafka"] = end_to_end(folder, file, count, f"kafka://{bootstrap}", "kafka")
            if program := get.command("kcat"):
                results["kcat"] = kcat(program, file, count, bootstrap)
            else:
                skipped["kcat"] = get.missing("kcat", "kcat")
            for peer in PEERS:
                try:
                    results[peer.name] = peered(peer, folder, lines, bootstrap)
                except FailedError as why:
                    skipped[peer.name] = str(why)
        event_bytes = file.stat().st_size // count
    print(f"{count} events of {event_bytes} bytes")
    for what, numbers in results.items():
        print(f"{what:18} {numbers['cpu_s_per_million']:8} CPU s a million {numbers['events_per_s']:9} events/s")
    for what, reason_text in skipped.items():
        print(f"{what:18} skipped: {reason_text}")
    if arguments.json:
        print(json.dumps({"events": count, "event_bytes": event_bytes, "results": results, "skipped": skipped}))


if __name__ == "__main__":
    main()

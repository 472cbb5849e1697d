"""Where the stream's own time goes, stage by stage, and its memory over a million events: without Kafka and redaction.

A part of bench/stream.py, with the events and frames that it takes.
"""

from __future__ import annotations

import importlib.util
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "tests")]

from builders import Edge, NoRedaction, Stream  # noqa: E402
from slmtrail.core import frames, garbage, wellformed  # noqa: E402
from slmtrail.core.events import parse, timestamp_text  # noqa: E402
from slmtrail.core.identity import Position, identified  # noqa: E402
from slmtrail.core.ports import Delivery, Message  # noqa: E402
from slmtrail.stream.alerting import told  # noqa: E402
from slmtrail.stream.chain import Chain  # noqa: E402
from slmtrail.stream.job import repartition  # noqa: E402
from slmtrail.stream.job.shards import Shards  # noqa: E402
from slmtrail.stream.judge.judge import Judge  # noqa: E402
from slmtrail.stream.process import Desk, Output, process  # noqa: E402

FRAME_EVENTS = 180
TEXT_CHARS = 300
BATCH_FRAMES = 4
PARTITIONS = 16
ACTORS = 500
"""What is remembered of each grows until it is full, at some hundred events, and then no more."""
KEPT_EVERY_FRAMES = 100
START_MS = 1_790_000_000_000


def made_events(count: int) -> list[dict[str, Any]]:
    """Inferences with some personal data, of a few hundred users, as a collector puts them into its frames."""
    spec = importlib.util.spec_from_file_location("corpus", ROOT / "tests/data/redaction/generate.py")
    assert spec is not None and spec.loader is not None
    corpus = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(corpus)
    rng = random.Random(11)
    return [
        parse(
            {
                "slm.kind": "inference",
                "user.id": f"user-{number % 300}",
                "gen_ai.request.model": "phi-3-mini",
                "gen_ai.input.messages": [{"role": "user", "content": corpus.prose(rng, TEXT_CHARS)}],
                "gen_ai.output.messages": [{"role": "assistant", "content": corpus.plain(rng, TEXT_CHARS)}],
                "gen_ai.usage.input_tokens": 80,
                "gen_ai.usage.output_tokens": 90,
                "slm.latency_ms": number % 900,
                "deployment.environment.name": "dev",
            },
            0,
        )
        for number in range(count)
    ]


def made_frames(
    edges: list[Edge], events: list[dict[str, Any]], count: int, clock_ms: Callable[[], int]
) -> list[Message]:
    """Frames of `count` events in all, which come round again and again."""
    made = []
    for number in range(count // FRAME_EVENTS):
        edge = edges[number % len(edges)]
        edge.now_ms = clock_ms()
        first = number * FRAME_EVENTS % (len(events) - FRAME_EVENTS)
        at = {"@timestamp": timestamp_text(edge.now_ms)}
        some = [event | at for event in events[first : first + FRAME_EVENTS]]
        made.append(Message(edge.name, frames.to_bytes(edge.frame(some))))
    return made


def stages(quick: bool) -> dict[str, float]:
    """CPU microseconds an event of each stage. The sum is of texts that the rules know from the turn before, as in a
    conversation that goes on; what new ones cost more stands beside it."""
    count = (12 if quick else 60) * FRAME_EVENTS
    took_s: dict[str, float] = {}
    events = made_events(count + FRAME_EVENTS)
    garbage.look_seldom()

    def timed(name: str, work: Callable[..., Any], *given: Any) -> Any:
        begun_s = time.process_time()
        result = work(*given)
        took_s[name] = took_s.get(name, 0.0) + time.process_time() - begun_s
        return result

    with tempfile.TemporaryDirectory() as folder:
        stream = Stream(Path(folder), redactor=NoRedaction())
        edge, desk = stream.edge(), stream.desk
        no_rules = Desk(desk.trust, desk.key, desk.redactor, Judge(desk.policy, []), desk.policy)
        deliveries = stream.deliveries(*(m.value for m in made_frames([edge], events, count, lambda: START_MS)))
        shards, chains = Shards(desk.judge, 1), [dict[str, Chain]() for _ in range(2)]
        shards.hold({0: 0}, {}, {0: 0})
        offset = 0
        # Batch by batch, as they come and go.
        for first in range(0, len(deliveries), BATCH_FRAMES):
            batch = deliveries[first : first + BATCH_FRAMES]
            lines = timed(
                "open the frames", lambda given: [line for each in given for line in _lines(each, desk)], batch
            )
            checked = timed("check the events", lambda given: [wellformed.event(line) for line in given], lines)
            records = [identified(event, "edge-1", "0" * 32, Position(0, n, 0)) for n, event in enumerate(checked)]
            for name in ("ask the rules about new texts", "ask the rules"):
                timed(name, lambda given: [desk.judge.judge(record, "5eed", START_MS) for record in given], records)
            timed("ids, salts, JSON", _processed, batch, chains[0], no_rules)
            output = _processed(batch, chains[1], desk)
            packed = timed("send the signals", repartition.packed, output, PARTITIONS)
            opened = timed("take the signals", lambda given: [repartition.opened(m.value) for m in given], packed)
            timed("windows", lambda given: [shards.take(0, *one) for one in given], enumerate(opened, offset))
            offset += len(opened)
        timed("keep the windows", shards.moved)
    took = {name: seconds / count * 1e6 for name, seconds in took_s.items()}
    took["ids, salts, JSON"] -= took["open the frames"] + took["check the events"]
    new_us = took.pop("ask the rules about new texts")
    took["all"] = sum(took.values())
    took["more for new texts"] = new_us - took["ask the rules"]
    return {name: round(each, 1) for name, each in took.items()} | {"events_a_cpu_second": round(1e6 / took["all"])}


def memory(count: int = 1_000_000) -> dict[str, int]:
    """Resident megabytes while so many events of hundreds of actors go through process and windows."""
    rng, texts, rss_mb = random.Random(5), made_events(4_000), dict[str, int]()
    garbage.look_seldom()
    with tempfile.TemporaryDirectory() as folder:
        stream = Stream(Path(folder), redactor=NoRedaction())
        edge, desk = stream.edge(), stream.desk
        shards, chains, offset = Shards(desk.judge, 1), dict[str, Chain](), 0
        shards.hold({0: 0}, {}, {0: 0})
        for number in range(count // FRAME_EVENTS + 1):
            clock_ms = partial(int, START_MS + number * 1000)
            events = [event | {"user.id": f"user-{rng.randrange(ACTORS)}"} for event in rng.sample(texts, FRAME_EVENTS)]
            (made,) = made_frames([edge], [*events, events[0]], FRAME_EVENTS, clock_ms)
            (delivery,) = stream.deliveries(made.value)
            output = _processed([delivery], chains, desk)
            for message in repartition.packed(output, PARTITIONS):
                told(shards.take(0, offset, repartition.opened(message.value)), desk)
                offset += 1
            if number % KEPT_EVERY_FRAMES == 0:
                shards.moved()
            done = number * FRAME_EVENTS
            if done // (count // 10) > len(rss_mb):
                rss_mb[f"{done:,} events"] = _resident_mb()
    return rss_mb


def _lines(delivery: Delivery, desk: Desk) -> list[bytes]:
    frame = frames.from_bytes(delivery.value)
    desk.trust.check(frame)
    return frame.open(desk.key)[1]


def _processed(batch: list[Delivery], chains: dict[str, Chain], desk: Desk) -> Output:
    output = process(batch, chains, desk)
    chains.update(output.chains)
    return output


def _resident_mb() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1_000_000

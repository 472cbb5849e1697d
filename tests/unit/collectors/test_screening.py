"""A collector under a capture policy: what it leaves out is answered for, counted and signed for, whatever happens."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import orjson
import pytest

from slmtrail.collectors.batches import Batch
from slmtrail.collectors.collector import Collector
from slmtrail.collectors.item import Accepted
from slmtrail.collectors.screen import Screen
from slmtrail.collectors.spool import Spool
from slmtrail.core import canonical, events
from slmtrail.core.capturing import Capture
from slmtrail.core.errors import SpoolFull

Start = Callable[..., Collector]
WAIT_S = 20
NEVER_MS = 3_600_000
TENTH = Capture(sample={"process": 0.1})


def line(kind: str = "process", number: int = 0, **fields: Any) -> bytes:
    needed = {
        "process": {"slm.step.name": f"s{number}"},
        "inference": {"gen_ai.request.model": "m", "gen_ai.input.messages": f"{number}"},
        "auth": {"event.action": "login", "event.outcome": "success"},
        "policy": {"event.outcome": "failure", "slm.verdict": "block"},
    }[kind]
    return canonical.dumps(events.parse({"slm.kind": kind, **needed, **fields}, 0))


def health(at_ms: int) -> bytes:
    given = {
        "slm.kind": "upstream",
        "slm.upstream.name": "m:1",
        "event.action": "get",
        "event.outcome": "success",
        "@timestamp": at_ms,
        "slm.attributes": json.dumps({"method": "GET", "path": "/health"}),
    }
    return canonical.dumps(events.parse(given, 0))


def chances(*given: float) -> Callable[[], float]:
    return iter(given).__next__


def done(future: Future[Accepted]) -> Accepted:
    return future.result(WAIT_S)


def test_the_answer_tells_which_events_were_left_out(collecting: Start, spool: Spool, read: Any) -> None:
    collector = collecting(spool, screen=Screen(TENTH, chances(0.9, 0.0, 0.9, 0.0)))
    accepted = done(collector.submit([line(number=n) for n in range(4)]))
    assert accepted.places == [None, (1, 1), None, (1, 2)]
    assert [id_ is None for id_ in accepted.ids] == [True, False, True, False]
    assert accepted.left_out == 2
    collector.stop()
    boots = read(spool)
    boots.check_chains()
    assert [orjson.loads(kept)["slm.step.name"] for kept in boots.lines] == ["s1", "s3"]
    assert [frame.header.sampled_out for frame in boots.frames] == [0, 2, 0]


def test_a_batch_that_comes_again_is_answered_as_before(collecting: Start, spool: Spool, read: Any) -> None:
    collector = collecting(spool, screen=Screen(TENTH, chances(0.9, 0.9, 0.0, 0.9)))
    lines = [line(number=n) for n in range(3)]
    first = done(collector.submit(lines, batch=Batch("key-00001", "d")))
    nothing = done(collector.submit(lines[:1], batch=Batch("key-00002", "d")))
    assert first.places == [None, None, (1, 1)]
    assert nothing.places == [None]
    assert done(collector.submit(lines, batch=Batch("key-00001", "d"))) == first
    assert done(collector.submit(lines[:1], batch=Batch("key-00002", "d"))).places == [None]
    collector.stop()
    assert read(spool).sampled_out == 3


def test_a_count_survives_the_end_of_its_process(collecting: Start, tmp_path: Path, read: Any) -> None:
    spool = Spool(tmp_path / "s", 1 << 20)
    first = collecting(spool, screen=Screen(TENTH, lambda: 0.9), heartbeat_ms=NEVER_MS)
    assert done(first.submit([line()] * 5)).left_out == 5
    spool.close()  # nothing of the first collector reaches the disk any more
    spool = Spool(tmp_path / "s", 1 << 20)
    collecting(spool, screen=Screen(TENTH), heartbeat_ms=NEVER_MS).stop()
    boots = read(spool)
    assert [frame.header.sampled_out for frame in boots.frames] == [0, 5, 0]
    spool.close()


def test_what_is_left_out_and_what_is_lost_are_told_apart(collecting: Start, tmp_path: Path, read: Any) -> None:
    """The oracle: kept, dropped and left out together are what was given, under a spool that is often full."""
    chance = random.Random(5)
    for when_full in ("block", "drop"):
        spool = Spool(tmp_path / when_full, 20_000)
        screen = Screen(Capture(sample={"process": 0.5}), chance.random)
        collector = collecting(spool, screen=screen, frame_linger_ms=1, heartbeat_ms=NEVER_MS, when_full=when_full)
        given_count = refused = left_out = 0
        for n in range(150):
            kind = chance.choice(["process", "inference"])
            lines = [line(kind, n, message=chance.randbytes(chance.randrange(200)).hex()) for _ in range(2)]
            given_count += 2
            if n % 2:
                collector.offer(lines)
                continue
            try:
                accepted = done(collector.submit(lines))
                left_out += accepted.left_out
                assert kind == "process" or not accepted.left_out
            except SpoolFull:
                refused += 2
        collector.stop()
        boots = read(spool)
        boots.check_chains()
        assert boots.sampled_out >= left_out > 0
        assert boots.dropped
        assert len(boots.lines) + boots.dropped + boots.sampled_out + refused == given_count
        spool.close()


@pytest.mark.parametrize("kind", ["auth", "policy", "inference"])
def test_kinds_that_matter_and_failures_are_never_left_out(
    collecting: Start, spool: Spool, read: Any, kind: str
) -> None:
    """Whatever the caller asks of its own event."""
    everything = dict.fromkeys(("process", "upstream"), 0.0001)
    collector = collecting(spool, screen=Screen(Capture(sample=everything, level="metadata"), lambda: 1.0))
    lines = [line(kind), line(kind, **{"slm.capture.level": "metadata"}), line(**{"event.outcome": "failure"})]
    assert done(collector.submit(lines)).left_out == 0
    collector.stop()
    kept = [orjson.loads(one) for one in read(spool).lines]
    assert [event["slm.kind"] for event in kept] == [kind, kind, "process"]
    assert {event["slm.capture.level"] for event in kept} == {"metadata"}
    assert read(spool).sampled_out == 0


def test_health_checks_that_were_offered_come_as_one(collecting: Start, spool: Spool, read: Any, until: Any) -> None:
    screen = Screen(Capture(health_summary_s=60))
    collector = collecting(spool, screen=screen, frame_linger_ms=1, heartbeat_ms=1)
    for n in range(10):
        collector.offer([health(n)])
    until("a summary", lambda: read(spool).lines)
    collector.offer([health(n) for n in range(3)])
    collector.stop()
    counts = [orjson.loads(kept).get("slm.summary.count", 1) for kept in read(spool).lines]
    assert sum(counts) == 13
    assert collector._offered_bytes == 0


def test_summaries_that_are_due_leave_at_the_end(collecting: Start, spool: Spool, read: Any) -> None:
    now_ms = 4_000_000_000_000
    collector = collecting(spool, screen=Screen(Capture()), frame_linger_ms=1, heartbeat_ms=NEVER_MS)
    collector.offer([health(now_ms + n) for n in range(7)])
    collector.stop()
    boots = read(spool)
    assert [orjson.loads(kept)["slm.summary.count"] for kept in boots.lines] == [7]
    assert boots.kinds[-1] == "close"


def test_a_health_check_that_is_waited_for_is_on_disk(collecting: Start, spool: Spool, read: Any) -> None:
    collector = collecting(spool, screen=Screen(Capture()), heartbeat_ms=NEVER_MS)
    assert done(collector.submit([health(0)])).places == [(1, 1)]
    assert read(spool).lines == [health(0)]


def test_a_collector_that_leaves_all_out_still_shows_that_it_lives(
    collecting: Start, spool: Spool, read: Any, until: Any
) -> None:
    collector = collecting(spool, screen=Screen(TENTH, lambda: 0.9), frame_linger_ms=1, heartbeat_ms=20)

    def beats() -> bool:
        collector.offer([line()])
        return len(read(spool).frames) >= 4

    until("heartbeats", beats)
    collector.stop()
    boots = read(spool)
    assert set(boots.kinds) == {"heartbeat", "close"}
    assert boots.sampled_out > 0


def test_another_policy_takes_over_while_it_runs(collecting: Start, spool: Spool, read: Any) -> None:
    collector = collecting(spool)
    collector.use(Capture())
    done(collector.submit([line("inference")]))
    collector.use(Capture(level="metadata"))
    done(collector.submit([line("inference")]))
    first, second = (orjson.loads(kept) for kept in read(spool).lines)
    assert "gen_ai.input.messages" in first
    assert "gen_ai.input.messages" not in second

"""Coverage: what is sealed of the frames that were followed, so that none can be missing unseen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import NOW_MS, Edge, Stream, inference, records
from slmtrail.core.frames import Frame
from slmtrail.stream.chain import CLOCK_AHEAD_MS, COVER_FRAMES, COVER_MS, Chain
from slmtrail.stream.process import Output


@pytest.fixture
def stream(tmp_path: Path) -> Stream:
    return Stream(tmp_path)


def notes(output: Output, action: str) -> list[dict[str, Any]]:
    return [record for record in records(output) if record.get("event.action") == action]


def trail(record: dict[str, Any]) -> dict[str, Any]:
    return {name.removeprefix("slm.trail."): record[name] for name in record if name.startswith("slm.trail.")}


def test_a_close_seals_what_the_run_held(stream: Stream) -> None:
    edge = stream.edge()
    edge = stream.edge("edge-2")
    made = [edge.frame([inference()] * 3), edge.frame([inference(), b"{"], dropped=5), edge.frame(kind="heartbeat")]
    last = edge.frame(kind="close")
    (covered,) = notes(stream.take(*made, last), "covered")
    assert trail(covered) == {
        "collector": "edge-2",
        "boot": edge.boot,
        "first": 0,
        "last": 3,
        "head": last.digest,
        "events": 5,
        "dropped": 5,
        "sampled_out": 0,
        "refused": 1,
    }


def test_coverage_comes_after_so_many_frames_and_begins_anew(stream: Stream) -> None:
    edge = stream.edge()
    made = [edge.frame([inference()]) for _ in range(2 * COVER_FRAMES + 1)]
    covered = [trail(record) for record in notes(stream.take(*made), "covered")]
    assert [(c["first"], c["last"]) for c in covered] == [
        (0, COVER_FRAMES - 1),
        (COVER_FRAMES, 2 * COVER_FRAMES - 1),
    ]
    assert [c["head"] for c in covered] == [made[COVER_FRAMES - 1].digest, made[2 * COVER_FRAMES - 1].digest]
    assert {c["events"] for c in covered} == {COVER_FRAMES}


def at(frame: Frame, moment_ms: int) -> Frame:
    return replace(frame, header=replace(frame.header, first_ms=moment_ms, last_ms=moment_ms))


def followed(frames: list[Frame], bus_ms: int = NOW_MS) -> list[dict[str, Any]]:
    chain = Chain()
    return [note for frame in frames for note in chain.follow(frame, bus_ms) or []]


def actions(events: list[dict[str, Any]]) -> list[str]:
    return [event["event.action"] for event in events]


def test_coverage_comes_after_a_while_but_not_for_heartbeats(stream: Stream) -> None:
    edge = stream.edge()
    late = [at(edge.frame([inference()]), NOW_MS), at(edge.frame(kind="heartbeat"), NOW_MS + COVER_MS)]
    assert actions(followed(late)) == ["collector_started", "covered"]
    edge = stream.edge("edge-2")
    idle = [at(edge.frame(kind="heartbeat"), NOW_MS + n * COVER_MS // 2) for n in range(2)]
    assert actions(followed(idle)) == ["collector_started"]


def test_an_edge_is_covered_before_a_gap_and_before_a_run_without_a_close(stream: Stream) -> None:
    edge = stream.edge()
    made = [edge.frame([inference()]) for _ in range(6)]
    output = stream.take(*made[:2], *made[4:])
    system = [record for record in records(output) if record["slm.kind"] == "system"]
    assert [record["event.action"] for record in system] == ["collector_started", "covered", "gap"]
    output = stream.take(edge.again().frame(kind="heartbeat"))
    (covered,), (unclosed,) = notes(output, "covered"), notes(output, "boot_not_closed")
    assert (covered["slm.trail.boot"], covered["slm.trail.first"], covered["slm.trail.last"]) == (edge.boot, 4, 5)
    assert unclosed["slm.trail.first"] == 6


@given(cuts=st.lists(st.integers(0, 199), max_size=8), size=st.integers(1, 200))
@settings(max_examples=25, deadline=None)
def test_coverage_and_gaps_leave_no_hole(tmp_path_factory: pytest.TempPathFactory, cuts: list[int], size: int) -> None:
    edge = Edge(Stream(tmp_path_factory.mktemp("s")).key)
    made = [edge.frame([b"{}"] * (n % 3)) for n in range(size)] + [edge.frame(kind="close")]
    arrived = [frame for n, frame in enumerate(made) if n not in cuts or n == size]
    reached, events = 0, 0
    for note in followed(arrived):
        if note["event.action"] in ("covered", "gap"):
            assert note["slm.trail.first"] == reached
            reached = note["slm.trail.last"] + 1
            events += note.get("slm.trail.events", 0)
    assert reached == size + 1
    assert events == sum(frame.header.events for frame in arrived)


def test_what_was_known_before_a_frame_stays_as_it_was(stream: Stream) -> None:
    edge = stream.edge()
    made = [edge.frame([inference()]) for _ in range(4)]
    later = edge.again()
    chain = Chain()
    for frame in (made[0], made[2], later.frame([inference()]), made[3], later.frame(kind="close")):
        known = chain.encode()
        following = chain.before(frame.header)
        following.follow(frame, NOW_MS)
        following.refuse(frame, [1])
        assert chain.encode() == known != following.encode()
        chain = following
    row = chain.awaits(made[1].header)
    assert row is not None
    known, admitting = chain.encode(), chain.before(made[1].header)
    admitting.admit(made[1], row, 1, ())
    assert chain.encode() == known


def test_jumps_of_a_clock_are_told(stream: Stream) -> None:
    edge = stream.edge()
    times = [0, 10, -4000, -3900, CLOCK_AHEAD_MS + 5, CLOCK_AHEAD_MS + 10, 20]
    jumps = [
        note
        for note in followed([at(edge.frame(kind="heartbeat"), NOW_MS + ms) for ms in times])
        if note["event.action"] == "clock_jump"
    ]
    assert [(note["slm.trail.first"], note["slm.trail.count"]) for note in jumps] == [
        (2, -4010),
        (4, CLOCK_AHEAD_MS + 5),
        (6, 20 - CLOCK_AHEAD_MS - 10),
    ]


def test_a_collector_that_ships_late_has_not_jumped(stream: Stream) -> None:
    edge = stream.edge()
    made = [at(edge.frame(kind="heartbeat"), NOW_MS + n * 3_600_000) for n in range(5)]
    assert "clock_jump" not in actions(followed(made, NOW_MS + 20 * 3_600_000))


def test_a_place_of_another_partition_was_not_seen(stream: Stream) -> None:
    edge = stream.edge()
    frame = edge.frame([inference()])
    stream.take(frame)
    seen = stream.chains[edge.name]
    assert seen.has_seen(0, seen.offset)
    assert not seen.has_seen(0, seen.offset + 1)
    assert not seen.has_seen(1, seen.offset)
    earlier = Chain.decode(orjson.dumps({"offset": 7, "boots": {}}))
    assert earlier.has_seen(1, 7)
    assert not earlier.has_seen(1, 8)


def test_a_topic_that_ends_before_what_was_seen_is_another() -> None:
    assert Chain(7, partition=1).fits({0: 0, 1: 8})
    assert not Chain(7, partition=1).fits({0: 99, 1: 7})
    assert not Chain(7, partition=1).fits({0: 99})
    assert Chain(7).fits({0: 8, 1: 0})
    assert not Chain(7).fits({0: 7, 1: 0})
    assert Chain().fits({0: 0})

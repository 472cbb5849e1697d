"""A frame that is given once more is taken where something of it is open, once, and never twice."""

from __future__ import annotations

import dataclasses
import random
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from builders import Edge, SealedTrail, Stream, inference, records
from slmtrail.core import events, trust
from slmtrail.core.frames import Frame
from slmtrail.core.identity import origin, record_id
from slmtrail.core.ports import Message, Proved
from slmtrail.indexer.store.sqlite import SqliteStore
from slmtrail.indexer.verify.trail import verify
from slmtrail.stream.chain import MAX_OPEN, Chain, Open
from slmtrail.stream.process import Output
from slmtrail.stream.replay import key_of, left_out_by


def replay(stream: Stream, *frames: Frame, left_out: tuple[int, ...] = ()) -> Output:
    """Frames as a replay puts them on the bus."""
    return stream.process([dataclasses.replace(d, key=key_of(left_out)) for d in stream.deliveries(*frames)])


def texts(output: Output) -> list[str]:
    """The questions in an output's records."""
    made = [record for record in records(output) if record["slm.kind"] == "inference"]
    return [record["gen_ai.input.messages"][0]["parts"][0]["content"] for record in made]


def actions(output: Output) -> list[str]:
    return [record["event.action"] for record in records(output) if record["slm.kind"] == "system"]


def proved(folder: Path, *outputs: Output) -> Proved:
    trail = SealedTrail(folder / "trail")
    trail.add([message for output in outputs for message in output.records])
    with closing(SqliteStore(trail.store_path)) as store:
        return verify([trail.ledger_folder], store)


def stranger(stream: Stream) -> Edge:
    """A collector whose key nobody has admitted yet."""
    return Edge(stream.key, "edge-1")


def admit(stream: Stream, edge: Edge) -> None:
    trust.admit(stream.trust_file, edge.name, "dev", edge.key.public_key())


def test_frames_of_a_key_that_is_admitted_later_fill_their_gap_once(tmp_path: Path) -> None:
    stream = Stream(tmp_path)
    edge = stranger(stream)
    refused = [edge.frame([inference(f"early {n}"), inference(f"early {n} too")]) for n in range(4)]
    before = stream.take(*refused)
    assert texts(before) == []
    admit(stream, edge)
    after = stream.take(edge.frame([inference("late")]), edge.frame(kind="close"))
    assert "gap" in actions(after)
    assert [fault.kind for fault in proved(tmp_path / "gap", before, after).faults] == ["gap"]

    # In another order than they were made in, twice, and once more after a restart from what the bus holds.
    replayed = replay(stream, refused[2], refused[0], refused[3], refused[0], refused[1])
    assert sorted(texts(replayed)) == sorted(f"early {n}{too}" for n in range(4) for too in ("", " too"))
    assert actions(replayed) == ["frame_replayed"] * 4
    assert all(record["slm.replayed"] for record in records(replayed) if record["slm.kind"] != "alert")
    stream.chains = {name: Chain.decode(chain.encode()) for name, chain in stream.chains.items()}
    again = replay(stream, *refused)
    assert (again.records, again.deadletters) == ([], [])
    for record in records(replayed):
        if record["slm.kind"] == "inference":
            assert record["event.id"] == record_id(*origin(record)), "the id is not the one that callers were told"

    outcome = proved(tmp_path / "whole", before, after, replayed, replayed)
    assert outcome.faults == []
    assert outcome.signed_for["replayed"] == 8
    assert outcome.signed_for["events"] == 9


def test_frames_that_nothing_followed_are_taken_as_if_they_came_now(tmp_path: Path) -> None:
    stream = Stream(tmp_path)
    edge = stranger(stream)
    refused = [edge.frame([inference(f"{n}")]) for n in range(3)]
    stream.take(*refused)
    admit(stream, edge)
    replayed = replay(stream, *refused)
    assert texts(replayed) == ["0", "1", "2"]
    assert replay(stream, *refused).records == []
    after = stream.take(edge.frame(kind="close"))
    assert "gap" not in actions(after)
    assert proved(tmp_path, replayed, after).faults == []


def test_a_frame_sealed_to_another_key_is_taken_when_that_key_is_here(tmp_path: Path) -> None:
    stream = Stream(tmp_path)
    edge = stream.edge()
    other = X25519PrivateKey.generate()
    elsewhere = Edge(other, "edge-1", key=edge.key, boot=edge.boot)
    first = edge.frame([inference("one")])
    elsewhere.framer.committed(first)
    sealed_elsewhere = elsewhere.frame([inference("two"), inference("three")])
    before = stream.take(first, sealed_elsewhere, elsewhere.frame(kind="close"))
    still = replay(stream, sealed_elsewhere)
    assert (still.records, still.deadletters) == ([], []), "what still can't be opened became a dead letter again"
    stream.desk = dataclasses.replace(stream.desk, key=other)
    replayed = replay(stream, sealed_elsewhere)
    assert texts(replayed) == ["two", "three"]
    assert replay(stream, sealed_elsewhere).records == []
    outcome = proved(tmp_path, before, replayed)
    assert outcome.faults == []
    assert (outcome.signed_for["refused"], outcome.signed_for["replayed"]) == (2, 2)


def test_of_a_frame_with_bad_events_only_those_are_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Stream(tmp_path)
    edge = stream.edge()
    strange = [inference("odd", **{"slm.kind": kind}) for kind in ("novel", "newer")]
    frame = edge.frame([inference("good"), strange[0], inference("fine"), strange[1]])
    before = stream.take(frame, edge.frame(kind="close"))
    assert texts(before) == ["good", "fine"]
    assert replay(stream, frame).records == [], "nothing was fixed, and something came of it"

    known: set[str] = set()
    parse = events.parse

    def newer_slmtrail(data: bytes, now_ms: int, *, framed: bool) -> dict[str, Any]:
        event = orjson.loads(data)
        return parse(event | {"slm.kind": "inference"} if event["slm.kind"] in known else data, now_ms, framed=framed)

    monkeypatch.setattr(events, "parse", newer_slmtrail)
    known.add("newer")
    first = replay(stream, frame)
    assert [origin(r)[2].index for r in records(first) if r["slm.kind"] == "inference"] == [4]
    known.add("novel")
    second = replay(stream, frame)
    assert [origin(r)[2].index for r in records(second) if r["slm.kind"] == "inference"] == [2]
    assert replay(stream, frame).records == []
    assert proved(tmp_path, before, first, second, first).faults == []


@pytest.mark.parametrize("followed", [False, True])
def test_events_that_are_left_out_stay_open(tmp_path: Path, followed: bool) -> None:
    stream = Stream(tmp_path)
    edge = stranger(stream)
    frame = edge.frame([inference("of alice"), inference("of zoe"), inference("of bob")])
    outputs = [stream.take(frame)]
    admit(stream, edge)
    if followed:
        outputs.append(stream.take(edge.frame([inference("later")])))
    outputs.append(replay(stream, frame, left_out=(2,)))
    assert texts(outputs[-1]) == ["of alice", "of bob"]
    assert outputs[-1].deadletters == []
    assert replay(stream, frame, left_out=(2,)).records == []
    outputs.append(replay(stream, frame))
    assert texts(outputs[-1]) == ["of zoe"]
    outputs.append(stream.take(edge.frame(kind="close")))
    assert proved(tmp_path, *outputs).faults == []


def test_a_forged_frame_does_not_fill_a_gap(tmp_path: Path) -> None:
    stream = Stream(tmp_path)
    edge = stream.edge()
    made = [edge.frame([inference(f"{n}")]) for n in range(5)]
    stream.take(made[0], made[4])
    fork = edge.again(edge.boot)
    fork.prior_boot = ""
    forged = [Edge.frame(fork, [inference("forged")]) for _ in range(4)]
    assert forged[1].header.sequence == made[1].header.sequence
    for frame in (forged[1], forged[3]):
        output = replay(stream, frame)
        assert (output.records, output.deadletters) == ([], [])
    assert sorted(texts(replay(stream, *made[1:4]))) == ["1", "2", "3"]


def test_without_the_key_of_a_replay_a_late_frame_is_refused_as_before(tmp_path: Path) -> None:
    stream = Stream(tmp_path)
    edge = stream.edge()
    made = [edge.frame([inference(f"{n}")]) for n in range(3)]
    stream.take(made[0], made[2])
    output = stream.take(made[1])
    assert (texts(output), len(output.deadletters)) == ([], 1)
    assert texts(replay(stream, made[1])) == ["1"]


def test_whatever_comes_in_whatever_order_each_event_is_sealed_once(tmp_path: Path) -> None:
    for seed in range(12):
        rng = random.Random(seed)
        stream = Stream(tmp_path / str(seed))
        edge = stream.edge()
        made = [edge.frame([inference(f"{n}.{k}") for k in range(rng.randint(0, 3))]) for n in range(30)]
        lost = set(rng.sample(range(1, 29), 12))
        outputs = [stream.take(frame) for n, frame in enumerate(made) if n not in lost]
        brought = rng.choices(sorted(lost), k=40)
        outputs += [replay(stream, made[n]) for n in brought]
        outputs += [stream.take(edge.frame(kind="close"))]
        found = [text for output in outputs for text in texts(output)]
        assert len(found) == len(set(found))
        never = lost - set(brought)
        wanted = sum(frame.header.events for n, frame in enumerate(made) if n not in never)
        assert len(found) == wanted
        outcome = proved(tmp_path / str(seed), *outputs)
        assert {fault.kind for fault in outcome.faults} == ({"gap"} if never else set())


def test_a_replayed_record_that_is_left_out_or_invented_is_found(tmp_path: Path) -> None:
    stream = Stream(tmp_path)
    edge = stream.edge()
    made = [edge.frame([inference(f"{n}"), inference(f"{n} too")]) for n in range(4)]
    before = stream.take(made[0], made[3], edge.frame(kind="close"))
    replayed = replay(stream, made[1], made[2])

    def judged(name: str, *messages: Message) -> list[str]:
        return [fault.kind for fault in proved(tmp_path / name, before, Output(records=list(messages))).faults]

    assert judged("whole", *replayed.records) == []
    assert judged("out", *replayed.records[:-1]) == ["gap"]
    by_action: dict[bool, list[Message]] = {True: [], False: []}
    for message in replayed.records:
        by_action[b"frame_replayed" in message.value].append(message)
    assert set(judged("noteless", *by_action[False])) == {"gap", "inserted"}


def test_open_rows_are_bounded_and_old_state_is_read() -> None:
    given: Any = {
        "offset": 1,
        "boots": {
            "b": {"next": 5, "previous": "0", "closed": False, "last_ms": 0, "ahead": False}
            | {"span": [0] * 6, "recent": {}}
        },
    }
    chain = Chain.decode(orjson.dumps(given))
    assert chain.boots["b"].open == []
    for number in range(MAX_OPEN + 5):
        chain.boots["b"].leave_open(Open(number, number, "", ""))
    assert len(chain.boots["b"].open) == MAX_OPEN
    assert chain.boots["b"].open[-1].first == MAX_OPEN + 4
    assert Chain.decode(chain.encode()) == chain


def test_the_key_says_what_is_left_out() -> None:
    assert left_out_by(key_of()) == frozenset()
    assert left_out_by(key_of([3, 1])) == {1, 3}
    assert left_out_by("edge-1") is None

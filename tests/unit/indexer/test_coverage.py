"""Completeness: a record that is left out before it is sealed is missed, and what the edge signed as lost is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import SealedTrail, Stream, inference
from slmtrail.core.ports import Fault, Message, Proved, Query, Sealed
from slmtrail.indexer.store.sqlite import SqliteStore
from slmtrail.indexer.verify.trail import verify

Kept = Callable[[dict[str, Any]], bool]


def proved(folder: Path, messages: list[Message], kept: Kept = lambda _: True) -> Proved:
    """The verdict on a ledger of those records that are `kept`; the others were left out before it."""
    trail = SealedTrail(folder / "trail")
    trail.add([message for message in messages if kept(orjson.loads(message.value))])
    with closing(SqliteStore(trail.store_path)) as store:
        return verify([trail.ledger_folder], store)


def kinds(outcome: Proved) -> tuple[list[str], list[str]]:
    return [fault.kind for fault in outcome.faults], [loss.kind for loss in outcome.losses]


def a_day(stream: Stream) -> list[Message]:
    """Two runs of a collector, with bad events, drops and a restart without a close."""
    edge = stream.edge()
    made = stream.take(*(edge.frame([inference(f"{n}"), inference("x")]) for n in range(70))).records
    made += stream.take(edge.frame([b"{", inference("after")]), edge.frame(dropped=3)).records
    second = edge.again()
    return made + stream.take(second.frame([inference("later")]), second.frame(kind="close")).records


def test_a_whole_day_is_covered_and_its_losses_are_told(tmp_path: Path) -> None:
    outcome = proved(tmp_path, a_day(Stream(tmp_path)))
    assert kinds(outcome) == ([], ["refused", "dropped", "unclosed"])
    assert dict(outcome.signed_for) == {"events": 143, "dropped": 3, "sampled_out": 0, "refused": 1}
    assert outcome.uncovered == 0


def is_event(record: dict[str, Any], frame: int, index: int = 1) -> bool:
    return (record["slm.collector.frame"], record["slm.collector.index"]) == (frame, index)


@pytest.mark.parametrize("frame", [0, 1, 63, 64, 69])
def test_one_record_that_is_left_out_is_missed(tmp_path: Path, frame: int) -> None:
    gone: list[str] = []

    def kept(record: dict[str, Any]) -> bool:
        if is_event(record, frame) and not gone:
            gone.append(record["event.id"])
            return False
        return True

    outcome = proved(tmp_path, a_day(Stream(tmp_path)), kept)
    assert [fault.kind for fault in outcome.faults] == ["gap"]
    assert "signed for" in outcome.faults[0].text


def test_coverage_that_is_left_out_with_its_records_is_missed(tmp_path: Path) -> None:
    messages = a_day(Stream(tmp_path))
    first = orjson.loads(messages[0].value)["slm.collector.boot"]

    def kept(record: dict[str, Any]) -> bool:
        in_row = record["slm.collector.boot"] == first and record["slm.collector.frame"] <= 63
        return not (in_row or (record.get("event.action") == "covered" and record["slm.trail.first"] == 0))

    outcome = proved(tmp_path, messages, kept)
    assert "nothing covers frames 0 to 63" in outcome.faults[0].text


def test_frames_that_never_came_are_a_gap_and_dropped_ones_are_not(tmp_path: Path) -> None:
    stream = Stream(tmp_path)
    edge = stream.edge()
    made = [edge.frame([inference(f"{n}")]) for n in range(9)]
    messages = stream.take(*made[:3], *made[5:], edge.frame(kind="close")).records
    outcome = proved(tmp_path / "lost", messages)
    assert kinds(outcome) == (["gap"], [])
    assert "frames 3 to 4 never arrived" in outcome.faults[0].text
    edge = stream.edge("edge-2")
    made = [edge.frame([inference(f"{n}")]) for n in range(9)]
    messages = stream.take(*made[:3], *made[5:], edge.frame(dropped=2), edge.frame(kind="close")).records
    assert kinds(proved(tmp_path / "dropped", messages)) == ([], ["dropped", "dropped"])


def test_a_frame_that_can_not_be_opened_is_named(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    from builders import Edge

    stream = Stream(tmp_path)
    edge = stream.edge()
    elsewhere = Edge(X25519PrivateKey.generate(), "edge-1", key=edge.key, boot=edge.boot)
    first = edge.frame([inference()])
    elsewhere.framer.committed(first)
    messages = stream.take(first, elsewhere.frame([inference()] * 4), elsewhere.frame(kind="close")).records
    outcome = proved(tmp_path, messages)
    assert kinds(outcome) == ([], ["refused"])
    assert outcome.signed_for["refused"] == 4


def test_what_is_not_covered_yet_is_counted(tmp_path: Path) -> None:
    stream = Stream(tmp_path)
    outcome = proved(tmp_path, stream.take(stream.edge().frame([inference()] * 7)).records)
    assert (kinds(outcome), outcome.uncovered) == (([], []), 7)


@given(data=st.data())
@settings(max_examples=6, deadline=None)
def test_whatever_single_record_of_an_event_is_left_out_is_missed(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("left-out")
    messages = a_day(Stream(folder))
    events = [n for n, m in enumerate(messages) if orjson.loads(m.value)["slm.kind"] == "inference"]
    gone = data.draw(st.sampled_from(events))
    outcome = proved(folder, messages[:gone] + messages[gone + 1 :])
    assert [fault.kind for fault in outcome.faults] == ["gap"]


@pytest.fixture(scope="module")
def whole_day(tmp_path_factory: pytest.TempPathFactory) -> SealedTrail:
    folder = tmp_path_factory.mktemp("day")
    trail = SealedTrail(folder / "trail")
    trail.add(a_day(Stream(folder)))
    return trail


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_records_that_were_removed_are_missing_and_leave_no_gap_besides(
    whole_day: SealedTrail, data: st.DataObject
) -> None:
    folder = whole_day.ledger_folder
    size = folder.checkpoint()[1].size
    leaves = st.tuples(st.integers(0, size - 1), st.integers(0, 40)).map(lambda row: range(row[0], sum(row)))
    gone = {leaf for row in data.draw(st.lists(leaves, max_size=5)) for leaf in row if leaf < size}
    with closing(SqliteStore(whole_day.store_path)) as store:
        outcome = verify([folder], _Without(store, gone))
    assert [(fault.kind, fault.leaf) for fault in outcome.faults] == [("missing", leaf) for leaf in sorted(gone)]


def test_a_gap_is_found_where_records_are_missing_elsewhere(tmp_path: Path) -> None:
    left_out: list[bool] = []

    def kept(record: dict[str, Any]) -> bool:
        if is_event(record, 66):
            left_out.append(True)
        return not is_event(record, 66)

    trail = SealedTrail(tmp_path / "trail")
    trail.add([message for message in a_day(Stream(tmp_path)) if kept(orjson.loads(message.value))])
    with closing(SqliteStore(trail.store_path)) as store:
        outcome = verify([trail.ledger_folder], _Without(store, set(range(20))))
    assert left_out
    assert [fault.kind for fault in outcome.faults] == ["gap", *["missing"] * 20]


class _Without:
    """A store from which some leaves were removed."""

    def __init__(self, store: SqliteStore, gone: set[int]) -> None:
        self._store, self._gone = store, gone

    def scan(self, ledger: str, start: int, end: int) -> Iterator[Sealed]:
        return (sealed for sealed in self._store.scan(ledger, start, end) if sealed.leaf not in self._gone)

    def ledgers(self) -> dict[str, int]:
        return {ledger: count - len(self._gone) for ledger, count in self._store.ledgers().items()}

    def certificates(self, ledger: str) -> Iterator[Sealed]:
        return self._store.certificates(ledger)

    def extent(self, query: Query) -> dict[str, range]:
        return self._store.extent(query)

    def faults(self) -> list[Fault]:
        return []

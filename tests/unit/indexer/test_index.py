"""The indexing loop: the ledger is let go only when nobody works on it any more."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import orjson
import pytest

from builders import LEDGER, SealedTrail, Stream, inference
from slmtrail.bus.limits import MAX_MESSAGE_BYTES
from slmtrail.bus.sqlite import SqliteBus
from slmtrail.core.errors import StoreError
from slmtrail.core.metrics import INDEX_LAG, UNSTORED_AGE_SECONDS
from slmtrail.core.ports import DEADLETTERS, RECORDS, Message
from slmtrail.core.tracing import TRACING, FrameId, Work
from slmtrail.indexer import index
from slmtrail.indexer.behind import Behind
from slmtrail.indexer.index import run
from slmtrail.indexer.seal import Batch, Sealer
from slmtrail.indexer.store.sqlite import SqliteStore


class Held(Sealer):
    """A sealer that stops in the middle of its work until it is let go on."""

    begun: threading.Event
    go_on: threading.Event
    ended = False

    def seal(self, *given: Any) -> Batch:
        self.begun.set()
        assert self.go_on.wait(30)
        made = super().seal(*given)
        self.ended = True
        return made


def test_who_is_stopped_waits_for_the_work_on_the_ledger(tmp_path: Path) -> None:
    trail = SealedTrail(tmp_path)
    sealer = Held(tmp_path / "ledger", LEDGER, trail.key)
    sealer.begun, sealer.go_on = threading.Event(), threading.Event()
    stream = Stream(tmp_path)
    messages = stream.take(stream.edge().frame([inference()] * 5)).records

    async def stopped() -> None:
        bus, store = SqliteBus(tmp_path / "bus.sqlite", partitions=1), SqliteStore(trail.store_path, writable=True)
        await bus.ensure_topics()
        await bus.publish(RECORDS, messages)
        work = asyncio.create_task(run(bus, store, sealer, 0, 100, {}))
        assert await asyncio.to_thread(sealer.begun.wait, 30)
        work.cancel()
        await asyncio.wait([work], timeout=0.05)
        assert not work.done()
        sealer.go_on.set()
        await asyncio.wait([work], timeout=30)
        assert work.cancelled()
        assert sealer.ended
        store.close()
        await bus.close()

    asyncio.run(stopped())
    sealer.close()


async def indexed(tmp_path: Path, store: SqliteStore, sealer: Sealer, count: int, at_once: int = 1) -> None:
    """Indexes so many records in batches of ten, and looks that each is stored."""
    stream = Stream(tmp_path)
    messages = stream.take(stream.edge().frame([inference(str(n)) for n in range(count)])).records
    await through(tmp_path, store, sealer, messages, at_once)
    assert [sealed.leaf for sealed in store.scan(LEDGER, 0, 1000)] == list(range(len(messages)))
    store.close()


async def through(
    tmp_path: Path, store: SqliteStore, sealer: Sealer, messages: list[Message], at_once: int = 1
) -> list[dict[str, Any]]:
    """Indexes messages in batches of ten; the dead letters."""
    bus = SqliteBus(tmp_path / "bus.sqlite", partitions=1)
    await bus.ensure_topics()
    await bus.publish(RECORDS, messages)
    work = asyncio.create_task(run(bus, store, sealer, 0, 10, {}, at_once))
    for _ in range(3000):
        if sealer.next_offset == len(messages) or work.done():
            break
        await asyncio.sleep(0.01)
    work.cancel()
    await asyncio.wait([work])
    sealer.close()
    letters = await (await bus.read(DEADLETTERS, 0, 0)).poll(1000, 0)
    await bus.close()
    assert work.cancelled()
    return [orjson.loads(letter.value) for letter in letters]


@pytest.mark.parametrize("time", [None, 5, "yesterday", "2026-13-01T00:00:00Z"])
def test_a_record_without_a_usable_time_is_a_dead_letter_and_the_partition_goes_on(tmp_path: Path, time: Any) -> None:
    trail, stream = SealedTrail(tmp_path), Stream(tmp_path)
    good = stream.take(stream.edge().frame([inference(str(n)) for n in range(15)])).records
    changed = {**orjson.loads(good[0].value), "@timestamp": time}
    bad = Message(good[0].key, orjson.dumps(changed, option=orjson.OPT_SORT_KEYS))
    store, sealer = SqliteStore(trail.store_path, writable=True), Sealer(tmp_path / "ledger", LEDGER, trail.key)
    (letter,) = asyncio.run(through(tmp_path, store, sealer, [bad, *good[1:]]))
    assert letter["text"].startswith("@timestamp: ")
    assert [sealed.leaf for sealed in store.scan(LEDGER, 0, 1000)] == list(range(1, len(good)))
    store.close()


@pytest.mark.parametrize("more", [{}, {"@timestamp": None}], ids=["no record", "refused"])
def test_what_is_too_large_for_a_dead_letter_is_named_by_its_hash_and_the_partition_goes_on(
    tmp_path: Path, more: dict[str, Any]
) -> None:
    trail, stream = SealedTrail(tmp_path), Stream(tmp_path)
    good = stream.take(stream.edge().frame([inference(str(n)) for n in range(3)])).records
    text = '"' * (MAX_MESSAGE_BYTES // 2 - 10_000)  # each takes two bytes in the record, and four in a letter with it
    changed = orjson.loads(good[0].value) | {"slm.other": text} | more if more else {"slm.other": text}
    bad = Message(good[0].key, orjson.dumps(changed, option=orjson.OPT_SORT_KEYS))
    store, sealer = SqliteStore(trail.store_path, writable=True), Sealer(tmp_path / "ledger", LEDGER, trail.key)
    (letter,) = asyncio.run(through(tmp_path, store, sealer, [bad, *good[1:]]))
    assert letter["sha256"] == hashlib.sha256(bad.value).hexdigest()
    assert len(list(store.scan(LEDGER, 0, 1000))) == len(good) - 1
    store.close()


def test_a_batch_is_sealed_while_the_one_before_is_stored(tmp_path: Path) -> None:
    trail = SealedTrail(tmp_path)
    sealed_meanwhile = threading.Event()

    class Slow(SqliteStore):
        def write(self, records):  # type: ignore[no-untyped-def]
            if records[0].leaf == 0:
                assert sealed_meanwhile.wait(30), "the next batch waits for this one"
            return super().write(records)

    class Telling(Sealer):
        def seal(self, *given):  # type: ignore[no-untyped-def]
            made = super().seal(*given)
            if made.records and made.records[0].leaf:
                sealed_meanwhile.set()
            return made

    store = Slow(trail.store_path, writable=True)
    asyncio.run(indexed(tmp_path, store, Telling(tmp_path / "ledger", LEDGER, trail.key), 40))


def test_a_batch_is_stored_as_soon_as_another_ends_and_none_is_committed_before_the_first(tmp_path: Path) -> None:
    trail = SealedTrail(tmp_path)
    third = threading.Event()

    class Slow(SqliteStore):
        def write(self, records):  # type: ignore[no-untyped-def]
            if records[0].leaf == 0:
                assert third.wait(30), "the third batch waits for the first"
                assert sealer.next_offset == 0
            elif records[0].leaf >= 20:
                third.set()
            return super().write(records)

    sealer = Sealer(tmp_path / "ledger", LEDGER, trail.key)
    asyncio.run(indexed(tmp_path, Slow(trail.store_path, writable=True), sealer, 60, at_once=2))


def test_a_store_that_failed_is_asked_what_arrived_before_more_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "RETRY_MIN_S", 0)
    trail = SealedTrail(tmp_path)
    sent: list[list[int]] = []

    class Losing(SqliteStore):
        def write(self, records):  # type: ignore[no-untyped-def]
            sent.append([record.leaf for record in records])
            if len(sent) == 1:
                super().write(records[:3])
                raise StoreError("no answer")
            return super().write(records)

    store = Losing(trail.store_path, writable=True)
    asyncio.run(indexed(tmp_path, store, Sealer(tmp_path / "ledger", LEDGER, trail.key), 4))
    assert sent[1] == sent[0][3:]


def test_what_is_stored_is_told_by_the_frame_it_came_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[FrameId] = []

    class Noted:
        def span(self, work: Work, frames: Iterable[FrameId]) -> AbstractContextManager[None]:
            assert work == "store"
            asked.extend(frames)
            return nullcontext()

    monkeypatch.setattr(TRACING, "tracer", Noted())
    trail = SealedTrail(tmp_path)
    sealer = Sealer(tmp_path / "ledger", LEDGER, trail.key)
    asyncio.run(indexed(tmp_path, SqliteStore(trail.store_path, writable=True), sealer, 15))
    assert {(collector, number) for collector, _, number in asked} >= {("edge-1", 0)}


def test_how_far_it_is_behind_is_told(tmp_path: Path) -> None:
    trail, stream = SealedTrail(tmp_path), Stream(tmp_path)
    messages = stream.take(stream.edge().frame([inference(str(n)) for n in range(30)])).records
    sealer = Sealer(tmp_path / "ledger", LEDGER, trail.key)

    async def looked() -> list[tuple[float, bool]]:
        bus = SqliteBus(tmp_path / "bus.sqlite", partitions=1)
        await bus.ensure_topics()
        await bus.publish(RECORDS, messages)
        reader = await bus.read(RECORDS, 0, 0)
        behind, told = Behind(LEDGER, reader), []

        async def look() -> None:
            await behind.look()
            values = [metric.labels(LEDGER)._value.get() for metric in (INDEX_LAG, UNSTORED_AGE_SECONDS)]
            told.append((values[0], values[1] > 0))

        await look()
        batch = await reader.poll(10, 1000)
        behind.taken(sealer.seal(batch))
        await look()
        behind.stored()
        await look()
        await bus.close()
        return told

    there = len(messages)
    assert asyncio.run(looked()) == [(there, False), (there, True), (there - 10, False)]
    sealer.close()

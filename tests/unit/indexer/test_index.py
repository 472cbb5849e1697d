"""The indexing loop: the ledger is let go only when nobody works on it any more."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

from builders import LEDGER, SealedTrail, Stream, inference
from slmtrail.bus.sqlite import SqliteBus
from slmtrail.core.ports import RECORDS, Delivery
from slmtrail.indexer.index import run
from slmtrail.indexer.seal import Batch, Sealer
from slmtrail.indexer.store.sqlite import SqliteStore


class Held(Sealer):
    """A sealer that stops in the middle of its work until it is let go on."""

    begun: threading.Event
    go_on: threading.Event
    ended = False

    def seal(self, deliveries: list[Delivery]) -> Batch:  # type: ignore[override]
        self.begun.set()
        assert self.go_on.wait(30)
        made = super().seal(deliveries)
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


def test_a_batch_is_sealed_while_the_one_before_is_stored(tmp_path: Path) -> None:
    trail = SealedTrail(tmp_path)
    stream = Stream(tmp_path)
    messages = stream.take(stream.edge().frame([inference(str(n)) for n in range(40)])).records
    sealed_meanwhile = threading.Event()

    class Slow(SqliteStore):
        def write(self, records):  # type: ignore[no-untyped-def]
            if records[0].leaf == 0:
                assert sealed_meanwhile.wait(30), "the next batch waits for this one"
            return super().write(records)

    class Telling(Sealer):
        def seal(self, deliveries):  # type: ignore[no-untyped-def]
            made = super().seal(deliveries)
            if made.records and made.records[0].leaf:
                sealed_meanwhile.set()
            return made

    async def indexed() -> None:
        bus, store = SqliteBus(tmp_path / "bus.sqlite", partitions=1), Slow(trail.store_path, writable=True)
        sealer = Telling(tmp_path / "ledger", LEDGER, trail.key)
        await bus.ensure_topics()
        await bus.publish(RECORDS, messages)
        work = asyncio.create_task(run(bus, store, sealer, 0, 10, {}))
        for _ in range(3000):
            if sealer.next_offset == len(messages) or work.done():
                break
            await asyncio.sleep(0.01)
        work.cancel()
        await asyncio.wait([work])
        sealer.close()
        assert [sealed.leaf for sealed in store.scan(LEDGER, 0, 1000)] == list(range(len(messages)))
        store.close()
        await bus.close()

    asyncio.run(indexed())

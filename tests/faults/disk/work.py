"""What is done on a faulty disk, in a process of its own: `work.py NAME FOLDER SEED FIRST COUNT`.

A line in the file `acknowledged` is what a caller was told; what the disk refuses is tried again as the trail does, and
never told.
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from builders import LEDGER, on_records_topic
from faults.disk.disk import ACKNOWLEDGED
from slmtrail.bus.sqlite import SqliteBus
from slmtrail.collectors.spool import Spool
from slmtrail.core import keys
from slmtrail.core.errors import StorageError
from slmtrail.core.ports import Message
from slmtrail.indexer.seal import Sealer
from slmtrail.indexer.store.sqlite import SqliteStore

TOPIC, GROUP, PARTITIONS = "topic", "group", 2
ROOM = 1 << 30
BATCH = 7

T = TypeVar("T")


class Told:
    """What callers were told."""

    def __init__(self, folder: Path) -> None:
        self._file = (folder / ACKNOWLEDGED).open("ab", buffering=0)

    def tell(self, line: object) -> None:
        """One thing that is so, for good."""
        self._file.write(f"{line}\n".encode())


def frame(number: int) -> bytes:
    """A frame that tells its number and whether it is whole."""
    rng = random.Random(number)
    return b"%08d" % number + rng.randbytes(rng.choice((10, 500, 9_000, 70_000)))


def patiently(attempt: Callable[[], T]) -> T:
    """Starts again until it starts, as a supervisor does."""
    for _ in range(1000):
        with suppress(StorageError):
            return attempt()
    raise AssertionError("it never starts")


def open_bus(folder: Path) -> SqliteBus:
    """The bus of `bus`."""
    return SqliteBus(folder / "bus.sqlite", partitions=PARTITIONS, topics=[TOPIC], compacted=[])


class Indexer:
    """A ledger and a store in `folder`, and records from beside it."""

    def __init__(self, folder: Path, given: Path) -> None:
        self.sealer = Sealer(folder / "ledger", LEDGER, keys.signing_key(given / "ledger.pem"))
        try:
            self.store = SqliteStore(folder / "store.sqlite", writable=True)
        except StorageError:
            self.sealer.close()
            raise
        values = (given / "records.ndjson").read_bytes().splitlines()
        self._topic = on_records_topic([Message("edge-1", value) for value in values])

    def run(self, tell: Callable[[object], None] = lambda _: None, count: int = ROOM) -> None:
        """Records in, up to the one with number `count`: seal, store, sign, as the indexer does."""
        end = min(count, len(self._topic))
        while True:
            start = self.sealer.next_offset
            if batch := self._topic[start : min(start + BATCH, end)]:
                records = self.sealer.seal(batch).records
                there = self.store.holding(LEDGER, [record.leaf for record in records])
                assert self.store.write([record for record in records if record.leaf not in there]) == []
                self.sealer.stored(batch)
                tell(f"stored {records[-1].leaf + 1}")
            signed = self.sealer.checkpoint()
            if signed is not None:
                tell(f"signed {signed.hex()}")
            if not batch:
                return

    def close(self) -> None:
        """Lets go of both."""
        self.store.close()
        self.sealer.close()


def spool(folder: Path, rng: random.Random, first: int, count: int) -> None:
    """Frames come in and some are shipped; after an error it goes on, or another process takes over."""
    told = Told(folder)
    opened = patiently(lambda: Spool(folder / "spool", ROOM))
    for number in range(first, first + count):
        try:
            opened.commit([frame(number)], notes={"work/last": b"%d" % number})
        except StorageError:
            if rng.random() < 0.3:
                opened.close()
                opened = patiently(lambda: Spool(folder / "spool", ROOM))
        else:
            told.tell(number)
        if rng.random() < 0.15:
            with suppress(StorageError):
                if shipped := opened.oldest(rng.randint(1, 4), ROOM):
                    told.tell(f"shipped {int(shipped[-1].data[:8])}")
                    opened.forget(shipped)


def bus(folder: Path, rng: random.Random, first: int, count: int) -> None:
    """Messages are published, read and committed; after an error it goes on, or another process takes over."""

    async def work() -> None:
        told, made, reading = Told(folder), open_bus(folder), None
        for number in range(first, first + count):
            try:
                await made.publish(TOPIC, [Message(f"key-{number % 3}", frame(number))])
            except StorageError:
                if rng.random() < 0.3:
                    with suppress(StorageError):
                        await made.close()
                    made, reading = open_bus(folder), None
            else:
                told.tell(number)
            if rng.random() < 0.3:
                with suppress(StorageError):
                    reading = reading or await made.subscribe(TOPIC, GROUP)
                    await reading.poll(3, 0)
                    await reading.commit()
        with suppress(StorageError):
            await made.close()

    asyncio.run(work())


def index(folder: Path, _rng: random.Random, _first: int, count: int) -> None:
    """Records are sealed, stored and signed for; after an error another process takes over."""
    told = Told(folder)
    given = folder.parent / "given"
    for _ in range(1000):
        opened = patiently(lambda: Indexer(folder, given))
        with suppress(StorageError):
            opened.run(told.tell, count)
            opened.close()
            return
        opened.close()
    raise AssertionError("it never comes to an end")


if __name__ == "__main__":
    name, root, seed, begin, end = sys.argv[1:]
    {"spool": spool, "bus": bus, "index": index}[name](Path(root), random.Random(int(seed)), int(begin), int(end))

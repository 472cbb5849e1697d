"""Where records can be had again: the topic, a store, or an export, by the names that commands take."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from slmtrail.app import parts
from slmtrail.core.errors import SettingsError
from slmtrail.core.ports import RECORDS, Delivery, Store
from slmtrail.core.settings import Settings
from slmtrail.indexer.export import Export
from slmtrail.indexer.lawful import Lawful
from slmtrail.indexer.restore import texts_of
from slmtrail.indexer.seal import certificates
from slmtrail.indexer.store.connect import connect
from slmtrail.indexer.verify.folder import LedgerFolder

TOPIC, STORE = "topic", "store"
END = 2**62
PAGE = 1000
POLL_MS = 2000


def texts(settings: Settings, source: str, folder: LedgerFolder) -> Iterator[bytes]:
    """The texts of all records that `source` has of a ledger."""
    if source == TOPIC:
        for delivery in messages(settings, RECORDS, int(folder.folder.name)):
            yield delivery.value
    elif source == STORE or ":" in source:
        with closing(_store(settings, source)) as store:
            yield from texts_of(store.scan(folder.ledger, 0, END))
    elif Path(source).is_file():
        yield from texts_of(Export(Path(source)).scan(folder.ledger, 0, END))
    else:
        raise SettingsError(f"--from {source}: is neither {TOPIC}, {STORE}, the url of a store, nor an export")


def partitions(settings: Settings, topic: str) -> int:
    """How many partitions a topic has."""

    async def ask() -> int:
        bus = parts.open_bus(settings)
        try:
            await bus.ensure_topics()
            return await bus.partitions(topic)
        finally:
            await bus.close()

    return asyncio.run(ask())


def messages(settings: Settings, topic: str, partition: int, since_ms: int = 0) -> Iterator[Delivery]:
    """What one partition of a topic holds now, the oldest first; from a time on."""
    now_ms = time.time_ns() // 1_000_000
    with asyncio.Runner() as runner:
        bus = parts.open_bus(settings)
        try:
            reader = runner.run(bus.read(topic, partition, None))
            while runner.run(reader.waiting()) and (batch := runner.run(reader.poll(PAGE, POLL_MS))):
                yield from (each for each in batch if each.timestamp_ms >= since_ms)
                if batch[-1].timestamp_ms > now_ms:
                    return
        finally:
            runner.run(bus.close())


def lawful(settings: Settings, folder: LedgerFolder) -> Lawful:
    """What the certificates of a ledger name, as its indexer keeps them."""
    return Lawful.told(folder.ledger, certificates(folder.folder), parts.authorities(settings))


def _store(settings: Settings, source: str) -> Store:
    return parts.open_store(settings) if source == STORE else connect(source)

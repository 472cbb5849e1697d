"""How far an indexer is behind, as metrics: what waits on the bus, and the age of the oldest event not yet stored."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque

from slmtrail.core.errors import BusError
from slmtrail.core.metrics import INDEX_LAG, UNSTORED_AGE_SECONDS
from slmtrail.core.ports import PartitionReader
from slmtrail.indexer.seal import Batch

LOOK_S = 5.0


class Behind:
    """Of one ledger. It asks the bus itself, as an indexer whose store is away reads nothing further."""

    def __init__(self, ledger: str, reader: PartitionReader) -> None:
        self._reader = reader
        self._lag, self._age = INDEX_LAG.labels(ledger), UNSTORED_AGE_SECONDS.labels(ledger)
        self._taken: deque[Batch] = deque()

    def taken(self, batch: Batch) -> None:
        """A batch that is to be stored."""
        self._taken.append(batch)

    def stored(self) -> None:
        """The first of those that were taken is stored."""
        self._taken.popleft()

    async def watch(self) -> None:
        """Looks until cancelled; a bus that does not answer leaves what was known."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """Sets both."""
        now_ms = time.time_ns() // 1_000_000
        oldest_ms = next((batch.oldest_ms for batch in self._taken if batch.oldest_ms is not None), now_ms)
        self._age.set(max(0, now_ms - oldest_ms) / 1000)
        with contextlib.suppress(BusError):
            self._lag.set(sum(len(batch.records) for batch in self._taken) + await self._reader.waiting())

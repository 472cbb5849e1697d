"""Batches that came under a key: one whose answer was lost comes again, and is answered as the first time.

The note of a batch is written in the transaction of its events, so no crash can part the two.
"""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import orjson

from slmtrail.collectors.spool import Spool
from slmtrail.core.errors import EventError

KEPT_MS = 24 * 3600 * 1000
MAX_KEPT = 100_000
PREFIX = "batch:"

Place = tuple[int, int]
"""The frame and index of an event; indexes begin at 1."""

_LEFT_OUT = (-1, 0)


@dataclass(frozen=True, slots=True)
class Batch:
    """What a caller calls it, and a digest of what it holds."""

    key: str
    digest: str


Known = tuple[str, list[Place | None], int]
"""What became of a batch: the boot and places of its events (None: left out), and how many were dropped."""


class Batches:
    """The batches of the last day, the last hundred thousand at most. Used by the collector's one writer."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._used = False

    @cached_property
    def _noted_ms(self) -> deque[int]:
        return deque(sorted(orjson.loads(note)[0] for note in self._spool.notes(PREFIX).values()))

    def known(self, batch: Batch) -> Known | None:
        """What became of it when it came before. Raises EventError where that was another under the same key."""
        name = PREFIX + batch.key
        note = self._spool.notes(name).get(name)
        if note is None:
            return None
        _, digest, boot, runs, dropped = orjson.loads(note)
        if digest != batch.digest:
            raise EventError("another batch came under this key: give each one a key of its own", "batch_reused")
        places = [(frame, first + n) if first else None for frame, first, count in runs for n in range(count)]
        return boot, places, dropped

    def note(self, batch: Batch, boot: str, places: Sequence[Place | None], dropped: int) -> tuple[str, bytes]:
        """The note to be written with the batch."""
        now_ms = time.time_ns() // 1_000_000
        runs = []
        for frame, group in itertools.groupby((place or _LEFT_OUT for place in places), key=lambda place: place[0]):
            indexes = [index for _, index in group]
            runs.append((frame, indexes[0], len(indexes)))
        self._noted_ms.append(now_ms)
        self._used = True
        return PREFIX + batch.key, orjson.dumps((now_ms, batch.digest, boot, runs, dropped))

    def forget(self) -> None:
        """Lets go of the oldest, when there are many or they are old. Raises StorageError."""
        if not self._used:
            return
        self._used = False
        noted, too_old_ms = self._noted_ms, time.time_ns() // 1_000_000 - KEPT_MS
        before_ms = noted[len(noted) // 2] if len(noted) > MAX_KEPT else 0
        if noted[0] < too_old_ms - KEPT_MS // 24:  # an hour's at once
            before_ms = max(before_ms, too_old_ms)
        if before_ms:
            self._spool.forget_notes(PREFIX, before_ms)
            while noted and noted[0] < before_ms:
                noted.popleft()

"""The live tail: one thread looks at what is new, for all who follow."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from itertools import islice

from slmtrail.app.api.limits import Busy
from slmtrail.app.reading import Reading
from slmtrail.core.errors import StorageError, StoreError
from slmtrail.core.ports import Sealed
from slmtrail.core.readers import EVERYTHING
from slmtrail.indexer.store.matching import Fits

log = logging.getLogger(__name__)

LOOK_S, RETRY_S = 0.25, 2.0
MAX_FOLLOWERS, MAX_BEHIND = 50, 1000
MAX_AT_ONCE = 2000


class _Follower:
    """One who follows: what they may see, and how far behind they are."""

    def __init__(self, fits: Fits) -> None:
        self._fits = fits
        self.waiting: asyncio.Queue[Sealed] = asyncio.Queue(MAX_BEHIND)
        self.lost = 0

    def tell(self, sealed: Sealed) -> None:
        if not self._fits(sealed.record):
            return
        if self.waiting.full():
            self.lost += 1
        else:
            self.waiting.put_nowait(sealed)


class Live:
    """What is stored from now on. For one event loop."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading.within(EVERYTHING)
        self._followers: set[_Follower] = set()
        self._looking: asyncio.Task[None] | None = None
        self._begun = asyncio.Event()

    async def follow(
        self, fits: Fits, give: Callable[[Sealed], Sealed], beat_s: float
    ) -> AsyncIterator[Sealed | int | None]:
        """Records that fit, as `give` makes them; None at the start, and where nothing came for a while; a number where
        so many were left out, as the caller is too slow."""
        follower = self._join(fits)
        try:
            await self._begun.wait()
            yield None
            while True:
                try:
                    sealed = await asyncio.wait_for(follower.waiting.get(), beat_s)
                except TimeoutError:
                    yield None
                    continue
                yield give(sealed)
                if follower.lost and follower.waiting.empty():
                    lost, follower.lost = follower.lost, 0
                    yield lost
        finally:
            self._followers.discard(follower)

    def room(self) -> None:
        """Raises Busy where no more can follow."""
        if len(self._followers) >= MAX_FOLLOWERS:
            raise Busy(f"{MAX_FOLLOWERS} already follow, which is as many as can", 503, 30)

    def _join(self, fits: Fits) -> _Follower:
        self.room()
        follower = _Follower(fits)
        self._followers.add(follower)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        return follower

    async def _look(self) -> None:
        """Goes on while there is anyone, and through times in which the store does not answer."""
        seen: dict[str, int] | None = None
        while self._followers:
            try:
                if seen is None:
                    seen = await asyncio.to_thread(self._reading.ends)
                    self._begun.set()
                found = await asyncio.to_thread(self._new, seen)
            except (StoreError, StorageError) as error:
                log.warning("the live tail waits: %s", error)
                await asyncio.sleep(RETRY_S)
                continue
            for sealed in found:
                for follower in self._followers:
                    follower.tell(sealed)
            if len(found) < MAX_AT_ONCE:
                await asyncio.sleep(LOOK_S)
        self._begun.clear()

    def _new(self, seen: dict[str, int]) -> list[Sealed]:
        """The next records; `seen` moves on only where all of them are there."""
        moved = dict(seen)
        found = list(islice(self._reading.newer(moved), MAX_AT_ONCE))
        seen.update(moved)
        return found

"""How readers of the SQLite bus wait for messages without asking all the time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from slmtrail.bus.sqlite_file import Connection
from slmtrail.core.errors import TrailError
from slmtrail.core.ports import Delivery

_SHORTEST_PAUSE_S = 0.002
_LONGEST_PAUSE_S = 0.05


class Bell:
    """Rings at once for what this process writes, and soon for what others do.

    While anyone waits, one task for all asks whether the file changed: often after a ring, less and less
    often while nothing happens.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rung = asyncio.Event()
        self._pause_s = _SHORTEST_PAUSE_S
        self._seen = -1
        self._waiting = 0
        self._watching: asyncio.Task[None] | None = None

    def ring(self) -> None:
        """Makes all who wait look again."""
        self._rung.set()
        self._rung = asyncio.Event()
        self._pause_s = _SHORTEST_PAUSE_S

    async def wait(self, fetch: Callable[[], Awaitable[list[Delivery]]], timeout_ms: int) -> list[Delivery]:
        """The first that `fetch` finds, or nothing after `timeout_ms`."""
        now_s = asyncio.get_running_loop().time
        deadline_s = now_s() + timeout_ms / 1000
        while True:
            # Taken before the look, so that what is written after it is not slept through.
            rung = self._rung
            found = await fetch()
            left_s = deadline_s - now_s()
            if found or left_s <= 0:
                return found
            self._waiting += 1
            if self._watching is None or self._watching.done():
                self._watching = asyncio.create_task(self._watch())
            try:
                async with asyncio.timeout(left_s):
                    await rung.wait()
            except TimeoutError:
                return []
            finally:
                self._waiting -= 1

    async def close(self) -> None:
        """Ends the watch."""
        if self._watching is not None:
            self._watching.cancel()
            with suppress(asyncio.CancelledError):
                await self._watching

    async def _watch(self) -> None:
        while self._waiting:
            await asyncio.sleep(self._pause_s)
            self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)
            try:
                version = await self._connection.run(lambda db: int(db.execute("PRAGMA data_version").fetchone()[0]))
            except TrailError:
                # Those who wait meet the same error, and can tell their callers.
                version = -1
            if version != self._seen or version == -1:
                self._seen = version
                self.ring()

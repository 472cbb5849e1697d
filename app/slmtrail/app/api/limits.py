"""How much readers may ask at once: of each so many requests a minute, of all together so many at a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

AT_ONCE, MAX_WAITING = 4, 64
"""Questions that are put to the store at a time, and those that wait for it."""

LIMIT_S = 30.0
MAX_READERS = 10_000


class Busy(Exception):
    """Too much is asked: come again after `retry_after_s`."""

    def __init__(self, text: str, status: int, retry_after_s: int) -> None:
        super().__init__(text)
        self.status, self.retry_after_s = status, retry_after_s


class Rate:
    """So many requests a minute for each reader, of which a quarter may come at once."""

    def __init__(self, requests_a_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._each_s = 60 / requests_a_minute
        self._burst_s = max(15.0, self._each_s)
        self._clock = clock
        self._free_at_s: dict[str, float] = {}

    def take(self, name: str) -> None:
        """Counts a request. Raises Busy where it is one too many."""
        now = self._clock()
        at_s = max(self._free_at_s.get(name, 0.0), now) + self._each_s
        if at_s - now > self._burst_s:
            raise Busy("you ask too often: see the setting readers.requests_a_minute", 429, 1 + int(self._each_s))
        if len(self._free_at_s) >= MAX_READERS:
            self._free_at_s = {who: free for who, free in self._free_at_s.items() if free > now}
        self._free_at_s[name] = at_s


class Workers:
    """Threads in which the store is asked."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(AT_ONCE, "reading")
        self._waiting = 0

    async def run(self, work: Callable[[], T]) -> T:
        """What `work` returns. Raises Busy where too many wait, or it takes too long; then its thread ends by itself,
        as no question to a store goes on forever."""
        if self._waiting >= MAX_WAITING:
            raise Busy("too much is asked at once: ask again in a while", 503, 5)
        self._waiting += 1
        future = asyncio.get_running_loop().run_in_executor(self._threads, work)
        future.add_done_callback(self._done)
        try:
            return await asyncio.wait_for(asyncio.shield(future), LIMIT_S)
        except TimeoutError:
            raise Busy("this takes too long: narrow it by since:, user: or a rare word", 503, 5) from None

    def _done(self, future: asyncio.Future[T]) -> None:
        self._waiting -= 1
        if not future.cancelled():
            future.exception()  # of one that nobody waits for any longer

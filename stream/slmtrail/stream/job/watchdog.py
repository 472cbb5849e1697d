"""Finds workers that stand still: they hold a partition with messages in it, and commit nothing; or nobody holds it.

It looks from outside, at what the group has committed; what a worker believes of itself does not count. A group
whose broker had come back was seen to share out no partition to its workers, and to stay so.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from slmtrail.bus.kafka_group import Standing
from slmtrail.core.metrics import STREAM_LAG

STALL_S = 120.0
"""More than the longest batch takes."""


class Watchdog:
    """Looks at the group's partitions. `look` gives where each stands, `names` the client of each of our workers."""

    def __init__(
        self, look: Callable[[], Awaitable[list[Standing]]], names: Sequence[str], stall_s: float = STALL_S
    ) -> None:
        self._look = look
        self._numbers = {name: number for number, name in enumerate(names)}
        self._stall_s = stall_s
        self._since: dict[tuple[str, int], tuple[tuple[int, str], float]] = {}
        """Of each partition what was committed by whom, and since when it is so."""

    async def stuck(self, now_s: float) -> list[int]:
        """The numbers of our workers that had work all this time and committed nothing of it, or might have had it."""
        found: set[int] = set()
        lags: dict[str, int] = {}
        for standing in await self._look():
            place = (standing.topic, standing.partition)
            lags[standing.topic] = lags.get(standing.topic, 0) + standing.lag
            state = (standing.committed, standing.client_id)
            known, since_s = self._since.get(place, (None, now_s))
            holders = [number for name, number in self._numbers.items() if standing.client_id in (name, "")]
            if known != state or not standing.lag or not holders:
                self._since[place] = (state, now_s)
            elif now_s - since_s >= self._stall_s:
                found.update(holders)
                self._since[place] = (state, now_s)
        for topic, lag in lags.items():
            STREAM_LAG.labels(topic).set(lag)
        return sorted(found)

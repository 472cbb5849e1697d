"""Believable traffic for a trail that has none yet: a day of history at once, then a few minutes live.

It goes in as any application's would, through the SDK and the HTTP endpoint.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator
from typing import Any

from slmtrail.app.demo.scenes import scene
from slmtrail.collectors.sdk import Trail

SEED = 20260
HISTORY_EVENTS = 600
HISTORY_MS = 24 * 3_600_000
LIVE_S = 240.0
LIVE_PAUSE_S = 1.0
FLUSH_TIMEOUT_S = 30.0

# How busy each hour of the day is, from midnight UTC on.
_RHYTHM = (1, 1, 1, 1, 1, 2, 4, 8, 14, 18, 20, 19, 13, 17, 20, 19, 16, 11, 7, 5, 4, 3, 2, 1)


def history(rng: random.Random, now_ms: int) -> list[dict[str, Any]]:
    """A day of events before `now_ms`, oldest first."""
    timed: list[tuple[int, dict[str, Any]]] = []
    while len(timed) < HISTORY_EVENTS:
        start_ms = now_ms - rng.randrange(HISTORY_MS)
        hour = start_ms // 3_600_000 % 24
        if rng.random() * max(_RHYTHM) > _RHYTHM[hour]:
            continue
        timed += [(start_ms + after_ms, event) for after_ms, event in scene(rng) if start_ms + after_ms < now_ms]
    return [{"@timestamp": at_ms, **event} for at_ms, event in sorted(timed, key=lambda pair: pair[0])]


def live(rng: random.Random) -> Iterator[dict[str, Any]]:
    """Events without a time, without end: three stories at once."""
    stages = [iter(scene(rng)) for _ in range(3)]
    while True:
        place = rng.randrange(len(stages))
        _, event = next(stages[place], (0, None))
        if event is None:
            stages[place] = iter(scene(rng))
        else:
            yield event


async def play(address: str, live_s: float = LIVE_S) -> None:
    """Sends the history to the collector at `address`, and then an event every second or so for `live_s`."""
    rng = random.Random(SEED)  # noqa: S311
    trail = Trail(address)
    for event in history(rng, time.time_ns() // 1_000_000):
        trail.emit(event)
    await asyncio.to_thread(trail.flush, FLUSH_TIMEOUT_S)
    end_s = time.monotonic() + live_s
    stream = live(rng)
    while time.monotonic() < end_s:
        trail.emit(next(stream))
        await asyncio.sleep(rng.expovariate(1 / LIVE_PAUSE_S))

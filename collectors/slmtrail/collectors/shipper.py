"""Ships frames from the spool to the bus, in order, and lets go of them when the bus has acknowledged."""

from __future__ import annotations

import asyncio
import logging
import time

from slmtrail.collectors.spool import Spool, Spooled
from slmtrail.core.errors import BusError, StorageError
from slmtrail.core.frames import SHIP_WINDOW_FRAMES
from slmtrail.core.metrics import EVENTS_DROPPED, FRAMES_SHIPPED, SHIP_FAILURES
from slmtrail.core.ports import FRAMES, Message, Publisher
from slmtrail.core.tracing import TRACING, frames_in

log = logging.getLogger(__name__)

WINDOW_BYTES = 8 * 1024 * 1024
RETRY_MIN_S = 0.2
RETRY_MAX_S = 10.0


class Shipper:
    """One ordered queue from one spool to the bus."""

    def __init__(self, collector: str, spool: Spool, bus: Publisher, max_age_ms: int | None = None) -> None:
        self._collector = collector
        self._spool = spool
        self._bus = bus
        self._max_age_ms = max_age_ms
        self._wake = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def notify(self) -> None:
        """There is a new frame; may be called from any thread."""
        self._loop.call_soon_threadsafe(self._wake.set)

    async def run(self) -> None:
        """Ships until cancelled. Tries again for ever, ever more slowly, while the bus is away or the disk refuses."""
        wait_s = RETRY_MIN_S
        while True:
            self._wake.clear()
            try:
                shipped = await self.ship()
            except (BusError, StorageError) as error:
                SHIP_FAILURES.inc()
                log.warning("frames stay in the spool (%d bytes): %s", self._spool.waiting_bytes, error)
                await asyncio.to_thread(self._drop_old)
                await asyncio.sleep(wait_s)
                wait_s = min(wait_s * 2, RETRY_MAX_S)
                continue
            wait_s = RETRY_MIN_S
            if not shipped:
                await self._wake.wait()

    async def ship(self) -> int:
        """Ships one window; returns how many frames that was."""
        frames = await asyncio.to_thread(self._window)
        if frames:
            with TRACING.span("ship", lambda: frames_in(frame.data for frame in frames)):
                await self._bus.publish(FRAMES, [Message(self._collector, frame.data) for frame in frames])
            await asyncio.to_thread(self._spool.forget, frames)
            FRAMES_SHIPPED.inc(len(frames))
        return len(frames)

    def _window(self) -> list[Spooled]:
        return self._spool.oldest(SHIP_WINDOW_FRAMES, WINDOW_BYTES)

    def _drop_old(self) -> None:
        """Lets go of what has waited too long. Of the window under way the bus may have some, so that stays."""
        if self._max_age_ms is None:
            return
        try:
            window = self._window()
            before_ms = time.time_ns() // 1_000_000 - self._max_age_ms
            if window and (lost := self._spool.drop_older(before_ms, window[-1].id)):
                log.error("%d events waited too long (collector.spool_max_age_hours) and are dropped", lost)
                EVENTS_DROPPED.inc(lost)
        except StorageError as error:
            log.warning("what waits too long can't be dropped for now: %s", error)

"""The stream without Faust: one consumer, one loop. What `slmtrail up` runs."""

from __future__ import annotations

import asyncio
import time
from functools import partial

from slmtrail.core.metrics import PROCESS_SECONDS
from slmtrail.core.ports import FRAMES, SIGNALS, Bus
from slmtrail.core.tracing import TRACING, frames_in
from slmtrail.stream.alerting import alerted, told
from slmtrail.stream.chain import Chain
from slmtrail.stream.emit import carried, keep, next_keeping_s, publish, remembered
from slmtrail.stream.job.repartition import opened
from slmtrail.stream.judge.windows import Windows
from slmtrail.stream.process import Desk, in_force, process

GROUP = "slmtrail-stream"
POLL_MS = 1000
TICK_S = 10.0
PATIENCE_S = 60.0
"""After a start nobody is called silent for so long: collectors may start with us."""


async def run(bus: Bus, desk: Desk, batch_frames: int, over: asyncio.Event) -> None:
    """Works until cancelled, or until the batch at hand when it is `over`. Any failure ends it: what was not
    acknowledged is delivered again."""
    await publish(in_force(desk), bus)
    chains = await carried(bus)
    windows = Windows(desk.judge)
    windows.restore_shards(await remembered(bus))
    subscription, erasing = await bus.subscribe(FRAMES, GROUP), await bus.subscribe(SIGNALS, GROUP)
    moved: dict[str, Chain] = {}
    next_tick_s, next_keep_s = time.monotonic() + PATIENCE_S, 0.0
    try:
        while True:
            ending = over.is_set()
            by_time = windows.take(desk.judge.refused(time.time_ns() // 1_000_000))
            batch = [] if ending else await subscription.poll(batch_frames, POLL_MS)
            erasures = await erasing.poll(batch_frames, 0)
            for delivery in erasures:
                # No signals travel here, only who is to be forgotten.
                await asyncio.to_thread(windows.forget, opened(delivery.value).forget)
            if batch:
                with TRACING.span("process", partial(frames_in, [delivery.value for delivery in batch])):
                    with PROCESS_SECONDS.time():
                        output = await asyncio.to_thread(process, batch, chains, desk)
                        output = await asyncio.to_thread(alerted, output, windows, desk)
                    await publish(output, bus)
                chains.update(output.chains)
                moved.update(output.chains)
            if len(batch) < batch_frames and time.monotonic() >= next_tick_s:
                # Only while nothing waits: what seems silent may be in what we have not read yet.
                next_tick_s = time.monotonic() + TICK_S
                by_time += windows.tick(time.time_ns() // 1_000_000)
            if by_time:
                await publish(told(by_time, desk), bus)
            if by_time or erasures or ending or time.monotonic() >= next_keep_s:
                # What only time has told is kept at once: it would not be told again just so.
                began_s = time.monotonic()
                await keep(moved, bus, await asyncio.to_thread(windows.changed))
                moved.clear()
                await subscription.commit()
                await erasing.commit()
                next_keep_s = next_keeping_s(began_s)
            if ending:
                return
    finally:
        await subscription.close()
        await erasing.close()

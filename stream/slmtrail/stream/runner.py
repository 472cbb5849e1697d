"""The stream without Faust: one consumer, one loop. What `slmtrail up` runs."""

from __future__ import annotations

import asyncio
import time
from functools import partial

from slmtrail.core.metrics import PROCESS_SECONDS
from slmtrail.core.ports import FRAMES, SIGNALS, Bus
from slmtrail.core.tracing import TRACING, frames_in
from slmtrail.stream.alerting import alerted, with_alerts
from slmtrail.stream.emit import carried, publish, remembered
from slmtrail.stream.job.repartition import opened
from slmtrail.stream.judge.windows import Windows
from slmtrail.stream.process import Desk, Output, in_force, process

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
    subscription, told = await bus.subscribe(FRAMES, GROUP), await bus.subscribe(SIGNALS, GROUP)
    next_tick_s = time.monotonic() + PATIENCE_S
    try:
        while not over.is_set():
            if refused := desk.judge.refused(time.time_ns() // 1_000_000):
                await publish(with_alerts(Output(), windows.take(refused), windows, desk), bus)
            batch = await subscription.poll(batch_frames, POLL_MS)
            if erasures := await told.poll(batch_frames, 0):
                # No signals travel here, only who is to be forgotten.
                for delivery in erasures:
                    await asyncio.to_thread(windows.forget, opened(delivery.value).forget)
                await publish(with_alerts(Output(), [], windows, desk), bus)
                await told.commit()
            if batch:
                with TRACING.span("process", partial(frames_in, [delivery.value for delivery in batch])):
                    with PROCESS_SECONDS.time():
                        output = await asyncio.to_thread(process, batch, chains, desk)
                        output = await asyncio.to_thread(alerted, output, windows, desk)
                    await publish(output, bus)
                chains.update(output.chains)
                await subscription.commit()
            if len(batch) < batch_frames and time.monotonic() >= next_tick_s:
                # Only while nothing waits: what seems silent may be in what we have not read yet.
                next_tick_s = time.monotonic() + TICK_S
                ticked = windows.tick(time.time_ns() // 1_000_000)
                await publish(with_alerts(Output(), ticked, windows, desk), bus)
    finally:
        await subscription.close()
        await told.close()

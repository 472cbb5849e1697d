"""What one worker does with what it is delivered; Faust feeds it, and a test may.

Two lines of work, of which each does one batch at a time: frames become records and signals, and signals become alerts.
A rebalance waits for both (`let_go`), so that nothing of a partition is published once another worker has it.

A message passed over would be lost for good, as its collector's chain has gone on without it. So each has to follow the
one before it, and the first the group's last commit. One that begins again was made anew, and is begun with anew.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence

from slmtrail.core.errors import TrailError
from slmtrail.core.metrics import PROCESS_SECONDS, SIGNAL_FRAMES
from slmtrail.core.ports import FRAMES, SIGNALS, STATE, Bus, Delivery, Message
from slmtrail.core.tracing import TRACING, frames_in
from slmtrail.stream.alerting import told
from slmtrail.stream.chain import Chain
from slmtrail.stream.emit import SHARDS, chains_in, keep, next_keeping_s, publish
from slmtrail.stream.job import repartition
from slmtrail.stream.job.shards import Shards
from slmtrail.stream.judge.alerts import Alert
from slmtrail.stream.process import Desk, Output, deadletter, process

log = logging.getLogger(__name__)

Check = Callable[[], None]


class PassedOver(TrailError):
    """A message did not follow the one before it, or its topic began again. Nothing of it was taken in; a restart reads
    from the last commit."""


class Worker:
    """One worker of the job. `still_ours` ends the process where the partitions may be another's already."""

    def __init__(self, bus: Bus, desk: Desk, partitions: int, still_ours: Check) -> None:
        self._bus = bus
        self._desk = desk
        self._partitions = partitions
        self._still_ours = still_ours
        self._chains: dict[str, Chain] = {}
        self._shards = Shards(desk.judge, partitions)
        self._framing, self._judging = asyncio.Lock(), asyncio.Lock()
        self._acks: list[Callable[[], None]] = []
        self._next_snapshot_s = 0.0
        self._next: dict[tuple[str, int], int] = {}
        """The next message of each partition that is ours."""
        self._holds = asyncio.Event()

    async def hold(self, following: Mapping[tuple[str, int], int], ends: Mapping[tuple[str, int], int]) -> None:
        """Takes over partitions of frames and signals, each from the message that follows the group's last commit, and
        with what the bus has kept of them. `ends`: where all partitions end."""
        state = await self._bus.newest(STATE)
        kept = {int(name.removeprefix(SHARDS)): data for name, data in state.items() if name.startswith(SHARDS)}
        self._chains = chains_in(state)
        ours = {partition: ends[topic, partition] for topic, partition in following if topic == SIGNALS}
        sources = {partition: end for (topic, partition), end in ends.items() if topic == FRAMES}
        await self._begin_anew(sources, {partition for topic, partition in following if topic == FRAMES})
        self._shards.hold(ours, kept, sources)
        self._next = dict(following)
        self._holds.set()

    async def _begin_anew(self, ends: Mapping[int, int], ours: Collection[int]) -> None:
        """Lets chains begin with a topic that was made anew; kept at once, for it may soon reach to what was seen."""
        anew = {name: chain for name, chain in self._chains.items() if not chain.fits(ends)}
        for name, chain in anew.items():
            log.warning("%s: its frames begin anew: their topic ends before what was seen of it", name)
            chain.offset = -1
        if kept := {name: chain for name, chain in anew.items() if chain.partition in ours}:
            self._still_ours()
            await keep(kept, self._bus)

    async def let_go(self) -> None:
        """Finishes what is under way, keeps what is known on the bus, and takes nothing more."""
        async with self._framing, self._judging:
            if self._holds.is_set():
                await self._keep()
            self._holds.clear()
            self._acks.clear()

    async def ready(self) -> None:
        """Returns when partitions are ours: messages may come before, while what is kept of them is being read."""
        await self._holds.wait()

    async def frames(self, batch: Sequence[Delivery], ack: Callable[[], None]) -> None:
        """Frames become records and signals; acknowledged when all of it is on the bus."""
        async with self._framing:
            if not self._holds.is_set():
                return
            self._follow(batch)
            with TRACING.span("process", lambda: frames_in(delivery.value for delivery in batch)):
                with PROCESS_SECONDS.time():
                    output = await asyncio.to_thread(process, batch, self._chains, self._desk)
                    signals = await asyncio.to_thread(repartition.packed, output, self._partitions)
                self._still_ours()
                await publish(output, self._bus, signals)
                await keep(output.chains, self._bus)
            self._chains.update(output.chains)
            ack()

    async def signals(self, batch: Sequence[Delivery], ack: Callable[[], None]) -> None:
        """Signals become alerts; acknowledged when what the windows remember of them is on the bus too."""
        async with self._judging:
            if not self._holds.is_set():
                return
            self._follow(batch)
            output = await asyncio.to_thread(self._look, batch)
            self._still_ours()
            await publish(output, self._bus)
            SIGNAL_FRAMES.inc(len(batch))
            self._acks.append(ack)
            if time.monotonic() >= self._next_snapshot_s:
                await self._keep()

    async def settle(self) -> None:
        """Keeps what the windows remember on the bus where that is due; to be called now and then."""
        if self._acks and time.monotonic() >= self._next_snapshot_s:
            async with self._judging:
                if self._holds.is_set():
                    await self._keep()

    async def tell_refused(self) -> None:
        """Tells the windows what came and can't be used: a rule, a policy."""
        now_ms = time.time_ns() // 1_000_000
        await self._bus.publish(SIGNALS, repartition.refused(self._desk.judge, now_ms, self._partitions))

    async def tell_time(self, clocks: dict[int, int]) -> None:
        """Tells all windows what time it is in these partitions of the frames."""
        if clocks:
            await self._bus.publish(SIGNALS, repartition.clocks(clocks, self._partitions))

    def _follow(self, batch: Sequence[Delivery]) -> None:
        for delivery in batch:
            place = (delivery.topic, delivery.partition)
            if delivery.offset > self._next[place] or (delivery.offset == 0 and self._next[place]):
                text = f"{delivery.offset} came where {self._next[place]} should"
                raise PassedOver(f"{place[0]}, partition {place[1]}: {text}")
            self._next[place] = max(self._next[place], delivery.offset + 1)

    def _look(self, batch: Sequence[Delivery]) -> Output:
        alerts: list[Alert] = []
        letters: list[Message] = []
        for delivery in batch:
            try:
                frame = repartition.opened(delivery.value)
            except (ValueError, KeyError, TypeError) as error:
                letters.append(deadletter(delivery, None, "bad_signals", f"is no frame of signals: {error!r:.200}"))
                continue
            alerts += self._shards.take(delivery.partition, delivery.offset, frame)
        output = told(alerts, self._desk)
        output.deadletters = letters
        return output

    async def _keep(self) -> None:
        began_s = time.monotonic()
        moved = await asyncio.to_thread(self._shards.moved)
        self._still_ours()
        await self._bus.publish(STATE, [Message(f"{SHARDS}{number}", data) for number, data in moved.items()])
        for ack in self._acks:
            ack()
        self._acks.clear()
        self._next_snapshot_s = next_keeping_s(began_s)

"""The stream on Faust: it carries the consumer group, its rebalances and its commits, and nothing else.

No tables, no exactly-once, no concurrency: batches go to the worker, which says when they may be acknowledged. Anything
unexpected ends the process at once, so that it starts again from the last commit.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import faust
from faust.auth import SASLCredentials, SSLCredentials

from slmtrail.bus.kafka_access import NO_ACCESS, Access
from slmtrail.bus.kafka_group import KafkaGroup
from slmtrail.core import garbage
from slmtrail.core.health import HEALTH
from slmtrail.core.ports import FRAMES, SIGNALS, Bus, Delivery
from slmtrail.stream.emit import publish
from slmtrail.stream.job.pulse import Pulse, end, end_with_starter
from slmtrail.stream.job.worker import Worker
from slmtrail.stream.process import Desk, in_force
from slmtrail.stream.runner import GROUP, PATIENCE_S, TICK_S

log = logging.getLogger(__name__)

TAKE_WITHIN_S = 0.05
SESSION_S = 20.0
"""How long the partitions of a worker that is gone wait for its return."""
BEAT_S = 0.5
DRAIN_S = 20.0
"""How long a stopping worker finishes what is under way, before it is left to the next start."""
FETCH_BYTES = 2 * 1024 * 1024
"""Read ahead of each partition; a larger message comes alone."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a worker runs. client_id: how the group names it. folder: for Faust's own files."""

    broker: str
    client_id: str
    folder: Path
    batch_frames: int
    access: Access = NO_ACCESS


class Job:
    """The Faust app around one worker."""

    def __init__(self, place: Place, bus: Bus, desk: Desk, partitions: int) -> None:
        self._pulse = Pulse(SESSION_S / 2)
        self._partitions = partitions
        self._worker = Worker(bus, desk, partitions, self._pulse.check)
        self._done: dict[int, int] = {}
        """The next frame of each partition that was not looked at."""
        self._batch_frames = place.batch_frames
        self._group = KafkaGroup(place.broker.split(","), GROUP, [FRAMES, SIGNALS], place.access.options())
        self.app = _app(place)
        self._frames, self._signals = self._topic(FRAMES), self._topic(SIGNALS)
        self.app.on_partitions_revoked.connect(self._revoked, weak=False)
        self.app.on_partitions_assigned.connect(self._assigned, weak=False)
        self.app.agent(self._frames, name="frames", concurrency=1)(self._take_frames)
        self.app.agent(self._signals, name="signals", concurrency=1)(self._take_signals)

    async def run(self, over: Awaitable[object]) -> None:
        """Works until SIGINT or SIGTERM, or until it is `over`."""
        stop = asyncio.Event()
        ending = asyncio.ensure_future(over)
        ending.add_done_callback(lambda _: stop.set())
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        HEALTH.loop = asyncio.get_running_loop()
        self.app.finalize()
        beating = asyncio.create_task(self._beat(stop))
        await self.app.start()
        await beating
        ending.cancel()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_S):
                await self._worker.let_go()
                await self.app.consumer.commit()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_S / 2):
                await self.app.stop()

    async def _beat(self, stop: asyncio.Event) -> None:
        """Until it is time to stop: sees that all goes on, and tells the windows the time."""
        next_tick_s = time.monotonic() + PATIENCE_S
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), BEAT_S)
            async with _or_end():
                self._pulse.beat()
                if self.app.crashed:
                    raise RuntimeError("Faust crashed") from self.app.crash_reason
                await self._worker.settle()
                await self._worker.tell_refused()
                if time.monotonic() >= next_tick_s:
                    next_tick_s = time.monotonic() + TICK_S
                    await self._worker.tell_time(await self._clocks())

    async def _take_frames(self, stream: Any) -> None:
        async with _or_end():
            async for taken in stream.noack_take(self._batch_frames, within=TAKE_WITHIN_S):
                if batch := await self._current(taken):
                    await self._worker.frames([_delivery(event) for event in batch], partial(self._ack, batch))

    async def _take_signals(self, stream: Any) -> None:
        async with _or_end():
            async for taken in stream.noack_take(self._batch_frames, within=TAKE_WITHIN_S):
                if batch := await self._current(taken):
                    await self._worker.signals([_delivery(event) for event in batch], partial(self._ack, batch))

    async def _revoked(self, *_: Any, **__: Any) -> None:
        async with _or_end():
            await self._worker.let_go()
            await self.app.consumer.commit()
            self._done.clear()

    async def _assigned(self, *args: Any, **_: Any) -> None:
        assigned = {(place.topic, place.partition) for place in args[-1]}
        async with _or_end():
            began_s = time.monotonic()
            standings = await self._group.standings()
            following = {(each.topic, each.partition): each.committed for each in standings}
            ends = {(each.topic, each.partition): each.end for each in standings}
            await self._worker.hold({place: following[place] for place in assigned}, ends)
            HEALTH.tell("process")
            log.info("took over %d partitions in %.1f s", len(assigned), time.monotonic() - began_s)

    def _ack(self, events: Sequence[Any]) -> None:
        for event in events:
            event.ack()
            if event.message.topic == FRAMES:
                self._done[event.message.partition] = event.message.offset + 1

    async def _current(self, events: Sequence[Any]) -> list[Any]:
        """Those that are not from before the partitions were shared out anew: these are delivered again, to whom they
        belong. Faust delivers before it has told us of the partitions, so this waits until it has."""
        await self._worker.ready()
        return [event for event in events if event.message.generation_id == self.app.consumer_generation_id]

    async def _clocks(self) -> dict[int, int]:
        """Of each of our partitions of which everything has been read: the time."""
        now_ms = time.time_ns() // 1_000_000
        clocks = {}
        for place in self.app.consumer.assignment():
            if place.topic != FRAMES or place.partition >= self._partitions:
                continue
            done, end_ = self._done.get(place.partition), self.app.consumer.highwater(place)
            if done is None:
                done = await self.app.consumer.position(place)
            if end_ is not None and done is not None and done >= end_:
                clocks[place.partition] = now_ms
        return clocks

    def _topic(self, name: str) -> Any:
        return self.app.topic(name, value_type=bytes, key_type=bytes, value_serializer="raw", key_serializer="raw")


def _app(place: Place) -> faust.App:
    return faust.App(
        GROUP,
        broker=f"kafka://{place.broker}",
        broker_credentials=_credentials(place.access),
        broker_client_id=place.client_id,
        # Static: one that is started again goes on with its partitions at once, and its ghost is shut out.
        consumer_group_instance_id=place.client_id,
        store="memory://",
        datadir=place.folder,
        web_enabled=False,
        topic_disable_leader=True,
        topic_allow_declare=False,
        processing_guarantee="at_least_once",
        consumer_auto_offset_reset="earliest",
        broker_session_timeout=SESSION_S,
        broker_heartbeat_interval=SESSION_S / 5,
        consumer_max_fetch_size=FETCH_BYTES,
        # What waits in memory is bounded: a queue that is full stops the reading.
        stream_buffer_maxsize=place.batch_frames,
        stream_wait_empty=False,
        broker_commit_every=1,
        value_serializer="raw",
        key_serializer="raw",
    )


def _credentials(access: Access) -> SASLCredentials | SSLCredentials | None:
    """The same as every other client shows, as Faust takes it."""
    options = access.options()
    context = options.get("ssl_context")
    if access.user:
        return SASLCredentials(
            username=access.user, password=access.password, ssl_context=context, mechanism=access.mechanism
        )
    return SSLCredentials(context) if context else None


@contextlib.asynccontextmanager
async def _or_end() -> AsyncIterator[None]:
    try:
        yield
    except (asyncio.CancelledError, GeneratorExit):
        raise
    except BaseException:
        log.exception("the stream met something unexpected and ends, to start again from the last commit")
        end()


def _delivery(event: Any) -> Delivery:
    message = event.message
    return Delivery(
        topic=message.topic,
        partition=message.partition,
        offset=message.offset,
        key=(message.key or b"").decode(errors="replace"),
        value=message.value or b"",
        timestamp_ms=int(message.timestamp * 1000),
    )


async def work(
    place: Place, connect: Callable[[], Awaitable[Bus]], desk: Desk, over: Callable[[Desk], Awaitable[object]]
) -> None:
    """Runs a worker in this process until a signal, until its desk is `over`, or until its supervisor is gone.
    `connect` opens the bus on which the output is published."""
    end_with_starter()
    garbage.look_seldom()
    bus = await connect()
    try:
        await bus.ensure_topics()
        await publish(in_force(desk), bus)
        await Job(place, bus, desk, await bus.partitions(FRAMES)).run(over(desk))
    finally:
        await bus.close()

"""The shipper: everything in order, nothing let go of before the bus has it, and no end to its patience."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from builders import Edge
from slmtrail.collectors import shipper as module
from slmtrail.collectors.missing import Missing
from slmtrail.collectors.shipper import Shipper
from slmtrail.collectors.spool import Spool
from slmtrail.core.errors import BusError, StorageError
from slmtrail.core.frames import to_bytes
from slmtrail.core.ports import FRAMES, Message


class _Bus:
    """A bus that fails when it is told to; before it does, it may have kept some."""

    def __init__(self) -> None:
        self.kept: list[bytes] = []
        self.failures = 0
        self.calls = 0
        self.keeps_before_failing = 0

    async def publish(self, topic: str, messages: Sequence[Message]) -> None:
        assert topic == FRAMES
        assert {message.key for message in messages} == {"edge-1"}
        self.calls += 1
        values = [message.value for message in messages]
        if self.failures:
            self.failures -= 1
            self.kept += values[: self.keeps_before_failing]
            raise BusError("the bus is away")
        self.kept += values

    async def close(self) -> None: ...


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY_MIN_S", 0.001)
    monkeypatch.setattr(module, "RETRY_MAX_S", 0.004)


def _fill(spool: Spool, start: int, end: int) -> list[bytes]:
    frames = [b"frame %06d" % n for n in range(start, end)]
    for frame in frames:
        spool.commit([frame])
    return frames


async def _until(condition: Any) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def _running(shipper: Shipper, work: Any) -> None:
    task = asyncio.create_task(shipper.run())
    try:
        await work()
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def test_frames_arrive_in_order_window_by_window_and_leave_the_spool(spool: Spool) -> None:
    async def run() -> None:
        bus = _Bus()
        shipper = Shipper("edge-1", spool, bus)
        frames = _fill(spool, 0, 150)

        async def work() -> None:
            await _until(lambda: len(bus.kept) == 150 and not spool.waiting_bytes)
            assert bus.calls == 3
            more = await asyncio.to_thread(_fill, spool, 150, 160)
            await asyncio.to_thread(shipper.notify)
            await _until(lambda: not spool.waiting_bytes)
            assert bus.kept == frames + more

        await _running(shipper, work)

    asyncio.run(run())


def test_a_window_is_bounded_in_bytes(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WINDOW_BYTES", 50)

    async def run() -> None:
        bus = _Bus()
        shipper = Shipper("edge-1", spool, bus)
        _fill(spool, 0, 10)
        spool.commit([bytes(500)])
        assert [await shipper.ship() for _ in range(5)] == [4, 4, 2, 1, 0]

    asyncio.run(run())


def test_while_the_bus_is_away_frames_wait_and_then_all_arrive_in_order(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    real_sleep = asyncio.sleep

    ours = threading.get_ident()

    async def sleep(delay_s: float) -> None:
        if threading.get_ident() == ours:  # servers of other tests may go on in theirs
            waits.append(delay_s)
        await real_sleep(0)

    async def run() -> None:
        bus = _Bus()
        bus.failures = 6
        shipper = Shipper("edge-1", spool, bus)
        frames = _fill(spool, 0, 70)
        monkeypatch.setattr("asyncio.sleep", sleep)

        async def work() -> None:
            async with asyncio.timeout(20):
                while spool.waiting_bytes:
                    await real_sleep(0.001)
            assert bus.kept == frames

        await _running(shipper, work)
        assert waits[:6] == [0.001, 0.002, 0.004, 0.004, 0.004, 0.004]

    asyncio.run(run())


def test_what_a_failing_bus_may_have_kept_comes_again_in_order(spool: Spool) -> None:
    async def run() -> None:
        bus = _Bus()
        bus.failures, bus.keeps_before_failing = 2, 3
        frames = _fill(spool, 0, 10)

        async def work() -> None:
            await _until(lambda: not spool.waiting_bytes)
            assert bus.kept == frames[:3] * 2 + frames

        await _running(Shipper("edge-1", spool, bus), work)

    asyncio.run(run())


def test_a_crash_between_publishing_and_forgetting_only_repeats(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        bus = _Bus()
        frames = _fill(spool, 0, 5)
        with monkeypatch.context() as crash:
            crash.setattr(spool, "forget", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                await Shipper("edge-1", spool, bus).ship()
        assert [frame.data for frame in spool.oldest(10, 1000)] == frames
        assert await Shipper("edge-1", spool, bus).ship() == 5
        assert bus.kept == frames * 2
        assert spool.waiting_bytes == 0

    asyncio.run(run())


@pytest.mark.parametrize("broken", ["oldest", "forget"])
def test_a_disk_that_refuses_is_waited_for(spool: Spool, monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    async def run() -> None:
        bus = _Bus()
        failures = 3
        real = getattr(spool, broken)

        def refuse(*args: Any) -> Any:
            nonlocal failures
            failures -= 1
            if failures >= 0:
                raise StorageError("the disk is full")
            return real(*args)

        monkeypatch.setattr(spool, broken, refuse)
        frames = _fill(spool, 0, 5)

        async def work() -> None:
            await _until(lambda: not spool.waiting_bytes)
            assert list(dict.fromkeys(bus.kept)) == frames
            assert bus.kept[-5:] == frames

        await _running(Shipper("edge-1", spool, bus), work)

    asyncio.run(run())


def test_a_frame_that_comes_while_the_last_is_shipped_is_not_forgotten(spool: Spool) -> None:
    async def run() -> None:
        bus = _Bus()
        shipper = Shipper("edge-1", spool, bus)
        real = bus.publish

        async def publish(topic: str, messages: Sequence[Message]) -> None:
            await real(topic, messages)
            if len(bus.kept) < 20:
                await asyncio.to_thread(_fill, spool, len(bus.kept), len(bus.kept) + 1)
                shipper.notify()

        bus.publish = publish  # type: ignore[method-assign]
        _fill(spool, 0, 1)

        async def work() -> None:
            await _until(lambda: len(bus.kept) == 20)

        await _running(shipper, work)

    asyncio.run(run())


def test_what_waited_too_long_is_dropped_but_not_what_is_under_way(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SHIP_WINDOW_FRAMES", 2)
    edge = Edge(X25519PrivateKey.generate(), now_ms=1_000_000)
    frames = [to_bytes(edge.frame([b"{}"] * 10)) for _ in range(5)]
    spool.commit(frames)

    async def run() -> None:
        bus = _Bus()
        bus.failures = 1
        shipper = Shipper("edge-1", spool, bus, max_age_ms=3_600_000)

        async def work() -> None:
            await _until(lambda: not spool.waiting_bytes)
            assert bus.kept == frames[:2]
            assert spool.unsigned == Missing(30)

        await _running(shipper, work)

    asyncio.run(run())

"""The stream's loop: what was not kept when it is cut off is done again from the last keeping, to the same bytes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from pathlib import Path

import pytest

from builders import Stream
from jobs import by_id, expected, now_ms, read_all, until
from slmtrail.bus.connect import connect
from slmtrail.core import frames
from slmtrail.core.frames import Frame
from slmtrail.core.ports import ALERTS, FRAMES, RECORDS, Bus, Message
from slmtrail.stream import emit, runner

FAILED = {"slm.kind": "auth", "event.action": "login", "event.outcome": "failure", "user.id": "bob"}


@pytest.mark.parametrize("ends_well", [False, True])
def test_it_goes_on_from_where_it_last_kept_its_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ends_well: bool
) -> None:
    monkeypatch.setattr(emit, "KEEP_S", 1e9)
    stream = Stream(tmp_path)
    edge = stream.edge()
    edge.now_ms = now_ms()
    made = [edge.frame([FAILED | {"@timestamp": edge.now_ms}] * 3) for _ in range(6)]

    async def worked(bus: Bus, some: Sequence[Frame], records: int) -> None:
        """The loop over these frames, until there are so many records, and its end."""
        over, seen = asyncio.Event(), list[bytes]()
        reader = await bus.read(RECORDS, 0, 0)
        task = asyncio.create_task(runner.run(bus, stream.desk, 2, over))
        for frame in some:
            await bus.publish(FRAMES, [Message(edge.name, frames.to_bytes(frame))])

        async def are_there() -> bool:
            seen.extend(one.value for one in await reader.poll(1000, 0))
            return task.done() or len(by_id(seen)) >= records

        await until("the records", are_there)
        over.set() if ends_well else task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    async def all_of_it() -> None:
        bus = connect(f"sqlite:{tmp_path / 'bus.sqlite'}", partitions=1)
        await bus.ensure_topics()
        await worked(bus, made[:4], 14)
        await worked(bus, made[4:], 20)
        should = expected(await read_all(bus, FRAMES, 1), stream.desk)
        records = [one.value for one in await read_all(bus, RECORDS, 1)]
        assert by_id(records) == should.records | should.alerts
        assert by_id(one.value for one in await read_all(bus, ALERTS, 1)) == should.alerts != {}
        assert (len(records) == len(by_id(records))) is ends_well
        await bus.close()

    asyncio.run(all_of_it())

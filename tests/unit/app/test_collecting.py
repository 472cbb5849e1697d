"""A collector of any kind keeps what its policy says, and follows it: the file as it changes, and decisions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from slmtrail.app import parts
from slmtrail.app.running.run import collecting
from slmtrail.collectors.collector import Collector
from slmtrail.collectors.guard import upkeep
from slmtrail.core import canonical, events, frames, keys
from slmtrail.core.control import Decision
from slmtrail.core.errors import StorageError
from slmtrail.core.ports import CONTROL, FRAMES, Message
from slmtrail.core.settings import Settings


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(30):
        while not await condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def level(collector: Collector) -> str | None:
    """How much is kept of an event that is given now."""
    event = {"slm.kind": "inference", "gen_ai.request.model": "m", "gen_ai.input.messages": "hi"}
    line = canonical.dumps(events.parse(event, 0))
    await asyncio.wrap_future(collector.submit([line]))
    spooled = await asyncio.to_thread(collector.spool.oldest, 1000, 1 << 30)
    key = keys.decryption_key(Path(collector.spool._path).parents[2] / "keys" / "stream.pem")
    kept: dict[str, Any] = orjson.loads(frames.from_bytes(spooled[-1].data).open(key)[1][-1])
    assert ("gen_ai.input.messages" in kept) == (kept.get("slm.capture.level") != "metadata")
    return kept.get("slm.capture.level")


def test_the_policy_in_force_is_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "LOOK_S", 0.01)
    file = tmp_path / "policy.yaml"
    file.write_text("capture: {level: metadata}\n")
    settings = Settings(data=tmp_path / "data", policy=file)
    parts.make_keys(settings)
    signer = keys.signing_key(settings.keys / "control.pem")

    async def is_level(collector: Collector, wanted: str | None) -> bool:
        return await level(collector) == wanted

    looks: list[Path] = []
    stamp = upkeep._stamp
    monkeypatch.setattr(upkeep, "_stamp", lambda file: (looks.append(file), stamp(file))[1])

    async def looked() -> bool:
        return bool(looks)

    async def run() -> None:
        bus = parts.open_bus(settings)
        await bus.ensure_topics()
        async with collecting(settings, bus) as (collector, work):
            assert await level(collector) == "metadata"
            monkeypatch.setattr(work.shipper, "ship", asyncio.Event().wait)
            working = asyncio.create_task(work.run())
            await until(looked)
            file.write_text("version: open\n")
            await until(lambda: is_level(collector, None))
            ordered = Decision("policy", "policy", 1, policy="capture: {level: redacted}\n")
            await bus.publish(CONTROL, [Message("policy", ordered.sign(signer))])
            await until(lambda: is_level(collector, "redacted"))
            working.cancel()
            monkeypatch.undo()
        reader = await bus.read(FRAMES, 0, 0)
        key = keys.decryption_key(settings.keys / "stream.pem")
        shipped = [frames.from_bytes(one.value).open(key)[1] for one in await reader.poll(1000, 0)]
        told = [orjson.loads(line) for lines in shipped for line in lines if b'"policy_in_force"' in line]
        assert [event["event.action"] for event in told] == ["policy_in_force"] * 3
        await reader.close()
        await bus.close()

    asyncio.run(run())


def test_a_collector_without_a_policy_tells_of_none(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    parts.make_keys(settings)

    async def run() -> None:
        bus = parts.open_bus(settings)
        async with collecting(settings, bus) as (collector, _):
            assert await level(collector) is None
            spooled = collector.spool.oldest(10, 1 << 30)
            assert [frames.from_bytes(one.data).header.events for one in spooled] == [0, 1]
        await bus.close()

    asyncio.run(run())


def test_a_process_does_not_go_on_without_its_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(data=tmp_path)
    parts.make_keys(settings)
    monkeypatch.setattr("slmtrail.app.running.run.LOOK_S", 0.01)
    monkeypatch.setattr("threading.excepthook", lambda _: None)

    async def run() -> None:
        bus = parts.open_bus(settings)
        async with collecting(settings, bus) as (collector, work):
            working = asyncio.create_task(work.run())
            monkeypatch.setattr(collector, "_screen", "no screen")
            with pytest.raises(StorageError, match="is stopping"):
                await asyncio.wrap_future(collector.submit([b"{}"]))
            with pytest.raises(StorageError, match="writer has ended"):
                await asyncio.wait_for(working, 30)
            collector.stop()
        await bus.close()

    asyncio.run(run())

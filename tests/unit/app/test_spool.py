"""`slmtrail spool`: what waits is counted, carried in a file, and published elsewhere as it is."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner, Result

from slmtrail.app import parts
from slmtrail.app.cli import app
from slmtrail.collectors.collector import Collector
from slmtrail.collectors.missing import Missing
from slmtrail.collectors.spool import FILE_NAME
from slmtrail.core import frames
from slmtrail.core.errors import FrameError, SettingsError, StorageError
from slmtrail.core.ports import FRAMES
from slmtrail.core.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = Settings(data=tmp_path / "data")
    parts.make_keys(made)
    return made


@contextlib.contextmanager
def collected(settings: Settings, count: int) -> Iterator[Collector]:
    """A collector that runs and has taken `count` events."""
    spool = parts.open_spool(settings)
    collector = Collector(parts.identity(settings), spool)
    collector.start()
    for number in range(count):
        collector.submit([b'{"n":%d}' % number]).result(20)
    try:
        yield collector
    finally:
        collector.stop()
        spool.close()


def run(settings: Settings, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["--data", str(settings.data), "spool", *arguments])


def status(settings: Settings) -> dict[str, Any]:
    told: dict[str, Any] = orjson.loads(run(settings, "status", "--json").stdout)
    return told


def on_bus(settings: Settings) -> list[bytes]:
    async def read() -> list[bytes]:
        bus = parts.open_bus(settings)
        reader = await bus.read(FRAMES, 0, 0)
        try:
            return [delivery.value for delivery in await reader.poll(1000, 0)]
        finally:
            await reader.close()
            await bus.close()

    return asyncio.run(read())


def test_what_waits_is_counted_while_its_collector_runs(settings: Settings) -> None:
    with collected(settings, 3) as collector:
        collector.spool.commit([], missing=Missing(4, 5))
        found = status(settings)
        assert (found["collector"], found["frames"], found["events"]) == ("local", 4, 3)
        assert found["bytes"] == collector.spool.waiting_bytes
        assert found["unsigned"] == {"dropped": 4, "sampled_out": 5}
        assert found["oldest_ms"] <= found["newest_ms"]
        assert "3 events in 4 frames" in run(settings, "status").stdout


def test_a_spool_that_was_damaged_is_named(settings: Settings) -> None:
    with collected(settings, 1):
        pass
    (settings.spool / FILE_NAME).write_bytes(b"no spool at all" * 1000)
    assert isinstance(run(settings, "status").exception, StorageError)
    with collected(settings, 1):
        pass
    (aside,) = status(settings)["set_aside"]
    assert aside in run(settings, "status").stdout


def test_what_waits_goes_in_a_file_to_another_bus(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "frames.bin"
    with collected(settings, 150) as collector:
        assert run(settings, "export", str(file)).exit_code == 0
        copied = [one.data for one in collector.spool.oldest(1000, 1 << 30)]
        assert isinstance(run(settings, "export", str(tmp_path / "other"), "--move").exception, StorageError)
        assert isinstance(run(settings, "export", str(file)).exception, SettingsError)
    assert list(frames.split(file.read_bytes())) == copied
    assert file.stat().st_mode & 0o777 == 0o600
    elsewhere = Settings(data=tmp_path / "elsewhere")
    done = run(elsewhere, "import", str(file))
    assert "151 frames published" in done.stderr
    assert on_bus(elsewhere) == copied


def test_what_is_moved_is_no_longer_in_the_spool(settings: Settings, tmp_path: Path) -> None:
    with collected(settings, 3):
        pass
    assert run(settings, "export", str(tmp_path / "f"), "--move").exit_code == 0
    assert status(settings)["frames"] == 0
    with collected(settings, 1) as collector:
        first = frames.from_bytes(collector.spool.oldest(1, 1)[0].data)
        moved = [frames.from_bytes(data) for data in frames.split((tmp_path / "f").read_bytes())]
        assert first.header.prior_boot == moved[-1].header.boot
        assert collector.spool.waiting_bytes == status(settings)["bytes"]
    assert [frame.header.kind for frame in moved] == ["heartbeat", "events", "events", "events", "close"]


@pytest.mark.parametrize("cut", [1, 100, 800])
def test_a_file_that_is_cut_off_is_refused_before_any_of_it_is_published(
    settings: Settings, tmp_path: Path, cut: int
) -> None:
    with collected(settings, 3):
        pass
    file = tmp_path / "f"
    assert run(settings, "export", str(file)).exit_code == 0
    file.write_bytes(file.read_bytes()[:-cut])
    assert isinstance(run(settings, "import", str(file)).exception, FrameError)
    assert not (settings.data / "bus.sqlite").exists()

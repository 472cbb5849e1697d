"""The supervisor: who ends is started again, who does not drain is killed, what is hopeless is not tried for ever."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from slmtrail.stream.job import supervisor as module
from slmtrail.stream.job.supervisor import Supervisor, WorkerFailed
from trails import eventually

NOTE = "import sys, pathlib, signal, time; pathlib.Path(sys.argv[1]).open('a').write('x')\n"
SLEEP = NOTE + "time.sleep(600)"
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SLEEP


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY_MIN_S", 0.01)
    monkeypatch.setattr(module, "LOOK_S", 0.01)


Look = Callable[[float], Awaitable[list[int]]]


def run(program: str, file: Path, during: Callable[[], object], look: Look | None = None) -> None:
    """Runs one worker with this program until `during` has returned."""

    class Dog:
        async def stuck(self, now_s: float) -> list[int]:
            return await look(now_s) if look else []

    async def all_of_it() -> None:
        command = [sys.executable, "-c", program, str(file)]
        supervisor = Supervisor(1, lambda _: command, Dog(), drain_s=0.2)  # type: ignore[arg-type]
        running = asyncio.create_task(supervisor.run())
        await asyncio.to_thread(during)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(all_of_it())


def starts(file: Path) -> int:
    return len(file.read_text()) if file.exists() else 0


def test_who_ends_is_started_again(tmp_path: Path) -> None:
    file = tmp_path / "starts"
    run(NOTE, file, lambda: eventually("three starts", lambda: starts(file) >= 3))


def test_who_does_not_drain_is_killed(tmp_path: Path) -> None:
    file = tmp_path / "starts"
    run(DEAF, file, lambda: eventually("a start", lambda: starts(file)))
    assert starts(file) == 1


def test_who_stands_still_is_stopped_and_started_again(tmp_path: Path) -> None:
    file, told = tmp_path / "starts", []

    async def look(_: float) -> list[int]:
        if starts(file) == 1 and not told:
            told.append(0)
            return [0]
        return []

    run(DEAF, file, lambda: eventually("two starts", lambda: starts(file) == 2), look)


def test_settings_that_can_not_be_used_end_it(tmp_path: Path) -> None:
    file = tmp_path / "starts"
    command = [sys.executable, "-c", NOTE + "sys.exit(4)", str(file)]
    with pytest.raises(WorkerFailed, match="exit code 4"):
        asyncio.run(Supervisor(1, lambda _: command).run())
    assert starts(file) == 1

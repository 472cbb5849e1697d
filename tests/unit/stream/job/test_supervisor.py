"""The supervisor: who ends is started again, who does not drain is killed, what is hopeless is not tried for ever."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from slmtrail.stream.job import supervisor as module
from slmtrail.stream.job.supervisor import Supervisor, WorkerFailed
from trails import eventually, is_running

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


def test_what_is_hopeless_at_the_start_only_is_tried_again(tmp_path: Path) -> None:
    file = tmp_path / "starts"
    once = NOTE + "sys.exit(1 if pathlib.Path(sys.argv[1]).read_text() == 'x' else 2)"
    run(once, file, lambda: eventually("four starts", lambda: starts(file) >= 4))


SUPERVISED = """
import asyncio, sys
from slmtrail.stream.job.supervisor import Supervisor
asyncio.run(Supervisor(2, lambda n: [sys.executable, "-c", sys.argv[1], f"{sys.argv[2]}{n}"]).run())
"""
WAITS = """
import os, pathlib, signal, sys, time
from slmtrail.stream.job.pulse import end_with_starter
signal.signal(signal.SIGTERM, signal.SIG_IGN)
end_with_starter()
pathlib.Path(sys.argv[1]).write_text(f"{os.getpid()}\\n")
time.sleep(600)
"""


def test_workers_end_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    files = [tmp_path / "pid0", tmp_path / "pid1"]
    supervisor = subprocess.Popen([sys.executable, "-c", SUPERVISED, WAITS, str(tmp_path / "pid")])
    eventually("both workers", lambda: all(file.exists() and file.read_text().endswith("\n") for file in files))
    pids = [int(file.read_text()) for file in files]
    supervisor.kill()
    supervisor.wait()
    try:
        eventually("no worker", lambda: not any(map(is_running, pids)))
    finally:
        for pid in filter(is_running, pids):
            os.kill(pid, signal.SIGKILL)


def test_settings_that_can_not_be_used_end_it(tmp_path: Path) -> None:
    file = tmp_path / "starts"
    command = [sys.executable, "-c", NOTE + "sys.exit(4)", str(file)]
    with pytest.raises(WorkerFailed, match="exit code 4"):
        asyncio.run(Supervisor(1, lambda _: command).run())
    assert starts(file) == 1

"""`slmtrail tail` as a process: killed at any moment it loses and doubles nothing, and its events reach the store."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from slmtrail.app import parts
from slmtrail.collectors.spool import Spool
from slmtrail.core import frames, keys
from slmtrail.core.settings import Settings
from trails import EmbeddedTrail, eventually

COMMAND = [sys.executable, "-m", "slmtrail.app.cli"]
NOBODY = "kafka://127.0.0.1:9"
DEADLINE_S = 60


def line(number: int) -> bytes:
    event = {
        "@timestamp": "2026-01-02T03:04:05.678Z",
        "slm.kind": "inference",
        "user.id": "alice",
        "gen_ai.request.model": "phi-3",
        "message": f"{number} " + "x" * 1000,
    }
    return json.dumps(event).encode() + b"\n"


class Tail:
    """A data folder, and tailers over it that ship to nobody: what they commit stays in the spool."""

    def __init__(self, folder: Path, bus: str = NOBODY) -> None:
        self.settings = Settings(data=folder / "data")
        parts.make_keys(self.settings)
        self.environ = {**os.environ, "SLMTRAIL_BUS_URL": bus}

    @contextlib.contextmanager
    def running(self, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
        command = [*COMMAND, "--data", str(self.settings.data), "tail", "--format", "slmtrail", *arguments]
        process = subprocess.Popen(
            command, env=self.environ, stdin=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait(DEADLINE_S)
            for stream in (process.stdin, process.stderr):
                if stream:
                    stream.close()

    def once(self, *arguments: str, stdin: bytes = b"") -> str:
        with self.running("--once", *arguments) as process:
            _, told = process.communicate(stdin, timeout=DEADLINE_S)
        assert process.returncode == 0, told.decode()
        return told.decode()

    @property
    def committed_frames(self) -> int:
        """How many frames the spool has taken so far."""
        file = self.settings.spool / "spool.sqlite"
        if not file.exists():
            return 0
        with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
            try:
                return int(db.execute("SELECT coalesce(max(id), 0) FROM frames").fetchone()[0])
            except sqlite3.OperationalError:  # it is being made
                return 0

    def numbers(self) -> list[int]:
        """What is in the spool, in order."""
        spool = Spool(self.settings.spool, 1 << 40)
        key = keys.decryption_key(self.settings.keys / "stream.pem")
        try:
            spooled = spool.oldest(1_000_000, 1 << 40)
            lines = [one for frame in spooled for one in frames.from_bytes(frame.data).open(key)[1]]
        finally:
            spool.close()
        return [int(json.loads(one)["message"].split()[0]) for one in lines]


@pytest.fixture
def tail(tmp_path: Path) -> Tail:
    return Tail(tmp_path)


def test_killed_at_any_moment_it_loses_and_doubles_nothing(tail: Tail, tmp_path: Path) -> None:
    chance = random.Random(20261121)
    log = tmp_path / "app.log"
    written = 0
    for turn in range(4):
        with log.open("ab") as file:
            for _ in range(3000):
                file.write(line(written))
                written += 1
        before = tail.committed_frames
        with tail.running(str(tmp_path / "app.log*")) as process:
            more = chance.randrange(1, 8)  # of the 12 that the lines fill
            eventually(
                "it has committed some",
                lambda least=before + more: tail.committed_frames > least or process.poll() is not None,
                DEADLINE_S,
            )
            assert process.poll() is None
            os.kill(process.pid, signal.SIGKILL)
        if turn % 2:
            log.rename(tmp_path / f"app.log.{turn}")
    told = tail.once(str(tmp_path / "app.log*"))
    assert "0 entries refused" in told
    assert sorted(tail.numbers()) == list(range(written))


def test_a_stop_loses_and_doubles_nothing(tail: Tail, tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_bytes(b"".join(map(line, range(5000))))
    before = tail.committed_frames
    with tail.running(str(log)) as process:
        eventually("it has committed some", lambda: tail.committed_frames > before + 1, DEADLINE_S)
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE_S) == 0
    tail.once(str(log))
    assert tail.numbers() == list(range(5000))


def test_standard_input(tail: Tail) -> None:
    told = tail.once("-", stdin=b"".join(map(line, range(300))) + b"{}\n")
    assert "300 events accepted, 1 entries refused" in told
    assert "wait in the spool" in told
    assert tail.numbers() == list(range(300))


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["x.log", "--format", "splunk"], "no such format"),
        (["x.log", "--begins", "("], "no regular expression"),
        (["x.log", "--format", "text", "--pattern", "(?P<message>.*)", "--set", "slm.kind"], "write it as"),
        (["."], "is a folder"),
    ],
)
def test_what_can_not_be_is_said_before_anything_starts(tail: Tail, arguments: list[str], text: str) -> None:
    with tail.running(*arguments) as process:
        _, told = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 2
    assert text in told.decode()
    assert not tail.settings.spool.exists()


@pytest.mark.slow
def test_what_was_tailed_is_found(tmp_path: Path) -> None:
    running = EmbeddedTrail(tmp_path)
    running.start()
    try:
        environ = {**os.environ, **running.environ, "SLMTRAIL_COLLECTOR_NAME": "tail"}
        find: Callable[[], bool] = lambda: len(running.search("--user", "alice")) == 20  # noqa: E731
        for arguments in (["init"], ["tail", "-", "--format", "slmtrail"]):
            subprocess.run(
                [*COMMAND, *arguments],
                env=environ,
                input=b"".join(map(line, range(20))),
                capture_output=True,
                timeout=DEADLINE_S,
                check=True,
            )
        eventually("20 records are found", find)
    finally:
        running.stop()

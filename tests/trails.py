"""Runs slmtrail as its user does, in processes of its own, over SQLite or over Kafka and Elasticsearch."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import commands

DEADLINE_S = 120
COMMAND = [sys.executable, "-m", "slmtrail.app.cli"]


def eventually(what: str, condition: Callable[[], Any], deadline_s: float = DEADLINE_S, pause_s: float = 0.05) -> Any:
    """Waits until `condition` gives something true, and returns that."""
    end = time.monotonic() + deadline_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline_s} s: {what}")
        time.sleep(pause_s)


def is_running(pid: int) -> bool:
    """Whether there is a process of this number that has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Process:
    """One slmtrail command, its log in a file."""

    def __init__(
        self, arguments: Sequence[str], environ: dict[str, str], log: Path, command: Sequence[str] = COMMAND
    ) -> None:
        self._arguments, self._environ, self.log_path, self._command = list(arguments), environ, log, command
        self._process: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    def start(self) -> None:
        """Starts it, unless it runs."""
        if self.alive:
            return
        self._log_start = self.log_path.stat().st_size if self.log_path.exists() else 0
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._command, *self._arguments],
                env={**os.environ, **self._environ},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def log(self) -> str:
        """What it has printed since its last start."""
        with self.log_path.open("rb") as file:
            file.seek(self._log_start)
            return file.read().decode(errors="replace")

    def wait_for(self, pattern: str) -> str:
        """Waits until it has printed `pattern`; returns the first group."""

        def found() -> str | None:
            match = re.search(pattern, self.log)
            if match is None and not self.alive:
                raise AssertionError(f"{self._arguments} ended before it printed {pattern!r}:\n{self.log[-4000:]}")
            return match[1] if match else None

        return str(eventually(f"{self._arguments} prints {pattern!r}:\n{self.log[-2000:]}", found))

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    def pause(self) -> None:
        """Freezes it."""
        os.killpg(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Ends a pause."""
        os.killpg(self.pid, signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL to it and all it started."""
        self._signal(signal.SIGKILL)

    def stop(self) -> int:
        """SIGTERM, and its exit code."""
        return self._signal(signal.SIGTERM)

    def _signal(self, number: int) -> int:
        if self._process is None:
            return 0
        if self.alive:
            os.killpg(self._process.pid, number)
        return self._process.wait(DEADLINE_S)


class Trail:
    """A running trail and the commands that read it."""

    def __init__(self, folder: Path, **environ: str) -> None:
        self.folder = folder
        self.data = folder / "data"
        folder.mkdir(parents=True, exist_ok=True)
        self.environ = {
            "SLMTRAIL_DATA": str(self.data),
            "SLMTRAIL_INGEST_PORT": "0",
            "SLMTRAIL_COLLECTOR_HEARTBEAT_MS": "1000",
            **environ,
        }
        self.processes: dict[str, Process] = {}
        self.address = ""

    def process(self, name: str, *arguments: str) -> Process:
        """A process of this trail, by name."""
        if name not in self.processes:
            self.processes[name] = Process(arguments or [name], self.environ, self.folder / f"{name}.log")
        return self.processes[name]

    def launch(self) -> None:
        """Starts what is not running."""
        raise NotImplementedError

    def start(self) -> None:
        """Starts what is not running and waits until events are taken."""
        raise NotImplementedError

    def kill(self) -> None:
        """SIGKILL to every process at once."""
        for process in self.processes.values():
            process.kill()

    def stop(self) -> None:
        """An orderly stop."""
        for process in self.processes.values():
            process.stop()

    def post(self, body: bytes | list[dict[str, Any]], content_type: str = "application/json") -> tuple[int, Any]:
        """Posts events; the status and the decoded answer."""
        url = urlsplit(self.address)
        connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=30)
        try:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            connection.request("POST", "/v1/events", data, {"content-type": content_type})
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def run(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Runs a command of the trail to its end."""
        return commands.run(arguments, {**os.environ, **self.environ}, stdin, DEADLINE_S)

    def search(self, *arguments: str) -> list[dict[str, Any]]:
        """All records that a search finds, page by page."""
        records: list[dict[str, Any]] = []
        after: list[str] = []
        while True:
            page = self.read("search", "--limit", "1000", *arguments, *after)
            records += page["records"]
            if not page["cursor"]:
                return records
            after = ["--after", page["cursor"]]

    def read(self, *arguments: str) -> Any:
        """What a reading command answers as JSON."""
        done = self.run(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def verify(self) -> dict[str, Any]:
        """The outcome of `slmtrail verify`, with its exit code."""
        done = self.run("verify", "--json")
        assert done.stdout, done.stderr
        return {**json.loads(done.stdout), "exit_code": done.returncode}


class EmbeddedTrail(Trail):
    """`slmtrail up`."""

    def launch(self) -> None:
        """Starts it."""
        self.process("up").start()

    def start(self) -> None:
        """Starts it and waits until events are taken."""
        self.launch()
        self.address = self.process("up").wait_for(r"slmtrail is up: (\S+)")


class DistributedTrail(Trail):
    """A collector, the Faust stream and an indexer, over Kafka and Elasticsearch.

    A worker of the stream takes its seconds to start; with 0 there is one a core.
    """

    def __init__(self, folder: Path, bootstrap: str, elastic_url: str, workers: int = 1) -> None:
        super().__init__(
            folder,
            SLMTRAIL_BUS_URL=f"kafka://{bootstrap}",
            SLMTRAIL_STORE_URL=elastic_url,
            SLMTRAIL_BUS_PARTITIONS="2",
            SLMTRAIL_STREAM_WORKERS=str(workers),
        )

    def launch(self) -> None:
        """Makes the keys the first time, and starts what is not running."""
        if not self.data.exists():
            done = self.run("init")
            assert done.returncode == 0, done.stderr
        for name in ("stream", "index", "collect"):
            self.process(name).start()

    def start(self) -> None:
        """Starts what is not running and waits until events are taken."""
        self.launch()
        self.address = self.process("collect").wait_for(r"collecting at (\S+)/v1/events")

"""A server as a Java process of this machine."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from functools import cache
from pathlib import Path

from servers.server import UnavailableError

_OLDEST_JAVA = 17


@cache
def jdk_tool(tool: str) -> str:
    """The path of a JDK's program, from JAVA_HOME or the PATH."""
    home = os.environ.get("JAVA_HOME")
    path = shutil.which(tool, path=str(Path(home) / "bin") if home else None)
    where = f"{home}/bin (JAVA_HOME)" if home else "the PATH"
    if path is None:
        raise UnavailableError(f"no {tool} in {where} (install a JDK, {_OLDEST_JAVA} or later)")
    version = subprocess.run([path, "-version"], capture_output=True, text=True, timeout=60)
    found = re.search(r'(?:version "|javac )(\d+)', version.stdout + version.stderr)
    if version.returncode or found is None or int(found[1]) < _OLDEST_JAVA:
        raise UnavailableError(f"{path} is no Java {_OLDEST_JAVA} or later (install a newer JDK)")
    return path


class JavaProcess:
    """Runs `command` in `folder`, its output in `log.txt` there; ends with the process that started it."""

    host = "127.0.0.1"

    def __init__(self, command: list[str], folder: Path, data: Path) -> None:
        self._command = command
        self._folder = folder
        self._log = folder / "log.txt"
        self._log.touch()
        self._process: subprocess.Popen[bytes] | None = None
        self.data: Path | None = data

    @property
    def pid(self) -> int:
        return self._running().pid

    def launch(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._folder,
                stdin=subprocess.PIPE,  # Leash.java ends the server when this pipe closes
                stdout=log,
                stderr=subprocess.STDOUT,
                # A group of its own: Ctrl-C is for the tests, and the kernel wakes a paused orphan.
                process_group=0,
            )

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def stop(self, timeout_s: float) -> None:
        process = self._running()
        process.terminate()
        try:
            process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
        self._reap()

    def kill(self) -> None:
        self._running().kill()
        self._reap()

    def pause(self) -> None:
        process = self._running()
        process.send_signal(signal.SIGSTOP)
        # Its threads stop one by one; WNOWAIT leaves an exit for `poll` to see.
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def resume(self) -> None:
        self._running().send_signal(signal.SIGCONT)

    def log(self) -> bytes:
        return self._log.read_bytes()

    def discard(self) -> None:
        """Its folder belongs to whoever made it."""

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("the server was never started")
        return self._process

    def _reap(self) -> None:
        process = self._running()
        process.wait()
        if process.stdin is not None:
            process.stdin.close()

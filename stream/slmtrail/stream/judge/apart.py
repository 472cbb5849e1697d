"""Runs a user's rule.py in a process of its own: one that hangs, dies or eats memory costs its own answers alone.

The child answers one request at a time over a socket, each a line of JSON. It is `python -m` this module.
"""

from __future__ import annotations

import contextlib
import importlib.util
import resource
import signal
import socket
import subprocess
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from slmtrail.stream.judge.hit import About, Answer, Hit, hit

if TYPE_CHECKING:
    from slmtrail.core.roles import Role

START_S = 20.0
MAX_MEMORY_BYTES = 1 << 30
MAX_ANSWER_BYTES = 1 << 20
MAX_ANSWER_S = 60
"""After so long over one record the child ends by itself: who asked it was to end it long before, and is gone."""
MAX_STRIKES = 3
"""After so many answers that did not come in time, a rule is not asked any more until the next start."""


class RuleStopped(Exception):
    """A user's rule did not answer in time, or its process ended. Its text names no content."""


class Apart:
    """A rule in a process of its own, begun when it is first asked."""

    def __init__(self, file: Path, deadline_s: float) -> None:
        self._file = file
        self._deadline_s = deadline_s
        self._child: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._strikes = 0

    def __call__(self, record: dict[str, Any], about: About) -> Answer:
        """What the rule says of `record`."""
        if self._strikes >= MAX_STRIKES:
            raise RuleStopped("it is not asked any more: it was too slow too often")
        role = about.role.model_dump(mode="json") if about.role else None
        request = orjson.dumps([record, dict(about.parameters), role])
        answer = self._asked(request)
        if "error" in answer:
            raise RuleStopped(str(answer["error"])[:200])
        return Hit(**answer["hit"]) if answer["hit"] else None

    def close(self) -> None:
        """Ends the process."""
        if self._socket:
            self._socket.close()
        if self._child:
            self._child.kill()
            self._child.wait()
        self._socket = self._child = None

    def _asked(self, request: bytes) -> dict[str, Any]:
        sock = self._socket or self._begin()
        try:
            sock.settimeout(self._deadline_s)
            sock.sendall(request + b"\n")
            return _line(sock, self._deadline_s)
        except (OSError, RuleStopped) as error:
            self._strikes += 1
            self.close()
            raise RuleStopped(f"no answer within {self._deadline_s} s") from error

    def _begin(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        with theirs:
            self._child = subprocess.Popen(
                [sys.executable, "-m", __name__, str(self._file), str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        self._socket = ours
        ready = _line(ours, START_S)
        if "error" in ready:
            self.close()
            raise RuleStopped(str(ready["error"])[:200])
        return ours


def _line(sock: socket.socket, deadline_s: float) -> dict[str, Any]:
    """The next line. Raises OSError where none comes in time."""
    end_s, data = time.monotonic() + deadline_s, bytearray()
    while not data.endswith(b"\n"):
        sock.settimeout(max(0.001, end_s - time.monotonic()))
        piece = sock.recv(65536)
        if not piece or len(data) > MAX_ANSWER_BYTES:
            raise RuleStopped("its process ended")
        data += piece
    answer: dict[str, Any] = orjson.loads(data)
    return answer


def _told(error: BaseException, file: Path) -> str:
    """What went wrong and in which line of `file`, without the words of the error: they may be the record's."""
    if isinstance(error, SyntaxError) and error.filename == str(file):
        return f"{file.name}:{error.lineno}: is no Python ({error.msg})"
    lines = [at.lineno for at in traceback.extract_tb(error.__traceback__) if at.filename == str(file)]
    return f"{file.name}{f':{lines[-1]}' if lines else ''}: {type(error).__name__}"


def _role(given: Any) -> Role | None:
    if given is None:
        return None
    from slmtrail.core.roles import Role

    return Role.model_validate(given)


def _serve(file: Path, sock: socket.socket) -> None:
    """The child: loads the rule, says so, and answers until nobody asks."""
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    try:
        spec = importlib.util.spec_from_file_location("rule", file)
        assert spec is not None and spec.loader is not None  # noqa: S101
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        judge = getattr(module, "judge", None)
        if judge is None:
            sock.sendall(orjson.dumps({"error": f"{file.name}: has no function `judge(record, about)`"}) + b"\n")
            return
    except BaseException as error:
        sock.sendall(orjson.dumps({"error": _told(error, file)}) + b"\n")
        return
    sock.sendall(b'{"ready":true}\n')
    with sock.makefile("rb") as lines:
        for line in lines:
            signal.alarm(MAX_ANSWER_S)
            record, parameters, role = orjson.loads(line)
            try:
                found = hit(judge(record, About(parameters, _role(role))))
                fields = {name: getattr(found, name) for name in Hit.__slots__} if found else None
                answer = orjson.dumps({"hit": fields})
            except BaseException as error:
                answer = orjson.dumps({"error": _told(error, file)})
            signal.alarm(0)
            sock.sendall(answer + b"\n")


if __name__ == "__main__":
    _serve(Path(sys.argv[1]), socket.socket(fileno=int(sys.argv[2])))

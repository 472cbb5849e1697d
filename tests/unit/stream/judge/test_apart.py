"""A user's rule in a process of its own, where whoever asked is gone."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

ENDLESS = """
import re
def judge(record, about):
    re.match("(a+)+$", "a" * 64 + "b")
"""
CHILD = """
import socket, sys
from pathlib import Path
from slmtrail.stream.judge import apart
apart.MAX_ANSWER_S = 1
apart._serve(Path(sys.argv[1]), socket.socket(fileno=int(sys.argv[2])))
"""


def test_a_rule_that_does_not_come_back_ends_by_itself(tmp_path: Path) -> None:
    file = tmp_path / "rule.py"
    file.write_text(ENDLESS)
    ours, theirs = socket.socketpair()
    with theirs:
        command = [sys.executable, "-c", CHILD, str(file), str(theirs.fileno())]
        child = subprocess.Popen(command, pass_fds=[theirs.fileno()])
    with ours:
        assert ours.recv(64) == b'{"ready":true}\n'
        ours.sendall(b"[{},{},null]\n")
    assert child.wait(30) == -signal.SIGALRM

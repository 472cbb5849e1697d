"""Commands that are run to their end: each in a process of its own, forked from one that has imported what they need.

To import it takes most of a second, and tests run hundreds of commands, many just to see whether something is so yet.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

_lock = threading.Lock()


def run(
    arguments: Sequence[str], environ: Mapping[str, str], stdin: str, deadline_s: int
) -> subprocess.CompletedProcess[str]:
    """Runs `slmtrail ARGUMENTS`. What takes longer than `deadline_s` is ended by a signal."""
    with TemporaryDirectory(prefix="slmtrail-command-") as name, _lock:
        folder, parent = Path(name), _parent()
        (folder / "0").write_text(stdin)
        asked = {
            "arguments": list(arguments),
            "environ": dict(environ),
            "folder": name,
            "cwd": str(Path.cwd()),
            "deadline_s": deadline_s,
        }
        assert parent.stdin is not None
        assert parent.stdout is not None
        parent.stdin.write(json.dumps(asked) + "\n")
        parent.stdin.flush()
        code = int(parent.stdout.readline())
        out, err = ((folder / number).read_text() for number in "12")
    return subprocess.CompletedProcess(["slmtrail", *arguments], code, out, err)


@cache
def _parent() -> subprocess.Popen[str]:
    """Ends when its standard input does: with this process, at the latest."""
    return subprocess.Popen([sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _serve() -> None:
    """Forks a command for each line of standard input and tells its exit code; returns in each of them."""
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            _become(asked)
            return
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
    os._exit(0)


def _become(asked: dict[str, Any]) -> None:
    for number, flags in enumerate((os.O_RDONLY, os.O_WRONLY | os.O_CREAT, os.O_WRONLY | os.O_CREAT)):
        opened = os.open(f"{asked['folder']}/{number}", flags)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = open(0)  # noqa: SIM115 - the old one has read ahead
    os.environ.clear()
    os.environ.update(asked["environ"])
    os.chdir(asked["cwd"])
    sys.argv[1:] = asked["arguments"]
    signal.alarm(asked["deadline_s"])


if __name__ == "__main__":
    from slmtrail.app import cli, reading  # noqa: F401 - so that they are there
    from slmtrail.app.readers import here  # noqa: F401
    from slmtrail.indexer.store import elastic, sqlite  # noqa: F401

    for command in cli.Commands.elsewhere:
        cli.Commands().get_command(None, command)
    gc.freeze()
    assert threading.active_count() == 1, "a process with threads is no good to fork"
    _serve()
    sys.argv[0] = cli.__file__
    cli.main()

"""Whether this process still does what the group believes it does.

A process that was frozen (a machine asleep, SIGSTOP) may have lost its partitions without knowing. It ends then, before
it publishes anything; so does one whose supervisor is gone.
"""

from __future__ import annotations

import contextlib
import logging
import os
import stat
import sys
import threading
import time

log = logging.getLogger(__name__)

UNEXPECTED = 70
"""Exit code of a worker that met something it has no answer to."""


class Pulse:
    """Beats while the loop turns. `frozen_s`: after so long without a beat nothing is ours any more."""

    def __init__(self, frozen_s: float) -> None:
        self._frozen_s = frozen_s
        self._last_s = time.monotonic()

    def beat(self) -> None:
        """To be called every second or so."""
        self.check()
        self._last_s = time.monotonic()

    def check(self) -> None:
        """Ends this process if it was frozen."""
        still_s = time.monotonic() - self._last_s
        if still_s > self._frozen_s:
            log.error("this worker stood still for %.0f s and ends, to start again from the last commit", still_s)
            end()


def end_with_starter() -> None:
    """Ends this process, whatever it waits for, when its standard input is closed: whoever started it holds the other
    end of that pipe, and is gone. Where it is no pipe, nobody does."""
    mode = os.fstat(0).st_mode if sys.stdin else 0
    if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
        threading.Thread(target=_end_when_closed, name="starter", daemon=True).start()


def _end_when_closed() -> None:
    with contextlib.suppress(OSError):
        while os.read(0, 4096):
            pass
    log.error("the process that started this one is gone; it ends, and what it has not committed is another's")
    end()


def end() -> None:
    """Ends this process at once, as a crash would."""
    logging.shutdown()
    os._exit(UNEXPECTED)

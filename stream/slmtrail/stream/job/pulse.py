"""Whether this process still does what the group believes it does.

A process that was frozen (a machine asleep, SIGSTOP) may have lost its partitions without knowing. It ends then, before
it publishes anything; so does one whose supervisor is gone, after it has drained.
"""

from __future__ import annotations

import logging
import os
import time

log = logging.getLogger(__name__)

_PARENT = os.getppid()
"""As it was when this was imported: recognisers take long to load, and it may be gone by then."""
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

    @property
    def orphaned(self) -> bool:
        """Whether the process that started this one is gone."""
        return os.getppid() != _PARENT


def end() -> None:
    """Ends this process at once, as a crash would."""
    logging.shutdown()
    os._exit(UNEXPECTED)

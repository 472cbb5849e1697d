"""The state of this machine: memory, load, graphics processors. Looked at no more than once a second."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from slmtrail.collectors.sdk.quiet import told

FRESH_S = 1.0
PROC = Path("/proc")
CGROUP = Path("/sys/fs/cgroup")
DRIVERS = (Path("/dev/nvidiactl"), Path("/dev/dxg"))
"""One of these is there where a driver for NVIDIA's processors is."""


class Host:
    """Fields `slm.host.*`; what can't be read is left out."""

    def __init__(self, queue_length: Callable[[], int] | None = None) -> None:
        self._queue_length = queue_length
        self._fields: dict[str, Any] = {}
        self._seen = -FRESH_S
        self._process = 0
        self._gpus: Callable[[], dict[str, Any]] = dict

    def fields(self) -> dict[str, Any]:
        """The state now, or less than a second ago."""
        now = time.monotonic()
        if now - self._seen >= FRESH_S:
            self._seen = now
            if self._process != os.getpid():  # a forked child can't use what its parent has opened
                self._process, self._gpus = os.getpid(), _gpus()
            self._fields = memory() | _load() | self._gpus() | self._queue()
        return self._fields

    def _queue(self) -> dict[str, Any]:
        if self._queue_length is None:
            return {}
        try:
            return {"slm.host.queue_length": int(self._queue_length())}
        except Exception as error:
            told("the length of the queue", error)
            return {}


def memory() -> dict[str, Any]:
    """Of the machine, or of the container where that has a limit."""
    with suppress(OSError, ValueError):
        limit = int((CGROUP / "memory.max").read_text())
        used = int((CGROUP / "memory.current").read_text())
        return {"slm.host.memory_used_bytes": used, "slm.host.memory_total_bytes": limit}
    with suppress(OSError, KeyError):
        found = dict(re.findall(r"(?m)^(MemTotal|MemAvailable): *([0-9]+) kB", (PROC / "meminfo").read_text()))
        total, free = int(found["MemTotal"]) * 1024, int(found["MemAvailable"]) * 1024
        return {"slm.host.memory_used_bytes": total - free, "slm.host.memory_total_bytes": total}
    with suppress(OSError, ValueError):
        return {"slm.host.memory_total_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")}
    return {}


def _load() -> dict[str, Any]:
    with suppress(OSError):
        return {"slm.host.load": os.getloadavg()[0]}
    return {}


def _gpus() -> Callable[[], dict[str, Any]]:
    """How graphics processors are looked at here."""
    if not any(driver.exists() for driver in DRIVERS):
        return dict
    from slmtrail.collectors.sdk import gpu

    return gpu.reader()

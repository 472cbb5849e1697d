"""Graphics processors of NVIDIA: through the library that comes with the driver, or its command."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

COMMAND_FRESH_S = 10.0
COMMAND_TIMEOUT_S = 5.0
QUERY = ["--query-gpu=memory.used,memory.total,utilization.gpu", "--format=csv,noheader,nounits"]


def together(used_bytes: int, total_bytes: int, percents: list[float]) -> dict[str, Any]:
    """All processors together: memory added up, the mean of how busy they are."""
    return {
        "slm.host.gpu_memory_used_bytes": used_bytes,
        "slm.host.gpu_memory_total_bytes": total_bytes,
        "slm.host.gpu_utilization_percent": sum(percents) / len(percents),
    }


def reader() -> Callable[[], dict[str, Any]]:
    """How they are looked at here."""
    with suppress(OSError, AttributeError):
        return _Nvml().fields
    if command := shutil.which("nvidia-smi"):
        return _Command(command).fields
    return dict


class _Memory(ctypes.Structure):
    _fields_ = [(name, ctypes.c_ulonglong) for name in ("total", "free", "used")]


class _Utilization(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint) for name in ("gpu", "memory")]


class _Nvml:
    """NVIDIA's library, which comes with the driver. Raises OSError where there is none or no processor."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL("libnvidia-ml.so.1")
        count = ctypes.c_uint()
        if self._library.nvmlInit_v2() or self._library.nvmlDeviceGetCount_v2(ctypes.byref(count)) or not count.value:
            raise OSError("no graphics processor answers")
        self._devices = []
        for index in range(count.value):
            device = ctypes.c_void_p()
            if not self._library.nvmlDeviceGetHandleByIndex_v2(index, ctypes.byref(device)):
                self._devices.append(device)

    def fields(self) -> dict[str, Any]:
        """What the library says now."""
        used = total = 0
        percents: list[float] = []
        for device in self._devices:
            memory, busy = _Memory(), _Utilization()
            if not self._library.nvmlDeviceGetMemoryInfo(device, ctypes.byref(memory)):
                used, total = used + memory.used, total + memory.total
            if not self._library.nvmlDeviceGetUtilizationRates(device, ctypes.byref(busy)):
                percents.append(busy.gpu)
        return together(used, total, percents) if percents else {}


class _Command:
    """`nvidia-smi`, which takes its time: it runs in a thread of its own, and what it said last counts."""

    def __init__(self, command: str) -> None:
        self._command = [command, *QUERY]
        self._fields: dict[str, Any] = {}
        self._asked = -COMMAND_FRESH_S

    def fields(self) -> dict[str, Any]:
        """What the command said last."""
        if time.monotonic() - self._asked >= COMMAND_FRESH_S:
            self._asked = time.monotonic()
            with suppress(RuntimeError):
                threading.Thread(target=self._ask, name="slmtrail-gpu", daemon=True).start()
        return self._fields

    def _ask(self) -> None:
        try:
            done = subprocess.run(self._command, capture_output=True, text=True, timeout=COMMAND_TIMEOUT_S, check=True)
            rows = [[float(value) for value in row.split(",")] for row in done.stdout.splitlines() if row.strip()]
            used, total, percents = zip(*rows, strict=True)
            self._fields = together(int(sum(used)) << 20, int(sum(total)) << 20, list(percents))
        except (OSError, ValueError, subprocess.SubprocessError):
            self._fields = {}

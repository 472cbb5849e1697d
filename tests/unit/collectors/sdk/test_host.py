"""The machine: its memory or the container's, its load, its graphics processors, and what can't be read left out."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from slmtrail.collectors.sdk import gpu, host

GB = 1 << 30


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in the place of the system's."""
    monkeypatch.setattr(host, "PROC", tmp_path)
    monkeypatch.setattr(host, "CGROUP", tmp_path)
    monkeypatch.setattr(host, "DRIVERS", (tmp_path / "driver",))
    return tmp_path


def test_a_container_with_a_limit_is_the_machine(machine: Path) -> None:
    (machine / "meminfo").write_text("MemTotal: 1000 kB\nMemFree: 1 kB\nMemAvailable: 400 kB\n")
    assert host.memory() == {"slm.host.memory_used_bytes": 600 * 1024, "slm.host.memory_total_bytes": 1000 * 1024}
    (machine / "memory.current").write_text("5\n")
    (machine / "memory.max").write_text("max\n")
    assert host.memory()["slm.host.memory_used_bytes"] == 600 * 1024
    (machine / "memory.max").write_text("10\n")
    assert host.memory() == {"slm.host.memory_used_bytes": 5, "slm.host.memory_total_bytes": 10}


def test_a_machine_without_proc_says_how_much_it_has(machine: Path) -> None:
    assert host.memory()["slm.host.memory_total_bytes"] > 0


def test_a_machine_without_load_has_none(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> Any:
        raise OSError("no load")

    monkeypatch.setattr(os, "getloadavg", none)
    assert set(host.Host().fields()) == {"slm.host.memory_total_bytes"}


class _Library:
    """NVIDIA's library, with two processors of which one says nothing of its memory."""

    count = 2

    def nvmlInit_v2(self) -> int:  # noqa: N802 - as it calls it
        return 0

    def nvmlDeviceGetCount_v2(self, count: Any) -> int:  # noqa: N802
        count._obj.value = self.count
        return 0

    def nvmlDeviceGetHandleByIndex_v2(self, index: int, device: Any) -> int:  # noqa: N802
        device._obj.value = index + 1
        return 0

    def nvmlDeviceGetMemoryInfo(self, device: Any, memory: Any) -> int:  # noqa: N802
        memory._obj.total, memory._obj.used = 16 * GB, 3 * GB
        return device.value - 1

    def nvmlDeviceGetUtilizationRates(self, device: Any, busy: Any) -> int:  # noqa: N802
        busy._obj.gpu = device.value * 10
        return 0


def test_processors_are_asked_through_the_library_of_the_driver(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: _Library())
    assert "slm.host.gpu_memory_used_bytes" not in host.Host().fields(), "without a driver nothing is loaded"
    (machine / "driver").touch()
    fields = host.Host().fields()
    assert fields["slm.host.gpu_memory_used_bytes"] == 3 * GB
    assert fields["slm.host.gpu_memory_total_bytes"] == 16 * GB
    assert fields["slm.host.gpu_utilization_percent"] == 15


@pytest.fixture
def command(machine: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """Puts a script in the place of `nvidia-smi`, and gives what is known of processors through it."""
    monkeypatch.setattr(_Library, "count", 0)
    monkeypatch.setattr(ctypes, "CDLL", lambda _: _Library())

    def made(script: str) -> Any:
        path = machine / "nvidia-smi"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        monkeypatch.setenv("PATH", str(machine), prepend=os.pathsep)
        return gpu.reader()

    return made


def test_else_through_its_command_which_nobody_waits_for(machine: Path, command: Any, until: Any) -> None:
    os.mkfifo(machine / "asked")
    read = command(f'read go < {machine / "asked"}; echo "1024, 8192, 30"; echo "1024, 8192, 50"')
    assert read() == {}
    (machine / "asked").write_text("go\n")
    fields = until("the command has answered", read)
    assert fields == gpu.together(2048 << 20, 16384 << 20, [30.0, 50.0])


@pytest.mark.parametrize("script", ["exit 9", "echo '[N/A], 8192, 30'", "echo No devices were found", "true"])
def test_a_command_that_says_nothing_useful_says_nothing(command: Any, script: str) -> None:
    read = command(script)
    read.__self__._ask()
    assert read.__self__._fields == {}


def test_a_machine_without_processors_has_none(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(_: str) -> Any:
        raise OSError("no library")

    monkeypatch.setattr(ctypes, "CDLL", none)
    monkeypatch.setenv("PATH", str(machine))
    assert gpu.reader()() == {}

"""A full disk and a read-only one under the running trail: callers are told, and afterwards all goes on."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from small_disk import fill, small_disk
from trails import EmbeddedTrail, eventually

DISK_MB = 24


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", DISK_MB) as mounted:
        if mounted is None:
            pytest.skip("mounting a small disk takes root, and a machine that lets it")
        yield mounted


def event(number: int) -> dict[str, Any]:
    return {
        "slm.kind": "inference",
        "gen_ai.request.model": "phi-3",
        "gen_ai.input.messages": f"question {number} " + "what shall I do " * 30,
        "slm.latency_ms": number,
    }


@pytest.mark.slow
def test_a_full_disk(disk: Path, tmp_path: Path) -> None:
    trail = EmbeddedTrail(tmp_path / "trail", SLMTRAIL_DATA=str(disk / "data"))
    trail.data = disk / "data"
    trail.start()
    _, first = trail.post([event(0)])
    accepted = set(first["ids"])
    filler = fill(disk)
    sent, refusals = 1, 0
    while refusals < 5 and sent < 2000:
        status, answer = trail.post([event(sent)])
        sent += 1
        if status == 200:
            accepted |= set(answer["ids"])
        else:
            refusals += 1
            assert status == 507, answer
            assert "free space" in answer["text"]
    assert refusals == 5, "the disk never filled up"

    filler.unlink()
    _, last = eventually("events are taken again", lambda: (a := trail.post([event(sent)]))[0] == 200 and a)
    accepted |= set(last["ids"])

    def stored() -> list[dict[str, Any]] | None:
        records = trail.search("--kind", "inference")
        return records if {record["event.id"] for record in records} >= accepted else None

    records = eventually("all accepted events are stored", stored)
    assert len({record["event.id"] for record in records}) == len(records)
    verified = eventually("the trail verifies", lambda: (v := trail.verify())["exit_code"] == 0 and v)
    assert verified["faults"] == []
    assert trail.read("fsck")["troubles"] == []
    assert trail.process("up").alive
    trail.stop()


def test_a_read_only_disk(disk: Path, tmp_path: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    done = EmbeddedTrail(tmp_path / "trail", SLMTRAIL_DATA=str(disk / "data")).run("up")
    assert done.returncode == 5
    assert "read-only" in done.stderr.lower()
    assert "Traceback" not in done.stderr

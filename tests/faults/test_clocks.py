"""Collector, stream, indexer and reader disagree by days about the time, and the collector's clock jumps: nothing is
lost, doubled or invented.

SLMTRAIL_FAULT_ROUNDS: how often the collector's clock jumps (`make faults` takes 30). SLMTRAIL_FAULT_SEED: how far.
"""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path
from typing import Any

import pytest

from trails import Process, Trail, eventually

SEED = int(os.environ.get("SLMTRAIL_FAULT_SEED", "20261130"))
ROUNDS = int(os.environ.get("SLMTRAIL_FAULT_ROUNDS", "2"))
MOST_S = 3 * 86_400
SKEWED = [sys.executable, str(Path(__file__).parents[1] / "skewed.py")]


class SkewedTrail(Trail):
    """A collector, a stream and an indexer over SQLite, each with a clock of its own."""

    def begin(self, name: str, skew_s: int) -> Process:
        """Starts one of them, after its last life, with a clock that is so wrong."""
        log = self.folder / f"{name}.log"
        begun = self.processes[name] = Process([str(skew_s), name], self.environ, log, SKEWED)
        begun.start()
        return begun


@pytest.mark.slow
def test_clocks_that_disagree_and_jump(tmp_path: Path) -> None:
    print(f"SLMTRAIL_FAULT_SEED={SEED}", flush=True)
    rng, trail = random.Random(SEED), SkewedTrail(tmp_path)
    assert trail.run("init").returncode == 0
    accepted: list[str] = []
    try:
        for name in ("stream", "index"):
            trail.begin(name, rng.randint(-MOST_S, MOST_S))
        for number in range(ROUNDS):
            collecting = trail.begin("collect", skew_s := rng.randint(-MOST_S, MOST_S))
            print(f"round {number}: the collector is {skew_s} s ahead", flush=True)
            trail.address = collecting.wait_for(r"collecting at (\S+)/v1/events")
            for _ in range(rng.randrange(1, 20)):
                events = [event(len(accepted) + place) for place in range(rng.randrange(1, 5))]
                status, answer = trail.post(events)
                assert status == 200, answer
                accepted += answer["ids"]
            collecting.kill() if rng.random() < 0.5 else collecting.stop()
        trail.begin("collect", 0)  # to ship what is still in the spool

        def stored() -> list[dict[str, Any]] | None:
            records = trail.search("--kind", "inference")
            return records if len(records) >= len(accepted) else None

        records = eventually("all accepted events are stored", stored)
        assert sorted(record["event.id"] for record in records) == sorted(accepted)
        verified = eventually("the trail verifies", lambda: (v := trail.verify())["exit_code"] == 0 and v)
        assert verified["faults"] == []
        assert trail.read("fsck")["troubles"] == []
        assert all(trail.process(name).alive for name in ("stream", "index"))
    finally:
        trail.kill()


def event(number: int) -> dict[str, Any]:
    return {"slm.kind": "inference", "gen_ai.request.model": "phi-3", "slm.latency_ms": number}

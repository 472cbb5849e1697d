"""kill -9 at random moments, of one process, of two, or of all: what was accepted is stored once, what was not sent is
never there.

SLMTRAIL_FAULT_ROUNDS: how often (`make faults` takes 30). SLMTRAIL_FAULT_SEED: when.
"""

from __future__ import annotations

import os
import random
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from servers.elastic import start_elastic
from servers.kafka import start_kafka
from trails import DistributedTrail, EmbeddedTrail, Trail, eventually

SEED = int(os.environ.get("SLMTRAIL_FAULT_SEED", "20261121"))
ROUNDS = int(os.environ.get("SLMTRAIL_FAULT_ROUNDS", "5"))


class Client:
    """Posts numbered events from a thread and notes which were accepted; never sends one twice."""

    def __init__(self, trail: Trail) -> None:
        self._trail = trail
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.sent = 0
        self.accepted: dict[str, int] = {}

    def __enter__(self) -> Client:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            numbers = range(self.sent, self.sent + 1 + self.sent % 7)
            self.sent = numbers.stop
            events: list[dict[str, Any]] = [
                {
                    "slm.kind": "inference",
                    "user.id": f"user-{number % 5}",
                    "gen_ai.request.model": "phi-3-mini",
                    "gen_ai.input.messages": f"question {number} from anna{number}@example.com",
                    "slm.latency_ms": number,
                }
                for number in numbers
            ]
            try:
                status, answer = self._trail.post(events)
            except OSError:
                time.sleep(0.02)
                continue
            except Exception:  # half an answer: accepted or not, we can't know
                continue
            if status == 200:
                self.accepted |= dict(zip(answer["ids"], numbers, strict=True))


@pytest.mark.slow
def test_kill_at_random_moments(tmp_path: Path) -> None:
    killed(EmbeddedTrail(tmp_path), rounds=ROUNDS, longest_s=1.5)


@pytest.mark.slow
def test_kill_over_kafka_and_elasticsearch(tmp_path: Path) -> None:
    with start_kafka() as kafka, start_elastic() as elastic:
        killed(DistributedTrail(tmp_path, kafka.bootstrap, elastic.url), rounds=max(3, ROUNDS // 5), longest_s=15)


def killed(trail: Trail, rounds: int, longest_s: float) -> None:
    """Kills some or all processes `rounds` times while events come in, then counts."""
    print(f"SLMTRAIL_FAULT_SEED={SEED}", flush=True)
    rng = random.Random(SEED)
    trail.start()
    with Client(trail) as client:
        for number in range(rounds):
            if number % 5 == 4:
                # While it starts: keys, recovery, the first frames.
                trail.launch()
                time.sleep(rng.uniform(0, 4))
            else:
                trail.start()
                before = len(client.accepted)
                eventually("events are accepted again", lambda before=before: len(client.accepted) > before)
                time.sleep(rng.uniform(0, longest_s))
            processes = sorted(trail.processes)
            victims = rng.sample(processes, len(processes) - number % len(processes))
            print(f"round {number}: {', '.join(victims)}, {len(client.accepted)} events", flush=True)
            for name in victims:
                trail.process(name).kill()
        trail.start()
        before = len(client.accepted)
        eventually("events are accepted again", lambda: len(client.accepted) > before)
    assert len(client.accepted) > rounds

    stored = eventually("all accepted events are stored", lambda: all_stored(trail, client))
    numbers = [record["slm.latency_ms"] for record in stored]
    assert len(numbers) == len(set(numbers)), "an event was doubled"
    assert set(numbers) <= set(range(client.sent)), "an event was invented"
    assert {record["event.id"] for record in stored} >= set(client.accepted)
    wrong = [r for r in stored if client.accepted.get(r["event.id"], r["slm.latency_ms"]) != r["slm.latency_ms"]]
    assert wrong == []
    verified = eventually("the trail verifies", lambda: (v := trail.verify())["exit_code"] == 0 and v)
    assert verified["faults"] == []
    assert trail.read("fsck")["troubles"] == []
    trail.stop()


def all_stored(trail: Trail, client: Client) -> list[dict[str, Any]] | None:
    records = trail.search("--kind", "inference")
    return records if {record["event.id"] for record in records} >= set(client.accepted) else None

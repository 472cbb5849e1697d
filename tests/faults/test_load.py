"""More than was meant: a thousand collectors of which one sends half, a million users, a burst, prompts of ten
megabytes. All of it is kept or refused to whoever sent it, and nothing else suffers.

SLMTRAIL_FAULT_ROUNDS: how much (`make faults` takes 30).
"""

from __future__ import annotations

import os
import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import orjson
import pytest

from builders import NOW_MS, Stream, inference, records
from slmtrail.core.judging import Windows
from slmtrail.core.policy import Policy
from trails import EmbeddedTrail, eventually

SEED = int(os.environ.get("SLMTRAIL_FAULT_SEED", "20261129"))
ROUNDS = int(os.environ.get("SLMTRAIL_FAULT_ROUNDS", "1"))
COLLECTORS = 33 * ROUNDS
USERS = 34_000 * ROUNDS if "SLMTRAIL_FAULT_ROUNDS" in os.environ else 6_000
USERS_A_FRAME = 400
REMEMBERED = 1_000
BURST_REQUESTS = 40 * ROUNDS
BATCH = 64
FAILED_LOGIN = {"@timestamp": NOW_MS, "slm.kind": "auth", "event.action": "login", "event.outcome": "failure"}


def test_many_collectors_of_which_one_sends_half(tmp_path: Path) -> None:
    print(f"SLMTRAIL_FAULT_SEED={SEED}", flush=True)
    rng, stream = random.Random(SEED), Stream(tmp_path)
    edges = [stream.edge(f"edge-{number}") for number in range(COLLECTORS)]
    senders = [edge for edge in edges for _ in range(2)] + [edges[0]] * (2 * COLLECTORS - 2)
    rng.shuffle(senders)
    waiting = [edge.frame([inference(f"{number}", user=edge.name)] * 3) for number, edge in enumerate(senders)]
    found: list[dict[str, Any]] = []
    while waiting:
        output = stream.take(*waiting[:BATCH])
        del waiting[:BATCH]
        assert output.deadletters == []
        found += [orjson.loads(message.value) for message in output.records]
    asked = [record for record in found if record["slm.kind"] == "inference"]
    assert len(asked) == len({record["event.id"] for record in asked}) == 3 * len(senders)
    by = Counter(record["slm.collector.id"] for record in asked)
    assert by == Counter({name: 3 * count for name, count in Counter(edge.name for edge in senders).items()})
    assert all(record["user.id"] == record["slm.collector.id"] for record in asked)
    chains = {record["event.action"] for record in found if record["slm.kind"] == "system"}
    assert not chains & {"gap", "chain_broken", "dropped"}


def test_a_million_users(tmp_path: Path) -> None:
    """However many come, no more are remembered than the policy says; whoever is attacked among them is seen."""
    stream = Stream(tmp_path, policy=Policy(windows=Windows(max_subjects=REMEMBERED)))
    edge, attacked = stream.edge(), "attacked"
    found: list[dict[str, Any]] = []
    for first in range(0, USERS, USERS_A_FRAME):
        users = [attacked, *(f"user-{number}" for number in range(first, first + USERS_A_FRAME))]
        output = stream.take(edge.frame([{**FAILED_LOGIN, "user.id": user} for user in users]))
        assert output.deadletters == []
        found += [record for record in records(output) if record["slm.kind"] == "alert"]
        assert stream.windows.subjects <= REMEMBERED
    assert len(stream.windows.snapshot()) < 200 * REMEMBERED
    assert [alert["slm.alert.subject"] for alert in found if alert["rule.id"] == "login-failures"][:1] == [
        f"user.id:{attacked}"
    ]


@pytest.mark.slow
@pytest.mark.skipif("SLMTRAIL_FAULT_ROUNDS" not in os.environ, reason="takes a while: make faults")
def test_a_burst_and_prompts_of_ten_megabytes(tmp_path: Path) -> None:
    trail = EmbeddedTrail(tmp_path)
    trail.start()
    accepted: set[str] = set()
    word = "how shall I know what this is worth "

    def post(number: int) -> None:
        status, answer = trail.post([event(f"{word * 30} {number} {place}") for place in range(50)])
        assert status in (200, 429, 503), answer
        if status == 200:
            accepted.update(answer["ids"])

    def event(text: str) -> dict[str, Any]:
        return {"slm.kind": "inference", "gen_ai.request.model": "phi-3", "gen_ai.input.messages": text}

    with ThreadPoolExecutor(16) as callers:
        burst = [callers.submit(post, number) for number in range(BURST_REQUESTS)]
        for _ in range(3):
            status, answer = trail.post([event(word * (10_000_000 // len(word)))])
            assert status == 413, answer
            assert [refused["reason"] for refused in answer["refused"]] == ["oversized"]
        for one in burst:
            one.result()
    assert accepted

    def stored() -> bool:
        return bool(trail.read("search", "--count", "kind:inference")["total"] >= len(accepted))

    eventually("all accepted events are stored", stored, deadline_s=600, pause_s=1)
    assert {record["event.id"] for record in trail.search("--kind", "inference")} == accepted
    assert trail.verify()["faults"] == []
    memory = Path(f"/proc/{trail.process('up').pid}/status")
    if memory.exists():
        peak_kb = int(memory.read_text().split("VmHWM:")[1].split()[0])
        print(f"{len(accepted)} events, at most {peak_kb // 1024} MB")
        assert peak_kb < 1024 * 1024
    trail.stop()

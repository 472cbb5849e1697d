"""kill -9 of a gateway and of the collector behind it at random, over a wire with troubles: nothing accepted is lost,
nothing is doubled, and decisions still arrive."""

from __future__ import annotations

import asyncio
import os
import random
import time
from pathlib import Path

import orjson

from builders import NoRedaction
from certificates import certificate
from servers.wire import TROUBLES, Wire
from slmtrail.app import parts
from slmtrail.core import frames, keys, trust
from slmtrail.core.policy import Policy
from slmtrail.core.ports import FRAMES, Delivery
from slmtrail.core.settings import Settings
from slmtrail.stream.judge.judge import Judge
from slmtrail.stream.process import Desk, process
from trails import Process, Trail, eventually

SEED = int(os.environ.get("SLMTRAIL_FAULT_SEED", "20261126"))
ROUNDS = int(os.environ.get("SLMTRAIL_FAULT_ROUNDS", "3"))
LISTENING = r"collecting at (https?://\S+)/v1/events"


class Pair:
    """A gateway over SQLite, and a collector that knows no other way than through it."""

    def __init__(self, folder: Path) -> None:
        tls = certificate(folder / "tls", "gateway", server=True)
        self.gateway = Trail(
            folder / "gateway",
            SLMTRAIL_COLLECTOR_NAME="gateway",
            SLMTRAIL_INGEST_CERTIFICATE=str(tls.chain),
            SLMTRAIL_INGEST_KEY=str(tls.key),
            SLMTRAIL_INGEST_SENDERS="known",
        )
        token = self.gateway.run("enrol-token", "--environment", "prod").stdout.strip()
        self.door = self.gateway.process("collect")
        self.door.start()
        self.gateway.address = self.door.wait_for(LISTENING)
        # The port stays the same over restarts.
        self.gateway.environ["SLMTRAIL_INGEST_PORT"] = self.gateway.address.rpartition(":")[2]
        self.wire = Wire(self.gateway.address.removeprefix("https://"), SEED)
        self.pod = Trail(
            folder / "pod",
            SLMTRAIL_COLLECTOR_NAME="pod-1",
            SLMTRAIL_COLLECTOR_RELAY=f"https://{self.wire.address}",
            SLMTRAIL_COLLECTOR_RELAY_CA=str(tls.chain),
            SLMTRAIL_BUS_URL="kafka://127.0.0.1:9",
            SLMTRAIL_ENROLMENT_TOKEN=token,
        )
        enrolled = self.pod.run("enrol", "--at", self.gateway.address, "--ca", str(tls.chain))
        assert enrolled.returncode == 0, enrolled.stderr
        self.collecting = self.pod.process("collect")

    def begin(self) -> None:
        """Starts what is not running, and waits for the collector."""
        self.door.start()
        self.collecting.start()
        self.pod.address = self.collecting.wait_for(LISTENING)

    @property
    def processes(self) -> list[Process]:
        """Both."""
        return [self.door, self.collecting]


def on_bus(settings: Settings) -> list[Delivery]:
    async def read() -> list[Delivery]:
        bus = parts.open_bus(settings)
        reader = await bus.read(FRAMES, 0, 0)
        try:
            return await reader.poll(100_000, 0)
        finally:
            await reader.close()
            await bus.close()

    return asyncio.run(read())


def test_gateway_and_collector_are_killed_at_random(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    pair = Pair(tmp_path)
    settings = Settings(data=pair.gateway.data)
    accepted: dict[str, int] = {}
    number = 0
    try:
        for _ in range(ROUNDS):
            # What falls silent is given up after three quarters of a minute: that takes many rounds.
            pair.wire.trouble = chance.choice(TROUBLES if ROUNDS > 3 else ("cut", "reset", "slow"))
            pair.begin()
            for _ in range(chance.randrange(5, 40)):
                event = {"slm.kind": "inference", "gen_ai.request.model": "m", "slm.latency_ms": number}
                status, answer = pair.pod.post([event])
                assert status == 200
                accepted[answer["ids"][0]] = number
                number += 1
            time.sleep(chance.random() / 5)  # so that the kill comes at any moment of the shipping
            for process_ in chance.sample(pair.processes, chance.randint(1, 2)):
                process_.kill()
        pair.wire.trouble = ""
        pair.begin()
        last = pair.pod.post([{"slm.kind": "inference", "gen_ai.request.model": "last"}])[1]["ids"][0]
        decided = pair.gateway.run("control", "close", "user:mallory", "--reason", "left")
        assert decided.returncode == 0, decided.stderr
        known = pair.pod.data / "control" / "decisions.jsonl"
        eventually("the decision has arrived", lambda: known.exists() and b"user:mallory" in known.read_bytes())
        eventually("all is shipped", lambda: pair.pod.read("spool", "status")["frames"] == 0, pause_s=0.2)
    finally:
        for process_ in pair.processes:
            process_.kill()
        pair.wire.close()
    mine = [delivery for delivery in on_bus(settings) if frames.header_of(delivery.value).collector == "pod-1"]
    desk = Desk(
        trust.Trust(settings.trust_file),
        keys.decryption_key(settings.keys / "stream.pem"),
        NoRedaction(),
        Judge(Policy()),
        Policy(),
    )
    output = process(mine, {}, desk)
    records = [orjson.loads(message.value) for message in output.records]
    assert output.deadletters == []
    found = [record["event.id"] for record in records if record["slm.kind"] == "inference"]
    assert found == [*accepted, last]
    assert not [record for record in records if record.get("event.action") in ("gap", "chain_broken", "dropped")]

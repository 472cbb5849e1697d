"""Dead letters are brought into the trail after a fix: each event once, and nothing of who was erased."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from builders import Edge, inference
from slmtrail.bus.connect import connect
from slmtrail.core import frames, keys, trust
from slmtrail.core.frames import Frame
from slmtrail.core.identity import Position, record_id
from slmtrail.core.ports import FRAMES, Message
from slmtrail.stream.replay import left_out_by
from trails import EmbeddedTrail, Process, Trail, eventually

CANARY = "Xylophonic"
FRAMES_LOST = 30


class Stranger:
    """A collector elsewhere, whose key nobody has admitted yet, on the bus of a trail."""

    def __init__(self, trail: Trail, bus_url: str, partitions: int = 1) -> None:
        self._bus_url, self._partitions, self.trail = bus_url, partitions, trail
        self.edge = Edge(keys.decryption_key(trail.data / "keys" / "stream.pem"), "edge-7")

    def ship(self, *made: Frame) -> None:
        async def publish() -> None:
            bus = connect(self._bus_url, partitions=self._partitions)
            await bus.ensure_topics()
            await bus.publish(FRAMES, [Message("edge-7", frames.to_bytes(frame)) for frame in made])
            await bus.close()

        asyncio.run(publish())

    def replayed(self) -> bool:
        """Whether the topic has frames that a replay has put there."""

        async def found() -> bool:
            bus = connect(self._bus_url, partitions=self._partitions)
            readers = [await bus.read(FRAMES, partition, 0) for partition in range(self._partitions)]
            keys = [delivery.key for reader in readers for delivery in await reader.poll(10_000, 0)]
            await bus.close()
            return any(left_out_by(key) is not None for key in keys)

        return asyncio.run(found())

    def admitted(self) -> None:
        trust.admit(self.trail.data / "trust" / "trust.json", "edge-7", "dev", self.edge.key.public_key())

    def lost(self) -> list[Frame]:
        """Frames that go to the dead letters, each with an event of alice and one of zoe."""
        self.edge.now_ms = time.time_ns() // 1_000_000 - 1000
        made = [
            self.edge.frame([inference(f"plain {n}", "alice"), inference(f"{CANARY} {n}", "zoe")])
            for n in range(FRAMES_LOST)
        ]
        self.ship(*made)
        eventually("all are dead letters", lambda: told(self.trail)["refused"].get("unknown_key") == FRAMES_LOST)
        return made

    def ids(self, made: list[Frame], index: int) -> set[str]:
        return {record_id("edge-7", self.edge.boot, Position(f.header.sequence, index, 0)) for f in made}


def told(trail: Trail, *more: str) -> Any:
    done = trail.run("replay", "--json", *(more or ["--dry-run"]))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def trail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedTrail]:
    # What a collector signed for is covered every 64 frames, and a heartbeat is one.
    running = EmbeddedTrail(tmp_path_factory.mktemp("replay"), SLMTRAIL_COLLECTOR_HEARTBEAT_MS="100")
    running.start()
    yield running
    running.stop()


def brought_once(trail: Trail, stranger: Stranger, lost: list[Frame], *replays: Process) -> None:
    """After some replays, of which some were killed and some ran at once, one more finds nothing left to do."""
    for process in replays:
        eventually("it has ended", lambda process=process: not process.alive)
    alice, zoe = stranger.ids(lost, 1), stranger.ids(lost, 2)

    def found() -> list[str] | None:
        ids = [record["event.id"] for record in trail.search("collector:edge-7", "--kind", "inference")]
        return ids if alice <= set(ids) else None

    ids = eventually("what was lost is found", found)
    assert len(ids) == len(set(ids)), "an event was stored twice"
    assert not zoe & set(ids), "an event of a person who was erased came back"
    again = told(trail, "--wait", "3")
    assert again["left_out"] == FRAMES_LOST, "what is left out is not told"

    def verified() -> dict[str, Any] | None:
        outcome = trail.verify()
        return outcome if outcome["verified"] and not outcome["uncovered"] else None

    outcome = eventually("it verifies", verified)
    assert outcome["signed_for"]["replayed"] == FRAMES_LOST


def test_letters_are_replayed_once_though_killed_and_run_twice(trail: EmbeddedTrail) -> None:
    stranger = Stranger(trail, f"sqlite:{trail.data / 'bus.sqlite'}")
    assert trail.post([inference(CANARY, "zoe"), inference("hello", "alice")])[0] == 200
    lost = stranger.lost()
    stranger.admitted()
    stranger.ship(stranger.edge.frame([inference("later", "alice")]))
    assert trail.run("erase", "--subject", "zoe", "--reason", "ticket 9", "--yes").returncode == 0
    dry = told(trail)
    assert (dry["open"], dry["left_out"]) == ({"unknown_key": FRAMES_LOST}, FRAMES_LOST)

    killed = trail.process("killed", "replay")
    killed.start()
    eventually("it has begun", stranger.replayed)
    killed.kill()
    twins = [trail.process(name, "replay", "--wait", "3") for name in ("one", "two")]
    for twin in twins:
        twin.start()
    trail.process("up").kill()
    trail.start()
    stranger.ship(stranger.edge.frame(kind="close"))
    brought_once(trail, stranger, lost, *twins)
    for path in trail.data.glob("store.sqlite*"):
        assert CANARY.encode() not in path.read_bytes()


def test_frames_that_the_topic_has_and_the_trail_has_not_are_replayed_from_there(trail: EmbeddedTrail) -> None:
    assert told(trail, "--topic", "slm.frames", "--reason", "nothing", "--dry-run")["open"] == {}
    taken = told(trail, "--topic", "slm.frames", "--since", "1h", "--dry-run")
    assert set(taken["open"]) <= {"on the topic"}
    assert taken["settled"] > 0


def test_a_record_that_the_store_refused_is_stored_after_the_fix(trail: EmbeddedTrail) -> None:
    done = trail.run("replay", "--topic", "slm.records", "--json")
    assert json.loads(done.stdout)["stored"] == 0
    assert trail.run("replay", "--topic", "slm.elsewhere").returncode == 2


def test_history_is_imported_once_though_killed_and_is_not_late(trail: EmbeddedTrail, tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"
    when = "2024-02-03T04:05:06.000Z"
    more = {"@timestamp": when, "service.name": "old"}
    file.write_text("".join(json.dumps(inference(f"old {n} {'x' * 800}") | more) + "\n" for n in range(3000)))
    killed = trail.process("import", "import", str(file), "--format", "slmtrail")
    killed.start()
    spool = trail.data / "spool" / "import"
    eventually("it has begun", lambda: list(spool.glob("*.sqlite*")) or not killed.alive)
    killed.kill()
    for accepted in (None, 0):
        done = trail.run("import", str(file), "--format", "slmtrail", "--json")
        assert done.returncode == 0, done.stderr
        taken = json.loads(done.stdout)
        assert (taken["whole"], taken["entries"]) == (True, 3000)
        assert accepted in (None, taken["accepted"]), "the same content was imported again"

    def found() -> bool:
        return bool(trail.read("search", "service.name:old", "--kind", "inference", "--limit", "1")["total"] >= 3000)

    eventually("all is stored", found)
    page = trail.read("search", "service.name:old", "--kind", "inference", "--limit", "1")
    assert page["total"] == 3000
    assert (page["records"][0]["@timestamp"], page["records"][0]["slm.imported_from"]) == (when, "history.jsonl")
    assert trail.search("--kind", "alert", "rule.id:late-events", "collector:import") == []
    late = [one for one in trail.search("--kind", "alert") if "late" in one["rule.id"] or "clock" in one["rule.id"]]
    assert not [one for one in late if "import" in one["slm.alert.subject"]]

"""A year of simulated time through retention, with a hold: what is left is what the policy says, and it all proves."""

from __future__ import annotations

import asyncio
import dataclasses
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from builders import Edge, Stream, inference
from slmtrail.app import parts, retain
from slmtrail.app.decree import decree
from slmtrail.core import policy as policy_file
from slmtrail.core import retaining
from slmtrail.core.certificate import COLLECTOR, Certificate
from slmtrail.core.errors import StoreError
from slmtrail.core.events import timestamp_ms
from slmtrail.core.ports import RECORDS, Message, Store
from slmtrail.core.retaining import DAY_MS
from slmtrail.core.rollup import HOUR_MS
from slmtrail.core.settings import Settings, StoreSettings
from slmtrail.indexer.index import run
from slmtrail.indexer.store.connect import connect
from slmtrail.indexer.verify.trail import Scope, verify

POLICY = """
retention:
  classes:
    standard: {content: 36d, keep: 150d}
    patients: {content: 12d, keep: 24d}
    audit: {content: 120d, keep: 250d}
  assign:
    - {to: patients, environments: [dev], roles: [nurse]}
    - {to: audit, kinds: [auth, system, alert]}
"""
BEGIN_MS = int(datetime(2040, 1, 1, tzinfo=UTC).timestamp() * 1000)
"""After the day on which the collector's key is admitted, whenever that is."""
HELD_UNTIL_MS = BEGIN_MS + 300 * DAY_MS


class Year:
    """A trail whose clock is turned by hand."""

    def __init__(self, folder: Path, store_url: str, dataset: str, monkeypatch: pytest.MonkeyPatch) -> None:
        path = folder / "policy.yaml"
        path.write_text(POLICY)
        self.settings = Settings(data=folder / "data", policy=path, store=StoreSettings(url=store_url))
        parts.make_keys(self.settings)
        self.policy = policy_file.load(path)

        def open_store(settings: Settings, *, writable: bool = False) -> Store:
            return connect(settings.store_url, writable=writable, dataset=dataset)

        monkeypatch.setattr(parts, "open_store", open_store)
        self.store = open_store(self.settings, writable=True)
        self.stream = Stream(folder)
        self.stream.desk = dataclasses.replace(self.stream.desk, policy=self.policy)
        self.edge: Edge = self.stream.edge()
        self.steps, self.every = 6, 2

    def live(self, begin_ms: int, days: int) -> None:
        """Some days of events, indexed."""
        messages: list[Message] = []
        for day in range(0, days, self.every):
            self.edge.now_ms = begin_ms + day * DAY_MS
            events: list[Any] = [
                inference(f"canary{day}", user, **{"@timestamp": self.edge.now_ms, **more})
                for user, more in (("alice", {}), ("bob", {}), ("carol", {"slm.role": "nurse", "slm.latency_ms": day}))
            ]
            login = {"slm.kind": "auth", "event.action": "login", "event.outcome": "success", "user.id": "bob"}
            messages += self.stream.take(self.edge.frame([*events, {**login, "@timestamp": self.edge.now_ms}])).records
        messages += self.stream.take(self.edge.frame(kind="heartbeat")).records
        asyncio.run(self._index([dataclasses.replace(message, partition=0) for message in messages]))

    async def _index(self, messages: list[Message]) -> None:
        bus = parts.open_bus(self.settings)
        await bus.ensure_topics()
        await bus.publish(RECORDS, messages)
        sealer = parts.open_sealer(self.settings, 0)
        indexing = asyncio.create_task(run(bus, self.store, sealer, 0, 500, parts.authorities(self.settings)))
        end = await self._end(bus)
        while sealer.next_offset < end:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        indexing.cancel()
        await asyncio.gather(indexing, return_exceptions=True)
        sealer.checkpoint()
        sealer.close()
        await bus.close()

    async def _end(self, bus: Any) -> int:
        reader = await bus.read(RECORDS, 0, 0)
        offset = 0
        while batch := await reader.poll(1000, 0):
            offset = batch[-1].offset + 1
        await reader.close()
        return offset

    def certify(self, **parts_of: Any) -> str:
        told = Certificate(at_ms=BEGIN_MS, by="counsel", **parts_of)
        return asyncio.run(decree(self.settings, [(0, told)], lambda _: True, 60))[0]

    def retain(self, at_ms: int) -> int:
        """How many certificates it took."""
        return len(asyncio.run(retain.apply(self.settings, self.store, at_ms))[1])

    def leaves(self) -> dict[int, dict[str, Any]]:
        ledger = parts.ledger_name(self.settings, 0)
        return {sealed.leaf: sealed.record for sealed in self.store.scan(ledger, 0, 10**6)}

    def verified(self, scope: Scope | None = None) -> Any:
        return verify(parts.ledger_folders(self.settings), self.store, scope=scope)


@pytest.fixture(params=["sqlite", pytest.param("elastic", marks=pytest.mark.servers)])
def year(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Year]:
    """An empty trail on each store."""
    url = "" if request.param == "sqlite" else request.getfixturevalue("elastic").url
    made = Year(tmp_path, url, f"t{uuid.uuid4().hex}", monkeypatch)
    made.steps, made.every = (3, 6) if url else (6, 2)
    yield made
    made.store.close()


def expected(record: dict[str, Any], at_ms: int, policy: policy_file.Policy) -> str:
    """What is to be left of a record at a time."""
    if record["slm.collector.id"] == COLLECTOR:
        return "full"
    ts_ms = timestamp_ms(record["@timestamp"])
    if record.get("user.id") == "bob" and at_ms < HELD_UNTIL_MS:
        return "full"
    kept = policy.retention.classes[record[retaining.FIELD]]
    end_ms = (ts_ms // kept.period_ms + 1) * kept.period_ms
    over = [at_ms >= end_ms + int(span[:-1]) * DAY_MS for span in (kept.content, kept.keep)]
    return "gone" if over[1] else "bare" if over[0] and record["slm.salts"] else "full"


def test_a_year_leaves_what_the_policy_says(year: Year) -> None:
    sealed: dict[int, dict[str, Any]] = {}
    year.certify(action="held", reason="case 9", query="user:bob", until_ms=HELD_UNTIL_MS)
    days = 366 // year.steps
    for step in range(year.steps):
        now_ms = BEGIN_MS + (step + 1) * days * DAY_MS
        year.live(BEGIN_MS + step * days * DAY_MS, days)
        sealed |= {leaf: record for leaf, record in year.leaves().items() if leaf not in sealed}
        year.store.rotate(dict.fromkeys(year.policy.retention.classes, 0))
        assert year.retain(now_ms)
        left = year.leaves()
        for leaf, record in sealed.items():
            state = "gone" if leaf not in left else "full" if left[leaf] == record else "bare"
            assert state == expected(record, now_ms, year.policy), (step, leaf, record)
        for leaf, record in left.items():
            assert sealed.setdefault(leaf, record)["event.id"] == record["event.id"]
    assert year.retain(now_ms) == 0
    proved = year.verified()
    assert proved.faults == []
    assert sum(proved.removed.values()) == len(sealed) - len(left) > 50
    assert sum(proved.summarised.values()) == sum("slm.commitments" in record for record in left.values()) > 20
    # Asked about a time, all certificates count, wherever they stand.
    assert year.verified(Scope(until_ms=BEGIN_MS + 200 * DAY_MS)).faults == []
    # What there was can be counted for as long as statistics are kept.
    inferences = [one for one in year.store.rollups(0, 10**15) if one.kind == "inference"]
    assert sum(one.count for one in inferences) == 3 * year.steps * len(range(0, days, year.every))
    assert min(one.hour_ms for one in inferences) == BEGIN_MS // HOUR_MS * HOUR_MS


@pytest.mark.parametrize("year", ["sqlite"], indirect=True)
@pytest.mark.parametrize("crash", ["decree", "expire", "half"])
def test_what_a_crash_left_undone_the_next_run_does(year: Year, crash: str, monkeypatch: pytest.MonkeyPatch) -> None:
    year.certify(action="held", reason="case 9", query="user:bob")
    year.live(BEGIN_MS, 60)
    sealed = year.leaves()
    now_ms = BEGIN_MS + 100 * DAY_MS
    expire = year.store.expire

    def failing(summarise: Any, remove: Any) -> None:
        if crash == "half":
            expire(summarise, {})
        raise StoreError("the disk is gone")

    async def sealed_and_gone(*arguments: Any) -> list[str]:
        await decree(*arguments)
        raise StoreError("the power is gone")

    with monkeypatch.context() as broken:
        if crash == "decree":
            broken.setattr(retain, "decree", sealed_and_gone)
        else:
            broken.setattr(year.store, "expire", failing)
        with pytest.raises(StoreError, match="gone"):
            year.retain(now_ms)
    assert year.verified().faults == []
    assert year.retain(now_ms) == 0
    for leaf, record in sealed.items():
        left = year.leaves().get(leaf)
        assert ("gone" if left is None else "full" if left == record else "bare") == expected(
            record, now_ms, year.policy
        )
    assert year.verified().faults == []


@pytest.mark.parametrize("year", ["sqlite"], indirect=True)
def test_a_hold_that_comes_after_its_certificate_still_wins(year: Year, monkeypatch: pytest.MonkeyPatch) -> None:
    year.live(BEGIN_MS, 60)
    now_ms = BEGIN_MS + 400 * DAY_MS
    before = year.leaves()
    held: list[str] = []

    async def then_a_hold(*arguments: Any) -> list[str]:
        ids = await decree(*arguments)
        told = Certificate("held", BEGIN_MS, "counsel", "case 9", query="user:alice")
        held.extend(await decree(year.settings, [(0, told)], lambda _: True, 60))
        return ids

    with monkeypatch.context() as late:
        late.setattr(retain, "decree", then_a_hold)
        assert year.retain(now_ms)
    ours = {leaf: record for leaf, record in year.leaves().items() if record["slm.collector.id"] != COLLECTOR}
    assert ours == {leaf: record for leaf, record in before.items() if record.get("user.id") == "alice"}
    assert year.verified().faults == []
    year.certify(action="released", reason="settled", subject=held[0])
    assert year.retain(now_ms) == 0  # they are certified already
    assert all(record["slm.collector.id"] == COLLECTOR for record in year.leaves().values())
    assert year.verified().faults == []


@pytest.mark.parametrize("year", ["sqlite"], indirect=True)
def test_what_no_certificate_covers_is_missing(year: Year) -> None:
    year.live(BEGIN_MS, 60)
    assert year.retain(BEGIN_MS + 100 * DAY_MS)
    ledger = parts.ledger_name(year.settings, 0)
    (leaf, *_) = (leaf for leaf, record in year.leaves().items() if record["slm.kind"] == "auth")
    year.store.expire({}, {ledger: [(leaf, leaf)]})
    assert [(fault.kind, fault.leaf) for fault in year.verified().faults] == [("missing", leaf)]

"""A trail whose clock is turned by hand: what a year does to it takes seconds."""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from builders import Edge, Stream, inference
from slmtrail.app import parts
from slmtrail.app.commands import retain
from slmtrail.app.decree import decree
from slmtrail.core import policy as policy_file
from slmtrail.core.certificate import Certificate
from slmtrail.core.ports import RECORDS, Message, Store
from slmtrail.core.retaining import DAY_MS
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

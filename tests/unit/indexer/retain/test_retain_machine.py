"""Retention on a real trail against a model: time, holds and releases, erasures, and runs that die on their way.

SLMTRAIL_FAULT_ROUNDS: how many lives are tried.
"""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from slmtrail.app import parts
from slmtrail.app.commands import retain
from slmtrail.app.decree import decree
from slmtrail.core import retaining
from slmtrail.core.certificate import COLLECTOR, rows
from slmtrail.core.errors import StoreError
from slmtrail.core.events import timestamp_ms
from slmtrail.core.retaining import DAY_MS
from years import BEGIN_MS, Year

EXAMPLES = int(os.environ.get("SLMTRAIL_FAULT_ROUNDS", "3"))
USERS = st.sampled_from(["alice", "bob", "carol"])


class Life(RuleBasedStateMachine):
    """A trail whose time passes."""

    def __init__(self) -> None:
        super().__init__()
        self.folder, self.patch = TemporaryDirectory(), pytest.MonkeyPatch()
        self.patch.setattr(os, "fsync", lambda _fd: None)
        self.year = Year(Path(self.folder.name), "", "", self.patch)
        self.year.every = 5
        self.now_ms = BEGIN_MS
        self.held: dict[str, str] = {}
        """The users that are held, each with its hold."""
        self.sealed: dict[int, dict[str, Any]] = {}
        self.state: dict[int, str] = {}
        """What was last left of each record."""
        self.erased: set[int] = set()

    @rule(days=st.integers(5, 40))
    def live(self, days: int) -> None:
        self.year.live(self.now_ms, days)
        self.now_ms += days * DAY_MS
        for leaf, record in self.year.leaves().items():
            if leaf not in self.sealed:
                self.sealed[leaf], self.state[leaf] = record, "full"

    @rule(days=st.integers(1, 150))
    def time_passes(self, days: int) -> None:
        self.now_ms += days * DAY_MS

    @rule(user=USERS)
    def hold_or_release(self, user: str) -> None:
        if user in self.held:
            self.year.certify(action="released", reason="settled", subject=self.held.pop(user))
        else:
            self.held[user] = self.year.certify(action="held", reason="case 9", query=f"user:{user}")

    @rule(user=USERS)
    def erase(self, user: str) -> None:
        leaves = [leaf for leaf, record in self.year.leaves().items() if record.get("user.id") == user]
        if user in self.held or not leaves:
            return
        ledger = parts.ledger_name(self.year.settings, 0)
        told = self.year.certify(action="erased", reason="ticket 7", ledger=ledger, leaves=rows(leaves))
        self.erased.update(leaves)
        self.state |= dict.fromkeys(leaves, "bare")
        assert self.left() == self.state
        certificate = next(leaf for leaf, record in self.sealed.items() if record["event.id"] == told)
        proved = self.year.verified()
        assert proved.faults == []
        assert proved.erased[f"{ledger}/{certificate}"] == len(leaves)

    @precondition(lambda self: self.sealed)
    @rule(where=st.sampled_from(["decree", "expire", "half"]))
    def die_while_retaining(self, where: str) -> None:
        expire = self.year.store.expire

        def failing(summarise: Any, _remove: Any) -> None:
            if where == "half":
                expire(summarise, {})
            raise StoreError("the disk is gone")

        async def sealed_and_gone(*arguments: Any) -> list[str]:
            await decree(*arguments)
            raise StoreError("the power is gone")

        with pytest.MonkeyPatch.context() as broken:
            if where == "decree":
                broken.setattr(retain, "decree", sealed_and_gone)
            broken.setattr(self.year.store, "expire", failing)
            with pytest.raises(StoreError, match="gone"):
                self.year.retain(self.now_ms)
        self.nothing_held_is_touched()

    @rule()
    def retain(self) -> None:
        self.year.retain(self.now_ms)
        self.nothing_held_is_touched()
        left = self.left()
        for leaf in self.sealed:
            if not self.is_held(leaf):
                self.state[leaf] = self.due(leaf)
        assert left == self.state
        assert self.year.retain(self.now_ms) == 0, "certified twice"

    def left(self) -> dict[int, str]:
        there = self.year.leaves()
        for leaf, record in there.items():  # certificates come by themselves
            if leaf not in self.sealed:
                assert record["slm.collector.id"] == COLLECTOR
                self.sealed[leaf], self.state[leaf] = record, "full"
        return {
            leaf: "gone" if leaf not in there else "full" if there[leaf] == record else "bare"
            for leaf, record in self.sealed.items()
        }

    def is_held(self, leaf: int) -> bool:
        return leaf not in self.erased and self.sealed[leaf].get("user.id") in self.held

    def nothing_held_is_touched(self) -> None:
        left = self.left()
        held = [leaf for leaf in self.sealed if self.is_held(leaf)]
        assert [left[leaf] for leaf in held] == [self.state[leaf] for leaf in held]

    def due(self, leaf: int) -> str:
        record = self.sealed[leaf]
        if record["slm.collector.id"] == COLLECTOR:
            return "full"
        kept = self.year.policy.retention.classes[record[retaining.FIELD]]
        end_ms = (timestamp_ms(record["@timestamp"]) // kept.period_ms + 1) * kept.period_ms
        over = [self.now_ms >= end_ms + int(span[:-1]) * DAY_MS for span in (kept.content, kept.keep)]
        bare = leaf in self.erased or (over[0] and record["slm.salts"])
        return "gone" if over[1] else "bare" if bare else "full"

    def teardown(self) -> None:
        try:
            self.retain()
            assert self.year.verified().faults == []
        finally:
            self.year.store.close()
            self.patch.undo()
            self.folder.cleanup()


Life.TestCase.settings = settings(max_examples=EXAMPLES, stateful_step_count=10, deadline=None)
TestRetention: Any = Life.TestCase

"""The SQLite bus against a model: any order of publishing, polling, committing, joining, leaving and dying."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from slmtrail.bus import sqlite_group
from slmtrail.bus.sqlite import SqliteBus
from slmtrail.bus.sqlite_group import SqliteSubscription
from slmtrail.core.ports import Message

TOPIC = "topic"
GROUP = "group"
PARTITIONS = 2
MAX_MEMBERS = 2


@dataclass(eq=False)
class Member:
    """A subscription, and what the model knows about it."""

    subscription: SqliteSubscription
    next: dict[int, int] = field(default_factory=dict)
    """Behind what was delivered to it, by partition."""
    uncommitted: dict[int, tuple[int, int]] = field(default_factory=dict)
    """By partition: behind what is not committed, and how often members had come or gone at the time."""


some_member = precondition(lambda self: self.living)
_at = st.integers(0, MAX_MEMBERS - 1)


class SqliteBusMachine(RuleBasedStateMachine):
    """One topic, one group, up to two members."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.file = Path(self.folder.name, "bus.db")
        self.patch = pytest.MonkeyPatch()
        # Nobody notices the dead but where the model says so.
        self.patch.setattr(sqlite_group, "BEAT_S", 3600)
        self.runner = asyncio.Runner()
        self.bus = SqliteBus(self.file, partitions=PARTITIONS, topics=[TOPIC], compacted=[])
        self.runner.run(self.bus.ensure_topics())
        self.published = 0
        self.keys: dict[str, list[int]] = {}
        self.logs: dict[int, list[int]] = {partition: [] for partition in range(PARTITIONS)}
        self.committed = dict.fromkeys(range(PARTITIONS), 0)
        self.last_reader: dict[int, Member] = {}
        self.changes = 0
        self.living: list[Member] = []

    @rule(keys=st.lists(st.sampled_from("abcdef"), min_size=4, max_size=12))
    def publish(self, keys: list[str]) -> None:
        messages = []
        for key in keys:
            messages.append(Message(key, b"%d" % self.published))
            self.keys.setdefault(key, []).append(self.published)
            self.published += 1
        self.runner.run(self.bus.publish(TOPIC, messages))
        with closing(sqlite3.connect(self.file)) as db:
            for partition in range(PARTITIONS):
                (lane,) = db.execute("SELECT id FROM lane WHERE partition = ?", (partition,)).fetchone()
                rows = db.execute("SELECT value FROM message WHERE place >> 40 = ? ORDER BY place", (lane,))
                log = [int(value) for (value,) in rows]
                assert log[: len(self.logs[partition])] == self.logs[partition]
                assert log == sorted(log)
                self.logs[partition] = log
        assert sorted(number for log in self.logs.values() for number in log) == list(range(self.published))

    @initialize()
    def start(self) -> None:
        self.publish(list("abcdefabcdef"))
        self.join()

    @precondition(lambda self: len(self.living) < MAX_MEMBERS)
    @rule()
    def join(self) -> None:
        self.living.append(Member(self.runner.run(self.bus.subscribe(TOPIC, GROUP))))
        self.changes += 1

    @some_member
    @rule(at=_at, count=st.integers(1, 4))
    def poll(self, at: int, count: int) -> None:
        member = self.living[at % len(self.living)]
        found = self.runner.run(member.subscription.poll(count, 0))
        assert len(found) <= count
        for delivery in found:
            partition, offset = delivery.partition, delivery.offset
            number = int(delivery.value)
            assert self.logs[partition][offset] == number
            assert number in self.keys[delivery.key]
            going_on = self.last_reader.get(partition) is member and member.next.get(partition) == offset
            assert going_on or offset == self.committed[partition]
            member.next[partition] = offset + 1
            member.uncommitted[partition] = (offset + 1, self.changes)
            self.last_reader[partition] = member

    @some_member
    @rule(at=_at)
    def commit(self, at: int) -> None:
        member = self.living[at % len(self.living)]
        owners = self.stored("owner", "")
        self.runner.run(member.subscription.commit())
        now = self.stored("committed_offset", 0)
        for partition in range(PARTITIONS):
            end, changes = member.uncommitted.get(partition, (-1, -1))
            if now[partition] != self.committed[partition]:
                assert now[partition] == end
                assert owners[partition] == member.subscription.id
                assert self.last_reader[partition] is member
            elif changes == self.changes:
                assert now[partition] == end
        self.committed = now
        member.uncommitted.clear()

    @some_member
    @rule(at=_at, politely=st.booleans())
    def end(self, at: int, politely: bool) -> None:
        """It leaves, or is never heard of again until its lease ends."""
        member = self.living.pop(at % len(self.living))
        if politely:
            self.runner.run(member.subscription.close())
        else:
            self.expire(member)
        self.changes += 1

    @precondition(lambda self: len(self.living) == MAX_MEMBERS)
    @rule(at=_at, count=st.integers(1, 12), commits=st.booleans())
    def hang(self, at: int, count: int, commits: bool) -> None:
        """Its lease ends while it has messages in hand; the other takes over, and then it goes on."""
        self.poll(at, 2)
        self.expire(self.living[at])
        self.attend(1 - at)
        self.poll(1 - at, count)
        if commits:
            self.commit(1 - at)
        else:
            self.commit(at)

    @some_member
    @rule(at=_at)
    def attend(self, at: int) -> None:
        self.runner.run(self.living[at % len(self.living)].subscription.attend())
        self.changes += 1

    def expire(self, member: Member) -> None:
        with closing(sqlite3.connect(self.file)) as db, db:
            db.execute("UPDATE member SET lease_until_ms = 1 WHERE id = ?", (member.subscription.id,))

    def stored(self, column: str, default: Any) -> dict[int, Any]:
        """What the file says of each partition."""
        with closing(sqlite3.connect(self.file)) as db:
            rows = db.execute(f"SELECT partition, {column} FROM cursor JOIN lane ON lane = id")
            return dict.fromkeys(range(PARTITIONS), default) | dict(rows.fetchall())

    def teardown(self) -> None:
        try:
            assert self.runner.run(self.rest()) == {
                partition: log[self.committed[partition] :] for partition, log in self.logs.items()
            }
        finally:
            self.runner.run(self.bus.close())
            self.runner.close()
            self.patch.undo()
            self.folder.cleanup()

    async def rest(self) -> dict[int, list[int]]:
        """What a member is delivered when all others have left."""
        for member in self.living:
            await member.subscription.close()
        last = await self.bus.subscribe(TOPIC, GROUP)
        rest: dict[int, list[int]] = {partition: [] for partition in range(PARTITIONS)}
        for delivery in await last.poll(10_000, 0):
            rest[delivery.partition].append(int(delivery.value))
        return rest


SqliteBusMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=50, deadline=None)
TestSqliteBus = SqliteBusMachine.TestCase

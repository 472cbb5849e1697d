"""Consumer groups on the SQLite bus: who reads which partition, for how long, and from where on.

A member holds a lease, renewed while its event loop runs. Who owns a partition may commit it; each change of
owner starts a new epoch, and a commit of an older epoch is not taken. A member whose process is gone loses
its partitions at once, one that hangs when its lease ends; what it had not committed is delivered again.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sqlite3
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from slmtrail.bus.sqlite_bell import Bell
from slmtrail.bus.sqlite_file import Connection, reading, writing
from slmtrail.bus.sqlite_lanes import lanes, now_ms, walk
from slmtrail.core.errors import BusError, TrailError
from slmtrail.core.ports import Delivery

LEASE_MS = 15_000
BEAT_S = 1.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Position:
    """Where a member goes on reading a partition, as its owner of that epoch."""

    epoch: int
    offset: int


class SqliteSubscription:
    """One member of a consumer group. Meant for one task at a time."""

    def __init__(self, topic: str, group: str, read: Connection, write: Connection, bell: Bell) -> None:
        self.id = uuid.uuid4().hex
        self._topic = topic
        self._group = group
        self._read = read
        self._write = write
        self._bell = bell
        self._positions: dict[int, Position] = {}
        self._uncommitted: dict[int, Position] = {}
        self._turn = 0
        self._beating: asyncio.Task[None] | None = None
        self._closed = False

    async def join(self) -> None:
        """Takes a share of the partitions, and keeps its lease from now on."""
        await self.attend()
        self._beating = asyncio.create_task(self._beat())

    async def attend(self) -> None:
        """Renews the lease, and shares the partitions out anew where members came or went."""
        await self._write.run(_attend, self.id, self._topic, self._group)
        self._bell.ring()

    async def poll(self, max_messages: int, timeout_ms: int) -> list[Delivery]:
        """The next messages, in order within each partition; waits at most `timeout_ms` for the first."""

        async def fetch() -> list[Delivery]:
            if self._closed:
                raise BusError(f"{self._topic}: this subscription was closed")
            found, positions = await self._read.run(
                _fetch, self.id, self._topic, self._group, self._positions, self._turn, max_messages
            )
            self._positions = positions
            self._uncommitted |= {delivery.partition: positions[delivery.partition] for delivery in found}
            self._turn += 1
            return found

        return await self._bell.wait(fetch, timeout_ms)

    async def commit(self) -> None:
        """Acknowledges all that was polled, except of partitions that another member owns by now."""
        asked = dict(self._uncommitted)
        if not asked:
            return
        lost = await self._write.run(_commit, self.id, self._topic, self._group, asked)
        for partition in lost:
            _log.warning(
                "%s, partition %d: group %s gave it to another member before it was committed; "
                "its messages are delivered again",
                self._topic,
                partition,
                self._group,
            )
        for partition, position in asked.items():
            if self._uncommitted.get(partition) == position:
                del self._uncommitted[partition]

    async def close(self) -> None:
        """Leaves the group; the other members share its partitions."""
        if self._closed:
            return
        self._closed = True
        if self._beating is not None:
            self._beating.cancel()
            with suppress(asyncio.CancelledError):
                await self._beating
        await self._write.run(_leave, self.id, self._topic, self._group)
        self._bell.ring()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_S)
            try:
                if await self._read.run(_needs_attending, self.id, self._topic, self._group):
                    await self.attend()
            except TrailError as error:
                _log.warning("%s: group %s: %s", self._topic, self._group, error)


def share(owners: Mapping[int, str | None], members: Sequence[str]) -> dict[int, str | None]:
    """A fair owner for each lane, with as few changes as that takes."""
    held: dict[str, list[int]] = {member: [] for member in members}
    free = []
    for lane, owner in sorted(owners.items()):
        if owner in held:
            held[owner].append(lane)
        else:
            free.append(lane)
    # Who holds most now is first in line for the lanes that can't be shared evenly.
    ranked = sorted(members, key=lambda member: (-len(held[member]), member))
    quotas = [len(range(rank, len(owners), len(members))) for rank in range(len(members))]
    for member, quota in zip(ranked, quotas, strict=True):
        free += held[member][quota:]
        del held[member][quota:]
    for member, quota in zip(ranked, quotas, strict=True):
        needed = quota - len(held[member])
        held[member] += free[:needed]
        del free[:needed]
    shared: dict[int, str | None] = dict.fromkeys(owners)
    shared.update({lane: member for member, lanes in held.items() for lane in lanes})
    return shared


def _attend(db: sqlite3.Connection, member: str, topic: str, group: str) -> None:
    with writing(db):
        db.execute(
            "INSERT OR REPLACE INTO member (id, topic, consumer_group, host, pid, lease_until_ms) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (member, topic, group, _host(), os.getpid(), now_ms() + LEASE_MS),
        )
        _settle(db, topic, group)


def _leave(db: sqlite3.Connection, member: str, topic: str, group: str) -> None:
    with writing(db):
        db.execute("DELETE FROM member WHERE id = ?", (member,))
        _settle(db, topic, group)


def _settle(db: sqlite3.Connection, topic: str, group: str) -> None:
    """Drops the members that are gone and shares the partitions among the others."""
    members = []
    for member, alive in _members(db, topic, group).items():
        if alive:
            members.append(member)
        else:
            db.execute("DELETE FROM member WHERE id = ?", (member,))
    there = {lane.id: lane for lane in lanes(db, topic)}
    db.executemany(
        "INSERT OR IGNORE INTO cursor (consumer_group, lane) VALUES (?, ?)", [(group, lane) for lane in there]
    )
    owners = {
        lane: owner
        for lane, owner in db.execute("SELECT lane, owner FROM cursor WHERE consumer_group = ?", (group,))
        if lane in there
    }
    db.executemany(
        "UPDATE cursor SET owner = ?, epoch = epoch + 1 WHERE consumer_group = ? AND lane = ?",
        [(owner, group, lane) for lane, owner in share(owners, members).items() if owner != owners[lane]],
    )


def _needs_attending(db: sqlite3.Connection, member: str, topic: str, group: str) -> bool:
    (lease_until_ms,) = db.execute("SELECT MAX(lease_until_ms) FROM member WHERE id = ?", (member,)).fetchone()
    fresh = lease_until_ms is not None and lease_until_ms > now_ms() + LEASE_MS * 2 // 3
    return not fresh or not all(_members(db, topic, group).values())


def _members(db: sqlite3.Connection, topic: str, group: str) -> dict[str, bool]:
    """The members on the list, and whether each is still there."""
    rows = db.execute(
        "SELECT id, host, pid, lease_until_ms FROM member WHERE topic = ? AND consumer_group = ?", (topic, group)
    )
    now, host = now_ms(), _host()
    return {
        # A lease that ends later than any can was given before the clock was set back.
        member: now < lease_until_ms <= now + LEASE_MS and not (its_host == host and _is_gone(pid))
        for member, its_host, pid, lease_until_ms in rows
    }


def _host() -> str:
    """What a process id is unique in: the machine, and on it the container."""
    try:
        return f"{socket.gethostname()} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return socket.gethostname()


def _is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def _fetch(
    db: sqlite3.Connection,
    member: str,
    topic: str,
    group: str,
    positions: Mapping[int, Position],
    turn: int,
    max_messages: int,
) -> tuple[list[Delivery], dict[int, Position]]:
    """The next messages of the partitions that `member` owns, and its positions behind them."""
    with reading(db):
        there = {lane.id: lane for lane in lanes(db, topic)}
        owned = {
            there[lane]: Position(epoch, max(committed, there[lane].start))
            for lane, epoch, committed in db.execute(
                "SELECT lane, epoch, committed_offset FROM cursor WHERE consumer_group = ? AND owner = ?",
                (group, member),
            )
            if lane in there
        }
        for lane, position in owned.items():
            known = positions.get(lane.partition)
            if known is not None and known.epoch == position.epoch:
                owned[lane] = Position(known.epoch, max(known.offset, lane.start))
        # Another lane is first each time, so that a busy one keeps none waiting.
        first = turn % max(len(owned), 1)
        order = list(owned.items())[first:] + list(owned.items())[:first]
        found = walk(db, ((lane, position.offset) for lane, position in order), max_messages)
    behind = {lane.partition: position for lane, position in owned.items()}
    for delivery in found:
        behind[delivery.partition] = Position(behind[delivery.partition].epoch, delivery.offset + 1)
    return found, behind


def _commit(
    db: sqlite3.Connection, member: str, topic: str, group: str, positions: Mapping[int, Position]
) -> list[int]:
    """Acknowledges up to `positions`; the partitions that are not this member's any more."""
    lost = []
    with writing(db):
        there = lanes(db, topic)
        for partition, position in positions.items():
            done = db.execute(
                "UPDATE cursor SET committed_offset = ? "
                "WHERE consumer_group = ? AND lane = ? AND owner = ? AND epoch = ?",
                (position.offset, group, there[partition].id, member, position.epoch),
            )
            if not done.rowcount:
                lost.append(partition)
    return lost

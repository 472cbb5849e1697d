"""The bus in one SQLite file: for one machine, shared by any number of its processes.

Publishing, reading and group membership have a connection and a thread each: a poll waits for no publish.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path

from slmtrail.bus import limits, sqlite_lanes
from slmtrail.bus.sqlite_bell import Bell
from slmtrail.bus.sqlite_file import Connection, reading
from slmtrail.bus.sqlite_group import SqliteSubscription
from slmtrail.core.errors import BusError, Expired, PastEnd, TrailError
from slmtrail.core.ports import COMPACTED, RETENTION_DAYS, TOPICS, Delivery, Message

TRIM_INTERVAL_S = 600

_log = logging.getLogger(__name__)


class SqliteBus:
    """A Bus in one file. Raises StorageError where the disk fails, BusError where the bus refuses."""

    def __init__(
        self,
        path: Path,
        *,
        partitions: int,
        topics: Sequence[str] = TOPICS,
        compacted: Collection[str] = COMPACTED,
    ) -> None:
        self._path = path
        self._partitions = partitions
        self._topics = tuple(topics)
        self._compacted = frozenset(compacted)
        self._publishing = Connection(path, self._prepare)
        self._reading = Connection(path, self._prepare)
        self._grouping = Connection(path, self._prepare)
        self._subscriptions: list[SqliteSubscription] = []
        self._bell = Bell(self._reading)
        self._trimming: asyncio.Task[None] | None = None

    async def publish(self, topic: str, messages: Sequence[Message]) -> None:
        """Publishes all of `messages` or none, flushed to the disk before it returns."""
        if messages:
            limits.check(topic, messages)
            await self._publishing.run(sqlite_lanes.append, topic, messages, topic in self._compacted)
            self._bell.ring()

    async def subscribe(self, topic: str, group: str) -> SqliteSubscription:
        """Joins a consumer group."""
        subscription = SqliteSubscription(topic, group, self._reading, self._grouping, self._bell)
        await subscription.join()
        self._subscriptions.append(subscription)
        self._trim_from_now_on()
        return subscription

    async def read(self, topic: str, partition: int, offset: int | None) -> SqliteReader:
        """Reads one partition from `offset`, or its oldest message where that is None. Raises Expired where messages
        from there on are gone, and PastEnd where it does not reach there."""
        if offset is None:
            offset = await self._reading.run(lambda db: sqlite_lanes.lane(db, topic, partition).start)
        reader = SqliteReader(topic, partition, offset, self._reading, self._bell)
        await reader.check()
        self._trim_from_now_on()
        return reader

    async def follow(self, topic: str) -> SqliteFollower:
        """Reads all partitions of a compacted topic from its oldest message on."""
        limits.check_compacted(topic, self._compacted)
        partitions = range(await self.partitions(topic))
        return SqliteFollower([SqliteReader(topic, n, 0, self._reading, self._bell) for n in partitions], self._bell)

    async def newest(self, topic: str) -> dict[str, bytes]:
        """The newest value of each key of a compacted topic."""
        limits.check_compacted(topic, self._compacted)
        return await self._reading.run(sqlite_lanes.newest, topic)

    async def partitions(self, topic: str) -> int:
        """How many partitions a topic has."""
        return len(await self._reading.run(sqlite_lanes.lanes, topic))

    async def ensure_topics(self) -> None:
        """Makes the topics that are missing; the first use of the bus does too."""
        await self._grouping.run(self._prepare)

    async def trim(self, before_ms: int) -> None:
        """Removes what was published before `before_ms`, acknowledged or not; compacted topics stay."""
        for topic in self._topics:
            if topic not in self._compacted:
                while await self._grouping.run(sqlite_lanes.trim, topic, before_ms):
                    pass

    async def close(self) -> None:
        """Leaves all groups and closes the file."""
        if self._trimming is not None:
            self._trimming.cancel()
            with suppress(asyncio.CancelledError):
                await self._trimming
        try:
            for subscription in self._subscriptions:
                await subscription.close()
        finally:
            await self._bell.close()
            for connection in (self._publishing, self._reading, self._grouping):
                await connection.close()

    def _prepare(self, db: sqlite3.Connection) -> None:
        sqlite_lanes.prepare(db, self._topics, self._partitions)

    def _trim_from_now_on(self) -> None:
        if self._trimming is None:
            self._trimming = asyncio.create_task(self._trim_forever())

    async def _trim_forever(self) -> None:
        while True:
            # It waits first, so that a reader which was away for long can catch up.
            await asyncio.sleep(TRIM_INTERVAL_S)
            try:
                await self.trim(sqlite_lanes.now_ms() - RETENTION_DAYS * 86_400_000)
            except TrailError as error:
                _log.warning("the bus could not be trimmed: %s", error)


class SqliteReader:
    """Reads one partition, outside of any group."""

    def __init__(self, topic: str, partition: int, offset: int, read: Connection, bell: Bell) -> None:
        self._topic = topic
        self._partition = partition
        self._offset = offset
        self._read = read
        self._bell = bell
        self._closed = False

    async def check(self) -> None:
        """Raises BusError if this partition can't be read from this offset."""
        await self._read.run(self._lane)

    async def poll(self, max_messages: int, timeout_ms: int) -> list[Delivery]:
        """The next messages in order; waits at most `timeout_ms` for the first."""
        return await self._bell.wait(lambda: self.fetch(max_messages), timeout_ms)

    async def fetch(self, max_messages: int) -> list[Delivery]:
        """The next messages that are there."""
        if self._closed:
            raise BusError(f"{self._topic}: this reader was closed")
        found = await self._read.run(self._fetch, max_messages)
        if found:
            self._offset = found[-1].offset + 1
        return found

    async def waiting(self) -> int:
        """How many messages there are after the last that was polled."""
        return await self._read.run(lambda db: self._lane(db).end) - self._offset

    async def close(self) -> None:
        """Stops reading."""
        self._closed = True

    def _fetch(self, db: sqlite3.Connection, max_messages: int) -> list[Delivery]:
        with reading(db):
            return sqlite_lanes.walk(db, [(self._lane(db), self._offset)], max_messages)

    def _lane(self, db: sqlite3.Connection) -> sqlite_lanes.Lane:
        lane = sqlite_lanes.lane(db, self._topic, self._partition)
        if self._offset < lane.start:
            raise Expired(
                f"{self._topic}, partition {self._partition}: messages {self._offset} to {lane.start - 1} are "
                f"gone; the bus keeps {RETENTION_DAYS} days"
            )
        if self._offset > lane.end:
            raise PastEnd(
                f"{self._topic}, partition {self._partition}: ends at {lane.end}, before message {self._offset}: "
                "this is not the bus that was read before, or an old copy of it"
            )
        return lane


class SqliteFollower:
    """Reads all partitions of a topic, outside of any group."""

    def __init__(self, readers: Sequence[SqliteReader], bell: Bell) -> None:
        self._readers = readers
        self._bell = bell

    async def poll(self, max_messages: int, timeout_ms: int) -> list[Delivery]:
        """The next messages, in order within each partition; waits at most `timeout_ms` for the first."""

        async def fetch() -> list[Delivery]:
            found: list[Delivery] = []
            for reader in self._readers:
                if len(found) < max_messages:
                    found += await reader.fetch(max_messages - len(found))
            return found

        return await self._bell.wait(fetch, timeout_ms)

    async def close(self) -> None:
        """Stops reading."""
        for reader in self._readers:
            await reader.close()

"""The messages of the SQLite bus: appended to, walked along and trimmed, one lane a partition of a topic."""

from __future__ import annotations

import logging
import sqlite3
import time
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from slmtrail.bus.sqlite_file import OFFSET_BITS, reading, writing
from slmtrail.core.errors import BusError
from slmtrail.core.ports import Delivery, Message

MAX_POLL_BYTES = 64 * 1024 * 1024
"""A poll ends when it holds this much, whatever it was asked for, so that large messages fit in memory."""

_TRIM_BATCH = 1000

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Lane:
    """One partition of one topic, with the offsets it holds: from `start` up to, not with, `end`."""

    id: int
    topic: str
    partition: int
    start: int
    end: int

    def place(self, offset: int) -> int:
        """Where the message of that offset stands in the table."""
        return self.id << OFFSET_BITS | offset


def now_ms() -> int:
    """The time as the bus writes it: milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def prepare(db: sqlite3.Connection, topics: Sequence[str], partitions: int) -> None:
    """Makes the topics that are missing. Raises BusError if those there have another number of partitions."""
    there = dict(db.execute("SELECT topic, COUNT(*) FROM lane GROUP BY topic"))
    if any(topic not in there for topic in topics):
        with writing(db):
            db.executemany(
                "INSERT OR IGNORE INTO lane (topic, partition) VALUES (?, ?)",
                [(topic, partition) for topic in topics for partition in range(partitions) if topic not in there],
            )
        there = dict(db.execute("SELECT topic, COUNT(*) FROM lane GROUP BY topic"))
    for topic in topics:
        if there[topic] != partitions:
            raise BusError(
                f"{topic} has {there[topic]} partitions, not {partitions}, and that never changes: "
                f"set `partitions` to {there[topic]}, or start a new bus under another name"
            )


def lanes(db: sqlite3.Connection, topic: str) -> list[Lane]:
    """The lanes of a topic, in order of partition. Raises BusError if there is no such topic."""
    rows = db.execute(
        "SELECT id, topic, partition, start_offset, end_offset FROM lane WHERE topic = ? ORDER BY partition",
        (topic,),
    ).fetchall()
    if not rows:
        raise BusError(f"the bus has no topic {topic!r}")
    return [Lane(*row) for row in rows]


def lane(db: sqlite3.Connection, topic: str, partition: int) -> Lane:
    """One lane. Raises BusError if the topic has no such partition."""
    there = lanes(db, topic)
    if not 0 <= partition < len(there):
        raise BusError(f"{topic}: has no partition {partition}, only 0 to {len(there) - 1}")
    return there[partition]


def append(db: sqlite3.Connection, topic: str, messages: Sequence[Message], compacted: bool) -> None:
    """Publishes `messages` in one transaction; to a compacted topic, in the place of those of the same key."""
    timestamp_ms = now_ms()
    with writing(db):
        there = lanes(db, topic)
        ends = [each.end for each in there]
        rows = []
        for message in messages:
            named = message.partition
            each = there[zlib.crc32(message.key.encode()) % len(there) if named is None else named]
            rows.append((each.place(ends[each.partition]), timestamp_ms, message.key, message.value))
            ends[each.partition] += 1
        db.executemany("INSERT INTO message (place, timestamp_ms, key, value) VALUES (?, ?, ?, ?)", rows)
        db.executemany(
            "UPDATE lane SET end_offset = ? WHERE id = ?",
            [(ends[each.partition], each.id) for each in there if ends[each.partition] != each.end],
        )
        if compacted:
            _compact(db, [(place >> OFFSET_BITS, key, place) for place, _, key, _ in rows])


def _compact(db: sqlite3.Connection, places: Sequence[tuple[int, str, int]]) -> None:
    for lane_id, key, place in places:
        db.execute(
            "DELETE FROM message WHERE place = (SELECT place FROM newest WHERE lane = ? AND key = ?)", (lane_id, key)
        )
        db.execute("INSERT OR REPLACE INTO newest (lane, key, place) VALUES (?, ?, ?)", (lane_id, key, place))


def walk(db: sqlite3.Connection, starts: Iterable[tuple[Lane, int]], max_messages: int) -> list[Delivery]:
    """The messages from each lane's offset on, lane after lane, up to `max_messages` or MAX_POLL_BYTES."""
    found: list[Delivery] = []
    size_bytes = 0
    for lane, offset in starts:
        rows = db.execute(
            "SELECT place, key, value, timestamp_ms FROM message WHERE place >= ? AND place < ? ORDER BY place LIMIT ?",
            (lane.place(offset), lane.place(lane.end), max_messages - len(found)),
        )
        first = lane.place(0)
        for place, key, value, timestamp_ms in rows:
            found.append(Delivery(lane.topic, lane.partition, place - first, key, value, timestamp_ms))
            size_bytes += len(value)
            if size_bytes >= MAX_POLL_BYTES:
                rows.close()
                return found
    return found


def newest(db: sqlite3.Connection, topic: str) -> dict[str, bytes]:
    """The newest value of each key of a compacted topic."""
    with reading(db):
        rows = db.execute(
            "SELECT message.key, message.value FROM lane JOIN newest ON newest.lane = lane.id "
            "JOIN message USING (place) WHERE lane.topic = ?",
            (topic,),
        )
        return dict(rows.fetchall())


def trim(db: sqlite3.Connection, topic: str, before_ms: int) -> bool:
    """Removes some of the messages published before `before_ms`; whether there may be more of them."""
    more = False
    with writing(db):
        for each in lanes(db, topic):
            kept = db.execute(
                "SELECT place FROM message WHERE place >= ? AND place < ? AND timestamp_ms >= ? ORDER BY place LIMIT 1",
                (each.place(each.start), each.place(each.end), before_ms),
            ).fetchone()
            end = kept[0] - each.place(0) if kept else each.end
            start = min(end, each.start + _TRIM_BATCH)
            if start > each.start:
                _warn_of_loss(db, each, start)
                db.execute(
                    "DELETE FROM message WHERE place >= ? AND place < ?", (each.place(each.start), each.place(start))
                )
                db.execute("UPDATE lane SET start_offset = ? WHERE id = ?", (start, each.id))
            more = more or start < end
    return more


def _warn_of_loss(db: sqlite3.Connection, lane: Lane, start: int) -> None:
    for group, committed in db.execute(
        "SELECT consumer_group, committed_offset FROM cursor WHERE lane = ? AND committed_offset < ?",
        (lane.id, start),
    ):
        _log.warning(
            "%s, partition %d: %d messages were kept as long as the bus keeps any and are gone, unread by group %s",
            lane.topic,
            lane.partition,
            start - max(committed, lane.start),
            group,
        )

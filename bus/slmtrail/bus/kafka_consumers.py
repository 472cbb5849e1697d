"""The reading half of the Kafka bus: a member of a group, a reader of one partition, the newest of each key."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition, errors

from slmtrail.bus.kafka_cluster import Cluster
from slmtrail.core.errors import BusError, Expired, PastEnd
from slmtrail.core.ports import RETENTION_DAYS, Delivery

COMMIT_TIMEOUT_S = 30.0
_END_TIMEOUT_S = 5.0
_FETCH_BYTES = 4 * 1024 * 1024
_NEWEST_STEP_MS = 1000

_log = logging.getLogger(__name__)


class KafkaSubscription(ConsumerRebalanceListener):  # type: ignore[misc]
    """One member of a consumer group."""

    def __init__(self, cluster: Cluster, consumer: AIOKafkaConsumer, topic: str, group: str) -> None:
        self._cluster = cluster
        self._consumer = consumer
        self._topic = topic
        self._group = group
        self._uncommitted: dict[TopicPartition, int] = {}
        self._closed = False

    @classmethod
    async def start(cls, cluster: Cluster, topic: str, group: str) -> KafkaSubscription:
        """Connects, and starts to join; the partitions come during the first polls."""
        consumer = await _consumer(cluster, group_id=group, auto_offset_reset="earliest")
        subscription = cls(cluster, consumer, topic, group)
        consumer.subscribe([topic], listener=subscription)
        return subscription

    async def poll(self, max_messages: int, timeout_ms: int) -> list[Delivery]:
        """The next messages, in order within each partition; waits at most `timeout_ms` for the first."""
        self._check_open()
        found = await _poll(self._cluster, self._consumer, self._topic, max_messages, timeout_ms)
        for delivery in found:
            self._uncommitted[TopicPartition(self._topic, delivery.partition)] = delivery.offset + 1
        return found

    async def commit(self) -> None:
        """Acknowledges all that was polled, unless the group was shared out anew since."""
        self._check_open()
        asked = dict(self._uncommitted)
        if not asked:
            return
        async with self._cluster.asked(f"committing {self._topic} for group {self._group}", COMMIT_TIMEOUT_S):
            try:
                await self._consumer.commit(asked)
            except (errors.CommitFailedError, errors.IllegalStateError):
                self._lose(asked)
        for partition, offset in asked.items():
            if self._uncommitted.get(partition) == offset:
                del self._uncommitted[partition]

    async def close(self) -> None:
        """Leaves the group."""
        if not self._closed:
            self._closed = True
            await _stop(self._consumer)

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:  # noqa: ARG002
        """Forgets what was polled: after this, even a partition that stays is read from its last commit."""
        self._lose(self._uncommitted)
        self._uncommitted = {}

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Nothing is kept that would have to be made ready."""

    def _lose(self, partitions: Iterable[TopicPartition]) -> None:
        for partition in partitions:
            _log.warning(
                "%s, partition %d: group %s was shared out anew before it was committed; "
                "its messages are delivered again",
                self._topic,
                partition.partition,
                self._group,
            )

    def _check_open(self) -> None:
        if self._closed:
            raise BusError(f"{self._topic}: this subscription was closed")


class KafkaReader:
    """Reads one partition, or all of a topic, outside of any group. `place`: what is read, for errors."""

    def __init__(self, cluster: Cluster, consumer: AIOKafkaConsumer, topic: str, place: str) -> None:
        self._cluster = cluster
        self._consumer = consumer
        self._topic = topic
        self._place = place
        self._closed = False

    @classmethod
    async def follow(cls, cluster: Cluster, topic: str, partitions: int) -> KafkaReader:
        """Connects, and goes to the oldest message of each partition."""
        consumer = await _consumer(cluster, auto_offset_reset="earliest")
        consumer.assign([TopicPartition(topic, partition) for partition in range(partitions)])
        return cls(cluster, consumer, topic, topic)

    @classmethod
    async def start(cls, cluster: Cluster, topic: str, partition: int, offset: int | None) -> KafkaReader:
        """Connects, and goes to `offset`, or to the oldest message. Raises BusError if the partition does not reach
        from there on."""
        consumer = await _consumer(cluster, auto_offset_reset="none")
        place = TopicPartition(topic, partition)
        try:
            async with cluster.asked(f"looking for the ends of {topic}, partition {partition}"):
                first = (await consumer.beginning_offsets([place]))[place]
                end = (await consumer.end_offsets([place]))[place]
            if offset is None:
                offset = first
            if offset < first:
                raise _gone(topic, partition, offset, first)
            if offset > end:
                raise PastEnd(
                    f"{topic}, partition {partition}: ends at {end}, before message {offset}: "
                    "this is not the bus that was read before, or it lost messages"
                )
            # Together, for without a position it would begin to look for one.
            consumer.assign([place])
            consumer.seek(place, offset)
        except BaseException:
            await _stop(consumer)
            raise
        return cls(cluster, consumer, topic, f"{topic}, partition {partition}")

    async def poll(self, max_messages: int, timeout_ms: int) -> list[Delivery]:
        """The next messages in order; waits at most `timeout_ms` for the first."""
        if self._closed:
            raise BusError(f"{self._topic}: this reader was closed")
        try:
            return await _poll(self._cluster, self._consumer, self._topic, max_messages, timeout_ms)
        except BusError as error:
            if isinstance(error.__cause__, errors.OffsetOutOfRangeError):
                raise Expired(
                    f"{self._place}: the next messages are gone; the bus keeps {RETENTION_DAYS} days"
                ) from error
            raise

    async def waiting(self) -> int:
        """How many messages there are after the last that was polled."""
        places = self._consumer.assignment()
        async with self._cluster.asked(f"looking for the end of {self._place}"):
            ends = await self._consumer.end_offsets(places)
        return sum([ends[place] - await _position(self._cluster, self._consumer, place) for place in places])

    async def close(self) -> None:
        """Stops reading."""
        if not self._closed:
            self._closed = True
            await _stop(self._consumer)


async def read_newest(cluster: Cluster, topic: str, partitions: int) -> dict[str, bytes]:
    """The newest value of each key, from a walk over the whole topic as it is now."""
    consumer = await _consumer(cluster, auto_offset_reset="earliest")
    newest: dict[str, bytes] = {}
    try:
        places = [TopicPartition(topic, partition) for partition in range(partitions)]
        consumer.assign(places)
        async with cluster.asked(f"looking for the end of {topic}"):
            ends = await consumer.end_offsets(places)
            await consumer.seek_to_beginning(*places)
        while places := [place for place in places if await _position(cluster, consumer, place) < ends[place]]:
            async with cluster.asked(f"reading {topic}"):
                while not (found := await consumer.getmany(*places, timeout_ms=_NEWEST_STEP_MS)):
                    pass
            for records in found.values():
                for record in records:
                    if record.value is None:
                        newest.pop(_key(record), None)
                    else:
                        newest[_key(record)] = record.value
    finally:
        await _stop(consumer)
    return newest


async def _position(cluster: Cluster, consumer: AIOKafkaConsumer, place: TopicPartition) -> int:
    async with cluster.asked(f"reading {place.topic}"):
        return int(await consumer.position(place))


async def _consumer(cluster: Cluster, **options: Any) -> AIOKafkaConsumer:
    consumer = AIOKafkaConsumer(
        **cluster.options, **options, enable_auto_commit=False, max_partition_fetch_bytes=_FETCH_BYTES
    )
    try:
        async with cluster.asked("connecting"):
            await consumer.start()
    except BaseException:
        await _stop(consumer)
        raise
    return consumer


async def _stop(consumer: AIOKafkaConsumer) -> None:
    # A cluster that is gone need not be told goodbye: it takes the partitions back when the session ends.
    with suppress(TimeoutError, errors.KafkaError, OSError):
        async with asyncio.timeout(_END_TIMEOUT_S):
            await consumer.stop()


async def _poll(
    cluster: Cluster, consumer: AIOKafkaConsumer, topic: str, max_messages: int, timeout_ms: int
) -> list[Delivery]:
    async with cluster.asked(f"reading {topic}", timeout_ms / 1000 + 60):
        found = await consumer.getmany(timeout_ms=timeout_ms, max_records=max_messages)
    return [
        Delivery(topic, record.partition, record.offset, _key(record), record.value or b"", record.timestamp)
        for records in found.values()
        for record in records
    ]


def _key(record: Any) -> str:
    return (record.key or b"").decode(errors="replace")


def _gone(topic: str, partition: int, offset: int, first: int) -> Expired:
    return Expired(
        f"{topic}, partition {partition}: messages {offset} to {first - 1} are gone; "
        f"the bus keeps {RETENTION_DAYS} days"
    )

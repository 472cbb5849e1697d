"""The bus on a Kafka cluster.

How it fails: a publish that raised may be on the cluster in part; its messages stay in the order they were
given, because a producer which lost a batch takes no more and is ended before another one takes its place.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from aiokafka import AIOKafkaProducer, errors
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from slmtrail.bus import limits
from slmtrail.bus.kafka_batches import batches
from slmtrail.bus.kafka_cluster import ANSWER_TIMEOUT_S, MAX_BATCH_BYTES, Cluster
from slmtrail.bus.kafka_consumers import KafkaReader, KafkaSubscription, read_newest
from slmtrail.core.errors import BusError
from slmtrail.core.ports import COMPACTED, DEADLETTERS, FRAMES, RETENTION_DAYS, TOPICS, Message

_log = logging.getLogger(__name__)

PUBLISH_TIMEOUT_S = 30.0
_END_TIMEOUT_S = 2.0
_BATCH_BYTES = 1024 * 1024
_MORE = "docs/recovery.md, More partitions"
_ALREADY_COMPRESSED = frozenset({FRAMES, DEADLETTERS})

_HOUR_MS = 3_600_000
_SEGMENT_MS = 6 * _HOUR_MS
# LogAppendTime: a collector's clock must neither get its frames refused nor keep them from expiring.
_ANY_TOPIC = {
    "max.message.bytes": str(MAX_BATCH_BYTES),
    "message.timestamp.type": "LogAppendTime",
    "segment.ms": str(_SEGMENT_MS),
}
# Kafka drops a segment when its newest message is old enough, so the oldest in it has lived longer.
_KEPT_BY_AGE = {
    **_ANY_TOPIC,
    "cleanup.policy": "delete",
    "retention.ms": str(RETENTION_DAYS * 24 * _HOUR_MS - _SEGMENT_MS - _HOUR_MS),
}
# Small segments: the one being written to is never compacted, and all of it is read at a start.
_KEPT_BY_KEY = {
    **_ANY_TOPIC,
    "cleanup.policy": "compact",
    "segment.bytes": str(64 * 1024 * 1024),
    "min.cleanable.dirty.ratio": "0.1",
}


class KafkaBus:
    """A Bus on a Kafka cluster. Raises BusError, after a bounded time, where the cluster fails or refuses."""

    def __init__(
        self,
        addresses: Sequence[str],
        *,
        partitions: int,
        topics: Sequence[str] = TOPICS,
        compacted: Collection[str] = COMPACTED,
        replication_factor: int = -1,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self._cluster = Cluster(addresses, options or {})
        self._partitions = partitions
        self._topics = tuple(topics)
        self._compacted = frozenset(compacted)
        self._by_settings = frozenset(topics) - self._compacted
        """Topics that use as many partitions as the settings say."""
        self._replication_factor = replication_factor
        self._producers: dict[str | None, AIOKafkaProducer] = {}
        self._starting = asyncio.Lock()
        self._seen: dict[str, int] = {}
        """Topics that were published to, and how many partitions each has."""
        self._open: list[KafkaSubscription | KafkaReader] = []
        self._closed = False

    async def publish(self, topic: str, messages: Sequence[Message]) -> None:
        """Sends all of `messages` and returns when the cluster has acknowledged each."""
        if not messages:
            return
        limits.check(topic, messages)
        if topic not in self._seen:
            self._seen[topic] = await self._to_publish(topic)
        compression = None if topic in _ALREADY_COMPRESSED else "zstd"
        async with self._cluster.asked(f"publishing to {topic}", PUBLISH_TIMEOUT_S):
            producer = await self._producer(compression)
            acks: list[asyncio.Future[Any]] = []
            try:
                for partition, batch in batches(producer, messages, self._seen[topic]):
                    acks.append(await producer.send_batch(batch, topic, partition=partition))
                await asyncio.gather(*acks)
            except errors.KafkaTimeoutError:
                # Its queue is full and stays in order: it can go on when the cluster is back.
                raise
            except errors.KafkaError:
                if self._producers.get(compression) is producer:
                    del self._producers[compression]
                    await _end(producer)
                raise
            finally:
                for ack in acks:
                    ack.cancel()

    async def subscribe(self, topic: str, group: str) -> KafkaSubscription:
        """Joins a consumer group."""
        await self.partitions(topic)
        subscription = await KafkaSubscription.start(self._cluster, topic, group)
        self._open.append(subscription)
        return subscription

    async def read(self, topic: str, partition: int, offset: int | None) -> KafkaReader:
        """Reads one partition from `offset`, or its oldest message where that is None. Raises Expired where messages
        from there on are gone, and PastEnd where it does not reach there."""
        there = await self.partitions(topic)
        if not 0 <= partition < there:
            raise BusError(f"{topic}: has no partition {partition}, only 0 to {there - 1}")
        reader = await KafkaReader.start(self._cluster, topic, partition, offset)
        self._open.append(reader)
        return reader

    async def follow(self, topic: str) -> KafkaReader:
        """Reads all partitions of a compacted topic from its oldest message on."""
        limits.check_compacted(topic, self._compacted)
        reader = await KafkaReader.follow(self._cluster, topic, await self.partitions(topic))
        self._open.append(reader)
        return reader

    async def newest(self, topic: str) -> dict[str, bytes]:
        """The newest value of each key of a compacted topic."""
        limits.check_compacted(topic, self._compacted)
        return await read_newest(self._cluster, topic, await self.partitions(topic))

    async def partitions(self, topic: str) -> int:
        """How many partitions of a topic are used; those that it was given later are not."""
        there = await self._there(topic)
        return min(there, self._partitions) if topic in self._by_settings else there

    async def ensure_topics(self) -> None:
        """Makes the topics that are missing; those that are there are left as they are, and so are those that this user
        may not make: they may be there, unseen.

        Raises BusError if one of them has fewer partitions. Those in `compacted` may have any number.
        """
        async with self._admin("making the topics") as admin:
            there = await _partition_counts(admin)
            missing = [topic for topic in self._topics if topic not in there]
            made = await self._create(admin, missing) if missing else []
            while not all(topic in there for topic in made):
                await asyncio.sleep(0.05)
                there = await _partition_counts(admin)
        for topic in sorted(self._by_settings & there.keys()):
            if there[topic] < self._partitions:
                raise BusError(
                    f"{self._cluster.name}: {topic} has {there[topic]} partitions, not {self._partitions}: set "
                    f"bus.partitions to {there[topic]}; to have more, make the topics anew ({_MORE})"
                )
        if grown := sorted(topic for topic in self._by_settings if there.get(topic, 0) > self._partitions):
            text = "%s: only %d partitions are used (bus.partitions) of %s, which have more; to use them: %s"
            _log.warning(text, self._cluster.name, self._partitions, ", ".join(grown), _MORE)

    async def close(self) -> None:
        """Leaves all groups and closes all connections."""
        self._closed = True
        for each in self._open:
            await each.close()
        producers = list(self._producers.values())
        self._producers.clear()
        for producer in producers:
            await _end(producer)

    async def _there(self, topic: str) -> int:
        async with self._admin(f"looking for topic {topic}") as admin:
            there = await _partition_counts(admin)
        if topic not in there:
            raise BusError(f"{self._cluster.name}: has no topic {topic!r}: make the topics first (ensure_topics)")
        return there[topic]

    async def _to_publish(self, topic: str) -> int:
        """Among how many partitions messages are shared out. A collector's frames stay in one: so where the topic has
        another number than the settings, it is not for each collector to choose."""
        there = await self._there(topic)
        if topic == FRAMES and topic in self._by_settings and there != self._partitions:
            raise BusError(
                f"{self._cluster.name}: {topic} has {there} partitions, and bus.partitions says {self._partitions}: "
                f"frames wait until both are the same ({_MORE})"
            )
        return min(there, self._partitions) if topic in self._by_settings else there

    async def _producer(self, compression: str | None) -> AIOKafkaProducer:
        async with self._starting:
            self._check_open()
            producer = self._producers.get(compression)
            if producer is None:
                producer = AIOKafkaProducer(
                    **self._cluster.options,
                    enable_idempotence=True,
                    acks="all",
                    compression_type=compression,
                    max_batch_size=_BATCH_BYTES,
                    max_request_size=MAX_BATCH_BYTES,
                    request_timeout_ms=int(ANSWER_TIMEOUT_S * 1000),
                )
                try:
                    await producer.start()
                except BaseException:
                    await _end(producer)
                    raise
                self._producers[compression] = producer
            return producer

    @asynccontextmanager
    async def _admin(self, what: str) -> AsyncIterator[AIOKafkaAdminClient]:
        self._check_open()
        async with self._cluster.asked(what):
            admin = AIOKafkaAdminClient(**self._cluster.options)
            try:
                await admin.start()
                yield admin
            finally:
                await admin.close()

    async def _create(self, admin: AIOKafkaAdminClient, topics: Sequence[str]) -> list[str]:
        """Asks for the topics; returns those that are there now, or soon."""
        made = [
            NewTopic(
                topic, self._partitions, 1, topic_configs=_KEPT_BY_KEY if topic in self._compacted else _KEPT_BY_AGE
            )
            for topic in topics
        ]
        for each in made:
            # Set afterwards, because NewTopic takes -1 for a mistake, while the cluster puts its default there.
            each.replication_factor = self._replication_factor
        answer = await admin.create_topics(made, timeout_ms=int(ANSWER_TIMEOUT_S * 1000))
        refused = []
        for topic, code, text in answer.topic_errors:
            if code in (errors.TopicAuthorizationFailedError.errno, errors.ClusterAuthorizationFailedError.errno):
                refused.append(topic)
            # Another process may have made it since we looked.
            elif code not in (errors.NoError.errno, errors.TopicAlreadyExistsError.errno):
                raise BusError(
                    f"{self._cluster.name}: refuses to make {topic}: {text or errors.for_code(code).__name__}"
                )
        return [topic for topic in topics if topic not in refused]

    def _check_open(self) -> None:
        if self._closed:
            raise BusError(f"{self._cluster.name}: this bus was closed")


async def _partition_counts(admin: AIOKafkaAdminClient) -> dict[str, int]:
    # Of all topics: to ask for one by name would make it, where the brokers are set to do so.
    return {each["topic"]: len(each["partitions"]) for each in await admin.describe_topics() if not each["error_code"]}


async def _end(producer: AIOKafkaProducer) -> None:
    """Stops a producer; what it can't get through in a moment it gives up, for good."""
    with suppress(TimeoutError, errors.KafkaError):
        async with asyncio.timeout(_END_TIMEOUT_S):
            await producer.stop()
            return
    # stop() waits for every message, which an idempotent producer tries to send for ever; and if it is merely
    # cancelled, the sender goes on behind our back and publishes when the cluster returns.
    sender = producer._sender.sender_task
    producer._message_accumulator.fail_all(errors.ProducerClosed())
    sender.cancel()
    await producer.client.close()
    await asyncio.wait([sender], timeout=_END_TIMEOUT_S)
    sender.cancel()

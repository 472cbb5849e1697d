"""The Kafka bus where it is more than its contract: outages, settings of topics, messages that are gone."""

from __future__ import annotations

import asyncio
import os
import time
import uuid
from collections.abc import Awaitable, Callable

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from servers.kafka import Kafka
from slmtrail.bus import kafka as kafka_bus
from slmtrail.bus.kafka import KafkaBus
from slmtrail.core.errors import BusError, Expired
from slmtrail.core.ports import Delivery, Message, Reader, Subscription

PATIENCE_S = 60
DAY_MS = 86_400_000


@pytest.fixture
def topic() -> str:
    return f"topic-{uuid.uuid4().hex}"


def on(kafka: Kafka, topic: str, scenario: Callable[[KafkaBus], Awaitable[None]]) -> None:
    """Runs `scenario` over a bus of one topic with one partition, and a compacted one."""

    async def whole() -> None:
        name = f"compacted-{topic}"
        bus = KafkaBus([kafka.bootstrap], partitions=1, topics=[topic, name], compacted=[name])
        try:
            await bus.ensure_topics()
            await scenario(bus)
        finally:
            await bus.close()

    asyncio.run(whole())


async def until(source: Subscription | Reader, last: bytes) -> list[Delivery]:
    """All messages up to the first with the value `last`."""
    found: list[Delivery] = []
    deadline = time.monotonic() + PATIENCE_S
    while last not in [each.value for each in found]:
        assert time.monotonic() < deadline, f"{last!r} never came"
        found += await source.poll(1000, 200)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("outage", ["pause", "kill"])
def test_keeps_the_order_over_an_outage(kafka: Kafka, topic: str, outage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_bus, "PUBLISH_TIMEOUT_S", 1.0)

    async def publish(bus: KafkaBus, number: int) -> int:
        """Publishes until it is told that it worked; how often it was not."""
        for failures in range(PATIENCE_S):
            try:
                await bus.publish(topic, [Message("key", b"%d-%d" % (number, part)) for part in range(20)])
            except BusError as error:
                assert kafka.bootstrap in str(error)
                await asyncio.to_thread(kafka.start)
            else:
                return failures
        raise AssertionError("the bus did not recover")

    async def scenario(bus: KafkaBus) -> None:
        assert await publish(bus, 0) == 0
        await asyncio.to_thread(getattr(kafka, outage))
        assert await publish(bus, 1) > 0
        for number in range(2, 5):
            await publish(bus, number)
        reader = await bus.read(topic, 0, 0)
        found = [each.value for each in await until(reader, b"4-19")]
        # A message may come again, but none before the ones ahead of it.
        assert list(dict.fromkeys(found)) == [b"%d-%d" % (number, part) for number in range(5) for part in range(20)]

    on(kafka, topic, scenario)


def test_gives_up_on_a_cluster_that_does_not_answer(kafka: Kafka, topic: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_bus, "PUBLISH_TIMEOUT_S", 0.5)

    async def scenario(bus: KafkaBus) -> None:
        await bus.publish(topic, [Message("key", b"1")])
        await asyncio.to_thread(kafka.pause)
        async with asyncio.timeout(PATIENCE_S):
            with pytest.raises(BusError, match=r"no answer within 0\.5 s"):
                await bus.publish(topic, [Message("key", b"2")])
            await bus.close()

    on(kafka, topic, scenario)


def test_says_which_messages_are_gone(kafka: Kafka, topic: str) -> None:
    async def scenario(bus: KafkaBus) -> None:
        # Too large for the reader to have all of them before they are deleted.
        values = [b"%d" % number + os.urandom(5_000_000) for number in range(8)]
        for value in values:
            await bus.publish(topic, [Message("key", value)])
        late = await bus.read(topic, 0, 0)
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
        await admin.start()
        try:
            await admin.delete_records({TopicPartition(topic, 0): RecordsToDelete(before_offset=7)})
        finally:
            await admin.close()
        with pytest.raises(Expired, match="messages 2 to 6 are gone"):
            await bus.read(topic, 0, 2)
        with pytest.raises(Expired, match="are gone"):
            await until(late, values[7])
        assert [each.offset for each in await until(await bus.read(topic, 0, 7), values[7])] == [7]

    on(kafka, topic, scenario)


def test_makes_topics_that_keep_what_is_promised(kafka: Kafka, topic: str) -> None:
    async def scenario(bus: KafkaBus) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
        await admin.start()
        try:
            names = [topic, f"compacted-{topic}"]
            answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in names])
            aged, compacted = (
                {entry[0]: entry[1] for entry in resource[4]} for answer in answers for resource in answer.resources
            )
        finally:
            await admin.close()
        assert int(aged["retention.ms"]) + int(aged["segment.ms"]) <= 7 * DAY_MS
        assert int(aged["retention.ms"]) > 6 * DAY_MS
        assert (aged["cleanup.policy"], compacted["cleanup.policy"]) == ("delete", "compact")
        for settings in (aged, compacted):
            assert int(settings["max.message.bytes"]) > 16 * 1024 * 1024
            assert settings["message.timestamp.type"] == "LogAppendTime"

    on(kafka, topic, scenario)


def test_uses_no_partitions_that_were_added(
    kafka: Kafka, topic: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(bus: KafkaBus) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
        await admin.start()
        try:
            await admin.create_partitions({topic: NewPartitions(2), f"compacted-{topic}": NewPartitions(2)})
        finally:
            await admin.close()
        await bus.ensure_topics()
        assert (
            f"only 1 partitions are used (bus.partitions) of {topic}, which have more; to use them: docs/"
            in caplog.text
        )
        assert (await bus.partitions(topic), await bus.partitions(f"compacted-{topic}")) == (1, 2)
        await bus.publish(topic, [Message(key, b"x") for key in "abcdefgh"])
        reader = await bus.read(topic, 0, 0)
        assert await reader.waiting() == 8
        monkeypatch.setattr(kafka_bus, "FRAMES", topic)
        other = KafkaBus([kafka.bootstrap], partitions=1, topics=[topic])
        with pytest.raises(BusError, match=r"has 2 partitions, and bus\.partitions says 1: frames wait until"):
            await other.publish(topic, [Message("edge", b"x")])
        await other.close()

    on(kafka, topic, scenario)


def test_says_why_the_cluster_refuses_to_make_a_topic(kafka: Kafka, topic: str) -> None:
    async def scenario() -> None:
        bus = KafkaBus([kafka.bootstrap], partitions=1, topics=[topic], replication_factor=3)
        with pytest.raises(BusError, match=f"refuses to make {topic}.*replication"):
            await bus.ensure_topics()
        await bus.close()

    asyncio.run(scenario())


def test_carries_what_others_publish(kafka: Kafka, topic: str) -> None:
    async def scenario(bus: KafkaBus) -> None:
        producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap)
        await producer.start()
        try:
            await producer.send_and_wait(topic, b"no key")
            await producer.send_and_wait(topic, b"bad key", key=b"\xff")
            await producer.send_and_wait(topic, None, key=b"no value")
            for value in (b"1", None):
                await producer.send_and_wait(f"compacted-{topic}", value, key=b"deleted")
        finally:
            await producer.stop()
        found = await until(await bus.subscribe(topic, "group"), b"")
        assert [(each.key, each.value) for each in found] == [
            ("", b"no key"),
            ("\ufffd", b"bad key"),
            ("no value", b""),
        ]
        assert await bus.newest(f"compacted-{topic}") == {}

    on(kafka, topic, scenario)

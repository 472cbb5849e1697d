"""Messages as the batches in which Kafka takes them: a future for each would cost more than all else of sending it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.producer.message_accumulator import BatchBuilder

from slmtrail.core.ports import Message

_choose = DefaultPartitioner()


def batches(
    producer: AIOKafkaProducer, messages: Iterable[Message], partitions: int
) -> Iterator[tuple[int, BatchBuilder]]:
    """`messages`, each with its partition, those of one partition in order."""
    filling: dict[int, BatchBuilder] = {}
    for message in messages:
        key = message.key.encode()
        partition = _partition(key, partitions) if message.partition is None else message.partition
        batch = filling.get(partition)
        if batch is None or batch.append(timestamp=None, key=key, value=message.value) is None:
            if batch is not None:
                yield partition, batch
            batch = filling[partition] = producer.create_batch()
            batch.append(timestamp=None, key=key, value=message.value)
    yield from filling.items()


@lru_cache(65_536)
def _partition(key: bytes, partitions: int) -> int:
    """The one that any client of Kafka would choose for a key."""
    return int(_choose(key, range(partitions), range(partitions)))

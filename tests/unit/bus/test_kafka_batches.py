"""Messages as batches: each partition in order, nothing left out, and where any other client would put them."""

from __future__ import annotations

from collections import defaultdict

import pytest

from slmtrail.bus.kafka_batches import batches
from slmtrail.core.ports import Message


class Batch:
    """Takes three messages."""

    def __init__(self) -> None:
        self.held: list[tuple[bytes, bytes]] = []

    def append(self, *, timestamp: float | None, key: bytes, value: bytes) -> object | None:
        if len(self.held) == 3:
            return None
        self.held.append((key, value))
        return object()


class Producer:
    create_batch = Batch


def sent(messages: list[Message], partitions: int) -> dict[int, list[bytes]]:
    found = defaultdict(list)
    for partition, batch in batches(Producer(), messages, partitions):  # type: ignore[arg-type]
        found[partition] += [value for _, value in batch.held]  # type: ignore[attr-defined]
    return dict(found)


def test_each_partition_gets_its_messages_in_order() -> None:
    messages = [Message(f"key-{number % 5}", b"%d" % number, number % 2 or None) for number in range(40)]
    found = sent(messages, 4)
    assert sorted(value for values in found.values() for value in values) == sorted(one.value for one in messages)
    for values in found.values():
        assert values == sorted(values, key=int)
    assert {b"1", b"3"} <= set(found[1])
    assert sent([], 4) == {}


# What Kafka's own client is held to (UtilsTest.testMurmur2), without its sign, modulo ten.
@pytest.mark.parametrize(
    ("key", "partition"),
    [
        ("21", 0),
        ("foobar", 6),
        ("a-little-bit-long-string", 2),
        ("a-little-bit-longer-string", 9),
        ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", 7),
    ],
)
def test_a_key_lies_where_other_clients_put_it(key: str, partition: int) -> None:
    assert list(sent([Message(key, b"x")], 10)) == [partition]

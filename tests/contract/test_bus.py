"""What every Bus keeps to, over SQLite and over Kafka."""

from __future__ import annotations

import asyncio
import functools
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from contract.bus_member import PARTITIONS
from servers.server import free_port
from slmtrail.bus.connect import connect
from slmtrail.core.errors import BusError, PastEnd, TrailError
from slmtrail.core.ports import Bus, Delivery, Message, Reader, Subscription

PATIENCE_S = 60


class Place:
    """A bus with two topics of its own, one of them compacted."""

    def __init__(self, url: str, unreachable: str) -> None:
        self.url = url
        self.unreachable = unreachable
        self.topic = f"topic-{uuid.uuid4().hex}"
        self.compacted = f"compacted-{uuid.uuid4().hex}"
        self._buses: list[Bus] = []

    def bus(self, url: str = "", partitions: int = PARTITIONS) -> Bus:
        """Another connection to it, closed at the end of the test."""
        topics = [self.topic, self.compacted]
        bus = connect(url or self.url, partitions=partitions, topics=topics, compacted=[self.compacted])
        self._buses.append(bus)
        return bus

    async def close(self) -> None:
        """Closes what the test has opened."""
        for bus in self._buses:
            await bus.close()


@pytest.fixture(params=["sqlite", pytest.param("kafka", marks=pytest.mark.servers)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Each bus there is."""
    if request.param == "sqlite":
        (tmp_path / "file").touch()
        return Place(f"sqlite:{tmp_path}/bus.db", f"sqlite:{tmp_path}/file/bus.db")
    return Place(f"kafka://{request.getfixturevalue('kafka').bootstrap}", f"kafka://127.0.0.1:{free_port()}")


def on_a_bus(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Runs an async test over `place`, whose topics are there, and closes its buses."""

    @functools.wraps(test)
    def run(place: Place, **fixtures: Any) -> None:
        async def whole() -> None:
            try:
                await place.bus().ensure_topics()
                await test(place, **fixtures)
            finally:
                await place.close()

        asyncio.run(whole())

    return run


async def collect(source: Subscription | Reader, count: int, commit: bool = False) -> list[Delivery]:
    """The next `count` messages."""
    found: list[Delivery] = []
    deadline = time.monotonic() + PATIENCE_S
    while len(found) < count:
        assert time.monotonic() < deadline, f"{len(found)} of {count} messages after {PATIENCE_S} s"
        found += await source.poll(count - len(found), 200)
        if commit:
            await source.commit()  # type: ignore[union-attr]
    return found


def numbered(count: int, keys: int = 7) -> list[Message]:
    """`count` messages, each with its number, over some keys."""
    return [Message(f"key-{number % keys}", b"%d" % number) for number in range(count)]


def by_key(found: list[Delivery]) -> dict[str, list[bytes]]:
    values: dict[str, list[bytes]] = {}
    for delivery in found:
        values.setdefault(delivery.key, []).append(delivery.value)
    return values


@on_a_bus
async def test_keeps_the_order_of_each_key(place: Place) -> None:
    bus = place.bus()
    messages = numbered(500)
    for start in range(0, 500, 45):
        await bus.publish(place.topic, messages[start : start + 45])
    found = await collect(await bus.subscribe(place.topic, "group"), 500)
    expected: dict[str, list[bytes]] = {}
    for message in messages:
        expected.setdefault(message.key, []).append(message.value)
    assert by_key(found) == expected
    assert len({delivery.partition for delivery in found}) > 1
    assert all(len({each.partition for each in found if each.key == key}) == 1 for key in expected)


@on_a_bus
async def test_offsets_are_dense_and_name_the_topic(place: Place) -> None:
    bus = place.bus()
    started_ms = time.time() * 1000
    await bus.publish(place.topic, numbered(60))
    await bus.publish(place.topic, numbered(60))
    found = await collect(await bus.subscribe(place.topic, "group"), 120)
    for partition in range(PARTITIONS):
        offsets = [each.offset for each in found if each.partition == partition]
        assert offsets == list(range(len(offsets)))
    assert {delivery.topic for delivery in found} == {place.topic}
    # Brokers have a clock of their own.
    assert all(abs(delivery.timestamp_ms - started_ms) < 600_000 for delivery in found)


@on_a_bus
async def test_delivers_again_what_was_not_committed(place: Place) -> None:
    bus = place.bus()
    await bus.publish(place.topic, numbered(30))
    first = await bus.subscribe(place.topic, "group")
    committed = await collect(first, 10)
    await first.commit()
    await collect(first, 20)
    await first.close()
    second = await bus.subscribe(place.topic, "group")
    again = await collect(second, 20)
    assert sorted(int(each.value) for each in committed + again) == list(range(30))
    await second.commit()
    await second.close()
    await bus.publish(place.topic, [Message("key", b"new")])
    third = await bus.subscribe(place.topic, "group")
    assert [each.value for each in await collect(third, 1)] == [b"new"]


@on_a_bus
async def test_commits_what_was_polled_and_no_more(place: Place) -> None:
    bus = place.bus()
    await bus.publish(place.topic, [Message("key", b"%d" % number) for number in range(10)])
    first = await bus.subscribe(place.topic, "group")
    await first.commit()
    assert [each.value for each in await collect(first, 3)] == [b"0", b"1", b"2"]
    await first.commit()
    await first.commit()
    await first.close()
    second = await bus.subscribe(place.topic, "group")
    assert (await collect(second, 7))[0].value == b"3"


@on_a_bus
async def test_a_poll_that_was_cancelled_loses_nothing(place: Place) -> None:
    bus = place.bus()
    subscription = await bus.subscribe(place.topic, "group")
    found: list[Delivery] = []
    for number in range(20):
        polling = asyncio.create_task(subscription.poll(100, 10_000))
        await bus.publish(place.topic, [Message("key", b"%d" % number)])
        for _ in range(number):
            await asyncio.sleep(0)
        if polling.cancel():
            try:
                found += await polling
            except asyncio.CancelledError:
                continue
        else:
            found += await polling
    found += await collect(subscription, 20 - len(found))
    assert [int(each.value) for each in found] == list(range(20))


@on_a_bus
async def test_groups_do_not_share(place: Place) -> None:
    bus = place.bus()
    await bus.publish(place.topic, numbered(20))
    one = await bus.subscribe(place.topic, "one")
    assert len(await collect(one, 20, commit=True)) == 20
    two = await bus.subscribe(place.topic, "two")
    assert len(await collect(two, 20)) == 20
    assert await one.poll(10, 100) == []


@on_a_bus
async def test_members_share_partitions_and_take_over(place: Place) -> None:
    publisher, here, there = place.bus(), place.bus(), place.bus()
    one = await here.subscribe(place.topic, "group")
    two = await there.subscribe(place.topic, "group")
    seen: dict[str, set[int]] = {"one": set(), "two": set()}
    deadline = time.monotonic() + PATIENCE_S
    # Shared out once each gets some of what is new, from partitions that the other gets none of.
    while True:
        assert time.monotonic() < deadline, f"partitions were not shared: {seen}"
        await publisher.publish(place.topic, numbered(30))
        polled = await asyncio.gather(one.poll(1000, 300), two.poll(1000, 300))
        await asyncio.gather(one.commit(), two.commit())
        seen = {name: {each.partition for each in found} for name, found in zip(("one", "two"), polled, strict=True)}
        if seen["one"] and seen["two"] and sorted([*seen["one"], *seen["two"]]) == list(range(PARTITIONS)):
            break
    await two.close()
    await publisher.publish(place.topic, [Message(f"key-{number}", b"last") for number in range(7)])
    last: list[Delivery] = []
    while len(last) < 7:
        assert time.monotonic() < deadline, "the partitions of the member that left were not taken over"
        last += [each for each in await one.poll(1000, 200) if each.value == b"last"]
        await one.commit()
    assert {each.partition for each in last} == set(range(PARTITIONS))


@contextmanager
def member(role: str, place: Place) -> Iterator[subprocess.Popen[str]]:
    """A process that publishes or consumes; killed at the end, if not before."""
    program = Path(__file__).with_name("bus_member.py")
    process = subprocess.Popen(
        [sys.executable, str(program), role, place.url, place.topic], stdout=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


async def numbers(process: subprocess.Popen[str], count: int) -> list[int]:
    """The next `count` numbers that a member prints."""
    assert process.stdout is not None
    lines = [await asyncio.to_thread(process.stdout.readline) for _ in range(count)]
    assert all(lines), "the member ended by itself"
    return [int(line) for line in lines]


def killed(process: subprocess.Popen[str]) -> list[int]:
    """Kills a member; what it had printed that was not read yet."""
    process.kill()
    # A line that was cut short was not printed before what it says was done.
    return [int(line) for line in process.communicate()[0].splitlines(keepends=True) if line.endswith("\n")]


@on_a_bus
async def test_another_member_takes_over_from_one_that_was_killed(place: Place) -> None:
    bus = place.bus()
    await bus.publish(place.topic, numbered(200))
    with member("consume", place) as process:
        seen = set(await numbers(process, 20))
        survivor = await bus.subscribe(place.topic, "group")
        found = {int(each.value) for each in await survivor.poll(1000, 100)}
        seen |= set(killed(process))
    await bus.publish(place.topic, [Message(f"key-{number % 7}", b"%d" % number) for number in range(200, 220)])
    deadline = time.monotonic() + PATIENCE_S
    while not found >= set(range(220)) - seen:
        assert time.monotonic() < deadline, f"lost {set(range(220)) - seen - found}"
        found |= {int(each.value) for each in await survivor.poll(1000, 200)}
        await survivor.commit()


@on_a_bus
async def test_what_a_killed_publisher_was_told_is_there(place: Place) -> None:
    for _ in range(3):
        with member("publish", place) as process:
            published = await numbers(process, 25) + killed(process)
        bus = place.bus()
        reader = await bus.subscribe(place.topic, uuid.uuid4().hex)
        found = set()
        deadline = time.monotonic() + PATIENCE_S
        while not found >= set(published):
            assert time.monotonic() < deadline, f"lost {set(published) - found}"
            found |= {int(each.value) for each in await reader.poll(1000, 200)}
        await reader.close()


@on_a_bus
async def test_reads_a_partition_from_an_offset(place: Place) -> None:
    bus = place.bus()
    await bus.publish(place.topic, numbered(40, keys=1))
    partition = (await collect(await bus.subscribe(place.topic, "group"), 1))[0].partition
    reader = await bus.read(place.topic, partition, 25)
    found = await collect(reader, 15)
    assert [(each.offset, each.value) for each in found] == [(offset, b"%d" % offset) for offset in range(25, 40)]
    assert await reader.poll(10, 50) == []
    assert await reader.waiting() == 0
    polling = asyncio.create_task(reader.poll(10, PATIENCE_S * 1000))
    await bus.publish(place.topic, [Message("key-0", b"40")])
    assert [each.offset for each in await polling] == [40]
    assert await (await bus.read(place.topic, partition, 25)).waiting() == 16
    await reader.close()
    at_end = await bus.read(place.topic, partition, 41)
    assert await at_end.poll(10, 50) == []
    with pytest.raises(PastEnd):
        await bus.read(place.topic, partition, 42)
    assert [each.offset for each in await collect(await bus.read(place.topic, partition, None), 41)] == [*range(41)]


@on_a_bus
async def test_refuses_to_read_what_is_not_there(place: Place) -> None:
    bus = place.bus()
    await bus.publish(place.topic, numbered(4, keys=1))
    for partition, offset in ((PARTITIONS, 0), (-1, 0), (0, -1)):
        with pytest.raises(BusError, match="partition"):
            await bus.read(place.topic, partition, offset)
    for partition in range(PARTITIONS):
        with pytest.raises(BusError, match="before message 5"):
            await bus.read(place.topic, partition, 5)
    with pytest.raises(BusError, match="no topic"):
        await bus.read("nothing", 0, 0)
    with pytest.raises(BusError, match="no topic"):
        await bus.subscribe("nothing", "group")
    with pytest.raises(BusError, match="no topic"):
        await bus.publish("nothing", numbered(1))
    with pytest.raises(BusError, match="no topic"):
        await bus.partitions("nothing")


@on_a_bus
async def test_knows_the_newest_of_each_key(place: Place) -> None:
    bus = place.bus()
    assert await bus.newest(place.compacted) == {}
    await bus.publish(place.compacted, numbered(100))
    await bus.publish(place.compacted, [Message("key-1", b""), Message("other", b"1"), Message("other", b"2")])
    newest = {f"key-{number % 7}": b"%d" % number for number in range(100)}
    assert await place.bus().newest(place.compacted) == newest | {"key-1": b"", "other": b"2"}
    with pytest.raises(BusError, match="not compacted"):
        await bus.newest(place.topic)


@on_a_bus
async def test_carries_any_key_and_value(place: Place) -> None:
    bus = place.bus()
    messages = [
        Message("empty", b""),
        Message("binary", bytes(range(256))),
        Message("schlüssel ☃ 𝄞", b"unicode"),
        Message("", b"no key"),
        Message("nul\x00in it", b"\x00"),
        Message("large", os.urandom(8 * 1024 * 1024)),
    ]
    await bus.publish(place.topic, messages)
    found = await collect(await bus.subscribe(place.topic, "group"), len(messages))
    assert {each.key: each.value for each in found} == {each.key: each.value for each in messages}


@on_a_bus
async def test_refuses_what_no_bus_takes_and_then_publishes_nothing(place: Place) -> None:
    bus = place.bus()
    for refused in (Message("key", bytes(16 * 1024 * 1024)), Message("\ud800", b"1")):
        with pytest.raises(BusError, match=place.topic):
            await bus.publish(place.topic, [Message("key", b"0"), refused])
    largest = Message("key", bytes(16 * 1024 * 1024 - 3))
    await bus.publish(place.topic, [largest])
    found = await collect(await bus.subscribe(place.topic, "group"), 1)
    assert found[0].value == largest.value


@on_a_bus
async def test_follows_all_of_a_compacted_topic(place: Place) -> None:
    bus = place.bus()
    await bus.publish(place.compacted, [Message(f"key-{n % 5}", b"%d" % n) for n in range(20)])
    follower = await bus.follow(place.compacted)
    newest = {each.key: each.value for each in await collect_until(follower, b"19")}
    assert newest == {f"key-{n % 5}": b"%d" % n for n in range(15, 20)}
    await bus.publish(place.compacted, [Message("key-2", b"new"), Message("key-9", b"newer")])
    found = await collect(follower, 2)
    assert {each.key: each.value for each in found} == {"key-2": b"new", "key-9": b"newer"}
    await follower.close()
    with pytest.raises(BusError, match="is not compacted"):
        await bus.follow(place.topic)


async def collect_until(source: Reader, last: bytes) -> list[Delivery]:
    """Messages up to the time when `last` and, of each other key, the newest have come."""
    found: list[Delivery] = []
    async with asyncio.timeout(PATIENCE_S):
        while len({each.key for each in found if each.value in {b"15", b"16", b"17", b"18", last}}) < 5:
            found += await source.poll(100, 200)
    return found


@on_a_bus
async def test_publishes_nothing_at_all(place: Place) -> None:
    bus = place.bus()
    await bus.publish(place.topic, [])
    subscription = await bus.subscribe(place.topic, "group")
    assert await subscription.poll(10, 50) == []
    await subscription.commit()


@on_a_bus
async def test_takes_concurrent_publishers(place: Place) -> None:
    buses = [place.bus() for _ in range(3)]

    async def publish(bus: Bus, key: str) -> None:
        for start in range(0, 100, 10):
            await bus.publish(place.topic, [Message(key, b"%d" % number) for number in range(start, start + 10)])

    await asyncio.gather(*(publish(bus, f"{at}-{task}") for at, bus in enumerate(buses) for task in range(3)))
    found = by_key(await collect(await buses[0].subscribe(place.topic, "group"), 900))
    assert found == {f"{at}-{task}": [b"%d" % n for n in range(100)] for at in range(3) for task in range(3)}


@on_a_bus
async def test_makes_topics_once(place: Place) -> None:
    buses = [place.bus() for _ in range(3)]
    await buses[0].publish(place.topic, numbered(3))
    await asyncio.gather(*(bus.ensure_topics() for bus in buses))
    assert await buses[1].partitions(place.topic) == PARTITIONS
    assert len(await collect(await buses[2].subscribe(place.topic, "group"), 3)) == 3


@on_a_bus
async def test_refuses_another_number_of_partitions(place: Place) -> None:
    with pytest.raises(BusError, match=f"has {PARTITIONS} partitions, not {PARTITIONS + 1}"):
        await place.bus(partitions=PARTITIONS + 1).ensure_topics()
    assert await place.bus().partitions(place.topic) == PARTITIONS


@on_a_bus
async def test_says_that_it_can_not_be_reached(place: Place) -> None:
    for ask in (
        lambda bus: bus.ensure_topics(),
        lambda bus: bus.publish(place.topic, numbered(1)),
        lambda bus: bus.subscribe(place.topic, "group"),
        lambda bus: bus.read(place.topic, 0, 0),
        lambda bus: bus.newest(place.compacted),
    ):
        async with asyncio.timeout(PATIENCE_S):
            with pytest.raises(TrailError) as raised:
                await ask(place.bus(place.unreachable))
        assert place.unreachable.partition(":")[2].strip("/").removesuffix("/bus.db") in str(raised.value)


@on_a_bus
async def test_says_that_it_was_closed(place: Place) -> None:
    bus = place.bus()
    subscription = await bus.subscribe(place.topic, "group")
    reader = await bus.read(place.topic, 0, 0)
    await bus.close()
    await bus.close()
    for closed in (
        lambda: bus.publish(place.topic, numbered(1)),
        lambda: subscription.poll(1, 0),
        lambda: reader.poll(1, 0),
    ):
        with pytest.raises(BusError, match="closed"):
            await closed()
    await subscription.close()
    await reader.close()

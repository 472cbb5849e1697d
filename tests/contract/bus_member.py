"""A process of its own on a bus, for tests that kill it: `publish` or `consume`, URL, topic.

It prints each number it has published, or was delivered and is about to commit.
"""

from __future__ import annotations

import asyncio
import itertools
import sys

from slmtrail.bus.connect import connect
from slmtrail.core.ports import Bus, Message

PARTITIONS = 3


async def _publish(bus: Bus, topic: str) -> None:
    for number in itertools.count():
        await bus.publish(topic, [Message(f"k{number % 5}", b"%d" % number)])
        print(number, flush=True)


async def _consume(bus: Bus, topic: str) -> None:
    subscription = await bus.subscribe(topic, "group")
    while True:
        for delivery in await subscription.poll(5, 1000):
            print(delivery.value.decode(), flush=True)
        await subscription.commit()


async def _main(role: str, url: str, topic: str) -> None:
    bus = connect(url, partitions=PARTITIONS, topics=[topic], compacted=[])
    await (_publish if role == "publish" else _consume)(bus, topic)


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))

"""Publishes what a batch became, in the one order that survives a crash at any point: the chains last."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import orjson

from slmtrail.core import metrics
from slmtrail.core.ports import ALERTS, DEADLETTERS, RECORDS, SIGNALS, STATE, Bus, Message
from slmtrail.stream.chain import Chain
from slmtrail.stream.process import Output

WINDOWS = "@windows/"
"""Before the names of shards, in a form that no collector's name has."""
SHARDS = "@shards/"
"""The same, where many workers share them."""

_TALLIED = {"kind": metrics.RECORDS_MADE, "finding": metrics.FINDINGS, "rule": metrics.ALERTS_RAISED}

log = logging.getLogger(__name__)


async def publish(output: Output, bus: Bus, signals: Sequence[Message] = ()) -> None:
    """Returns when all of `output`, and its signals where they travel, is on the bus. The batch may be acknowledged
    then, not before."""
    await bus.publish(RECORDS, output.records)
    await bus.publish(SIGNALS, signals)
    await bus.publish(ALERTS, output.alerts)
    await bus.publish(DEADLETTERS, output.deadletters)
    # At once, so that on SQLite neither can be there without the other.
    chains = [Message(name, chain.encode()) for name, chain in output.chains.items()]
    await bus.publish(STATE, [*chains, *(Message(f"{WINDOWS}{name}", data) for name, data in output.windows.items())])
    _count(output)


async def carried(bus: Bus) -> dict[str, Chain]:
    """The chains as the bus holds them."""
    return chains_in(await bus.newest(STATE))


def chains_in(state: Mapping[str, bytes]) -> dict[str, Chain]:
    """The chains among what the bus holds as state."""
    return {name: Chain.decode(data) for name, data in state.items() if not name.startswith("@")}


async def remembered(bus: Bus) -> dict[str, bytes]:
    """What the windows remembered, as the bus holds it."""
    newest = await bus.newest(STATE)
    return {name.removeprefix(WINDOWS): data for name, data in newest.items() if name.startswith(WINDOWS)}


def _count(output: Output) -> None:
    metrics.FRAMES_OPENED.inc(output.opened)
    metrics.FRAMES_REDELIVERED.inc(output.redelivered)
    for (what, name), count in output.tally.items():
        _TALLIED[what].labels(name).inc(count)
    for message in output.deadletters:
        letter = orjson.loads(message.value)
        metrics.DEADLETTERS.labels(letter["reason"]).inc()
        log.warning(
            "dead letter at %s/%s/%s: %s", letter["topic"], letter["partition"], letter["offset"], letter["text"]
        )

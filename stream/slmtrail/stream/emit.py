"""Publishes what a batch became, and then keeps the state after it: the order that survives a crash at any point."""

from __future__ import annotations

import logging
import time
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

KEEP_S = 2.0
"""What windows remember is kept on the bus this often; what a crash makes others look at again is no more than this."""
KEEP_SHARE = 0.1
"""Where keeping it takes long, it is kept less often: it takes no more of the time than this."""

_TALLIED = {"kind": metrics.RECORDS_MADE, "finding": metrics.FINDINGS, "rule": metrics.ALERTS_RAISED}

log = logging.getLogger(__name__)


async def publish(output: Output, bus: Bus, signals: Sequence[Message] = ()) -> None:
    """Returns when all of `output`, and its signals where they travel, is on the bus. The state after it may be kept
    then, not before."""
    await bus.publish(RECORDS, output.records)
    await bus.publish(SIGNALS, signals)
    await bus.publish(ALERTS, output.alerts)
    await bus.publish(DEADLETTERS, output.deadletters)
    _count(output)


async def keep(chains: Mapping[str, Chain], bus: Bus, windows: Mapping[str, bytes] | None = None) -> None:
    """Returns when these chains, and what windows remember, are on the bus. What led to them may be acknowledged then,
    not before."""
    pieces = [Message(f"{WINDOWS}{name}", data) for name, data in (windows or {}).items()]
    # At once, so that on SQLite neither can be there without the other.
    await bus.publish(STATE, [*(Message(name, chain.encode()) for name, chain in chains.items()), *pieces])


def next_keeping_s(began_s: float) -> float:
    """When what the windows remember is to be kept again, after a keeping that began then and has just ended."""
    now_s = time.monotonic()
    return now_s + max(KEEP_S, (now_s - began_s) / KEEP_SHARE)


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

"""Signals on their way to whoever keeps the windows of their subject: in frames, a few a batch, by shard.

Where a worker crashes its signals may come again, cut in other frames. So each is named by the frame it came from and
its number in it: what a shard has seen up to there, from that partition, it passes over.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from slmtrail.core.ports import Message
from slmtrail.stream.judge.judge import Judge
from slmtrail.stream.judge.signal import Signals, signals_in
from slmtrail.stream.process import Output

SHARDS = 64
"""Into so many pieces subjects are shared out; a partition of the topic holds every so-many-th of them."""
MAX_BYTES = 1024 * 1024
"""Of a frame, about: the signals of one record more may be in it."""

ITSELF = -1
"""In the place of a partition of the frames, of what a worker itself says; the time stands for the offset."""

Place = tuple[int, int]
"""Where a signal comes from, in its partition: the offset of the frame, and its number among the frame's signals."""


@dataclass(slots=True)
class SignalFrame:
    """Signals of one shard, from one partition of the frames, in order; or what time it is there; or who is to be
    forgotten."""

    shard: int = -1
    source: int = -1
    signals: list[tuple[Place, Signals]] = field(default_factory=list)
    """Each with the place of its first."""
    clocks: dict[int, int] = field(default_factory=dict)
    """By partition of the frames: all that came before this time has been read."""
    forget: list[str] = field(default_factory=list)
    """A person who was erased, in all spellings."""


def shard_of(subject: str) -> int:
    """The shard that a subject belongs to."""
    return zlib.crc32(subject.encode("utf-8", "surrogatepass")) % SHARDS


def packed(output: Output, partitions: int) -> list[Message]:
    """The signals of a batch as they travel."""
    made: list[Message] = []
    open_: dict[tuple[int, int], list[Any]] = {}
    sizes: dict[tuple[int, int], int] = {}
    for source, offset, told in sorted(_by_frame(output), key=lambda of_frame: of_frame[:2]):
        number = 0
        for signals in told:
            key = (shard_of(signals.subject), source)
            data = orjson.dumps(signals.row(number))
            number += len(signals.sayings)
            open_.setdefault(key, []).append((offset, orjson.Fragment(data)))
            sizes[key] = sizes.get(key, 0) + len(data)
            if sizes[key] >= MAX_BYTES:
                made.append(_message(key, open_.pop(key), partitions))
                del sizes[key]
    return made + [_message(key, signals, partitions) for key, signals in open_.items()]


def refused(judge: Judge, clock_ms: int, partitions: int) -> list[Message]:
    """What can't be used, as a worker tells of it."""
    told = judge.refused(clock_ms)
    return packed(Output(signals=told, sources=[(ITSELF, clock_ms, len(told))]), partitions)


def clocks(known: Mapping[int, int], partitions: int) -> list[Message]:
    """What time it is in these partitions of the frames, for all shards."""
    value = orjson.dumps({"clocks": {str(source): clock_ms for source, clock_ms in known.items()}})
    return [Message("clocks", value, partition) for partition in range(partitions)]


def forgetting(person: Sequence[str], partitions: int) -> list[Message]:
    """That a person, by all spellings, is to be forgotten in all shards."""
    value = orjson.dumps({"forget": person})
    return [Message("forget", value, partition) for partition in range(partitions)]


def opened(data: bytes) -> SignalFrame:
    """What `packed`, `clocks` or `forgetting` made."""
    given = orjson.loads(data)
    if "forget" in given:
        return SignalFrame(forget=given["forget"])
    if "clocks" in given:
        return SignalFrame(clocks={int(source): clock_ms for source, clock_ms in given["clocks"].items()})
    frame = SignalFrame(given["shard"], given["source"])
    for offset, row in given["signals"]:
        first, signals = signals_in(row)
        frame.signals.append(((offset, first), signals))
    return frame


def _by_frame(output: Output) -> Iterator[tuple[int, int, list[Signals]]]:
    first = 0
    for source, offset, last in output.sources:
        yield source, offset, output.signals[first:last]
        first = last


def _message(key: tuple[int, int], signals: list[Any], partitions: int) -> Message:
    shard, source = key
    value = orjson.dumps({"shard": shard, "source": source, "signals": signals})
    return Message(f"shard-{shard}", value, shard % partitions)

"""What can be replayed: frames that are open in their collector's chain, and records that the store refused."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from slmtrail.core import frames
from slmtrail.core.errors import FrameError
from slmtrail.core.frames import Frame
from slmtrail.core.ports import DEADLETTERS, Delivery
from slmtrail.stream.chain import Chain

ON_TOPIC = "on the topic"
"""In the place of a reason: the bus has the frame, and no dead letter tells why it did not come through."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A frame to be replayed, with the reason it was refused for and its partition of the frames; or the text of a
    record, with its ledger and leaf."""

    reason: str
    partition: int = 0
    data: bytes = b""
    frame: Frame | None = None
    ledger: str = ""
    leaf: int = -1

    @property
    def id(self) -> str:
        """Names it: the same frame in two dead letters is one."""
        return hashlib.sha256(self.data).hexdigest()


def letters(found: Iterable[Delivery]) -> Iterator[Letter]:
    """What is in dead letters, or in messages of the frames topic; those that are neither are passed over."""
    for delivery in found:
        if delivery.topic != DEADLETTERS:
            yield _framed(ON_TOPIC, delivery.partition, delivery.value)
            continue
        try:
            given = orjson.loads(delivery.value)
            yield _letter(given)
        except (ValueError, KeyError, TypeError, AttributeError):
            continue


def is_open(letter: Letter, chains: Mapping[str, Chain]) -> bool:
    """Whether the stream would still take something of it."""
    if letter.frame is None:
        return False
    header = letter.frame.header
    chain = chains.get(header.collector, Chain())
    return not chain.passed(header) or chain.awaits(header) is not None


def _letter(given: Mapping[str, Any]) -> Letter:
    reason = str(given["reason"])
    if "record" in given:
        return Letter(reason, data=given["record"].encode(), ledger=given["ledger"], leaf=given["leaf"])
    if "frame_base64" in given:
        return _framed(reason, given["partition"], base64.b64decode(given["frame_base64"]))
    return Letter(reason)


def _framed(reason: str, partition: int, data: bytes) -> Letter:
    try:
        return Letter(reason, partition, data, frames.from_bytes(data))
    except FrameError:
        return Letter(reason, partition, data)

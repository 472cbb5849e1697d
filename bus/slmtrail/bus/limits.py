"""What every bus refuses, before it writes anything."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from slmtrail.core.errors import BusError
from slmtrail.core.ports import Message

MAX_MESSAGE_BYTES = 16 * 1024 * 1024
"""Of key and value together."""


def check(topic: str, messages: Sequence[Message]) -> None:
    """Raises BusError for a message that no attempt would get through."""
    for message in messages:
        try:
            size = len(message.key.encode()) + len(message.value)
        except UnicodeEncodeError:
            raise BusError(f"{topic}: a key is not text (it holds a lone surrogate)") from None
        if size > MAX_MESSAGE_BYTES:
            raise BusError(f"{topic}: a message of {size} bytes is larger than a bus takes ({MAX_MESSAGE_BYTES})")


def check_compacted(topic: str, compacted: Collection[str]) -> None:
    """Raises BusError for a topic that forgets messages by their age."""
    if topic not in compacted:
        raise BusError(f"{topic}: is not compacted, so it does not keep the newest message of each key")

"""A stream of bytes cut into messages: by octet counting or at line ends, which senders may mix (RFC 6587)."""

from __future__ import annotations

import re

_COUNT = re.compile(rb"([1-9][0-9]{0,8}) ")
_MAYBE_COUNT = re.compile(rb"[1-9][0-9]{0,8}")


class Framing:
    """One connection's bytes. Holds at most one message and what came with it."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._held = bytearray()
        self._looked = 0
        """How much of what is held has no line end in it."""
        self._skip_bytes = 0
        self._skip_line = False
        self.oversized = 0
        """Messages that were longer than may be, and passed over."""

    @property
    def held_bytes(self) -> int:
        """How much is held of a message that is not whole."""
        return len(self._held)

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that `data` makes whole."""
        self._held += data
        messages = []
        while self._skipped() and (message := self._next()) is not None:
            if message:
                messages.append(message)
        return messages

    def end(self) -> list[bytes]:
        """What is left when the sender has closed: a last line without its end, or half a message."""
        if self._skip_line or not self._held:
            return []
        last, self._held = bytes(self._held), bytearray()
        return [last]

    def _skipped(self) -> bool:
        """Passes over what is left of an oversized message; whether something stands behind it."""
        if self._skip_bytes:
            skipped = min(self._skip_bytes, len(self._held))
            del self._held[:skipped]
            self._skip_bytes -= skipped
        if self._skip_line:
            end = self._held.find(b"\n")
            del self._held[: end + 1 if end >= 0 else len(self._held)]
            self._skip_line = end < 0
        return bool(self._held)

    def _next(self) -> bytes | None:
        """The next message; empty where one was passed over, None where more must come."""
        counted = _COUNT.match(self._held)
        if counted is None:
            return None if _MAYBE_COUNT.fullmatch(self._held) else self._line()
        size, begin = int(counted[1]), counted.end()
        if size > self._max_bytes:
            self.oversized += 1
            self._skip_bytes = begin + size
            return b""
        if len(self._held) < begin + size:
            return None
        return self._take(begin, begin + size, begin + size)

    def _line(self) -> bytes | None:
        end = self._held.find(b"\n", self._looked)
        if end >= 0 and end <= self._max_bytes:
            return self._take(0, end, end + 1)
        if end < 0 and len(self._held) <= self._max_bytes:
            self._looked = len(self._held)
            return None
        self.oversized += 1
        self._looked, self._skip_line = 0, True
        return b""

    def _take(self, begin: int, end: int, next_begin: int) -> bytes:
        message = bytes(self._held[begin:end])
        del self._held[:next_begin]
        self._looked = 0
        return message.rstrip(b"\r\n")

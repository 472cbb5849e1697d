"""What the two connections of an exchange have in common: each is read from, or for a while is not."""

from __future__ import annotations

import asyncio
from typing import cast

HIGH_WATER_BYTES = 64 * 1024


class Side(asyncio.Protocol):
    """A connection that one end of the proxy reads and writes."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport
        self._reading = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Takes the connection."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is of no such class
        self._transport.set_write_buffer_limits(HIGH_WATER_BYTES)

    def pause(self) -> None:
        """Reads no more for now."""
        if self._reading and not self._transport.is_closing():
            self._reading = False
            self._transport.pause_reading()

    def resume(self) -> None:
        """Reads on."""
        if not self._reading and not self._transport.is_closing():
            self._reading = True
            self._transport.resume_reading()

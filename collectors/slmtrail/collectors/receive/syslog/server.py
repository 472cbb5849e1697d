"""The syslog endpoint. It reads on when what it has read is on disk, so a full spool holds the senders up."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import socket
import ssl
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from slmtrail.collectors.collector import Collector
from slmtrail.collectors.receive.pressure import Busy, Room
from slmtrail.collectors.receive.senders import Sender, certificate_name
from slmtrail.collectors.receive.syslog.convert import event_of
from slmtrail.collectors.receive.syslog.framing import Framing
from slmtrail.core.errors import EventError, SpoolFull, StorageError
from slmtrail.core.metrics import EVENTS_REFUSED, REQUESTS_PUT_OFF, SENDERS_REFUSED

log = logging.getLogger(__name__)

READ_BYTES = 64 * 1024
RETRY_S = 1.0
HANDSHAKE_S = 15
TOLD_ONE_BY_ONE = 20
TOLD_EACH = 1000


@dataclass(frozen=True, slots=True)
class SyslogOptions:
    """TLS, who may send, and limits.

    known_only: only who shows a certificate that TLS has verified.
    message_s: for a message to become whole.
    """

    tls: ssl.SSLContext | None
    known_only: bool
    max_message_bytes: int
    max_connections: int = 500
    message_s: float = 60.0


@contextlib.asynccontextmanager
async def listening(
    collector: Collector, sock: socket.socket, options: SyslogOptions, room: Room
) -> AsyncIterator[None]:
    """Takes messages until left; what was read by then and is not on disk is the sender's to send again."""
    open_now: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if len(open_now) >= options.max_connections or task is None:
            REQUESTS_PUT_OFF.labels("busy").inc()
            writer.close()
            return
        open_now.add(task)
        try:
            await _Connection(collector, reader, writer, options, room).run()
        finally:
            open_now.discard(task)
            writer.close()

    more: dict[str, Any] = {"ssl": options.tls, "ssl_handshake_timeout": HANDSHAKE_S} if options.tls else {}
    server = await asyncio.start_server(accept, sock=sock, limit=READ_BYTES, **more)
    try:
        yield
    finally:
        server.close()
        for task in open_now:
            task.cancel()
        await asyncio.gather(*open_now, return_exceptions=True)


class _Connection:
    def __init__(
        self,
        collector: Collector,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        options: SyslogOptions,
        room: Room,
    ) -> None:
        self._collector, self._reader, self._options, self._room = collector, reader, options, room
        self._framing = Framing(options.max_message_bytes)
        name = writer.get_extra_info("peername")
        self._peer = str(ipaddress.ip_address(name[0].partition("%")[0])) if name else ""
        certificate = certificate_name(writer.get_extra_info("peercert") or {})
        self._sender = Sender(certificate, "certificate") if certificate else None
        self._taken_bytes = 0
        self._began_s = 0.0
        """When the message began that is not whole."""
        self._read = 0
        self._refused = 0

    async def run(self) -> None:
        """Reads to the end, or to what can't be waited for."""
        if self._options.known_only and self._sender is None:
            SENDERS_REFUSED.labels("no_credentials").inc()
            log.warning("syslog from %s: refused, it shows no certificate", self._peer)
            return
        try:
            while data := await self._next():
                await self._take(self._framing.feed(data))
                self._hold(self._framing.held_bytes)
            await self._take(self._framing.end())
        except TimeoutError:
            REQUESTS_PUT_OFF.labels("slow_message").inc()
            log.warning("syslog from %s: closed, a message was not whole in %g s", self._peer, self._options.message_s)
        except (ConnectionError, ssl.SSLError) as error:
            log.info("syslog from %s: lost (%s)", self._peer, type(error).__name__)
        finally:
            self._hold(0)

    async def _next(self) -> bytes:
        """The next bytes, once there is room for them. A connection may be quiet between messages, not within one."""
        held = self._framing.held_bytes
        async with asyncio.timeout_at(self._began_s + self._options.message_s if held else None):
            data = await self._reader.read(READ_BYTES)
            while True:
                try:
                    self._hold(held + len(data))
                    return data
                except Busy:
                    await asyncio.sleep(RETRY_S)

    def _hold(self, size: int) -> None:
        if size > self._taken_bytes:
            self._room.take(size - self._taken_bytes)
        else:
            self._room.give_back(self._taken_bytes - size)
        self._taken_bytes = size

    async def _take(self, messages: list[bytes]) -> None:
        """Commits what messages become, however long the disk makes it wait."""
        if messages or not self._framing.held_bytes:
            self._began_s = asyncio.get_running_loop().time()
        lines = await asyncio.to_thread(self._lines, messages)
        while lines:
            try:
                await asyncio.wrap_future(self._collector.submit(lines))
                return
            except (SpoolFull, StorageError) as error:
                log.warning("syslog from %s waits: %s", self._peer, error)
                await asyncio.sleep(RETRY_S)

    def _lines(self, messages: list[bytes]) -> list[bytes]:
        lines = []
        sender, now_ms = self._sender.fields() if self._sender else {}, time.time_ns() // 1_000_000
        for message in messages:
            self._read += 1
            try:
                lines.append(event_of(message, sender, self._peer, self._options.max_message_bytes, now_ms))
            except EventError as error:
                self._refuse(error)
        while self._framing.oversized:
            self._framing.oversized -= 1
            self._read += 1
            self._refuse(EventError(f"a message is over {self._options.max_message_bytes} bytes", "oversized"))
        return lines

    def _refuse(self, error: EventError) -> None:
        EVENTS_REFUSED.labels(error.reason).inc()
        self._refused += 1
        if self._refused <= TOLD_ONE_BY_ONE or self._refused % TOLD_EACH == 0:
            log.warning("syslog from %s: message %d refused (%s): %s", self._peer, self._read, error.reason, error)
        if self._refused == TOLD_ONE_BY_ONE:
            log.warning("syslog from %s: from here on one refusal of %d is told", self._peer, TOLD_EACH)

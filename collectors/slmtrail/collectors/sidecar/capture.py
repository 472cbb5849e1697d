"""What passed, handed to the process that parses it. The proxy keeps references to the bytes until an exchange ends.

They count against a bound until the exchange's event has come back. From half of it on the next requests are made to
wait, for a moment. An exchange that finds no room, or whose event is lost with the parsing process, is counted and
signed for as dropped.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import NamedTuple, cast

from slmtrail.collectors.collector import Collector
from slmtrail.collectors.guard.identity import IdentityOptions
from slmtrail.collectors.item import Accepted
from slmtrail.collectors.sidecar import wire
from slmtrail.collectors.sidecar.exchange import Exchange
from slmtrail.collectors.sidecar.options import Address, SidecarOptions

log = logging.getLogger(__name__)

LINGER_S = 0.005
"""How long exchanges that have ended wait for company: one write for many."""

BATCH_BYTES = 256 * 1024
PIECE_BYTES = 96
"""What keeping a piece takes beside its bytes."""

EXCHANGE_BYTES = 1024
"""What keeping an exchange takes beside its pieces."""

RESTART_S = 0.5
PARSER = "slmtrail.collectors.sidecar.parser"


class _Batch(NamedTuple):
    """Exchanges that the parsing process was told of."""

    exchanges: int
    waiting_bytes: int
    sent: float
    guarded: dict[int, Exchange]
    """Those that want to hear of what becomes of them, by their place in the batch."""


class Capture(asyncio.Protocol):
    """The queue to the parsing process, and the way back of its events."""

    def __init__(
        self, options: SidecarOptions, address: Address, collector: Collector, identity: IdentityOptions | None = None
    ) -> None:
        self._limits = options.capture
        self._max_exchange_bytes = options.capture.max_exchange_bytes
        self._max_waiting_bytes = options.capture.max_waiting_bytes
        self._crowded_bytes = options.capture.max_waiting_bytes // 2
        self._collector = collector
        self._boot = secrets.token_hex(8)
        self._told = {
            "address": address.host,
            "port": address.port,
            "service": options.service,
            "max_event_bytes": self._limits.max_event_bytes,
            "boot": self._boot,
            "identity": identity.told() if identity else None,
        }
        self._waiting_bytes = 0
        """Of all exchanges under way, ended, and sent."""
        self._ended: list[Exchange] = []
        self._ended_bytes = 0
        self._flushing: asyncio.TimerHandle | None = None
        self._sent: deque[_Batch] = deque()
        self._held: list[Callable[[], None]] = []
        self._process: subprocess.Popen[bytes] | None = None
        self._transport: asyncio.Transport | None = None
        self._reader = wire.Reader()
        self._retry_at = 0.0
        self._starting: asyncio.Task[None] | None = None
        self._stopping = False

    async def start(self) -> None:
        """Starts the parsing process: in a session of its own, so that an interrupt from a terminal ends us first."""
        ours, theirs = socket.socketpair()
        with theirs:
            command, end = [sys.executable, "-m", PARSER], theirs.fileno()
            self._process = subprocess.Popen(command, stdin=end, stdout=end, start_new_session=True)  # noqa: ASYNC220
        ours.setblocking(False)
        self._reader = wire.Reader()
        await asyncio.get_running_loop().create_connection(lambda: self, sock=ours)

    @property
    def crowded(self) -> bool:
        """Whether so much waits for the parsing process that the next request should wait too."""
        return self._waiting_bytes > self._crowded_bytes and self._transport is not None

    def hold(self, go_on: Callable[[], None]) -> None:
        """Calls `go_on` when there is room again, or when it was waited for long enough."""
        self._held.append(go_on)

    def exchange_id(self, number: int) -> str:
        """The id of an exchange in its events."""
        return f"{self._boot}{number:016x}"

    def request(self, exchange: Exchange, data: bytes) -> None:
        """Keeps bytes of a request."""
        before = exchange.request_bytes
        exchange.request_bytes = after = before + len(data)
        if exchange.recorded:
            if after > self._max_exchange_bytes:
                exchange.request_cut = True
                if not (data := data[: max(0, self._max_exchange_bytes - before)]):
                    return
            exchange.asked.append(data)
            self._take(exchange, len(data) + PIECE_BYTES)

    def response(self, exchange: Exchange, data: bytes, now: float) -> None:
        """Keeps bytes of an answer."""
        before = exchange.response_bytes
        exchange.response_bytes = after = before + len(data)
        if exchange.recorded:
            if after > self._max_exchange_bytes:
                exchange.response_cut = True
                if not (data := data[: max(0, self._max_exchange_bytes - before)]):
                    return
            exchange.answered.append(data)
            exchange.answered_at.append(now)
            self._take(exchange, len(data) + PIECE_BYTES)

    def end(self, exchange: Exchange, error: str, confirm: Callable[[bool], None] | None = None) -> None:
        """An exchange is over: it is to become an event. `confirm` hears whether that was committed."""
        if exchange.ended:
            return
        exchange.confirm = confirm
        if exchange.recorded:
            self._take(exchange, EXCHANGE_BYTES)
            if self._transport is None and exchange.recorded:
                self._give_up(exchange)
        if not exchange.recorded:
            _confirm(exchange, committed=False)
            return
        exchange.error = error
        exchange.ended = time.monotonic()
        self._ended.append(exchange)
        self._ended_bytes += exchange.waiting_bytes
        if self._ended_bytes >= BATCH_BYTES:
            self._flush()
        elif self._flushing is None:
            self._flushing = asyncio.get_running_loop().call_later(LINGER_S, self._flush)

    def check(self, now: float) -> None:
        """Starts the parsing process anew where it has ended, or does not answer. Nobody is held beyond this."""
        self._release()
        if self._transport is not None and self._sent:
            waited_s = now - self._sent[0].sent
            if waited_s > self._limits.answer_s:
                log.error("the parsing process has not answered for %.0f s and is started anew", waited_s)
                self._transport.abort()
        if self._transport is None and not self._stopping and now >= self._retry_at and self._starting is None:
            self._starting = asyncio.get_running_loop().create_task(self._restart())

    async def stop(self) -> None:
        """Waits for the events of all that has ended, within the time an answer may take."""
        self._stopping = True
        if self._starting is not None:
            await asyncio.wait({self._starting})
        end = time.monotonic() + self._limits.answer_s
        self._flush()
        while self._sent and self._transport is not None and time.monotonic() < end:  # noqa: ASYNC110
            await asyncio.sleep(LINGER_S)
        if self._transport is not None:
            self._transport.abort()
        self._lose()
        self._reap()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The parsing process is there."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(wire.pack(self._told, []))

    def data_received(self, data: bytes) -> None:
        """Takes events and offers them to the collector."""
        for (lengths, used), payload in self._reader.feed(data):
            batch = self._sent.popleft()
            self._waiting_bytes -= batch.waiting_bytes
            lines, start, lost = [], 0, 0
            for place, length in enumerate(lengths):
                made = payload[start : start + length].split(b"\n") if length else []
                start += length
                lost += not made
                exchange = batch.guarded.get(place)
                if exchange is not None and exchange.confirm is not None:
                    self._commit(exchange, made)
                else:
                    lines += made
            for place, model, *counts in used:
                guarded = batch.guarded[place].guarded
                assert guarded is not None  # noqa: S101
                guarded.spend(model, (counts[0], counts[1]))
            if lost:
                self._collector.drop(lost)
            if lines:
                self._collector.offer(lines)
        if self._held and not self.crowded:
            self._release()

    def _commit(self, exchange: Exchange, lines: list[bytes]) -> None:
        """Puts the events of an exchange on disk, for which somebody waits."""
        if not lines:
            _confirm(exchange, committed=False)
            return
        loop = asyncio.get_running_loop()

        def committed(future: Future[Accepted]) -> None:
            if future.exception() is not None:
                self._collector.drop(len(lines))
            loop.call_soon_threadsafe(partial(_confirm, exchange, committed=future.exception() is None))

        self._collector.submit(lines).add_done_callback(committed)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """The parsing process is gone, with all that it held."""
        self._transport = None
        self._lose()
        self._reap()
        self._release()
        if not self._stopping:
            log.error("the parsing process ended; what it held is counted as dropped")
            self._retry_at = time.monotonic() + RESTART_S

    def _take(self, exchange: Exchange, size: int) -> None:
        """Takes `size` bytes of the bound for `exchange`, which is given up where there is no room."""
        exchange.waiting_bytes += size
        self._waiting_bytes += size
        if self._waiting_bytes > self._max_waiting_bytes:
            self._give_up(exchange)

    def _release(self) -> None:
        held, self._held = self._held, []
        for go_on in held:
            go_on()

    def _give_up(self, exchange: Exchange) -> None:
        exchange.recorded = False
        exchange.asked, exchange.answered, exchange.answered_at = [], [], []
        self._waiting_bytes -= exchange.waiting_bytes
        self._collector.drop(1)

    def _flush(self) -> None:
        if self._flushing is not None:
            self._flushing.cancel()
            self._flushing = None
        ended, size = self._ended, self._ended_bytes
        self._ended, self._ended_bytes = [], 0
        if not ended or self._transport is None:
            return
        parts: list[bytes] = []
        facts, guarded = [], {}
        for place, exchange in enumerate(ended):
            parts += exchange.asked
            parts += exchange.answered
            facts.append(_facts(exchange))
            if exchange.guarded is not None:
                guarded[place] = exchange
                exchange.asked, exchange.answered, exchange.answered_at = [], [], []
        self._sent.append(_Batch(len(ended), size, time.monotonic(), guarded))
        self._transport.write(wire.pack(facts, parts))

    def _lose(self) -> None:
        """Counts what has ended and can no longer become an event."""
        lost = len(self._ended) + sum(batch.exchanges for batch in self._sent)
        self._waiting_bytes -= self._ended_bytes + sum(batch.waiting_bytes for batch in self._sent)
        waiting = [*self._ended, *(exchange for batch in self._sent for exchange in batch.guarded.values())]
        self._ended, self._ended_bytes = [], 0
        self._sent.clear()
        for exchange in waiting:
            _confirm(exchange, committed=False)
        if lost:
            self._collector.drop(lost)

    def _reap(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    async def _restart(self) -> None:
        try:
            await self.start()
        except OSError as error:
            log.error("the parsing process can't be started: %s", error.strerror)
            self._retry_at = time.monotonic() + RESTART_S
        finally:
            self._starting = None


def _facts(exchange: Exchange) -> wire.Row:
    request, response, began = exchange.request, exchange.response, exchange.began
    return (
        exchange.number,
        exchange.at_ms,
        round((exchange.ended - began) * 1000),
        exchange.status,
        exchange.error,
        exchange.client.ip,
        exchange.request_bytes,
        exchange.response_bytes,
        exchange.request_cut,
        exchange.response_cut,
        exchange.head_bytes,
        request.framing if request else "",
        sum(map(len, exchange.asked)),
        exchange.head_start,
        exchange.body_start,
        response.framing if response else "",
        [len(piece) for piece in exchange.answered],
        [int((at - began) * 1_000_000) for at in exchange.answered_at],
        exchange.client.certificate,
        exchange.guarded.told() if exchange.guarded else None,
    )


def _confirm(exchange: Exchange, *, committed: bool) -> None:
    confirm, exchange.confirm = exchange.confirm, None
    if confirm is not None:
        confirm(committed)

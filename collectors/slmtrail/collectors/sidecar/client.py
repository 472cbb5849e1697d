"""A client's connection: requests are taken one at a time, sent on as they came, and answered in order."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import orjson

from slmtrail.collectors.sidecar import bodies
from slmtrail.collectors.sidecar.exchange import Exchange
from slmtrail.collectors.sidecar.guarded import Guarded
from slmtrail.collectors.sidecar.heads import BadMessage, RequestHead, find_end, read_request, with_host
from slmtrail.collectors.sidecar.side import HIGH_WATER_BYTES, Side
from slmtrail.core.said import BLOCKED

if TYPE_CHECKING:
    from slmtrail.collectors.sidecar.proxy import Proxy

LINGER_S = 2.0
"""How long bytes of a refused client are read and forgotten, so that the refusal reaches it."""

_PHRASES = {
    400: b"Bad Request",
    401: b"Unauthorized",
    403: b"Forbidden",
    405: b"Method Not Allowed",
    408: b"Request Timeout",
    413: b"Content Too Large",
    429: b"Too Many Requests",
    431: b"Request Header Fields Too Large",
    502: b"Bad Gateway",
    503: b"Service Unavailable",
    504: b"Gateway Timeout",
}


_SHORT = {
    "commonName": "CN",
    "organizationName": "O",
    "organizationalUnitName": "OU",
    "countryName": "C",
    "localityName": "L",
    "stateOrProvinceName": "ST",
}


class Client(Side):
    """One client. Its exchange, while it has one, holds the upstream connection in use."""

    def __init__(self, proxy: Proxy) -> None:
        super().__init__()
        self._proxy = proxy
        self._limits = proxy.options.limits
        self._exchange: Exchange | None = None
        self._capture = proxy.capture
        self._body: bodies.Body | None = None
        self._pending = b""
        self._head_since = 0.0
        self._tunnel = False
        self._lingering = False
        self._held = self._waited = False
        """It is made to wait for room to record its next request; it has been."""
        self._unwritten_bytes = -1
        """What waited for the client when it was last looked at, -1 while it takes what it gets."""
        self._moved = time.monotonic()
        self.half_closed = False
        self.ip = ""
        self.certificate = ""
        """The subject of the certificate that the client proved to hold."""

    @property
    def busy(self) -> bool:
        """Whether an exchange is under way."""
        return self._exchange is not None

    @property
    def blocked(self) -> bool:
        """Whether the client takes nothing of what waits for it."""
        return self._unwritten_bytes >= 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Takes the connection."""
        super().connection_made(transport)
        peer = transport.get_extra_info("peername")
        self.ip = peer[0].partition("%")[0] if isinstance(peer, tuple) else ""
        if self._proxy.options.client_tls is not None:
            self.certificate = subject(transport.get_extra_info("peercert"))
        self._proxy.clients.add(self)
        if len(self._proxy.clients) > self._limits.max_clients:
            self._refuse("too_many_clients", 503)

    def data_received(self, data: bytes) -> None:
        """Takes bytes of the request at hand, or of the next."""
        now = self._moved = time.monotonic()
        exchange = self._exchange
        if exchange is None:
            if not self._lingering:
                self._next(data, now)
        elif self._tunnel:
            exchange.request_bytes += len(data)
            exchange.send(data)
        elif not exchange.request_done:
            self._more(exchange, data)
        else:
            self._pending += data
            if len(self._pending) > HIGH_WATER_BYTES:
                self.pause()

    def _next(self, data: bytes, now: float) -> None:
        """Begins the next request, if its head has come whole and there is room to record it."""
        if self._held or (self._capture.crowded and not self._waited):
            self._pending += data
            self.pause()
            if not self._held:
                self._held = True
                self._capture.hold(self._go_on)
            return
        looked = len(self._pending)
        data = self._pending + data
        if data.startswith(b"\r\n"):  # an old kindness to clients that end a body with one too many
            data, looked = data[2:], 0
        try:
            end = find_end(data, self._limits.max_head_bytes, looked)
            if not end:
                self._pending = data
                self._head_since = (self._head_since or now) if data else 0.0
                return
            request = read_request(data[:end])
            if request.length > self._limits.max_request_bytes:
                raise BadMessage("request_too_large", 413)
            self._body, stop = bodies.begin(request.framing, request.length, data, end)
        except BadMessage as error:
            self._refuse(error.reason, error.status, data)
            return
        self._head_since = 0.0
        self._pending = data[stop:]
        self._begin(request, data[:stop], end, now)

    def _go_on(self) -> None:
        """Takes what was made to wait."""
        self._held = False
        if self._transport.is_closing():
            return
        self._waited = True
        self._continue(time.monotonic())
        self._waited = False

    def _continue(self, now: float) -> None:
        """Takes the next request, or closes where there will be none."""
        self.resume()
        if self._pending:
            pending, self._pending = self._pending, b""
            self._next(pending, now)
        if self.half_closed and self._exchange is None and not self._held:
            self._transport.close()

    def _begin(self, request: RequestHead, data: bytes, head_bytes: int, now: float) -> None:
        """A request's head is read; `data` holds it and what has come of its body."""
        proxy = self._proxy
        exchange = self._exchange = Exchange(proxy.number(), self, request, head_bytes, now)
        exchange.request_done = self._body is None
        self._capture.request(exchange, data)
        if proxy.guarding is None or proxy.guarding.gate.idle:
            self._forward(exchange, data)
            return
        exchange.unsent.append(data)
        exchange.guarded = Guarded(proxy.guarding, exchange, data[:head_bytes])
        exchange.guarded.begin()

    def _forward(self, exchange: Exchange, data: bytes) -> None:
        """Sends a request on, from its head."""
        proxy, head_bytes = self._proxy, exchange.head_bytes
        if proxy.authority:
            data = with_host(data[:head_bytes], proxy.authority) + data[head_bytes:]
        proxy.pool.begin(exchange, data)

    def release(self, exchange: Exchange) -> None:
        """Sends on what was held of a request."""
        held, exchange.unsent = b"".join(exchange.unsent), []
        self._forward(exchange, held)
        if self.half_closed and exchange.upstream is not None:
            exchange.upstream.end_writing()
        self.resume()

    def _more(self, exchange: Exchange, data: bytes) -> None:
        """More of a request's body."""
        assert self._body is not None  # noqa: S101
        try:
            stop = self._body.feed(data, 0)
            if exchange.request_bytes + stop > self._limits.max_request_bytes + self._limits.max_head_bytes:
                raise BadMessage("request_too_large", 413)
        except BadMessage as error:
            self.fail(f"request_{error.reason}", error.status)
            return
        if stop < len(data):
            self._pending = data[stop:]
            data = data[:stop]
        exchange.request_done = self._body.done
        self._capture.request(exchange, data)
        exchange.send(data)
        guarded = exchange.guarded
        if guarded is not None and guarded.holding:
            guarded.more()
        elif exchange.upstream is None and exchange.request_bytes > HIGH_WATER_BYTES:
            self.pause()

    def deliver(self, exchange: Exchange, data: bytes, now: float) -> None:
        """Passes bytes of the answer on."""
        self.write(data)
        if self._tunnel:
            self._moved = now
            exchange.response_bytes += len(data)
        else:
            self.keep(exchange, data, now)

    def keep(self, exchange: Exchange, data: bytes, now: float) -> None:
        """Records bytes of the answer, which are passed on apart from this or not at all."""
        self._moved = now
        self._capture.response(exchange, data, now)

    def write(self, data: bytes) -> None:
        """Sends bytes to the client."""
        if not self._transport.is_closing():
            self._transport.write(data)

    def connected(self, exchange: Exchange) -> None:
        """The exchange has its connection; bytes that waited for it are on the way."""
        self._moved = time.monotonic()
        if self.half_closed and exchange.upstream is not None:
            exchange.upstream.end_writing()
        self.resume()

    def finished(self, exchange: Exchange, *, stays: bool) -> None:
        """The answer is complete; whether this connection may serve another request."""
        if exchange.guarded is not None and exchange.guarded.looks:
            exchange.upstream = None
            exchange.guarded.finish(stays=stays)
        else:
            self.done(exchange, stays=stays)

    def done(self, exchange: Exchange, *, stays: bool) -> None:
        """The answer is on its way to the client whole."""
        self._over(exchange, "")
        if not stays or self._proxy.stopping:
            self._leave(unread=not exchange.request_done)
            return
        self._continue(self._moved)

    def fail(self, error: str, status: int) -> None:
        """Ends the exchange: with an answer of our own where none has begun, else by cutting it off."""
        exchange = self._exchange
        if exchange is None:
            return
        begun = exchange.response is not None and not (exchange.guarded is not None and exchange.guarded.withholds)
        exchange.status = status
        upstream, exchange.upstream = exchange.upstream, None
        self._over(exchange, "client_gone" if self.half_closed and error == "upstream_closed" else error)
        if upstream is not None:
            upstream.leave()
        if not begun:
            self._answer(error, status)
        elif exchange.response is not None and exchange.response.framing == "close":
            self._transport.abort()  # an orderly end would tell the client that this was all
            return
        self._leave(unread=not exchange.request_done)

    def refuse(self, exchange: Exchange, status: int, text: bytes, fields: bytes) -> None:
        """Ends the exchange with the guard's answer in the place of the upstream's."""
        exchange.status = status
        self._part(exchange)
        self._say(status, text, fields)
        self._leave(unread=not exchange.request_done)

    def cut(self, exchange: Exchange, last: bytes) -> None:
        """Ends the exchange amid its answer, after the bytes that end it in good order, if there are such."""
        self._part(exchange)
        if last:
            self.write(last)
            self._leave(unread=not exchange.request_done)
        else:
            self._transport.abort()

    def _part(self, exchange: Exchange) -> None:
        """The guard ends the exchange, which the upstream need not go on with."""
        upstream, exchange.upstream = exchange.upstream, None
        self._over(exchange, BLOCKED)
        if upstream is not None:
            upstream.leave()

    def open_tunnel(self, exchange: Exchange) -> None:
        """From here on bytes pass both ways as they are."""
        self._tunnel = True
        if self._pending:
            exchange.request_bytes += len(self._pending)
            exchange.send(self._pending)
            self._pending = b""
        self.resume()

    def tunnel_ended(self, exchange: Exchange) -> None:
        """The upstream has left the tunnel."""
        self._over(exchange, "")
        self._transport.close()

    def close(self) -> None:
        """Closes at once; an exchange under way is cut off."""
        self._transport.abort()

    def pause_writing(self) -> None:
        """The client takes nothing: no more is read from the upstream."""
        self._unwritten_bytes = self._transport.get_write_buffer_size()
        if self._exchange is not None and self._exchange.upstream is not None:
            self._exchange.upstream.pause()

    def resume_writing(self) -> None:
        """The client takes bytes again."""
        self._unwritten_bytes = -1
        self._moved = time.monotonic()
        if self._exchange is not None and self._exchange.upstream is not None:
            self._exchange.upstream.resume()

    def eof_received(self) -> bool:
        """The client says no more. Whether it still listens is for the upstream to decide, as it would without us."""
        exchange = self._exchange
        self.half_closed = True
        if exchange is None or self._lingering or not exchange.request_done or not self._transport.can_write_eof():
            return False
        if exchange.upstream is not None and not self._pending:
            exchange.upstream.end_writing()
        return True

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """The client is gone."""
        self._proxy.clients.discard(self)
        exchange = self._exchange
        if exchange is not None:
            upstream, exchange.upstream = exchange.upstream, None
            self._over(exchange, "" if self._tunnel else "client_gone")
            if upstream is not None:
                upstream.leave()

    def check(self, now: float) -> None:
        """Ends what has stood still for too long."""
        limits, waited_s = self._limits, now - self._moved
        if self.blocked:
            unwritten = self._transport.get_write_buffer_size()
            if unwritten < self._unwritten_bytes:
                self._moved = now
            elif waited_s > limits.drain_s:
                self._transport.abort()
            self._unwritten_bytes = unwritten
        elif self._lingering:
            if waited_s > LINGER_S:
                self._transport.abort()
        elif self._exchange is None:
            self._check_idle(now, waited_s)
        elif self._tunnel:
            if waited_s > limits.tunnel_s:
                self._transport.abort()
        elif not self._exchange.request_done and self._reading:
            if waited_s > limits.body_s:
                self.fail("request_timeout", 408)
        elif waited_s > (limits.response_s if self._exchange.response is None else limits.stream_s):
            self.fail("upstream_timeout", 504)

    def _check_idle(self, now: float, waited_s: float) -> None:
        if self._head_since:
            if now - self._head_since > self._limits.head_s:
                self._refuse("request_timeout", 408)
        elif waited_s > self._limits.idle_s or self._proxy.stopping:
            self._transport.close()

    def _over(self, exchange: Exchange, error: str) -> None:
        exchange.over = True
        exchange.unsent = []
        if exchange.guarded is not None:
            exchange.guarded.over()
        if exchange.response is not None:
            exchange.status = exchange.response.status
        self._exchange = None
        self._tunnel = False
        self._capture.end(exchange, error)

    def _refuse(self, reason: str, status: int, data: bytes = b"") -> None:
        """Answers what is no request that can be sent on, and closes."""
        exchange = Exchange(self._proxy.number(), self, None, 0, time.monotonic())
        exchange.request_bytes, exchange.status = len(data), status
        self._over(exchange, f"request_{reason.removeprefix('request_')}")
        self._answer(reason, status)
        self._leave(unread=True)

    def _answer(self, reason: str, status: int) -> None:
        """An error in the shape that clients of models know."""
        kind = "invalid_request_error" if status < 500 else "server_error"
        told = {"message": f"slmtrail sidecar: {reason.replace('_', ' ')}", "type": kind, "code": reason}
        self._say(status, orjson.dumps({"error": told}) + b"\n")

    def _say(self, status: int, text: bytes, fields: bytes = b"") -> None:
        """An answer of our own, after which the connection ends."""
        self.write(
            b"HTTP/1.1 %d %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%bConnection: close\r\n\r\n%b"
            % (status, _PHRASES[status], len(text), fields, text)
        )

    def _leave(self, *, unread: bool) -> None:
        """Closes once what was written is on its way; a client that still speaks is heard out for a moment."""
        self._pending = b""
        if unread and self._transport.can_write_eof() and not self.half_closed:
            self._lingering = True
            self._moved = time.monotonic()
            self.resume()
            self._transport.write_eof()
        else:
            self._transport.close()


def subject(certificate: Any) -> str:
    """The subject of a certificate that was checked, as `CN=alice,O=Example`; empty where there is none."""
    parts = (certificate or {}).get("subject", ())
    return ",".join(f"{_SHORT.get(name, name)}={value}" for part in parts for name, value in part)

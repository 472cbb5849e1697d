"""Connections to the model server: one exchange at a time on each, kept for the next where that is safe."""

from __future__ import annotations

import asyncio
import select
import ssl
import time

from slmtrail.collectors.sidecar import bodies
from slmtrail.collectors.sidecar.exchange import Exchange
from slmtrail.collectors.sidecar.heads import BadMessage, find_end, read_response
from slmtrail.collectors.sidecar.options import Address, SidecarLimits
from slmtrail.collectors.sidecar.side import Side

MAX_INTERIM = 32
"""Answers of the 1xx kind before the real one."""


class Upstream(Side):
    """A connection to the upstream. Between exchanges it should be silent: one that speaks is closed."""

    def __init__(self, pool: Pool) -> None:
        super().__init__()
        self._pool = pool
        self._exchange: Exchange | None = None
        self._pending = b""
        self._body: bodies.Body | None = None
        self._interim = 0
        self._tunnel = False
        self._poll = select.poll()
        self.idle_since = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Takes the connection."""
        super().connection_made(transport)
        self._poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN | select.POLLRDHUP)
        self._pool.open.add(self)

    def usable(self, now: float, max_idle_s: float) -> bool:
        """Whether an idle connection is open still, as far as the kernel knows, and not too old."""
        return not self._transport.is_closing() and now - self.idle_since < max_idle_s and not self._poll.poll(0)

    def begin(self, exchange: Exchange, *, reused: bool) -> None:
        """Serves `exchange` until it is over."""
        self._exchange = exchange
        self._interim = 0
        if exchange.client.blocked:
            self.pause()
        exchange.attach(self, reused=reused)

    def write(self, data: bytes) -> None:
        """Sends bytes of the request."""
        if not self._transport.is_closing():
            self._transport.write(data)

    def end_writing(self) -> None:
        """Passes on that the client has nothing more to say."""
        if self._transport.can_write_eof():
            if not self._transport.is_closing():
                self._transport.write_eof()
        else:
            self.abort()

    def leave(self) -> None:
        """The exchange is over before its answer is: the connection can serve no other."""
        self._exchange = None
        self._transport.abort()

    def abort(self) -> None:
        """Closes at once. The exchange, if any, hears of it."""
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Passes on what belongs to the answer."""
        exchange = self._exchange
        if exchange is None:
            self._pool.forget(self)
            self._transport.abort()
            return
        now = time.monotonic()
        exchange.replay = None
        if self._tunnel:
            exchange.client.deliver(exchange, data, now)
            return
        try:
            if exchange.response is None:
                self._head(exchange, self._pending + data, now)
            else:
                self._more(exchange, data, now)
        except BadMessage as error:
            exchange.client.fail(f"upstream_{error.reason}", 502)

    def _head(self, exchange: Exchange, data: bytes, now: float) -> None:
        """Passes the final head on, with the interim ones before it and what has come of the body."""
        client, request = exchange.client, exchange.request
        assert request is not None  # noqa: S101
        looked, self._pending = len(self._pending), b""
        while end := find_end(data, self._pool.limits.max_head_bytes, looked, 502):
            response = read_response(data[:end], request.method)
            if response.status >= 200:
                break
            if response.status == 101:
                # Nothing behind a switch to HTTP/2 would be seen; a server is free to ignore the offer.
                if not request.upgrade or b"h2c" in response.upgrade:
                    raise BadMessage("upgrade_refused", 502)
                exchange.response, self._tunnel = response, True
                client.open_tunnel(exchange)
                client.deliver(exchange, data, now)
                return
            self._interim += 1
            if self._interim > MAX_INTERIM:
                raise BadMessage("too_many_interim_answers", 502)
            if not (response.status == 100 and exchange.guarded is not None and exchange.guarded.continued):
                client.deliver(exchange, data[:end], now)
            data, looked = data[end:], 0
        else:
            self._pending = data
            return
        exchange.response = response
        if exchange.guarded is not None:
            head = exchange.guarded.on_answer(response, data[:end])
            data, end = head + data[end:], len(head)
        exchange.head_start, exchange.body_start = exchange.response_bytes, exchange.response_bytes + end
        content: list[bytes] | None = [] if exchange.guarded is not None and exchange.guarded.looks else None
        try:
            self._body, stop = bodies.begin(response.framing, response.length, data, end, content)
        except BadMessage:
            self._pass_broken(exchange, data, now)
            raise
        self._pass(exchange, data, stop, content, now, at_chunk=False)

    def _more(self, exchange: Exchange, data: bytes, now: float) -> None:
        """Passes more of the body on."""
        body = self._body
        assert body is not None  # noqa: S101
        content: list[bytes] | None = [] if exchange.guarded is not None and exchange.guarded.looks else None
        at_chunk = content is not None and isinstance(body, bodies.Chunked) and body.between
        try:
            stop = body.feed(data, 0, content)
        except BadMessage:
            self._pass_broken(exchange, data, now)
            raise
        self._pass(exchange, data, stop, content, now, at_chunk=at_chunk)

    def _pass_broken(self, exchange: Exchange, data: bytes, now: float) -> None:
        """Passes on what is no right body, unless somebody has to look at it first."""
        if exchange.guarded is not None and exchange.guarded.looks:
            exchange.client.keep(exchange, data, now)
        else:
            exchange.client.deliver(exchange, data, now)

    def _pass(
        self, exchange: Exchange, data: bytes, stop: int, content: list[bytes] | None, now: float, *, at_chunk: bool
    ) -> None:
        """Passes on what of `data` belongs to the answer, which may be its end."""
        done = self._body is None or self._body.done
        if content is None:
            exchange.client.deliver(exchange, data[:stop], now)
        else:
            exchange.client.keep(exchange, data[:stop], now)
            assert exchange.guarded is not None  # noqa: S101
            if not exchange.guarded.take(data[:stop], content, done=done, at_chunk=at_chunk):
                return
        if done:
            self._finish(exchange, now, surplus=stop < len(data))

    def _finish(self, exchange: Exchange, now: float, *, surplus: bool) -> None:
        request, response, client = exchange.request, exchange.response, exchange.client
        assert request is not None  # noqa: S101
        assert response is not None  # noqa: S101
        clean = exchange.request_done and response.keep_alive
        stays = clean and request.keep_alive
        self._exchange = None
        if stays and not surplus and not client.half_closed and not request.isolated:
            self.resume()
            self._pool.put(self, now)
        else:
            self._transport.abort()
        client.finished(exchange, stays=stays)

    def eof_received(self) -> bool:
        """The upstream has said all it will."""
        if self._tunnel and self._exchange is not None:
            self._exchange.client.tunnel_ended(self._exchange)
            return False
        self._ended(None)
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone: which may be how an answer ends, or an end in its midst."""
        self._pool.forget(self)
        self._pool.open.discard(self)
        self._ended(exc)

    def _ended(self, error: Exception | None) -> None:
        exchange, self._exchange = self._exchange, None
        if exchange is None or exchange.over:
            return
        if self._tunnel:
            exchange.client.tunnel_ended(exchange)
        elif exchange.response is not None and exchange.response.framing == "close" and error is None:
            if exchange.guarded is None or exchange.guarded.ended():
                exchange.client.finished(exchange, stays=False)
        elif exchange.replay is not None and not exchange.client.half_closed:
            exchange.unsent, exchange.upstream = exchange.replay, None
            self._pool.connect(exchange)
        else:
            exchange.client.fail("upstream_closed", 502)

    def pause_writing(self) -> None:
        """The upstream takes nothing: no more is read from the client."""
        if self._exchange is not None:
            self._exchange.client.pause()

    def resume_writing(self) -> None:
        """The upstream takes bytes again."""
        if self._exchange is not None:
            self._exchange.client.resume()


class Pool:
    """Upstream connections: the idle ones, the last used first, and the making of new ones."""

    def __init__(self, address: Address, limits: SidecarLimits) -> None:
        self._address = address
        self._idle: list[Upstream] = []
        self._connecting: set[asyncio.Task[None]] = set()
        self.limits = limits
        self.open: set[Upstream] = set()

    def begin(self, exchange: Exchange, data: bytes) -> None:
        """Gives `exchange` a connection, now or soon, and sends `data` on it."""
        exchange.unsent.append(data)
        while self._idle:
            upstream = self._idle.pop()
            if upstream.usable(time.monotonic(), self.limits.pooled_s):
                upstream.begin(exchange, reused=True)
                return
            upstream.abort()
        self.connect(exchange)

    def connect(self, exchange: Exchange) -> None:
        """Gives `exchange` a new connection, or the news that there is none."""
        task = asyncio.get_running_loop().create_task(self._connect(exchange))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def _connect(self, exchange: Exchange) -> None:
        address, loop = self._address, asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self.limits.connect_s):
                _, upstream = await loop.create_connection(
                    lambda: Upstream(self), address.host, address.port, ssl=address.tls
                )
        except TimeoutError:
            failed = "upstream_connect_timeout", 504
        except ssl.SSLError:
            failed = "upstream_tls_failed", 502
        except ConnectionRefusedError:
            failed = "upstream_refused", 502
        except OSError:
            failed = "upstream_unreachable", 502
        else:
            if exchange.over:
                self.put(upstream, time.monotonic())
            else:
                upstream.begin(exchange, reused=False)
                exchange.client.connected(exchange)
            return
        if not exchange.over:
            exchange.client.fail(*failed)

    def put(self, upstream: Upstream, now: float) -> None:
        """Keeps a connection for the next exchange."""
        upstream.idle_since = now
        self._idle.append(upstream)
        if len(self._idle) > self.limits.max_idle_upstreams:
            self._idle.pop(0).abort()

    def forget(self, upstream: Upstream) -> None:
        """Takes a closed connection out of the idle ones."""
        if upstream in self._idle:
            self._idle.remove(upstream)

    def expire(self, now: float) -> None:
        """Closes what has been idle too long."""
        while self._idle and now - self._idle[0].idle_since >= self.limits.pooled_s:
            self._idle.pop(0).abort()

    def close(self) -> None:
        """Closes every connection."""
        for task in self._connecting:
            task.cancel()
        for upstream in list(self.open):
            upstream.abort()

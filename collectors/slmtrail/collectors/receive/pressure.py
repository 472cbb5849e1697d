"""Back-pressure: whoever sends more than there is room for is told to come again later, and memory stays bounded.

ASGI middleware before the receivers. Bodies may come compressed; they are counted as they unfold.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from slmtrail.collectors.inflating import CODINGS, BrokenError, Inflating
from slmtrail.collectors.receive.door import OPEN, RECEIVERS, no
from slmtrail.core.errors import EventError
from slmtrail.core.metrics import REQUESTS_PUT_OFF

LEAST_BYTES = 16 * 1024
"""What any request takes, however small."""

PIECE_BYTES = 64 * 1024

BUSY_RETRY_S = 1
FILLING_RETRY_S = 5


class Busy(Exception):
    """What is under way is as many bytes as may be in memory."""


class Room:
    """How much of what is under way may be in memory, whoever brings it. Used from one event loop."""

    def __init__(self, max_bytes: int) -> None:
        self._free_bytes = max_bytes

    def take(self, size: int) -> None:
        """Takes room. Raises Busy where there is none."""
        if size > self._free_bytes:
            raise Busy
        self._free_bytes -= size

    def give_back(self, size: int) -> None:
        """Gives room back."""
        self._free_bytes += size


class Pressure:
    """Takes requests while their bodies, unfolded, have room, and the spool is not filling."""

    def __init__(self, app: ASGIApp, room: Room, filling: Callable[[], bool]) -> None:
        self._app = app
        self._room = room
        self._filling = filling

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(RECEIVERS):
            await self._app(scope, receive, send)
            return
        path, headers = scope["path"], Headers(scope=scope)
        encoding = headers.get("content-encoding", "identity").strip().lower()
        if encoding != "identity" and encoding not in CODINGS:
            text = "content-encoding should be gzip, deflate or none at all"
            await no(path, headers, 415, "encoding", text)(scope, receive, send)
        elif path not in OPEN and self._filling():
            REQUESTS_PUT_OFF.labels("spool_filling").inc()
            text = "the spool is filling, since the bus takes nothing: come again later"
            await no(path, headers, 429, "spool_filling", text, FILLING_RETRY_S)(scope, receive, send)
        else:
            await self._take(scope, receive, send, encoding)

    async def _take(self, scope: Scope, receive: Receive, send: Send, encoding: str) -> None:
        request = _Request(receive, send, self._room, encoding)
        plain = [(name, value) for name, value in scope["headers"] if name != b"content-encoding"]
        try:
            request.take(LEAST_BYTES)
            await self._app({**scope, "headers": plain}, request.receive, request.send)
        except Busy:
            if request.answered:
                raise
            REQUESTS_PUT_OFF.labels("busy").inc()
            text = "as many requests are under way as fit in memory: come again later"
            answer = no(scope["path"], Headers(scope=scope), 429, "busy", text, BUSY_RETRY_S)
            await answer(scope, receive, send)
        finally:
            self._room.give_back(request.taken_bytes)


class _Request:
    """One request under way: its body, unfolded piece by piece, and what it takes of the room."""

    def __init__(self, receive: Receive, send: Send, room: Room, encoding: str) -> None:
        self._receive = receive
        self._send = send
        self._room = room
        self._inflating = Inflating(encoding) if encoding in CODINGS else None
        self._ended = False
        self._source: Iterator[bytes] = iter(())
        self.taken_bytes = 0
        self.answered = False

    async def send(self, message: Message) -> None:
        self.answered = True
        await self._send(message)

    async def receive(self) -> Message:
        while True:
            piece = next(self._source, None)
            if piece is not None:
                self.take(len(piece))
                await asyncio.sleep(0)  # a large body leaves the others their turn
                return {"type": "http.request", "body": piece, "more_body": True}
            if self._ended:
                break
            message = await self._receive()
            if message["type"] != "http.request":
                return message
            self._ended = not message.get("more_body", False)
            body = message.get("body", b"")
            if self._inflating is not None:
                self._source = unfolded(self._inflating, body, last=self._ended)
                continue
            self.take(len(body))
            return message
        return await self._after()

    async def _after(self) -> Message:
        """After the last piece: the end, once; then whatever the server says."""
        if self._inflating is not None:
            self._inflating = None
            return {"type": "http.request", "body": b"", "more_body": False}
        return await self._receive()

    def take(self, size: int) -> None:
        """Takes room for more of the body. Raises Busy."""
        self._room.take(size)
        self.taken_bytes += size


def unfolded(inflating: Inflating, data: bytes, *, last: bool) -> Iterator[bytes]:
    """What `data` adds to a body. Raises EventError where it is not what it claims to be, or ends too soon."""
    try:
        yield from inflating.pieces(data, PIECE_BYTES)
    except BrokenError:
        raise EventError("the body is not compressed as content-encoding says", "encoding") from None
    if last and inflating.began and not inflating.finished:
        raise EventError("the compressed body ends too soon", "encoding")

"""The way to the bus through a gateway, over HTTPS, for a collector that can't reach the bus itself.

What it publishes is acknowledged when the bus behind the gateway has it, so it stands in the place of the bus for
whoever ships; and it brings the decisions that the bus would. One request at a time is under way for each.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import logging
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from slmtrail.collectors import relaying
from slmtrail.core.address import shown
from slmtrail.core.errors import BusError, SettingsError
from slmtrail.core.ports import CONTROL, FRAMES, Delivery, Message

log = logging.getLogger(__name__)

TIMEOUT_S = 45.0
"""More than the gateway waits for its bus."""

MAX_ANSWER_BYTES = 64 * 1024 * 1024
MAX_WAIT_S = 30.0
_STALE = (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError)
_HERE = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: http.client.HTTPMessage
    data: bytes


class Relay:
    """A gateway at `url`, which knows the public half of `key`."""

    def __init__(self, url: str, key: Ed25519PrivateKey, tls: ssl.SSLContext | None = None) -> None:
        self._address = _address(url)
        self._key = key
        self._tls = tls
        self._line = _Line(self._address, tls)
        self._readers: list[Decided] = []

    async def publish(self, topic: str, messages: Sequence[Message]) -> None:
        """Returns when the bus behind the gateway has acknowledged all. Raises BusError, after as long as it was
        asked to wait."""
        if topic != FRAMES:
            raise BusError(f"{shown(self._address.geturl())}: a gateway takes frames, nothing for {topic}")
        if not messages:
            return
        path, body = relaying.FRAMES_PATH, relaying.packed(message.value for message in messages)
        answer = await self._line.ask("POST", path, relaying.authorization(self._key, "POST", path, body), body)
        if answer.status != 200:
            await asyncio.sleep(_wait_s(answer))
            raise self._line.refused(answer)

    async def follow(self, topic: str) -> Decided:
        """Reads the decisions, which are all that comes this way."""
        if topic != CONTROL:
            raise BusError(f"{shown(self._address.geturl())}: a gateway tells decisions, nothing of {topic}")
        reader = Decided(_Line(self._address, self._tls), self._key)
        self._readers.append(reader)
        return reader

    async def close(self) -> None:
        """Closes the connections."""
        for reader in self._readers:
            await reader.close()
        self._line.close()


class Decided:
    """Reads decisions from a gateway, which holds the question until there are some."""

    def __init__(self, line: _Line, key: Ed25519PrivateKey) -> None:
        self._line = line
        self._key = key
        self._cursor = ""
        self._count = 0

    async def poll(self, max_messages: int, timeout_ms: int) -> list[Delivery]:  # noqa: ARG002
        """The decisions that are new; all of them at once, after the gateway's time if there are none."""
        path = relaying.CONTROL_PATH
        authorization = relaying.authorization(self._key, "GET", path)
        answer = await self._line.ask("GET", path, authorization, headers={relaying.CURSOR_HEADER: self._cursor})
        if answer.status != 200:
            await asyncio.sleep(_wait_s(answer))
            raise self._line.refused(answer)
        try:
            found = [orjson.dumps(one) for one in orjson.loads(answer.data)["decisions"]]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            raise self._line.fault("what answers is no gateway") from None
        self._cursor = answer.headers.get(relaying.CURSOR_HEADER, "")
        now_ms, first = time.time_ns() // 1_000_000, self._count
        self._count += len(found)
        return [Delivery(CONTROL, 0, first + n, "", value, now_ms) for n, value in enumerate(found)]

    async def close(self) -> None:
        """Closes the connection."""
        self._line.close()


class _Line:
    """A connection that is kept, and made anew when it broke."""

    def __init__(self, address: SplitResult, tls: ssl.SSLContext | None) -> None:
        self._address = address
        self._base = address.path.rstrip("/")
        self._tls = tls
        self._connection: http.client.HTTPConnection | None = None

    async def ask(
        self, method: str, path: str, authorization: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> _Answer:
        """Sends a request. Raises BusError where no answer comes; then it may have been taken all the same."""
        fields = {"authorization": authorization, **(headers or {})}
        while True:
            kept = self._connection is not None
            connection = self._connected()
            try:
                return await asyncio.to_thread(_exchanged, connection, method, self._base + path, body, fields)
            except asyncio.CancelledError:
                self.close()  # so that the thread does not go on waiting
                raise
            except (OSError, http.client.HTTPException, ValueError) as error:
                self.close()
                # The gateway may close a connection that was not used for a while; then it has taken nothing.
                if not (kept and isinstance(error, _STALE)):
                    text = f"the gateway can't be reached ({type(error).__name__}: {error})"
                    raise self.fault(text) from None

    def fault(self, text: str) -> BusError:
        """An error that names the gateway."""
        return BusError(f"{shown(self._address.geturl())}: {text}")

    def refused(self, answer: _Answer) -> BusError:
        """What the gateway says against a request."""
        try:
            text = str(orjson.loads(answer.data)["text"])
        except (orjson.JSONDecodeError, KeyError, TypeError):
            text = "what answers is no gateway"
        return self.fault(f"{answer.status}: {text}")

    def close(self) -> None:
        """Ends whatever is under way."""
        connection, self._connection = self._connection, None
        if connection and connection.sock:
            with contextlib.suppress(OSError):
                connection.sock.shutdown(2)
            connection.close()

    def _connected(self) -> http.client.HTTPConnection:
        if self._connection is not None:
            return self._connection
        host, port = self._address.hostname or "", self._address.port
        if self._address.scheme == "https":
            context = self._tls or ssl.create_default_context()
            self._connection = http.client.HTTPSConnection(host, port, timeout=TIMEOUT_S, context=context)
        else:
            self._connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
        return self._connection


def _exchanged(
    connection: http.client.HTTPConnection, method: str, path: str, body: bytes, headers: dict[str, str]
) -> _Answer:
    connection.request(method, path, body or None, headers)
    response = connection.getresponse()
    return _Answer(response.status, response.headers, response.read(MAX_ANSWER_BYTES))


def _address(url: str) -> SplitResult:
    try:
        address = urlsplit(url)
        fits = address.scheme in ("http", "https") and bool(address.hostname) and address.port != 0
    except ValueError:
        fits = False
    if not fits or address.username:
        raise SettingsError("collector.relay: should be the address of a gateway, such as https://gateway:4747")
    if address.scheme == "http" and address.hostname not in _HERE:
        raise SettingsError("collector.relay: reach a gateway on another machine over https")
    return address


def _wait_s(answer: _Answer) -> float:
    """How long the gateway asks to be left alone."""
    given = answer.headers.get("retry-after", "")
    return min(float(given), MAX_WAIT_S) if given.isascii() and given.isdigit() else 0.0

"""The syslog endpoint: what is read is on disk, whoever sends badly is bounded, and a full disk holds senders up."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from certificates import certificate
from slmtrail.collectors.collector import Collector
from slmtrail.collectors.receive.pressure import Busy, Room
from slmtrail.collectors.receive.syslog import server
from slmtrail.collectors.receive.syslog.server import SyslogOptions, listening
from slmtrail.collectors.spool import Spool

HEAD = "<14>1 2026-01-02T03:04:05.678Z h app 1 id - "
ROOM_BYTES = 1 << 20


class Watched(Room):
    """Room that counts whom it refuses."""

    refused = 0

    def take(self, size: int) -> None:
        """As room does."""
        try:
            super().take(size)
        except Busy:
            self.refused += 1
            raise


class Endpoint:
    """The endpoint, its room and its collector."""

    def __init__(self, collector: Collector, options: SyslogOptions) -> None:
        self.collector, self.options, self.room = collector, options, Watched(ROOM_BYTES)
        self.port = 0

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Listens meanwhile; in the end all room was given back."""
        with socket.create_server(("127.0.0.1", 0)) as sock:
            self.port = sock.getsockname()[1]
            async with listening(self.collector, sock, self.options, self.room):
                yield
        self.room.take(ROOM_BYTES)

    async def send(self, data: bytes, tls: ssl.SSLContext | None = None) -> None:
        """Sends on a connection of its own, and waits until the endpoint has closed it too."""
        host = "localhost" if tls else "127.0.0.1"
        reader, writer = await asyncio.open_connection(host, self.port, ssl=tls)
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            writer.write(data)
            if not tls:
                writer.write_eof()
                await reader.read()
            else:
                await writer.drain()
        writer.close()
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()


Open = Callable[..., Endpoint]


@pytest.fixture
def endpoint(collecting: Callable[..., Collector], spool: Spool) -> Open:
    def make(disk: Any = None, **given: Any) -> Endpoint:
        collector = collecting(disk or spool, heartbeat_ms=3_600_000)
        return Endpoint(
            collector, SyslogOptions(**{"tls": None, "known_only": False, "max_message_bytes": 5000} | given)
        )

    return make


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits tries again soon."""
    monkeypatch.setattr(server, "RETRY_S", 0.01)


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 30))


async def until(condition: Callable[[], Any]) -> None:
    while not condition():  # noqa: ASYNC110 - what it waits for happens in threads
        await asyncio.sleep(0.005)


def texts(boots: Any) -> list[str]:
    return sorted(json.loads(line)["message"] for line in boots.lines)


def test_many_senders_and_no_message_is_missing(endpoint: Open, spool: Spool, read: Any) -> None:
    made = endpoint()

    async def work() -> None:
        async with made.open():
            lines = [[f"{HEAD}{sender}-{n}".encode() for n in range(200)] for sender in range(8)]
            counted = [b"".join(b"%d %b" % (len(m), m) for m in each) for each in lines[:4]]
            await asyncio.gather(*(made.send(data) for data in [*counted, *(b"\n".join(each) for each in lines[4:])]))

    run(work())
    assert texts(read(spool)) == sorted(f"{sender}-{n}" for sender in range(8) for n in range(200))


def test_bad_messages_are_named_and_the_rest_goes_on(
    endpoint: Open, spool: Spool, read: Any, caplog: pytest.LogCaptureFixture
) -> None:
    made = endpoint()
    caplog.set_level(logging.WARNING)

    async def work() -> None:
        async with made.open():
            await made.send(f"{HEAD}one\n<34>Oct 11 secret words\n{'x' * 9000}\n{HEAD}two\n{HEAD}three".encode())

    run(work())
    assert texts(read(spool)) == ["one", "three", "two"]
    assert "from 127.0.0.1: message 2 refused (not_rfc5424)" in caplog.text
    assert "refused (oversized)" in caplog.text
    assert "secret" not in caplog.text


def test_a_flood_of_bad_messages_does_not_flood_the_log(endpoint: Open, caplog: pytest.LogCaptureFixture) -> None:
    made = endpoint()
    caplog.set_level(logging.WARNING)

    async def work() -> None:
        async with made.open():
            await made.send(b"bad\n" * 2500)

    run(work())
    assert len(caplog.records) == server.TOLD_ONE_BY_ONE + 1 + 2


def test_a_disk_that_refuses_holds_the_sender_up(
    endpoint: Open,
    disk: Any,
    spool: Spool,
    read: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(server, "RETRY_S", 0.01)
    made = endpoint(disk)
    caplog.set_level(logging.WARNING)

    async def work() -> None:
        async with made.open():
            disk.failing = True
            sending = asyncio.create_task(made.send(f"{HEAD}one\n{HEAD}two\n".encode()))
            await until(lambda: "waits" in caplog.text)
            assert not sending.done()
            disk.failing = False
            await sending

    run(work())
    assert texts(read(spool)) == ["one", "two"]


def test_who_does_not_finish_a_message_is_let_go(endpoint: Open, caplog: pytest.LogCaptureFixture) -> None:
    made = endpoint(message_s=0.05)
    caplog.set_level(logging.WARNING)

    async def work() -> None:
        async with made.open():
            reader, writer = await asyncio.open_connection("127.0.0.1", made.port)
            with contextlib.suppress(ConnectionError):
                while not reader.at_eof():  # a byte now and then does not help
                    writer.write(b"x")
                    await asyncio.wait([asyncio.ensure_future(reader.read(1))], timeout=0.01)
            writer.close()

    run(work())
    assert "was not whole in 0.05 s" in caplog.text


def test_connections_and_memory_have_a_limit(endpoint: Open, spool: Spool, read: Any, at_once: None) -> None:
    made = endpoint(max_connections=2)

    async def work() -> None:
        async with made.open():
            first = [await asyncio.open_connection("127.0.0.1", made.port) for _ in range(2)]
            for n, (_, writer) in enumerate(first):
                writer.write(f"{HEAD}{n}\n".encode())
            await until(lambda: len(read(spool).lines) == 2)
            reader, beyond = await asyncio.open_connection("127.0.0.1", made.port)
            assert await reader.read() == b""
            beyond.close()
            made.room.take(ROOM_BYTES)  # somebody else has it all
            first[0][1].write(f"{HEAD}later\n".encode())
            refused = made.room.refused
            await until(lambda: made.room.refused > refused + 1)
            assert len(read(spool).lines) == 2
            made.room.give_back(ROOM_BYTES)
            await until(lambda: len(read(spool).lines) == 3)
            for _, writer in first:
                writer.close()

    run(work())


def test_known_senders_show_a_certificate(endpoint: Open, spool: Spool, read: Any, tmp_path: Path) -> None:
    own, edge = certificate(tmp_path, "collector", server=True), certificate(tmp_path, "edge-7")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=edge.chain)
    context.load_cert_chain(own.chain, own.key)
    context.verify_mode = ssl.CERT_OPTIONAL
    bare, shown = (ssl.create_default_context(cafile=own.chain) for _ in range(2))
    shown.load_cert_chain(edge.chain, edge.key)
    made = endpoint(tls=context, known_only=True)

    async def work() -> None:
        async with made.open():
            await made.send(f"{HEAD}unknown\n".encode(), bare)
            await made.send(f"{HEAD}known\n".encode(), shown)
            await made.send(f"{HEAD}plain\n".encode())
            await until(lambda: read(spool).lines)

    run(work())
    assert texts(read(spool)) == ["known"]
    (line,) = read(spool).lines
    assert json.loads(line)["slm.identity.issuer"] == "certificate:edge-7"

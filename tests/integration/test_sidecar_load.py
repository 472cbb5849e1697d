"""Every request in, every event out: the sidecar as its user runs it, counted from the socket to the bus.

LOAD_REQUESTS says how many; `make faults` asks for 200,000. Among them are clients that send or read slowly, and
clients that leave: before their request is whole, before its answer, and in the midst of a stream.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import time
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import uvloop

from slmtrail.app import parts
from slmtrail.core import frames, keys
from slmtrail.core import settings as settings_file
from slmtrail.core.ports import FRAMES, Bus
from slmtrail.core.settings import Settings
from trails import Process

REQUESTS = int(os.environ.get("LOAD_REQUESTS", "10000"))
WORKERS = 48
PAUSE_S = 0.001
QUIET_S = 20
LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
NUMBER = re.compile(rb"\r\ntraceparent: 00-([0-9a-f]{32})-")
STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


class _Model(asyncio.Protocol):
    """Answers with the number it was asked with."""

    def connection_made(self, transport: Any) -> None:
        self._transport, self._data = transport, b""

    def data_received(self, data: bytes) -> None:
        self._data += data
        while end := self._data.find(b"\r\n\r\n") + 4:
            if end < 4:
                return
            length = LENGTH.search(self._data, 0, end)
            stop = end + (int(length[1]) if length else 0)
            if len(self._data) < stop:
                return
            head, body, self._data = self._data[:end], self._data[end:stop], self._data[stop:]
            number = NUMBER.search(head)
            assert number is not None
            self._answer(number[1], json.loads(body) if body else {})

    def _answer(self, number: bytes, asked: dict[str, Any]) -> None:
        if asked.get("stream"):
            self._transport.write(STREAM_HEAD + _chunk({"content": number.decode()}))
            asyncio.get_running_loop().call_later(PAUSE_S, self._rest, asked["model"])
            return
        message = {"role": "assistant", "content": number.decode()}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        body = json.dumps({"id": "c", "model": "m", "choices": [choice]}).encode() if asked else b'{"data": []}'
        self._transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
        )

    def _rest(self, model: str) -> None:
        if self._transport.is_closing():
            return
        self._transport.write(LONG if model == "long" else SHORT)
        if model == "endless":
            asyncio.get_running_loop().call_later(PAUSE_S, self._rest, model)
        else:
            self._transport.write(_chunk({}, "stop") + b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n")


def _chunk(delta: dict[str, Any], reason: str | None = None) -> bytes:
    event = {"id": "c", "model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}
    data = b"data: " + json.dumps(event).encode() + b"\n\n"
    return b"%x\r\n%b\r\n" % (len(data), data)


SHORT = _chunk({"content": " and so on"}) * 8
LONG = _chunk({"content": " and so on" * 20}) * 400


class _Gone(Exception):
    """The connection can serve no other request."""


class Clients:
    """Workers that share the numbers; each number is one request in one way."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._numbers = iter(range(1, REQUESTS + 1))
        self.ways: dict[str, str] = {}
        """Of each trace id, how it was asked."""

    async def work(self) -> None:
        """Asks until the numbers run out."""
        connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        for number in self._numbers:
            connection = connection or await asyncio.open_connection("127.0.0.1", self._port)
            trace, way = f"{number:032x}", WAYS[number % len(WAYS)]
            self.ways[trace] = way
            try:
                await getattr(self, f"_{way}")(trace, *connection)
            except _Gone:
                connection[1].close()
                connection = None
        if connection:
            connection[1].close()

    async def _whole(self, trace: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(_request(trace))
        assert trace.encode() in await _answer(reader)

    async def _listing(self, trace: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(_head(trace, b"GET /v1/models/m") + b"\r\n")
        assert await _answer(reader) == b'{"data": []}'

    async def _streamed(self, trace: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(_request(trace, stream=True))
        assert trace.encode() in await _answer(reader)

    async def _slow(self, trace: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Sends in pieces, and takes a long answer in small ones, on a socket that holds little."""
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", self._port))
        own_reader, own_writer = await asyncio.open_connection(sock=sock, limit=4096)
        request = _request(trace, model="long", stream=True)
        for start in range(0, len(request), 100):
            own_writer.write(request[start : start + 100])
            await asyncio.sleep(PAUSE_S)
        got = b""
        while not got.endswith(b"\r\n0\r\n\r\n"):
            piece = await own_reader.read(4096)
            assert piece
            got += piece
            await asyncio.sleep(PAUSE_S)
        assert trace.encode() in got
        assert LONG in got
        own_writer.close()

    async def _unfinished(self, trace: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = _request(trace)
        writer.write(request[:-10])
        raise _Gone

    async def _impatient(self, trace: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(_request(trace, stream=True))
        raise _Gone

    async def _midway(self, trace: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(_request(trace, model="endless", stream=True))
        await reader.readuntil(b"data: ")
        writer.transport.abort()
        raise _Gone


WAYS = ["whole"] * 148 + ["streamed"] * 40 + ["listing"] * 6 + ["unfinished", "impatient", "midway"] * 2
WAYS[100] = "slow"
RELIABLE = {"whole", "streamed", "listing", "slow"}


def _head(trace: str, start: bytes) -> bytes:
    return b"%b HTTP/1.1\r\nHost: m\r\ntraceparent: 00-%b-%b-01\r\n" % (start, trace.encode(), b"1" * 16)


def _request(trace: str, model: str = "m", stream: bool = False) -> bytes:
    body = json.dumps({"model": model, "stream": stream, "messages": [{"role": "user", "content": trace}]}).encode()
    return _head(trace, b"POST /v1/chat/completions") + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


async def _answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = LENGTH.search(head)
    return await (reader.readexactly(int(length[1])) if length else reader.readuntil(b"\r\n0\r\n\r\n"))


class _Counted:
    """What reached the bus: how often each request, and how it ended; what was signed for as dropped."""

    def __init__(self, settings: Settings) -> None:
        self._key = keys.decryption_key(settings.keys / "stream.pem")
        self.times: Counter[str] = Counter()
        self.ends: dict[str, str] = {}
        self.dropped = 0

    def take(self, data: bytes) -> None:
        """Opens a frame."""
        frame = frames.from_bytes(data)
        self.dropped += frame.header.dropped
        for line in frame.open(self._key)[1]:
            event = orjson.loads(line)
            if event["slm.kind"] in ("inference", "upstream"):
                trace, end = event["trace.id"], event.get("error.type", "")
                self.times[trace] += 1
                self.ends[trace] = end
                if event["slm.kind"] == "inference" and not end:
                    assert event["gen_ai.input.messages"][0]["parts"][0]["content"] == trace
                    assert event["gen_ai.output.messages"][0]["parts"][0]["content"].startswith(trace)

    async def read(self, bus: Bus) -> None:
        """Reads until every request is there, or nothing more comes."""
        readers = [await bus.read(FRAMES, partition, 0) for partition in range(await bus.partitions(FRAMES))]
        heard, known = time.monotonic(), 0
        while len(self.times) < REQUESTS and time.monotonic() < heard + QUIET_S:
            for reader in readers:
                for delivery in await reader.poll(100, 50):
                    self.take(delivery.value)
            if len(self.times) > known:
                heard, known = time.monotonic(), len(self.times)
        for reader in readers:
            await reader.close()


def test_every_request_leaves_its_event(tmp_path: Path) -> None:
    settings = settings_file.load(None, {}).model_copy(update={"data": tmp_path / "data"})
    parts.make_keys(settings)
    ways, counted = uvloop.run(_load(settings, tmp_path))
    assert counted.dropped == 0
    assert len(ways) == REQUESTS
    assert counted.times == Counter(dict.fromkeys(ways, 1))
    ends = Counter((way, counted.ends[trace]) for trace, way in ways.items())
    for way in RELIABLE:
        assert ends[way, ""] == list(ways.values()).count(way)
    for way in ("unfinished", "midway"):
        assert ends[way, "client_gone"] == list(ways.values()).count(way)


async def _load(settings: Settings, folder: Path) -> tuple[dict[str, str], _Counted]:
    """How each request was asked, and what reached the bus."""
    server = await asyncio.get_running_loop().create_server(_Model, "127.0.0.1", 0, backlog=1024)
    upstream = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    command = ["--data", str(settings.data), "sidecar", "--port", "0", "--upstream", upstream]
    sidecar, bus = Process(command, {}, folder / "sidecar.log"), parts.open_bus(settings)
    sidecar.start()
    try:
        clients = Clients(int(await asyncio.to_thread(sidecar.wait_for, r"recording at http://127\.0\.0\.1:(\d+)")))
        began = time.monotonic()
        await asyncio.gather(*(clients.work() for _ in range(WORKERS)))
        took_s = time.monotonic() - began
        counted = _Counted(settings)
        await counted.read(bus)
        assert await asyncio.to_thread(sidecar.stop) == 0, sidecar.log
    finally:
        sidecar.kill()
        await bus.close()
        server.close()
    print(
        f"\n{len(clients.ways)} requests in {took_s:.0f} s {dict(Counter(clients.ways.values()))}: "
        f"{counted.times.total()} events of {len(counted.times)} requests, {counted.dropped} dropped"
    )
    return clients.ways, counted

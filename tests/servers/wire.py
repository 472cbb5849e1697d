"""A wire before a server, for any protocol: it slows, falls silent, breaks off, and takes nobody."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

Trouble = Literal["", "slow", "silent", "half", "reset", "cut"]
TROUBLES: tuple[Trouble, ...] = ("half", "cut", "reset", "slow", "silent")
PIECE_BYTES = 65536


class Wire:
    """What happens on it is its `trouble`, until that is "" again.

    slow: each piece takes its time. silent: no byte passes, and connections of that time stay silent for good. half:
    so, but what clients send still arrives. reset: connections are reset, and so are new ones. cut: connections end
    in the midst of an answer.
    """

    def __init__(self, address: str, seed: int) -> None:
        self._host, _, port = address.rpartition(":")
        self._port, self._rng = int(port), random.Random(seed)
        self._trouble: Trouble = ""
        self._lines: set[asyncio.Task[None]] = set()
        self._ends: set[asyncio.StreamWriter] = set()
        sock = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{sock.getsockname()[1]}"
        self.met = dict.fromkeys(TROUBLES, 0)
        """How many pieces and connections met each trouble."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        begin = asyncio.start_server(self._line, sock=sock)
        self._server = asyncio.run_coroutine_threadsafe(begin, self._loop).result()

    @property
    def trouble(self) -> Trouble:
        """What happens now."""
        return self._trouble

    @trouble.setter
    def trouble(self, trouble: Trouble) -> None:
        self._trouble = trouble
        if trouble == "reset":
            self._loop.call_soon_threadsafe(self._reset)

    def close(self) -> None:
        """Ends it, and all connections."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        self._server.close()
        for line in self._lines:
            line.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)

    def _reset(self) -> None:
        self.met["reset"] += len(self._ends)
        for end in self._ends:
            _reset(end)

    async def _line(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._trouble == "reset":
            self.met["reset"] += 1
            _reset(writer)
            return
        line = asyncio.current_task()
        assert line
        self._lines.add(line)
        line.add_done_callback(self._lines.discard)
        with contextlib.suppress(OSError, asyncio.CancelledError):
            there, back = await asyncio.open_connection(self._host, self._port)
            self._ends |= {writer, back}
            try:
                await asyncio.gather(self._pump(reader, back, answers=False), self._pump(there, writer, answers=True))
            finally:
                self._ends -= {writer, back}
                _reset(writer)
                _reset(back)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool) -> None:
        while piece := await reader.read(PIECE_BYTES):
            trouble = self._trouble
            if trouble:
                self.met[trouble] += 1
            if trouble == "slow":
                await asyncio.sleep(self._rng.uniform(0.02, 0.1))
            elif trouble == "silent" or (trouble == "half" and answers):
                while await reader.read(PIECE_BYTES):
                    pass
                await asyncio.get_running_loop().create_future()
            elif trouble == "cut" and answers:
                writer.write(piece[: len(piece) // 2])
                await writer.drain()
                raise ConnectionAbortedError
            writer.write(piece)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()


def _reset(writer: asyncio.StreamWriter) -> None:
    sock = writer.get_extra_info("socket")
    if sock is not None:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@contextmanager
def wired(address: str, seed: int) -> Iterator[Wire]:
    """A wire before the server at host:port, which need not run yet."""
    wire = Wire(address, seed)
    try:
        yield wire
    finally:
        wire.close()

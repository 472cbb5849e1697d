"""Streamed answers, cut into the JSON values they carry: server-sent events and lines of JSON."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

_LINE_END = re.compile(rb"\r\n|\n|\r")
_MARK = b"\xef\xbb\xbf"
"""Of UTF-8, before the first line of some streams."""

DONE = b"[DONE]"


@dataclass(slots=True)
class Stream:
    """What a stream carried."""

    values: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    """Each with the milliseconds since the exchange began."""
    done: bool = False
    """It said that it was over, as OpenAI's do."""
    malformed: int = 0
    """Values that are not JSON objects."""


def server_sent(pieces: Sequence[tuple[float, bytes]]) -> Stream:
    """The `data` of server-sent events."""
    stream = Stream()
    data: list[bytes] = []
    told = _lines(pieces)
    if told:
        told[0] = told[0][0], told[0][1].removeprefix(_MARK)
    for at_ms, line in told:
        if not line:
            _take(stream, at_ms, b"\n".join(data))
            data = []
        elif line.startswith(b"data:"):
            data.append(line[5:].removeprefix(b" "))
        elif line.startswith((b"{", b"error:")):  # a server that fails midway, past all form
            _take(stream, at_ms, line.removeprefix(b"error:").strip())
    # What ends without an empty line is taken too: the record says what was seen.
    _take(stream, pieces[-1][0] if pieces else 0, b"\n".join(data))
    return stream


def lines(pieces: Sequence[tuple[float, bytes]]) -> Stream:
    """One JSON value a line."""
    stream = Stream()
    for at_ms, line in _lines(pieces):
        _take(stream, at_ms, line)
    return stream


def _take(stream: Stream, at_ms: float, data: bytes) -> None:
    if not data.strip():
        return
    if data.strip() == DONE:
        stream.done = True
        return
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        value = None
    if isinstance(value, dict):
        stream.values.append((at_ms, value))
    else:
        stream.malformed += 1


def _lines(pieces: Sequence[tuple[float, bytes]]) -> list[tuple[float, bytes]]:
    """Lines, each with the time at which its end came."""
    out: list[tuple[float, bytes]] = []
    pending: list[bytes] = []
    for at_ms, piece in pieces:
        if b"\n" not in piece and b"\r" not in piece:
            pending.append(piece)
            continue
        data = b"".join([*pending, piece])
        whole = _LINE_END.split(data)
        if data.endswith(b"\r"):  # its "\n" may be on the way
            whole = [*_LINE_END.split(data[:-1])]
            whole[-1] += b"\r"
        pending = [whole.pop()]
        out += [(at_ms, line) for line in whole]
    rest = b"".join(pending).removesuffix(b"\r")
    if rest:
        out.append((pieces[-1][0], rest))
    return out

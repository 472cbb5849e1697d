"""Streamed answers, cut into the JSON values they carry: server-sent events, lines of JSON, Amazon's frames."""

from __future__ import annotations

import base64
import re
import struct
import zlib
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

import orjson

_LINE_END = re.compile(rb"\r\n|\n|\r")
_MARK = b"\xef\xbb\xbf"
"""Of UTF-8, before the first line of some streams."""

DONE = b"[DONE]"

FRAMED = "vnd.amazon.eventstream"
"""In the content type of events in binary frames."""

_FIXED_BYTES = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
"""What values of the fields of a frame take, by their type; others say their length."""


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


def framed(pieces: Sequence[tuple[float, bytes]]) -> Stream:
    """The events of Amazon's binary frames, each as an object of its name; a failure as `error`."""
    stream = Stream()
    data = b"".join([piece for _, piece in pieces])
    ends = list(accumulate(len(piece) for _, piece in pieces))
    at = 0
    while at + 16 <= len(data):
        total_bytes, fields_bytes = struct.unpack_from(">II", data, at)
        start, end = at + 12 + fields_bytes, at + total_bytes - 4
        if at + total_bytes > len(data) and zlib.crc32(data[at : at + 8]) == int.from_bytes(data[at + 8 : at + 12]):
            break  # it was cut off
        if not start <= end <= len(data) - 4 or zlib.crc32(data[at:end]) != int.from_bytes(data[end : end + 4]):
            stream.malformed += 1
            break
        at_ms = pieces[bisect_right(ends, end + 3)][0]
        stream.values.append((at_ms, _event(_fields(data[at + 12 : start]), data[start:end])))
        at += total_bytes
    return stream


def _fields(data: bytes) -> dict[str, str]:
    """The fields of a frame that are texts."""
    fields = {}
    at = 0
    while at < len(data):
        start = at + 1
        name, at = data[start : start + data[at]], start + data[at]
        kind, at = data[at : at + 1], at + 1
        length = _FIXED_BYTES.get(kind[0] if kind else 0)
        if length is None:
            length, at = int.from_bytes(data[at : at + 2]), at + 2
            fields[name.decode("utf-8", "replace")] = data[at : at + length].decode("utf-8", "replace")
        at += length
    return fields


def _event(fields: dict[str, str], payload: bytes) -> dict[str, Any]:
    try:
        value = orjson.loads(payload)
        if isinstance(value, dict) and isinstance(value.get("bytes"), str):
            value = orjson.loads(base64.b64decode(value["bytes"]))
            return value if isinstance(value, dict) else {"text": payload.decode()}
    except ValueError:
        return {"text": payload.decode("utf-8", "replace")}
    if fault := fields.get(":exception-type") or fields.get(":error-code"):
        message = fields.get(":error-message") or (value.get("message") if isinstance(value, dict) else None)
        return {"error": {"type": fault, "message": message}}
    return {fields.get(":event-type", "event"): value}


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

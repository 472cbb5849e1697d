"""An exchange as the parsing process has it: heads and bodies, taken out of the bytes that passed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import zstandard

from slmtrail.collectors.inflating import BrokenError
from slmtrail.collectors.sidecar import bodies, codings, heads
from slmtrail.collectors.sidecar.heads import BadMessage
from slmtrail.collectors.sidecar.wire import Facts

MAX_BODY_BYTES = 16 * 1024 * 1024
"""Of a body once decompressed."""

Timed = list[tuple[float, bytes]]
"""Bytes, with the milliseconds since the exchange began."""


class Head:
    """The fields of a head that was read before; empty ones where there was none."""

    __slots__ = ("_bytes", "_lowered")

    def __init__(self, data: bytes = b"") -> None:
        self._bytes = data
        self._lowered = data.lower()

    def __getitem__(self, name: bytes) -> str:
        """A field's value, by its name in lower case; "" where it is not there."""
        return heads.field(self._bytes, self._lowered, name)

    def lines(self, pattern: re.Pattern[bytes]) -> tuple[bytes, ...]:
        """The lines that match, in lower case, a pattern which begins with the line end before them."""
        return tuple([self._bytes[found.start() : found.end()] for found in pattern.finditer(self._lowered)])

    def fields(self) -> dict[str, str]:
        """All fields by their names in lower case, those given twice without a value."""
        return heads.mapping(self._bytes)


@dataclass(slots=True)
class Transcript:
    """Both sides of an exchange."""

    facts: Facts
    method: str = ""
    path: str = ""
    asked: Head = field(default_factory=Head)
    request: bytes = b""
    answered: Head = field(default_factory=Head)
    pieces: Timed = field(default_factory=list)
    """The answer's content as it came."""
    undecoded: bool = False
    """A body is in a content coding that can't be undone here, or is broken in it."""

    @property
    def response(self) -> bytes:
        """The answer's content."""
        return _joined(self.pieces)


def read(facts: Facts, data: bytes, start: int = 0) -> Transcript:
    """The transcript of bytes that passed, which stand in `data` from `start`; what is broken ends where it breaks."""
    made = Transcript(facts)
    end = start + facts.asked_bytes
    if facts.head_bytes:
        _read_request(made, data[start:end])
    if facts.body_start:
        _read_response(made, data, end)
    return made


def _read_request(made: Transcript, data: bytes) -> None:
    facts = made.facts
    made.asked = asked = Head(data[: facts.head_bytes])
    method, target, _ = data.split(b" ", 2)
    made.method, made.path = method.decode(), heads.path_of(target).decode()
    if content := data[facts.head_bytes :]:
        made.request = _joined(_content(made, [(0, content)], facts.framing, asked))


def _read_response(made: Transcript, data: bytes, start: int) -> None:
    """The answer, whose pieces stand in `data` from `start`."""
    facts = made.facts
    body_start = start + facts.body_start
    made.answered = answered = Head(data[start + facts.head_start : body_start])
    pieces: Timed = []
    for length, at_us in zip(facts.pieces_bytes, facts.pieces_us, strict=True):
        end = start + length
        if end > body_start:
            pieces.append((at_us / 1000, data[max(start, body_start) : end]))
        start = end
    made.pieces = _content(made, pieces, facts.answer_framing, answered)


def _content(made: Transcript, pieces: Timed, framing: str, head: Head) -> Timed:
    """A body without its framing, of which only chunks have any, and its content coding."""
    if framing == "chunked":
        pieces = _unchunked(pieces)
    coding = head[b"content-encoding"].lower()
    if coding in ("", "identity"):
        return pieces
    decoded = _decoded(pieces, coding)
    if decoded is None:
        made.undecoded = True
        # Many servers look at no coding: what is plain under the name of one is read by them.
        return pieces if _joined(pieces).lstrip()[:1] in (b"{", b"[") else []
    return decoded


def _unchunked(pieces: Timed) -> Timed:
    body, out = bodies.Chunked(), []
    for at_ms, piece in pieces:
        content: list[bytes] = []
        try:
            body.feed(piece, 0, content)
        except BadMessage:
            body.done = True
        out += [(at_ms, one) for one in content]
    return out


def _joined(pieces: Timed) -> bytes:
    return pieces[0][1] if len(pieces) == 1 else b"".join([piece for _, piece in pieces])


def _decoded(pieces: Timed, coding: str) -> Timed | None:
    """`pieces` without their content coding, as far as it can be undone; None where it can't be."""
    if coding == "zstd":
        return _unzstd(pieces)
    undo = codings.decoder(coding)
    if undo is None:
        return None
    left, out = MAX_BODY_BYTES, []
    try:
        for at_ms, piece in pieces:
            content = undo.feed(piece, left)
            left -= len(content)
            out.append((at_ms, content))
            if left <= 0:
                break
    except BrokenError:
        return out or None
    return out


def _unzstd(pieces: Timed) -> Timed | None:
    at_ms = pieces[-1][0] if pieces else 0
    try:
        body = b"".join(piece for _, piece in pieces)
        reader = zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(body, read_across_frames=True)
        return [(at_ms, reader.read(MAX_BODY_BYTES))]
    except zstandard.ZstdError:
        return None

"""Our framing against llhttp's: what we let through, it reads in the same way; and bodies end where they end."""

from __future__ import annotations

from typing import Any

import httptools
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slmtrail.collectors.sidecar import bodies, heads, wire
from slmtrail.collectors.sidecar.heads import BadMessage

LINES = st.sampled_from(
    [
        b"Host: a\r\n",
        b"Content-Length: 5\r\n",
        b"content-length:  0 \r\n",
        b"Content-Length: 05\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"transfer-encoding:chunked \r\n",
        b"Transfer-Encoding: gzip\r\n",
        b"Connection: close\r\n",
        b"Connection: keep-alive, x\r\n",
        b"X: y\r\n",
        b"X:\r\n",
        b" folded\r\n",
        b"X: y\n",
        b"X : y\r\n",
        b"\r\n",
    ]
)
JUNK = st.binary(max_size=3)


class Seen:
    """What llhttp tells of a request."""

    def __init__(self) -> None:
        self.body = b""
        self.heads = 0
        self.complete = 0
        self.keep_alive: bool | None = None
        self.parser = httptools.HttpRequestParser(self)

    def on_headers_complete(self) -> None:
        self.heads += 1

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_message_complete(self) -> None:
        self.complete += 1
        self.keep_alive = self.parser.should_keep_alive()


@settings(max_examples=300)
@given(
    st.sampled_from([b"GET /a HTTP/1.1\r\n", b"POST /a HTTP/1.1\r\n", b"POST /a HTTP/1.0\r\n"]),
    st.lists(LINES, max_size=5),
    st.integers(0, 60),
    JUNK,
    st.sampled_from([b"hello", b"5\r\nhello\r\n0\r\n\r\n", b"5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n", b""]),
)
def test_what_we_let_through_llhttp_frames_as_we_do(
    start: bytes, lines: list[bytes], place: int, junk: bytes, rest: bytes
) -> None:
    head = start + b"".join(lines)
    head = head[:place] + junk + head[place:] + b"\r\n" if junk else head + b"\r\n"
    data = head + rest
    try:
        end = heads.find_end(data, 8192)
        if not end:
            return
        request = heads.read_request(data[:end])
        content: list[bytes] = []
        body, stop = bodies.begin(request.framing, request.length, data, end, content)
    except BadMessage:
        return
    seen = Seen()
    done = body is None or body.done
    try:
        seen.parser.feed_data(data[:stop])
    except httptools.HttpParserInvalidMethodError:
        return  # it knows a closed set of methods
    except httptools.HttpParserError:
        assert not done  # half a size line, which we refuse when it is whole
        return
    assert seen.heads == 1
    assert seen.complete == int(done)
    assert seen.body == b"".join(content)
    if done and request.keep_alive:  # of "close" and "keep-alive" in one head we take the former
        assert seen.keep_alive


CHUNKS = st.lists(st.tuples(st.binary(min_size=1, max_size=40), st.sampled_from([b"", b";a", b';a="b c"'])), max_size=6)


@given(CHUNKS, st.sampled_from([b"", b"X: y\r\n", b"A:\r\nB: c\r\n"]), st.binary(max_size=5), st.data())
def test_a_chunked_body_ends_where_it_ends_however_it_comes(
    chunks: list[tuple[bytes, bytes]], trailers: bytes, behind: bytes, data: st.DataObject
) -> None:
    raw = b"".join(b"%X%b\r\n%b\r\n" % (len(chunk), extension, chunk) for chunk, extension in chunks)
    raw += b"0\r\n" + trailers + b"\r\n"
    whole = raw + behind
    cuts = data.draw(st.lists(st.integers(0, len(whole)), max_size=8).map(sorted))
    body, content, taken = bodies.Chunked(), [], 0
    for start, stop in zip([0, *cuts], [*cuts, len(whole)], strict=True):
        if body.done:
            break
        piece = whole[start:stop]
        assert body.feed(b"??" + piece, 2, content) == 2 + min(len(piece), len(raw) - start)
        taken = min(stop, len(raw))
    assert body.done
    assert taken == len(raw)
    assert b"".join(content) == b"".join(chunk for chunk, _ in chunks)


@given(st.binary(max_size=200))
def test_no_bytes_are_more_than_a_bad_message(data: bytes) -> None:
    readings: list[Any] = [
        lambda: heads.read_request(data),
        lambda: heads.read_response(data, b"GET"),
        lambda: heads.find_end(data, 100),
        lambda: bodies.Chunked().feed(data, 0),
    ]
    for reading in readings:
        try:
            reading()
        except BadMessage as error:
            assert error.reason
            assert 400 <= error.status < 600


def test_reading_a_hostile_head_takes_no_longer_than_a_kind_one() -> None:
    for hostile in (b"A" * 60_000, b"A:" + b" " * 60_000, b"A: b\r\n" * 10_000, b":" * 60_000, b"\r" * 60_000):
        with pytest.raises(BadMessage):
            heads.read_request(b"GET / HTTP/1.1\r\n" + hostile + b"\x00\r\n\r\n")


@given(
    st.lists(st.tuples(st.lists(st.integers(0, 99)), st.lists(st.binary(max_size=50))), max_size=8), st.integers(1, 30)
)
def test_batches_come_out_of_the_pipe_as_they_went_in(batches: list[tuple[list[int], list[bytes]]], step: int) -> None:
    data = b"".join(wire.pack(told, parts) for told, parts in batches)
    reader = wire.Reader()
    out = [batch for at in range(0, len(data), step) for batch in reader.feed(data[at : at + step])]
    assert out == [(told, b"".join(parts)) for told, parts in batches]

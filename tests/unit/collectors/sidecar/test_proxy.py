"""The proxy on raw sockets: bytes go both ways as they came, and nothing that could be read in two ways goes on."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest

from servers.sidecars import Offered, Sidecar, Upstream, before, read_all, read_exactly, read_until
from slmtrail.collectors.collector import Collector
from slmtrail.collectors.sidecar import proxy
from slmtrail.collectors.sidecar.capture import Capture
from slmtrail.collectors.sidecar.options import CaptureLimits, SidecarLimits, SidecarOptions

LIMITS = SidecarLimits(max_head_bytes=8192, max_request_bytes=1 << 20, pooled_s=30)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
HOST = b"Host: model\r\n"
CHUNKED = b"POST /a HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
CHAT = b"POST /v1/chat/completions HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n"


@pytest.fixture(scope="module", params=["uvloop", "asyncio"])
def pair(request: pytest.FixtureRequest) -> Iterator[tuple[Sidecar, Upstream]]:
    upstream = Upstream()
    with before(SidecarOptions(upstream.url, limits=LIMITS), request.param) as sidecar:
        yield sidecar, upstream
    upstream.stop()


@pytest.fixture
def sidecar(pair: tuple[Sidecar, Upstream]) -> Sidecar:
    return pair[0]


@pytest.fixture
def upstream(pair: tuple[Sidecar, Upstream]) -> Upstream:
    return pair[1]


@contextlib.contextmanager
def limited(upstream: Upstream | str, capture: CaptureLimits | None = None, **limits: Any) -> Iterator[Sidecar]:
    url = upstream if isinstance(upstream, str) else upstream.url
    options = SidecarOptions(url, limits=SidecarLimits(**limits), capture=capture or CaptureLimits())
    with before(options) as made:
        yield made


def answering(answer: bytes, request_end: bytes = b"\r\n\r\n") -> tuple[Callable[[socket.socket], None], list[bytes]]:
    """A script that answers every request with the same bytes, and the requests it has seen."""
    seen: list[bytes] = []

    def script(sock: socket.socket) -> None:
        while data := read_until(sock, request_end):
            seen.append(data)
            sock.sendall(answer)

    return script, seen


def closing(answer: bytes, request_end: bytes = b"\r\n\r\n") -> tuple[Callable[[socket.socket], None], list[bytes]]:
    """The same, with one request a connection."""
    seen: list[bytes] = []

    def script(sock: socket.socket) -> None:
        seen.append(read_until(sock, request_end))
        sock.sendall(answer)

    return script, seen


REQUESTS = {
    "plain": b"GET /a HTTP/1.1\r\n" + HOST + b"\r\n",
    "odd spelling": b"GET /a?q=1&key=%20 HTTP/1.1\r\nhOsT:model\r\nX-Odd:  two  \t\r\nx-odd: \xff\r\nEmpty:\r\n\r\n",
    "absolute": b"GET http://model/a HTTP/1.1\r\n" + HOST + b"\r\n",
    "options": b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n",
    "old": b"GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    "own method": b"PURGE /a HTTP/1.1\r\n" + HOST + b"\r\n",
    "length": b"POST /a HTTP/1.1\r\n" + HOST + b"Content-Length: 8\r\n\r\n\x00\r\n\xff\r\n\r\n",
    "no body": b"POST /a HTTP/1.1\r\n" + HOST + b"Content-Length: 0\r\n\r\n",
    "chunked": b"POST /a HTTP/1.1\r\n"
    + HOST
    + b"Transfer-Encoding: Chunked\r\n\r\n3;x=y\r\nabc\r\n00a\r\n0123\r\n6789\r\n0\r\n\r\n",
    "trailers": b"POST /a HTTP/1.1\r\n"
    + HOST
    + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Sum: 1\r\nB:\r\n\r\n",
}


@pytest.mark.parametrize("split", [False, True], ids=["at once", "byte by byte"])
@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_goes_on_as_it_came(sidecar: Sidecar, upstream: Upstream, name: str, split: bool) -> None:
    request, seen = REQUESTS[name], []

    def script(sock: socket.socket) -> None:
        while data := read_exactly(sock, len(request)):
            seen.append(data)
            sock.sendall(OK)

    upstream.begin(script)
    with sidecar.connect() as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(2):  # the second on the same connections
            for piece in [request[n : n + 1] for n in range(len(request))] if split else [request]:
                sock.sendall(piece)
            assert read_exactly(sock, len(OK)) == OK
    assert seen == [request, request]


ANSWERS = {
    "length": b"HTTP/1.1 200 OK\r\nX-Odd:  a \r\nx-odd: \xff\r\nContent-Length: 5\r\n\r\n\r\n\x00\r\n",
    "no reason": b"HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n",
    "chunked": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5;ext=1\r\nhello\r\n0\r\nX-Sum: 9\r\n\r\n",
    "204": b"HTTP/1.1 204 No Content\r\n\r\n",
    "304": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 999\r\n\r\n",
    "interim": b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" + OK,
    "old, kept": b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\nok",
}


@pytest.mark.parametrize("split", [False, True], ids=["at once", "byte by byte"])
@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_goes_back_as_it_came(sidecar: Sidecar, upstream: Upstream, name: str, split: bool) -> None:
    answer = ANSWERS[name]

    def script(sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while read_until(sock, b"\r\n\r\n"):
            for piece in [answer[n : n + 1] for n in range(len(answer))] if split else [answer]:
                sock.sendall(piece)

    upstream.begin(script)
    with sidecar.connect() as sock:
        for _ in range(3):
            sock.sendall(REQUESTS["plain"])
            assert read_exactly(sock, len(answer)) == answer
    assert upstream.connections == 1


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nContent-Length: 8\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 8\r\n\r\n",
    ],
)
def test_an_answer_that_ends_with_its_connection_ends_the_clients(
    sidecar: Sidecar, upstream: Upstream, head: bytes
) -> None:
    upstream.begin(closing(head + b"all of it"[:8])[0])
    assert sidecar.ask(REQUESTS["plain"]) == head + b"all of it"[:8]


def test_head_answers_have_no_body_whatever_their_length(sidecar: Sidecar, upstream: Upstream) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
    script, seen = answering(head)
    upstream.begin(script)
    with sidecar.connect() as sock:
        for _ in range(2):
            sock.sendall(b"HEAD /a HTTP/1.1\r\n" + HOST + b"\r\n")
            assert read_exactly(sock, len(head)) == head
    assert len(seen) == 2
    assert upstream.connections == 1


def test_pipelined_requests_are_answered_in_order(sidecar: Sidecar, upstream: Upstream) -> None:
    def script(sock: socket.socket) -> None:
        while data := read_until(sock, b"\r\n\r\n"):
            number = data.split(b" ")[1]
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(number), number))

    upstream.begin(script)
    count = 2000
    requests = b"".join(b"GET /pipe/%04d HTTP/1.1\r\nHost: model\r\n\r\n" % n for n in range(count))
    with sidecar.connect() as sock:
        sender = threading.Thread(target=sock.sendall, args=(requests,))
        sender.start()
        for n in range(count):
            assert read_until(sock, b"/pipe/%04d" % n).startswith(b"HTTP/1.1 200 OK\r\n")
        sender.join()
    assert upstream.connections == 1


def test_pipelined_requests_of_a_client_that_closes_its_side_are_all_answered(
    sidecar: Sidecar, upstream: Upstream
) -> None:
    upstream.begin(answering(OK)[0])
    with sidecar.connect() as sock:
        sock.sendall(REQUESTS["plain"] * 3)
        sock.shutdown(socket.SHUT_WR)
        assert read_all(sock) == OK * 3


def test_expect_100_continue_is_the_upstreams_to_answer(sidecar: Sidecar, upstream: Upstream) -> None:
    head = b"POST /a HTTP/1.1\r\n" + HOST + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n"
    go_on = b"HTTP/1.1 100 Continue\r\n\r\n"

    def script(sock: socket.socket) -> None:
        while read_until(sock, b"\r\n\r\n"):
            sock.sendall(go_on)
            assert read_exactly(sock, 3) == b"abc"
            sock.sendall(OK)

    upstream.begin(script)
    with sidecar.connect() as sock:
        for _ in range(2):
            sock.sendall(head)
            assert read_exactly(sock, len(go_on)) == go_on
            sock.sendall(b"abc")
            assert read_exactly(sock, len(OK)) == OK


def test_an_answer_before_the_whole_request_reaches_the_client_and_ends_both_connections(
    sidecar: Sidecar, upstream: Upstream
) -> None:
    refusal = b"HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n"
    upstream.begin(answering(refusal)[0])
    head = b"POST /early HTTP/1.1\r\n" + HOST + b"Expect: 100-continue\r\nContent-Length: 30\r\n\r\n"
    # What follows could be the body or a request: it must be neither to anyone.
    assert sidecar.ask(head + b"GET /smuggled HTTP/1.1\r\n") == refusal


SMUGGLING = {
    "length and chunked": b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
    "chunked and length": b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
    "two lengths": b"Content-Length: 4\r\nContent-Length: 5\r\n",
    "twice the same length": b"Content-Length: 4\r\nContent-Length: 4\r\n",
    "lengths in one": b"Content-Length: 4, 4\r\n",
    "signed length": b"Content-Length: +4\r\n",
    "negative length": b"Content-Length: -4\r\n",
    "hexadecimal length": b"Content-Length: 0x4\r\n",
    "empty length": b"Content-Length:\r\n",
    "length with a space": b"Content-Length: 4 4\r\n",
    "endless length": b"Content-Length: 99999999999999999999999\r\n",
    "underscored length": b"Content_Length: 4\r\n",
    "underscored chunked": b"Transfer_Encoding: chunked\r\n",
    "space before colon": b"Content-Length : 4\r\n",
    "tab before colon": b"Transfer-Encoding\t: chunked\r\n",
    "folded": b"X-A: b\r\n Transfer-Encoding: chunked\r\n",
    "folded value": b"Transfer-Encoding:\r\n chunked\r\n",
    "leading space": b" Transfer-Encoding: chunked\r\n",
    "bare line feed": b"X-A: b\nContent-Length: 4\r\n",
    "bare return": b"X-A: b\rContent-Length: 4\r\n",
    "nul": b"X-A: b\x00c\r\n",
    "nul in name": b"Content-Length\x00: 4\r\n",
    "vertical tab": b"Transfer-Encoding:\x0bchunked\r\n",
    "no colon": b"Content-Length 4\r\n",
    "empty name": b": 4\r\n",
    "gzip, chunked": b"Transfer-Encoding: gzip, chunked\r\n",
    "chunked, identity": b"Transfer-Encoding: chunked, identity\r\n",
    "identity": b"Transfer-Encoding: identity\r\n",
    "chunked twice": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    "chunked in one": b"Transfer-Encoding: chunked, chunked\r\n",
    "quoted": b'Transfer-Encoding: "chunked"\r\n',
    "xchunked": b"Transfer-Encoding: xchunked\r\n",
    "empty coding": b"Transfer-Encoding:\r\n",
    "two hosts": b"Host: other\r\n",
    "nominated length": b"Connection: close, Content-Length\r\nContent-Length: 4\r\n",
    "nominated chunked": b"Connection: transfer-encoding\r\nTransfer-Encoding: chunked\r\n",
}


@pytest.mark.parametrize("name", SMUGGLING)
def test_what_could_be_framed_in_two_ways_is_refused(sidecar: Sidecar, upstream: Upstream, name: str) -> None:
    script, seen = answering(OK)
    upstream.begin(script)
    request = b"POST /smuggle HTTP/1.1\r\n" + HOST + SMUGGLING[name] + b"\r\n0\r\n\r\nGET /second HTTP/1.1\r\n" + HOST
    answer = sidecar.ask(request + b"\r\n")
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert answer.count(b"HTTP/1.1") == 1
    assert not seen


HEADS = {
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "bare line feeds": b"GET / HTTP/1.1\nHost: a\n\n",
    "space in target": b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
    "two spaces": b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
    "tab": b"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "version 2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "version 1.2": b"GET / HTTP/1.2\r\nHost: a\r\n\r\n",
    "no version": b"GET /\r\n\r\n",
    "lower case": b"GET / http/1.1\r\nHost: a\r\n\r\n",
    "relative target": b"GET a HTTP/1.1\r\nHost: a\r\n\r\n",
    "another's target": b"GET http://evil/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "user in target": b"GET http://a@evil/ HTTP/1.1\r\nHost: a@evil\r\n\r\n",
    "other scheme": b"GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "host with path": b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
    "host list": b"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n",
    "control in target": b"GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n",
    "high byte in target": b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n",
    "tls": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "chunked in 1.0": b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("name", HEADS)
def test_what_is_no_clean_request_is_refused(sidecar: Sidecar, upstream: Upstream, name: str) -> None:
    script, seen = answering(OK)
    upstream.begin(script)
    assert sidecar.ask(HEADS[name]).startswith(b"HTTP/1.1 400 ")
    assert not seen


CHUNKS = {
    "no size": b"\r\nabc\r\n",
    "sign": b"+3\r\nabc\r\n",
    "prefix": b"0x3\r\nabc\r\n",
    "space before": b" 3\r\nabc\r\n",
    "space after": b"3 \r\nabc\r\n",
    "bare line feed": b"3\nabc\r\n",
    "bare feed after data": b"3\r\nabc\n",
    "bare return after data": b"3\r\nabc\rX0\r\n\r\n",
    "too long": b"3\r\nabcd\r\n",
    "huge": b"fffffffffffffffff\r\nabc\r\n",
    "return in extension": b"3;a\rb\r\nabc\r\n",
    "feed in extension": b"3;a\nb\r\nabc\r\n",
    "endless extension": b"3;" + b"a" * 1000,
    "trailing length": b"0\r\nContent-Length: 4\r\n\r\n",
    "trailing chunked": b"0\r\nTransfer-Encoding: chunked\r\n\r\n",
    "bad trailer": b"0\r\nbad trailer\r\n\r\n",
    "bare feed in trailer": b"0\r\nA: b\n\r\n",
    "endless trailers": b"0\r\n" + b"A: bcdefgh\r\n" * 3000,
}


@pytest.mark.parametrize("later", [False, True], ids=["with the head", "after it"])
@pytest.mark.parametrize("name", CHUNKS)
def test_broken_chunks_are_refused_and_never_made_whole(
    sidecar: Sidecar, upstream: Upstream, name: str, later: bool
) -> None:
    received = bytearray()
    heard, ended = threading.Event(), threading.Event()

    def script(sock: socket.socket) -> None:
        while data := sock.recv(65536):
            received.extend(data)
            heard.set()
        ended.set()

    upstream.begin(script)
    head = b"POST /chunks HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
    with sidecar.connect() as sock:
        sock.sendall(head if later else head + CHUNKS[name])
        if later:
            assert heard.wait(20)
            sock.sendall(CHUNKS[name])
        assert read_all(sock).startswith(b"HTTP/1.1 400 ")
    if later:
        assert ended.wait(20)
        assert not bytes(received).endswith(b"0\r\n\r\n")
    else:
        assert not received


def test_two_crlf_behind_a_body_are_not_a_request(sidecar: Sidecar, upstream: Upstream) -> None:
    script, seen = answering(OK)
    upstream.begin(script)
    with sidecar.connect() as sock:
        for _ in range(2):
            sock.sendall(REQUESTS["plain"] + b"\r\n")
            assert read_exactly(sock, len(OK)) == OK
    assert seen == [REQUESTS["plain"]] * 2


def test_heads_and_bodies_have_limits(sidecar: Sidecar, upstream: Upstream) -> None:
    script, seen = answering(OK)
    upstream.begin(script)
    assert sidecar.ask(b"GET / HTTP/1.1\r\nX: " + b"a" * 9000).startswith(b"HTTP/1.1 431 ")
    long = b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 9999999\r\n\r\n"
    assert sidecar.ask(long).startswith(b"HTTP/1.1 413 ")
    assert not seen
    upstream.begin(lambda sock: read_all(sock) and None)
    chunk = b"8000\r\n" + b"a" * 0x8000 + b"\r\n"
    chunked = b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 40
    assert sidecar.ask(chunked).startswith(b"HTTP/1.1 413 ")


BAD_ANSWERS = {
    "no http": b"hello\r\n\r\n",
    "folded": b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 2\r\n\r\nok",
    "length and chunked": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
    "unknown coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nok",
    "uninvited upgrade": b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\n",
    "endless interim": b"HTTP/1.1 102 Processing\r\n\r\n" * 100,
    "endless head": b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 10_000,
    "nothing": b"",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-",
}


@pytest.mark.parametrize("name", BAD_ANSWERS)
def test_an_answer_that_is_none_becomes_a_502(sidecar: Sidecar, upstream: Upstream, name: str) -> None:
    upstream.begin(closing(BAD_ANSWERS[name])[0])
    path = f"/bad/{name.replace(' ', '-')}"
    answer = sidecar.ask(f"GET {path} HTTP/1.1\r\nHost: model\r\n\r\n".encode())
    assert b"HTTP/1.1 502 Bad Gateway\r\n" in answer
    assert b'"type":"server_error"' in answer
    event = sidecar.event_of(path)
    assert event["event.outcome"] == "failure"
    assert event["error.type"].startswith("upstream_")
    assert event["http.response.status_code"] == 502


@pytest.mark.parametrize(
    "cut",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nnonsense\r\n",
    ],
)
def test_half_an_answer_stays_half_an_answer(sidecar: Sidecar, upstream: Upstream, cut: bytes) -> None:
    upstream.begin(closing(cut)[0])
    assert sidecar.ask(REQUESTS["plain"]) == cut


def test_bytes_behind_an_answer_reach_nobody(sidecar: Sidecar, upstream: Upstream) -> None:
    upstream.begin(answering(OK + b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison")[0])
    with sidecar.connect() as sock:
        for _ in range(3):
            sock.sendall(REQUESTS["plain"])
            assert read_exactly(sock, len(OK)) == OK
    assert upstream.connections == 3


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"DELETE"])
def test_a_body_where_servers_expect_none_gets_a_connection_of_its_own(
    sidecar: Sidecar, upstream: Upstream, method: bytes
) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    upstream.begin(answering(head, request_end=b"smuggled")[0])
    with sidecar.connect() as sock:
        for _ in range(2):
            sock.sendall(method + b" / HTTP/1.1\r\n" + HOST + b"Content-Length: 8\r\n\r\nsmuggled")
            assert read_exactly(sock, len(head)) == head
    assert upstream.connections == 2


def test_a_stale_connection_is_replaced_before_anything_is_sent(sidecar: Sidecar, upstream: Upstream) -> None:
    seen: list[bytes] = []
    closed = threading.Event()

    def script(sock: socket.socket) -> None:
        seen.append(read_until(sock, b"\r\n\r\n"))
        sock.sendall(OK)
        sock.shutdown(socket.SHUT_WR)
        closed.set()

    upstream.begin(script)
    request = b"POST /a HTTP/1.1\r\n" + HOST + b"Content-Length: 0\r\n\r\n"
    with sidecar.connect() as sock:
        for _ in range(20):
            sock.sendall(request)
            assert read_exactly(sock, len(OK)) == OK
            assert closed.wait(20)  # whether the sidecar has noticed is the test
            closed.clear()
    assert seen == [request] * 20


@pytest.mark.parametrize(("method", "answered"), [(b"GET", True), (b"POST", False)])
def test_only_what_may_come_twice_is_sent_twice(
    sidecar: Sidecar, upstream: Upstream, method: bytes, answered: bool
) -> None:
    """The upstream takes a second request on a kept connection and hangs up without a word."""
    seen: list[bytes] = []

    def script(sock: socket.socket) -> None:
        first = len(seen) == 0
        seen.append(read_until(sock, b"\r\n\r\n"))
        sock.sendall(OK)
        if first:
            seen.append(read_until(sock, b"\r\n\r\n"))

    upstream.begin(script)
    with sidecar.connect() as sock:
        request = method + b" /twice HTTP/1.1\r\n" + HOST + b"\r\n"
        sock.sendall(request)
        assert read_exactly(sock, len(OK)) == OK
        sock.sendall(request)
        if answered:
            assert read_exactly(sock, len(OK)) == OK
        else:
            assert read_all(sock).startswith(b"HTTP/1.1 502 ")
    assert len(seen) == (3 if answered else 2)


def test_an_upgrade_becomes_a_tunnel(sidecar: Sidecar, upstream: Upstream) -> None:
    switch = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhi"

    def script(sock: socket.socket) -> None:
        read_until(sock, b"\r\n\r\n")
        sock.sendall(switch)
        while data := sock.recv(65536):
            sock.sendall(data[::-1])

    upstream.begin(script)
    with sidecar.connect() as sock:
        sock.sendall(b"GET /socket HTTP/1.1\r\n" + HOST + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\nabc")
        assert read_exactly(sock, len(switch) + 3) == switch + b"cba"
        sock.sendall(b"\x00\r\n\r\n")
        assert read_exactly(sock, 5) == b"\n\r\n\r\x00"
    event = sidecar.event_of("/socket")
    assert (event["slm.kind"], event["http.response.status_code"]) == ("upstream", 101)
    assert event["event.outcome"] == "success"
    assert event["slm.response_bytes"] == len(switch) + 8


def test_a_switch_to_http2_would_hide_what_follows_and_is_refused(sidecar: Sidecar, upstream: Upstream) -> None:
    upstream.begin(closing(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")[0])
    request = b"GET /h2c HTTP/1.1\r\n" + HOST + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n"
    assert sidecar.ask(request).startswith(b"HTTP/1.1 502 ")


def test_an_offer_to_upgrade_may_be_ignored(sidecar: Sidecar, upstream: Upstream) -> None:
    upstream.begin(answering(OK)[0])
    request = b"GET /ignored HTTP/1.1\r\n" + HOST + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    with sidecar.connect() as sock:
        for _ in range(2):
            sock.sendall(request)
            assert read_exactly(sock, len(OK)) == OK


def test_a_client_that_hangs_up_is_known_to_the_upstream_and_recorded(sidecar: Sidecar, upstream: Upstream) -> None:
    heard, left = threading.Event(), threading.Event()

    def script(sock: socket.socket) -> None:
        read_until(sock, b"\r\n\r\n")
        heard.set()
        assert sock.recv(1) == b""
        left.set()

    upstream.begin(script)
    with sidecar.connect() as sock:
        sock.sendall(b"GET /gone HTTP/1.1\r\n" + HOST + b"\r\n")
        assert heard.wait(20)
    assert left.wait(20)
    assert sidecar.event_of("/gone")["error.type"] == "client_gone"


def test_a_client_that_is_reset_in_the_midst_of_an_answer_is_recorded(sidecar: Sidecar, upstream: Upstream) -> None:
    left = threading.Event()

    def script(sock: socket.socket) -> None:
        read_until(sock, b"\r\n\r\n")
        sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        with contextlib.suppress(OSError):
            while True:
                sock.sendall(b"4\r\nword\r\n")
        left.set()

    upstream.begin(script)
    with sidecar.connect() as sock:
        sock.sendall(b"GET /reset HTTP/1.1\r\n" + HOST + b"\r\n")
        read_exactly(sock, 1000)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert left.wait(20)
    event = sidecar.event_of("/reset")
    assert (event["error.type"], event["http.response.status_code"]) == ("client_gone", 200)


def test_a_client_that_leaves_its_request_unfinished_is_recorded(sidecar: Sidecar, upstream: Upstream) -> None:
    upstream.begin(lambda sock: read_all(sock) and None)
    with sidecar.connect() as sock:
        sock.sendall(b"POST /unfinished HTTP/1.1\r\n" + HOST + b"Content-Length: 100\r\n\r\nhalf")
    assert sidecar.event_of("/unfinished")["error.type"] == "client_gone"


def test_a_slow_client_holds_the_upstream_back_and_gets_every_byte(sidecar: Sidecar, upstream: Upstream) -> None:
    size, sent = 32 * 1024 * 1024, [0]
    stalled = threading.Event()

    def script(sock: socket.socket) -> None:
        read_until(sock, b"\r\n\r\n")
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        sock.settimeout(0.5)
        for number in range(size // 65536):
            data = memoryview(number.to_bytes(4, "big") * 16384)
            while data:
                try:
                    count = sock.send(data)
                except TimeoutError:
                    stalled.set()
                    sock.settimeout(20)
                    continue
                sent[0] += count
                data = data[count:]

    upstream.begin(script)
    with sidecar.connect() as sock:
        sock.sendall(REQUESTS["plain"])
        assert stalled.wait(20)
        assert sent[0] < size // 2
        read_until(sock, b"\r\n\r\n")
        for number in range(size // 65536):
            assert read_exactly(sock, 65536) == number.to_bytes(4, "big") * 16384


def test_a_slow_upstream_holds_the_client_back_and_gets_every_byte(upstream: Upstream) -> None:
    size, go_on, got = 32 * 1024 * 1024, threading.Event(), [b""]

    def script(sock: socket.socket) -> None:
        read_until(sock, b"\r\n\r\n")
        assert go_on.wait(20)
        got[0] = read_exactly(sock, size)
        sock.sendall(OK)

    upstream.begin(script)
    body = b"".join(number.to_bytes(4, "big") for number in range(size // 4))
    with limited(upstream) as sidecar, sidecar.connect() as sock:
        sock.sendall(b"POST /a HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % size)
        sock.settimeout(0.5)
        rest = memoryview(body)
        with pytest.raises(TimeoutError):
            while True:
                rest = rest[sock.send(rest) :]
        assert len(rest) > size // 2
        go_on.set()
        sock.settimeout(20)
        sock.sendall(rest)
        assert read_exactly(sock, len(OK)) == OK
    assert got[0] == body


def test_an_upstream_that_is_not_there_is_an_answer_and_an_event() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with limited(f"http://127.0.0.1:{port}") as sidecar:
        answer = sidecar.ask(
            b"POST /v1/chat/completions HTTP/1.1\r\n" + HOST + b"Content-Length: 13\r\n\r\n" + b'{"model":"m"}'
        )
        assert answer.startswith(b"HTTP/1.1 502 ")
        event = sidecar.event()
    assert (event["slm.kind"], event["gen_ai.request.model"]) == ("inference", "m")
    assert (event["event.outcome"], event["error.type"]) == ("failure", "upstream_refused")


TIMES = {
    "head": (b"GET / HTTP/1.1\r\nHost: a", {"head_s": 0.2}, b"HTTP/1.1 408 "),
    "body": (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf", {"body_s": 0.2}, b"HTTP/1.1 408 "),
    "idle": (b"", {"idle_s": 0.2}, b""),
    "response": (REQUESTS["plain"], {"response_s": 0.2}, b"HTTP/1.1 504 "),
}


@pytest.mark.parametrize("name", TIMES)
def test_nobody_is_waited_for_without_end(upstream: Upstream, name: str) -> None:
    request, limits, answer = TIMES[name]
    upstream.begin(lambda sock: read_all(sock) and None)
    with limited(upstream, **limits) as sidecar:
        got = sidecar.ask(request)
        assert got.startswith(answer)
        assert bool(got) == bool(answer)


def test_a_stream_that_stalls_is_cut_off(upstream: Upstream) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"

    def script(sock: socket.socket) -> None:
        read_until(sock, b"\r\n\r\n")
        sock.sendall(head)
        read_all(sock)

    upstream.begin(script)
    with limited(upstream, stream_s=0.2) as sidecar:
        assert sidecar.ask(REQUESTS["plain"]) == head
        assert sidecar.event()["error.type"] == "upstream_timeout"


def test_a_client_that_takes_nothing_is_left(upstream: Upstream) -> None:
    left = threading.Event()

    def script(sock: socket.socket) -> None:
        read_until(sock, b"\r\n\r\n")
        sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        with contextlib.suppress(OSError):
            while True:
                sock.sendall(b"x" * 65536)
        left.set()

    upstream.begin(script)
    with limited(upstream, drain_s=0.3) as sidecar, sidecar.connect() as sock:
        sock.sendall(REQUESTS["plain"])
        assert left.wait(20)


def test_more_clients_than_the_limit_are_told_so(upstream: Upstream) -> None:
    upstream.begin(answering(OK)[0])
    with limited(upstream, max_clients=2) as sidecar, sidecar.connect() as first, sidecar.connect() as second:
        for sock in (first, second):
            sock.sendall(REQUESTS["plain"])
            assert read_exactly(sock, len(OK)) == OK
        assert sidecar.ask(b"").startswith(b"HTTP/1.1 503 ")


def test_the_upstreams_name_is_sent_as_host_where_asked(upstream: Upstream) -> None:
    script, seen = answering(OK)
    upstream.begin(script)
    with before(SidecarOptions(upstream.url, rewrite_host=True)) as sidecar, sidecar.connect() as sock:
        sock.sendall(REQUESTS["odd spelling"])
        assert read_exactly(sock, len(OK)) == OK
    named = b"Host: 127.0.0.1:%d" % upstream.port
    assert seen == [REQUESTS["odd spelling"].replace(b"hOsT:model", named)]


def test_a_stop_lets_what_is_under_way_end(upstream: Upstream) -> None:
    heard, go_on = threading.Event(), threading.Event()

    def script(sock: socket.socket) -> None:
        read_until(sock, b"\r\n\r\n")
        heard.set()
        assert go_on.wait(20)
        sock.sendall(OK)

    upstream.begin(script)
    with limited(upstream) as sidecar, sidecar.connect() as sock:
        sock.sendall(REQUESTS["plain"])
        assert heard.wait(20)
        stopping = threading.Thread(target=sidecar.stop)
        stopping.start()
        go_on.set()
        assert read_all(sock) == OK
        stopping.join(20)
        assert [event["event.outcome"] for event in sidecar.events] == ["success"]


def test_what_finds_no_room_passes_all_the_same_and_is_counted(upstream: Upstream) -> None:
    upstream.begin(answering(OK, request_end=b"end")[0])
    body = b"x" * 20_000 + b"end"
    with limited(upstream, CaptureLimits(max_waiting_bytes=10_000)) as sidecar, sidecar.connect() as sock:
        for _ in range(3):
            sock.sendall(b"POST /a HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % len(body) + body)
            assert read_exactly(sock, len(OK)) == OK
        sidecar.stop()
        assert sidecar.offered.dropped == 3
        assert not sidecar.events


def test_where_the_recording_is_behind_the_next_request_waits_for_it(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proxy, "LOOK_S", 60)  # nobody is released for having waited long enough
    script, seen = answering(OK, request_end=b"end")
    upstream.begin(script)
    body = b"x" * 10_000 + b"end"
    request = b"POST /a HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % len(body) + body
    with limited(upstream, CaptureLimits(max_waiting_bytes=100_000)) as sidecar, sidecar.connect() as sock:
        sock.sendall(request)
        assert read_exactly(sock, len(OK)) == OK
        sidecar.event()
        capture = capture_of(sidecar)
        process = capture._process
        assert process is not None
        process.send_signal(signal.SIGSTOP)
        for _ in range(5):
            sock.sendall(request)
            assert read_exactly(sock, len(OK)) == OK
        with sidecar.connect() as other:
            for one in (sock, other):
                one.sendall(request)
            sidecar.until(lambda: len(capture._held) == 2)
            assert len(seen) == 6
            other.sendall(request)
            other.shutdown(socket.SHUT_WR)
            # Who has waited for long enough passes, and waits again before the next, though its client says no more.
            sidecar.call(capture._release)
            assert read_exactly(sock, len(OK)) == OK
            assert read_exactly(other, len(OK)) == OK
            sidecar.until(lambda: len(capture._held) == 1)
            assert len(seen) == 8
            process.send_signal(signal.SIGCONT)
            assert read_all(other) == OK
        sidecar.stop()
        assert (len(sidecar.events), sidecar.offered.dropped) == (9, 0)


def test_what_is_too_long_to_keep_is_cut_and_says_so(upstream: Upstream) -> None:
    upstream.begin(answering(OK, request_end=b"end")[0])
    body = b'{"model": "m", "messages": "' + b"x" * 20_000 + b"end"
    with limited(upstream, CaptureLimits(max_exchange_bytes=5_000)) as sidecar, sidecar.connect() as sock:
        sock.sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % len(body) + body
        )
        assert read_exactly(sock, len(OK)) == OK
        event = sidecar.event()
    assert '"cut":true' in event["slm.attributes"]
    assert event["slm.request_bytes"] > 20_000


def test_a_parsing_process_that_dies_is_replaced_and_its_loss_counted(upstream: Upstream) -> None:
    upstream.begin(answering(OK)[0])
    with limited(upstream) as sidecar, sidecar.connect() as sock:

        def ask(path: bytes) -> None:
            sock.sendall(b"GET %b HTTP/1.1\r\n%b\r\n" % (path, HOST))
            assert read_exactly(sock, len(OK)) == OK

        ask(b"/before")
        sidecar.event_of("/before")
        capture = capture_of(sidecar)
        process = capture._process
        assert process is not None
        process.send_signal(signal.SIGSTOP)  # what it is given from now on dies with it
        for _ in range(5):
            ask(b"/lost")
        process.kill()
        sidecar.until(lambda: capture._process not in (None, process))
        ask(b"/after")
        sidecar.event_of("/after")
        sidecar.stop()
        assert (len(sidecar.events), sidecar.offered.dropped) == (2, 5)


def test_a_stop_while_the_parsing_process_is_replaced_leaves_nothing_behind() -> None:
    async def run() -> None:
        options = SidecarOptions("http://127.0.0.1:1")
        capture = Capture(options, options.address(), cast("Collector", Offered()))
        await capture.start()
        assert capture._process is not None
        capture._process.kill()
        while capture._transport is not None:  # noqa: ASYNC110
            await asyncio.sleep(0.002)
        capture.check(time.monotonic() + 60)
        await capture.stop()
        assert capture._process is None
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())


def capture_of(sidecar: Sidecar) -> Capture:
    found = [one for one in gc.get_objects() if type(one) is Capture]
    return next(one for one in found if cast("object", one._collector) is sidecar.offered)

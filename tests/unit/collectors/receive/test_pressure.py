"""Back-pressure: bodies unfold within bounds, and who goes beyond is told to come again."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.routing import Route

from slmtrail.collectors.inflating import Inflating
from slmtrail.collectors.receive import pressure
from slmtrail.collectors.receive.pressure import LEAST_BYTES, Pressure, Room, unfolded
from slmtrail.core.errors import EventError

Post = Callable[..., Any]
GZIP = {"content-encoding": "gzip"}


def _app(max_bytes: int = 1 << 20, filling: Callable[[], bool] = lambda: False) -> tuple[Starlette, Room]:
    async def echo(request: Any) -> Response:
        try:
            return Response(await request.body())
        except EventError as error:
            return Response(str(error), 400)

    routes = [Route(path, echo, methods=["POST"]) for path in ("/v1/events", "/v1/frames", "/page")]
    room = Room(max_bytes)
    return Starlette(routes=routes, middleware=[Middleware(Pressure, room=room, filling=filling)]), room


def _bare(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "fold"),
    [("gzip", gzip.compress), ("x-gzip", gzip.compress), ("deflate", zlib.compress), ("deflate", _bare)],
)
@pytest.mark.parametrize("size", [0, 1, 70_000])
def test_bodies_unfold(post: Post, encoding: str, fold: Callable[[bytes], bytes], size: int) -> None:
    app, _ = _app()
    folded = fold(b"x" * size)
    for pieces in ([folded], [bytes([byte]) for byte in folded]):
        answer = post(app, "/v1/events", *pieces, headers={"content-encoding": encoding})
        assert (answer.status, answer.body) == (200, b"x" * size)


def test_members_that_follow_one_another_are_one_body(post: Post) -> None:
    app, _ = _app()
    assert post(app, "/v1/events", gzip.compress(b"one ") + gzip.compress(b"two"), headers=GZIP).body == b"one two"


@pytest.mark.parametrize("body", [b"plain", gzip.compress(b"x" * 5000)[:-3], gzip.compress(b"x") + b"tail", b"\x1f"])
def test_what_is_not_folded_as_it_says_is_refused(post: Post, body: bytes) -> None:
    app, _ = _app()
    answer = post(app, "/v1/events", body, headers=GZIP)
    assert (answer.status, b"compressed" in answer.body) == (400, True)


def test_other_encodings_are_named(post: Post) -> None:
    app, _ = _app()
    answer = post(app, "/v1/events", b"", headers={"content-encoding": "br"})
    assert (answer.status, orjson.loads(answer.body)["reason"]) == (415, "encoding")
    assert post(app, "/page", b"", headers={"content-encoding": "br"}).status == 200


def test_a_bomb_is_put_off_before_it_has_unfolded(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    size = 0

    def counted(*given: Any, **named: Any) -> Any:
        nonlocal size
        for piece in unfolded(*given, **named):
            assert len(piece) <= pressure.PIECE_BYTES
            size += len(piece)
            yield piece

    monkeypatch.setattr(pressure, "unfolded", counted)
    app, room = _app(1 << 20)
    bomb = gzip.compress(bytes(100 << 20))
    answer = post(app, "/v1/events", bomb, headers=GZIP)
    assert (answer.status, answer.headers["retry-after"]) == (429, "1")
    assert size <= (1 << 20) + pressure.PIECE_BYTES
    room.take(1 << 20)  # all was given back


def test_requests_together_have_the_room_and_each_least(asking: Any) -> None:
    app, room = _app(4 * LEAST_BYTES)

    async def all_at_once() -> list[Any]:
        ready, answered = asyncio.Event(), asyncio.Event()
        waiting = 0

        async def before() -> None:
            nonlocal waiting
            waiting += 1
            if waiting == 4:
                ready.set()
            await answered.wait()

        first = [asyncio.create_task(asking(app, "/v1/events", [b"", b""], before=before)) for _ in range(4)]
        await asyncio.wait_for(ready.wait(), 20)
        beyond = await asking(app, "/v1/events", [b""])
        answered.set()
        return [*await asyncio.gather(*first), beyond]

    assert [answer.status for answer in asyncio.run(all_at_once())] == [200] * 4 + [429]
    room.take(4 * LEAST_BYTES)


def test_while_the_spool_fills_senders_are_put_off(post: Post) -> None:
    app, _ = _app(filling=lambda: True)
    answer = post(app, "/v1/events", b"x")
    assert (answer.status, answer.headers["retry-after"]) == (429, "5")
    assert orjson.loads(answer.body)["reason"] == "spool_filling"
    assert {post(app, path, b"x").status for path in ("/page", "/v1/frames")} == {200}


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=300), st.booleans(), st.integers(0, 300), st.binary(max_size=5))
def test_any_bytes_unfold_or_are_refused(data: bytes, folded: bool, cut: int, tail: bytes) -> None:
    given_bytes = (gzip.compress(data) if folded else data)[: cut or None] + tail
    try:
        made = b"".join(unfolded(Inflating("gzip"), given_bytes, last=True))
    except EventError as error:
        assert error.reason == "encoding"
    else:
        assert made == (gzip.decompress(given_bytes) if given_bytes else b"")


def test_members_of_gzip_are_unfolded_however_many() -> None:
    empty, byte = gzip.compress(b""), gzip.compress(b"a")
    body = empty * 2000 + byte * 2000 + empty
    assert b"".join(unfolded(Inflating("gzip"), body, last=True)) == b"a" * 2000

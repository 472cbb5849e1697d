"""Web applications: what they do while they answer is known to be done for who asks, and they answer as without us."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute

from slmtrail.collectors.sdk import Trail
from slmtrail.collectors.sdk.web import TrailASGI, TrailWSGI

Events = Callable[[], list[dict[str, Any]]]
TRACE = f"00-{'a' * 32}-{'b' * 16}-01"


def attributes(event: dict[str, Any]) -> Any:
    return json.loads(event["slm.attributes"])


def asgi(trail: Trail) -> Starlette:
    """Answers with a step of its own, in one piece or in two."""

    async def hello(request: Any) -> PlainTextResponse:
        await asyncio.sleep(0)
        trail.step("hello").done()
        return PlainTextResponse("hello", int(request.query_params.get("status", "200")))

    async def stream(_: Any) -> StreamingResponse:
        async def pieces() -> Any:
            for piece in ("so ", "it is"):
                trail.step(piece.strip()).done()
                yield piece

        return StreamingResponse(pieces())

    async def broken(_: Any) -> None:
        raise LookupError("broken")

    async def socket(websocket: Any) -> None:
        await websocket.accept()
        trail.step("socket").done()
        await websocket.close()

    routes = [Route("/hello", hello), Route("/stream", stream), Route("/broken", broken)]
    return Starlette(routes=[*routes, WebSocketRoute("/socket", socket)])


def ask(app: Any, *paths: str, peer: str = "10.0.0.9", headers: Any = None) -> list[httpx.Response]:
    """All at once."""

    async def main() -> list[httpx.Response]:
        through = httpx.ASGITransport(app, client=(peer, 1), raise_app_exceptions=True)
        async with httpx.AsyncClient(transport=through, base_url="http://app", headers=headers) as client:
            return await asyncio.gather(*(client.get(path) for path in paths))

    return asyncio.run(main())


def test_who_asks_holds_for_all_that_is_done_meanwhile(trail: Trail, events: Events) -> None:
    app = TrailASGI(asgi(trail), trail, user=lambda scope: scope["query_string"].decode() or None, session=lambda _: 7)
    headers = {"traceparent": TRACE, "user-agent": "browser/1", "slm-capture": "Redacted"}
    first, second = ask(app, "/hello?alice", "/stream?bob", headers=headers)
    assert (first.text, second.text) == ("hello", "so it is")
    seen = {one["slm.step.name"]: one for one in events()}
    assert {name: one["user.id"] for name, one in seen.items()} == {"hello": "alice", "so": "bob", "it is": "bob"}
    for one in seen.values():
        assert (one["trace.id"], one["parent.id"], one["session.id"]) == ("a" * 32, "b" * 16, "7")
        assert (one["source.ip"], one["user_agent.original"]) == ("10.0.0.9", "browser/1")
        assert one["slm.capture.level"] == "redacted"
    trail.step("outside").done()
    assert "user.id" not in events()[-1]


@pytest.mark.parametrize(
    ("peer", "forwarded", "source"),
    [
        ("203.0.113.5", ["198.51.100.1"], "203.0.113.5"),  # nobody we know says so
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["6.6.6.6, 198.51.100.1:4711, 192.168.1.1"], "198.51.100.1"),
        ("10.0.0.1", ["6.6.6.6", "[2001:db8::1]:443"], "2001:db8::1"),  # two fields are one list
        ("::ffff:10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["unknown, 10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("testclient", ["198.51.100.1"], None),
    ],
)
def test_a_proxy_is_believed_where_it_is_trusted(
    trail: Trail, event: Any, peer: str, forwarded: list[str], source: str | None
) -> None:
    app = TrailASGI(asgi(trail), trail, trusted_proxies=["10.0.0.0/8", "192.168.1.1"])
    ask(app, "/hello", peer=peer, headers=[("x-forwarded-for", value) for value in forwarded])
    assert event().get("source.ip") == source


def test_a_wrong_network_is_said_at_once(trail: Trail) -> None:
    for middleware in (TrailASGI, TrailWSGI):
        with pytest.raises(ValueError, match="proxy"):
            middleware(None, trail, trusted_proxies=["proxy"])  # type: ignore[arg-type]


def test_requests_are_events_where_that_is_wanted(trail: Trail, events: Events) -> None:
    app = TrailASGI(asgi(trail), trail, record=True)
    ask(app, "/hello")
    ask(app, "/hello?status=503")
    with pytest.raises(LookupError, match="broken"):
        ask(app, "/broken")
    seen = [one for one in events() if one["slm.step.name"] == "request"]
    assert [(one["event.outcome"], one.get("error.type")) for one in seen] == [
        ("success", None), ("failure", "503"), ("failure", "LookupError"),
    ]  # fmt: skip
    assert attributes(seen[0]) == {"method": "GET", "path": "/hello", "status": 200}
    inner = next(one for one in events() if one["slm.step.name"] == "hello")
    assert (inner["trace.id"], inner["parent.id"]) == (seen[0]["trace.id"], seen[0]["span.id"])


def test_what_an_application_says_wrongly_is_not_its_end(trail: Trail, event: Any) -> None:
    app = TrailASGI(asgi(trail), trail, user=lambda scope: scope["no such"], session=lambda _: 1 / 0)
    assert ask(app, "/hello", headers={"traceparent": "x", "slm-capture": "all"})[0].text == "hello"
    assert not {"user.id", "session.id", "parent.id", "slm.capture.level"} & event().keys()


def test_sockets_and_lifespans_pass(trail: Trail, event: Any) -> None:
    seen: list[str] = []

    async def main() -> None:
        app = TrailASGI(asgi(trail), trail, user=lambda _: "alice")
        for scope in (
            {"type": "lifespan"},
            {"type": "websocket", "path": "/socket", "headers": [], "subprotocols": []},
        ):
            await app(scope, receive(str(scope["type"])), send)

    def receive(kind: str) -> Callable[[], Awaitable[Any]]:
        told = iter(["lifespan.startup", "lifespan.shutdown"] if kind == "lifespan" else ["websocket.connect"])

        async def next_one() -> Any:
            return {"type": next(told)}

        return next_one

    async def send(message: Any) -> None:
        seen.append(message["type"])

    asyncio.run(main())
    assert seen == ["lifespan.startup.complete", "lifespan.shutdown.complete", "websocket.accept", "websocket.close"]
    assert (event()["slm.step.name"], event()["user.id"]) == ("socket", "alice")


# WSGI


def wsgi(trail: Trail) -> Any:
    def app(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        path = environ["PATH_INFO"]
        if path == "/broken":
            raise LookupError("broken")
        start_response("503 Busy" if path == "/busy" else "200 OK", [("content-type", "text/plain")])

        def pieces() -> Iterator[bytes]:
            for piece in (b"so ", b"it is"):
                trail.step(piece.decode().strip()).done()
                yield piece
            if path == "/breaks":
                raise LookupError("broken later")

        return pieces()

    return app


def call(app: Any, path: str = "/", **environ: Any) -> tuple[str, bytes]:
    """As a server that keeps to the rules, which are checked."""
    given: dict[str, Any] = {"PATH_INFO": path, "SCRIPT_NAME": "", "QUERY_STRING": "", "wsgi.input": io.BytesIO()}
    given |= environ
    setup_testing_defaults(given)
    told: list[str] = []
    answer = validator(app)(given, lambda status, headers, *more: told.append(status) or (lambda _: None))
    try:
        return told[-1] if told else "", b"".join(answer)
    finally:
        answer.close()


def test_wsgi_has_a_context_a_request(trail: Trail, events: Events) -> None:
    app = TrailWSGI(wsgi(trail), trail, user=lambda environ: environ["QUERY_STRING"] or None)
    asked = {"QUERY_STRING": "alice", "REMOTE_ADDR": "10.0.0.9", "HTTP_TRACEPARENT": TRACE, "HTTP_USER_AGENT": "b/1"}
    assert call(app, "/", **asked, HTTP_SLM_CAPTURE="metadata") == ("200 OK", b"so it is")
    trail.step("between").done()
    call(app, QUERY_STRING="bob")
    first, second, between, *others = events()
    for one in (first, second):
        assert (one["user.id"], one["trace.id"], one["source.ip"]) == ("alice", "a" * 32, "10.0.0.9")
        assert (one["user_agent.original"], one["slm.capture.level"]) == ("b/1", "metadata")
    assert "user.id" not in between
    assert [one["user.id"] for one in others] == ["bob", "bob"]


def test_wsgi_requests_of_one_thread_may_be_answered_in_turns(trail: Trail, events: Events) -> None:
    app = TrailWSGI(wsgi(trail), trail, user=lambda environ: environ["QUERY_STRING"])
    answers = []
    for user in ("alice", "bob"):
        environ: dict[str, Any] = {"PATH_INFO": "/", "QUERY_STRING": user}
        setup_testing_defaults(environ)
        answers.append(app(environ, lambda *_: None))
    for _ in range(2):
        for answer in answers:
            next(iter(answer))
    for answer in answers:
        answer.close()  # type: ignore[attr-defined]
    assert [one["user.id"] for one in events()] == ["alice", "bob", "alice", "bob"]


def test_a_status_that_is_none_passes(trail: Trail, event: Any) -> None:
    told: list[str] = []

    def app(_: Any, start_response: Any) -> list[bytes]:
        start_response("OK", [])
        return [b"hello"]

    answer = TrailWSGI(app, trail, record=True)({"PATH_INFO": "/"}, lambda status, *_: told.append(status))
    assert (told, list(answer)) == (["OK"], [b"hello"])
    answer.close()  # type: ignore[attr-defined]
    assert attributes(event()) == {"method": "", "path": "/"}


def test_wsgi_requests_are_events_where_that_is_wanted(trail: Trail, events: Events) -> None:
    app = TrailWSGI(wsgi(trail), trail, record=True)
    call(app, "/fine")
    call(app, "/busy")
    for path in ("/broken", "/breaks"):
        with pytest.raises(LookupError, match="broken"):
            call(app, path)
    with contextlib.closing(app({"PATH_INFO": "/left"}, lambda *_: None)) as left:  # type: ignore[type-var]
        next(iter(left))
    seen = [one for one in events() if one["slm.step.name"] == "request"]
    assert [(attributes(one)["path"], one["event.outcome"], one.get("error.type")) for one in seen] == [
        ("/fine", "success", None),
        ("/busy", "failure", "503"),
        ("/broken", "failure", "LookupError"),
        ("/breaks", "failure", "LookupError"),
        ("/left", "success", None),
    ]
    inner = next(one for one in events() if one["slm.step.name"] == "so")
    assert (inner["trace.id"], inner["parent.id"]) == (seen[0]["trace.id"], seen[0]["span.id"])

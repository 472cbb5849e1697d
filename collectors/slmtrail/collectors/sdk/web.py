"""Web applications: for each request, who asks and from where holds for all events made while it is answered.

app = TrailASGI(app, trail, user=lambda scope: scope["session"].get("user"))     # Starlette, FastAPI, Django, …
app = TrailWSGI(app, trail, user=lambda environ: environ.get("REMOTE_USER"))     # Flask, Django, …
"""

from __future__ import annotations

import contextvars
import ipaddress
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

from slmtrail.collectors.sdk.here import LEVELS, Context, ip
from slmtrail.collectors.sdk.quiet import quiet
from slmtrail.collectors.sdk.quiet import told as lost
from slmtrail.collectors.sdk.spans import Step
from slmtrail.collectors.sdk.trail import Trail

CAPTURE_HEADER = "slm-capture"
"""A client may ask for more privacy than it gets otherwise; for less it asks in vain."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Told = MutableMapping[str, Any]
Ask = Callable[[Told], Any]
Asgi = Callable[[Told, Callable[[], Awaitable[Told]], Callable[[Told], Awaitable[None]]], Awaitable[None]]
Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class _Look:
    """How a request is looked at."""

    trail: Trail
    user: Ask | None
    session: Ask | None
    trusted_proxies: tuple[Network, ...]
    record: bool

    def context(self, told: Told, headers: Callable[[Told], Mapping[str, str]], peer: Any) -> Context:
        """What holds while it is answered."""
        try:
            return self._context(told, headers(told), str(peer))
        except Exception as error:
            lost("a request's context", error)
            return Context({})

    def _context(self, told: Told, headers: Mapping[str, str], peer: str) -> Context:
        given = {"user": _asked(self.user, told), "session": _asked(self.session, told)}
        level = headers.get(CAPTURE_HEADER, "").lower()
        return self.trail.context(
            **{word: str(value) for word, value in given.items() if value is not None},
            trace=headers.get("traceparent"),
            ip=self._source(peer, headers.get("x-forwarded-for", "")),
            user_agent=headers.get("user-agent"),
            capture=level if level in LEVELS else None,
        )

    def span(self, method: str, path: str) -> Step | None:
        """The event of the request itself, where one is wanted."""
        return self.trail.step("request", "preprocess", method=method, path=path) if self.record else None

    def _source(self, peer: str, forwarded: str) -> str:
        """The nearest address that no trusted proxy has, as far as the word of those goes."""
        source = ""
        for hop in (peer, *reversed(forwarded.split(","))):
            address = ip(hop)
            if address is None:
                break
            source = str(address)
            if not any(address in network for network in self.trusted_proxies):
                break
        return source


class TrailASGI:
    """ASGI middleware."""

    def __init__(
        self,
        app: Asgi,
        trail: Trail,
        *,
        user: Ask | None = None,
        session: Ask | None = None,
        trusted_proxies: Collection[str] = (),
        record: bool = False,
    ) -> None:
        """`user` and `session` say who asks, from the scope; `trusted_proxies` are the addresses or networks whose
        X-Forwarded-For is believed; with `record` each request is a process event of its own.

        Raises ValueError for what is no address or network."""
        self._app = app
        self._look = _Look(trail, user, session, _networks(trusted_proxies), record)

    async def __call__(self, scope: Told, receive: Any, send: Any) -> None:
        """One request, socket or lifespan."""
        if scope.get("type") not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        peer = (scope.get("client") or ("",))[0]
        with self._look.context(scope, _asgi_headers, peer):
            span = self._look.span(scope.get("method", "WEBSOCKET"), scope.get("path", ""))
            if span is None:
                await self._app(scope, receive, send)
                return
            with span:
                await self._app(scope, receive, _status_seen(span, send))


class TrailWSGI:
    """WSGI middleware."""

    def __init__(
        self,
        app: Wsgi,
        trail: Trail,
        *,
        user: Ask | None = None,
        session: Ask | None = None,
        trusted_proxies: Collection[str] = (),
        record: bool = False,
    ) -> None:
        """As TrailASGI; `user` and `session` are asked with the environ."""
        self._app = app
        self._look = _Look(trail, user, session, _networks(trusted_proxies), record)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """One request. It has a context of its own until its answer is closed: servers use threads again."""
        return _Answer(self._app, self._look, environ, start_response)


class _Answer:
    """The answer of a WSGI application, made in the request's own context."""

    def __init__(self, app: Wsgi, look: _Look, environ: dict[str, Any], start_response: Callable[..., Any]) -> None:
        self._context = contextvars.copy_context()
        self._span: Step | None = None
        self._pieces = self._context.run(self._begin, app, look, environ, start_response)
        self._next = iter(self._pieces)

    def _begin(
        self, app: Wsgi, look: _Look, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        look.context(environ, _wsgi_headers, environ.get("REMOTE_ADDR", "")).__enter__()
        span = self._span = look.span(environ.get("REQUEST_METHOD", ""), environ.get("PATH_INFO", ""))
        if span is None:
            return app(environ, start_response)
        span.__enter__()

        def seen(status: str, *more: Any) -> Any:
            _seen(span, status[:3])
            return start_response(status, *more)

        try:
            return app(environ, seen)
        except BaseException as error:
            span.end(error)
            raise

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            return self._context.run(next, self._next)
        except StopIteration:
            raise
        except BaseException as error:
            if self._span is not None:
                self._span.end(error)
            raise

    def close(self) -> None:
        """The server calls it, whatever happened."""
        close = getattr(self._pieces, "close", None)
        try:
            if close is not None:
                self._context.run(close)
        finally:
            if self._span is not None:
                self._span.end()


def _networks(given: Collection[str]) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(one, strict=False) for one in given)


def _asgi_headers(scope: Told) -> dict[str, str]:
    headers: dict[str, str] = {}
    for raw, value in scope.get("headers", ()):
        name, text = raw.decode("latin-1").lower(), value.decode("latin-1")
        headers[name] = f"{headers[name]},{text}" if name in headers else text
    return headers


def _wsgi_headers(environ: Told) -> dict[str, str]:
    names = [name for name in environ if name.startswith("HTTP_")]
    return {name[5:].lower().replace("_", "-"): str(environ[name]) for name in names}


def _status_seen(span: Step, send: Any) -> Any:
    async def sending(message: Told) -> None:
        if message.get("type") == "http.response.start":
            _seen(span, message.get("status", 0))
        await send(message)

    return sending


@quiet
def _seen(span: Step, status: Any) -> None:
    span.note(status=int(status))
    if int(status) >= 500:
        span.fail(str(status))


@quiet
def _asked(ask: Ask | None, told: Told) -> Any:
    return None if ask is None else ask(told)

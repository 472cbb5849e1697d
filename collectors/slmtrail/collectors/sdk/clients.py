"""Clients of model APIs: what they ask and are answered, seen where it leaves the process.

The clients of OpenAI, Anthropic and Ollama, and whatever is built on them, send through an `httpx` client (or its
successor of the same shape). Its `send` is wrapped, on this one object: requests and answers pass unchanged, and
every call is seen, streamed, retried or failed, also of methods that these clients do not have yet.
"""

from __future__ import annotations

import inspect
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Any

from slmtrail.collectors.sdk.exchange import Exchange
from slmtrail.collectors.sdk.quiet import told
from slmtrail.collectors.sidecar.apis import endpoints

if TYPE_CHECKING:
    from slmtrail.collectors.sdk.trail import Trail

MAX_HOLDERS = 3
"""A part of a client, or the module `ollama`, holds a client, which holds that of `httpx`."""

_WATCHED = "_slmtrail_watched"
Send = Callable[..., Any]


def watch(client: Any, trail: Trail) -> None:
    """Records what `client` sends from now on; a client of another kind is left as it is."""
    try:
        http: Any = client
        for _ in range(MAX_HOLDERS):
            if not hasattr(http, "send"):
                http = getattr(http, "_client", http)
        if not getattr(http, _WATCHED, False):
            wrap = _asynchronous if inspect.iscoroutinefunction(http.send) else _synchronous
            http.send = wrap(http.send, trail)
            setattr(http, _WATCHED, True)
    except Exception as error:
        told("a client", error)


def _synchronous(send: Send, trail: Trail) -> Send:
    def watched(request: Any, **options: Any) -> Any:
        exchange = _exchange(request, trail)
        if exchange is None:
            return send(request, **options)
        try:
            response = send(request, **options)
        except BaseException as error:
            exchange.end(error)
            raise
        _answered(exchange, response, _pieces, _closing)
        return response

    return watched


def _asynchronous(send: Callable[..., Awaitable[Any]], trail: Trail) -> Callable[..., Awaitable[Any]]:
    async def watched(request: Any, **options: Any) -> Any:
        exchange = _exchange(request, trail)
        if exchange is None:
            return await send(request, **options)
        try:
            response = await send(request, **options)
        except BaseException as error:
            exchange.end(error)
            raise
        _answered(exchange, response, _async_pieces, _async_closing)
        return response

    return watched


def _exchange(request: Any, trail: Trail) -> Exchange | None:
    """None for what asks no model, and for what can't be read."""
    try:
        url = request.url
        api = endpoints.find(request.method, url.path)
        if api is None:
            return None
        exchange = Exchange(trail.inference(), api, request.content)
        exchange.goes_to(url.host, url.port or {"https": 443, "http": 80}.get(url.scheme))
        if model := endpoints.model_of(url.path):
            exchange.span.set("gen_ai.request.model", model)
        if attempt := request.headers.get("x-stainless-retry-count", "").strip("0"):
            exchange.span.note(attempt=attempt)
        return exchange
    except Exception as error:
        told("a request", error)
        return None


def _answered(exchange: Exchange, response: Any, pieces: Callable[..., Any], closing: Callable[..., Any]) -> None:
    """The answer is read already, or each of its pieces is seen when the caller reads it."""
    try:
        exchange.status = response.status_code
        exchange.content_type = response.headers.get("content-type", "")
        if response.is_closed:
            exchange.take(response.content)
            exchange.end()
            return
        name = "iter_bytes" if closing is _closing else "aiter_bytes"
        setattr(response, name, pieces(exchange, getattr(response, name)))
        name = "close" if closing is _closing else "aclose"
        setattr(response, name, closing(exchange, getattr(response, name)))
        weakref.finalize(response, exchange.end, GeneratorExit())
    except Exception as error:
        told("an answer", error)
        exchange.end()


def _pieces(exchange: Exchange, read: Callable[..., Iterator[bytes]]) -> Callable[..., Iterator[bytes]]:
    def watched(*args: Any, **options: Any) -> Iterator[bytes]:
        pieces = read(*args, **options)
        try:
            while True:
                with exchange.reading():
                    piece = next(pieces, None)
                if piece is None:
                    break
                exchange.take(piece)
                yield piece
        except BaseException as error:
            exchange.end(error)
            raise
        exchange.end()

    return watched


def _async_pieces(exchange: Exchange, read: Callable[..., AsyncIterator[bytes]]) -> Callable[..., AsyncIterator[bytes]]:
    async def watched(*args: Any, **options: Any) -> AsyncIterator[bytes]:
        pieces = read(*args, **options)
        try:
            while True:
                with exchange.reading():
                    piece = await anext(pieces, None)
                if piece is None:
                    break
                exchange.take(piece)
                yield piece
        except BaseException as error:
            exchange.end(error)
            raise
        exchange.end()

    return watched


def _closing(exchange: Exchange, close: Callable[[], None]) -> Callable[[], None]:
    def watched() -> None:
        exchange.closed()
        close()

    return watched


def _async_closing(exchange: Exchange, close: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    async def watched() -> None:
        exchange.closed()
        await close()

    return watched

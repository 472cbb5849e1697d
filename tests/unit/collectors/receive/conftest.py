"""A receiver, asked without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.types import ASGIApp


@dataclass
class Answer:
    """What came back."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


async def ask(
    app: ASGIApp,
    path: str,
    pieces: Iterable[bytes] = (b"",),
    headers: dict[str, str] | None = None,
    *,
    peer: str | None = "127.0.0.1",
    certificate: dict[str, Any] | None = None,
    before: Callable[[], Any] | None = None,
) -> Answer:
    """Posts a body in pieces. `before` is awaited before the last of them."""
    waiting = list(pieces)
    answer = Answer()

    async def receive() -> dict[str, Any]:
        if not waiting:
            await asyncio.get_running_loop().create_future()
        if before and len(waiting) == 1:
            await before()
        body = waiting.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(waiting)}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            answer.body += message.get("body", b"")

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in (headers or {}).items()],
        "client": (peer, 40000) if peer else None,
        "server": ("127.0.0.1", 4747),
        "state": {"peer_certificate": certificate} if certificate else {},
    }
    await app(scope, receive, send)  # type: ignore[arg-type]
    return answer


@pytest.fixture
def post() -> Callable[..., Answer]:
    """Posts to an application and waits for its answer."""

    def run(app: ASGIApp, path: str, *pieces: bytes, headers: dict[str, str] | None = None, **more: Any) -> Answer:
        return asyncio.run(ask(app, path, pieces or (b"",), headers, **more))

    return run


@pytest.fixture
def asking() -> Callable[..., Any]:
    """The same, for several at once."""
    return ask

"""Refuses requests that were meant for another host.

A page on the internet can have its own name resolve to 127.0.0.1 and then read what is served there (DNS
rebinding). Its requests still carry its own name as Host, and are refused for that.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?", re.IGNORECASE)
_EVERYWHERE = frozenset({"0.0.0.0", "::", ""})  # noqa: S104


class OriginGuard:
    """ASGI middleware: refuses what another site has a browser send to change something here (CSRF)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in ("GET", "HEAD", "OPTIONS") and not _is_own(scope):
            text = "another site asks for this: do it from the page itself\n"
            await PlainTextResponse(text, 403)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _is_own(scope: Scope) -> bool:
    """Whether the page itself asks, or something that is no browser and so has no origin."""
    headers = Headers(scope=scope)
    if "origin" in headers:
        return urlsplit(headers["origin"]).netloc.lower() == headers.get("host", "").lower()
    return headers.get("sec-fetch-site", "none") in ("same-origin", "none")


class HostGuard:
    """ASGI middleware: lets through what names a loopback address, `localhost` or one of `allowed_hosts`.

    Where one of these means every interface (0.0.0.0, ::), any IP address passes too: rebinding needs a name.
    """

    def __init__(self, app: ASGIApp, allowed_hosts: Iterable[str] = ()) -> None:
        self._app = app
        self._allowed = frozenset(host.lower().strip("[]") for host in allowed_hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            given = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
            if len(given) != 1 or not self._fits(given[0]):
                text = "this server does not answer under that host name; use its address, or set ingest.host\n"
                await PlainTextResponse(text, 421)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _fits(self, host: str) -> bool:
        match = _HOST.fullmatch(host)
        if match is None:
            return False
        name = match[1].strip("[]").lower().removesuffix(".")
        if name == "localhost" or name.endswith(".localhost") or name in self._allowed:
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return address.is_loopback or bool(self._allowed & _EVERYWHERE)

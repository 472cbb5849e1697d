"""The door before page and API: who asks is known, or gets no further."""

from __future__ import annotations

import ipaddress
import logging
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from slmtrail.app.api import problem
from slmtrail.app.readers.access import Access
from slmtrail.app.readers.known import Readers, Unknown
from slmtrail.app.readers.sessions import Sessions
from slmtrail.collectors.receive.door import peer_of
from slmtrail.core.errors import KeyFileError
from slmtrail.core.readers import Reader

log = logging.getLogger(__name__)

API = "/api/"
OPEN = ("/static/", "/login", "/api/v1/openapi.json")
"""What anyone may ask for, who gets here: nothing of the trail."""

READER = "reader"
"""The name under which the state of a request holds who asks."""


class ReaderDoor:
    """Lets through whom `readers` know, by a bearer token or the session of a login."""

    def __init__(self, app: ASGIApp, readers: Readers, sessions: Sessions, access: Access) -> None:
        self._app = app
        self._readers = readers
        self._sessions = sessions
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = await self._checked(scope) if scope["type"] == "http" else None
        await (answer or self._app)(scope, receive, send)

    async def _checked(self, scope: Scope) -> Response | None:
        path, peer = scope["path"], peer_of(scope)
        if path.startswith(OPEN):
            return None
        try:
            reader = await self._readers.known(self._credential(scope))
            if reader.method == "none" and not _is_here(peer):
                raise Unknown("not_here", "without readers the trail is shown on this machine only")
        except Unknown as unknown:
            return self._refused(scope, unknown, peer)
        except KeyFileError as error:
            log.error("no reader is let in: %s", error)
            return problem.problem(
                503, "readers can't be checked at the moment: the log says why", {"retry-after": "30"}
            )
        scope.setdefault("state", {})[READER] = reader
        self._access.came(reader, peer)
        return None

    def _credential(self, scope: Scope) -> str:
        scheme, _, token = Headers(scope=scope).get("authorization", "").strip().partition(" ")
        if scheme.lower() == "bearer":
            return token.strip()
        return self._sessions.credential(HTTPConnection(scope).cookies)

    def _refused(self, scope: Scope, unknown: Unknown, peer: str) -> Response:
        if unknown.reason != "no_credentials" or scope["path"].startswith(API):
            self._access.refuse(unknown.reader, "login", unknown.reason, peer)
        if not scope["path"].startswith(API) and "text/html" in Headers(scope=scope).get("accept", ""):
            back = scope["path"] + (f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else "")
            return RedirectResponse(f"/login?back={quote(back, safe='')}", 303)
        if unknown.reader is not None or unknown.reason == "not_here":
            return problem.problem(403, str(unknown))
        return problem.problem(401, str(unknown), {"www-authenticate": 'Bearer realm="slmtrail"'})


def reader_of(scope: Scope) -> Reader:
    """Who asks; behind the door there always is someone."""
    reader = scope["state"][READER]
    assert isinstance(reader, Reader)  # noqa: S101
    return reader


def _is_here(peer: str) -> bool:
    return bool(peer) and ipaddress.ip_address(peer).is_loopback

"""Coming in and going out: a token, shown once, becomes a session of the page."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from slmtrail.app.readers.access import Access
from slmtrail.app.readers.known import Readers, Unknown
from slmtrail.app.readers.sessions import COOKIE, LIFE_S, Sessions
from slmtrail.app.web.form import form
from slmtrail.app.web.render import page
from slmtrail.collectors.receive.door import peer_of


class Login:
    """The page on which a reader shows a token."""

    def __init__(self, readers: Readers, sessions: Sessions, access: Access) -> None:
        self._readers = readers
        self._sessions = sessions
        self._access = access

    def routes(self) -> list[Route]:
        """Its routes."""
        return [
            Route("/login", self._asked),
            Route("/login", self._shown, methods=["POST"]),
            Route("/logout", self._left, methods=["POST"]),
        ]

    async def _asked(self, request: Request) -> Response:
        return page("login.html", back=_back(request.query_params.get("back", "")), error="")

    async def _shown(self, request: Request) -> Response:
        given = await form(request)
        token, back = given.get("token", "").strip(), _back(given.get("back", ""))
        try:
            await self._readers.known(token)
        except Unknown as unknown:
            self._access.refuse(unknown.reader, "login", unknown.reason, peer_of(request.scope))
            return page("login.html", 401, back=back, error=str(unknown))
        answer = RedirectResponse(back, 303)
        answer.set_cookie(
            COOKIE,
            self._sessions.begin(token),
            max_age=int(LIFE_S),
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )
        return answer

    async def _left(self, request: Request) -> Response:
        self._sessions.end(request.cookies)
        answer = RedirectResponse("/login", 303)
        answer.delete_cookie(COOKIE)
        return answer


def _back(path: str) -> str:
    """Where to go on: a place here, never another site."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() else "/"

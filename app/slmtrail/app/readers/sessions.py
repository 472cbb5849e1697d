"""Sessions of the page: what was shown at the login stays here, the browser gets a name for it that says nothing."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping

COOKIE = "slmtrail_session"
LIFE_S = 12 * 3600.0
MAX_SESSIONS = 10_000


class Sessions:
    """The open sessions, of this process alone. What they hold is checked anew with every request."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._open: dict[str, tuple[str, float]] = {}

    def begin(self, credential: str) -> str:
        """The cookie of a new session."""
        now = self._clock()
        if len(self._open) >= MAX_SESSIONS:
            self._open = {key: held for key, held in self._open.items() if held[1] > now}
        if len(self._open) >= MAX_SESSIONS:
            del self._open[next(iter(self._open))]
        cookie = secrets.token_urlsafe(32)
        self._open[cookie] = credential, now + LIFE_S
        return cookie

    def credential(self, cookies: Mapping[str, str]) -> str:
        """What was shown at the login of this session; empty where there is none."""
        credential, until_s = self._open.get(cookies.get(COOKIE, ""), ("", 0.0))
        return credential if until_s > self._clock() else ""

    def end(self, cookies: Mapping[str, str]) -> None:
        """Forgets a session."""
        self._open.pop(cookies.get(COOKIE, ""), None)

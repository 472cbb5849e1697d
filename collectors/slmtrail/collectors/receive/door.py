"""The door of the HTTP endpoint: nobody writes into the trail who does not show who it is.

ASGI middleware. Receivers and metrics take tokens or certificates; pages, which show records, are for this machine
alone as long as the endpoint can be reached from others.
"""

from __future__ import annotations

import ipaddress
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from slmtrail.collectors import relaying
from slmtrail.collectors.receive.otlp import status as otlp
from slmtrail.collectors.receive.senders import Refused, Sender, Senders
from slmtrail.core.errors import KeyFileError
from slmtrail.core.metrics import SENDERS_REFUSED

log = logging.getLogger(__name__)

RECEIVERS = "/v1/"
OPEN = frozenset(("/health/live", "/health/ready", "/v1/enrol", relaying.FRAMES_PATH, relaying.CONTROL_PATH))
"""What anyone may ask: whether we live and are ready, and what takes a proof of its own: a token, a collector's key."""

CERTIFICATE, SENDER = "peer_certificate", "sender"
"""Names under which the state of a request holds what TLS has verified, and who that makes its sender."""

RETRY_AFTER_S = 30

Tell = Callable[[dict[str, Any]], None]


class Door:
    """Lets in who is known to `senders`; `tell` takes the events about those who are not."""

    def __init__(self, app: ASGIApp, senders: Senders, tell: Tell) -> None:
        self._app = app
        self._senders = senders
        self._refusals = Refusals(tell)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = self._checked(scope) if scope["type"] == "http" and scope["path"] not in OPEN else None
        await (answer or self._app)(scope, receive, send)

    def _checked(self, scope: Scope) -> Response | None:
        headers, path, peer = Headers(scope=scope), scope["path"], peer_of(scope)
        if not path.startswith(RECEIVERS) and path != "/metrics":
            return None  # the page has a door of its own
        state = scope.setdefault("state", {})
        try:
            state[SENDER] = self._senders.known(headers.get("authorization", ""), state.get(CERTIFICATE))
        except Refused as refused:
            self._refusals.add(refused.reason, peer, path, headers.get("user-agent", ""))
            answer = no(path, headers, 401, refused.reason, str(refused))
            answer.headers["www-authenticate"] = 'Bearer realm="slmtrail"'
            return answer
        except KeyFileError as error:
            log.error("nobody is let in: %s", error)
            return no(path, headers, 503, "senders", "senders can't be checked at the moment", RETRY_AFTER_S)
        return None


def sender_of(scope: Scope) -> Sender | None:
    """Who sends this request, where that was asked."""
    found = scope.get("state", {}).get(SENDER)
    return found if isinstance(found, Sender) else None


def no(
    path: str, headers: Mapping[str, str], status: int, reason: str, text: str, retry_after_s: int | None = None
) -> Response:
    """A refusal in the shape that the clients of `path` understand."""
    if path in otlp.PATHS:
        return otlp.failed(headers, status, text, retry_after_s)
    more = {"retry-after": str(retry_after_s)} if retry_after_s else None
    return JSONResponse({"accepted": 0, "reason": reason, "text": text}, status, more)


class Refusals:
    """Tells of refused senders in events of kind auth: of each address and reason one a minute, with how many."""

    EVERY_S = 60.0
    MAX_ADDRESSES = 1000

    def __init__(self, tell: Tell, clock: Callable[[], float] = time.monotonic) -> None:
        self._tell = tell
        self._clock = clock
        self._told: dict[tuple[str, str], tuple[float, int]] = {}

    def add(self, reason: str, peer: str, path: str, user_agent: str) -> None:
        """Counts a refusal, and tells of it where that is due."""
        SENDERS_REFUSED.labels(reason).inc()
        now = self._clock()
        key = self._key(peer, reason, now)
        told_at, unsaid = self._told.get(key, (-self.EVERY_S, 0))
        if now - told_at < self.EVERY_S:
            self._told[key] = (told_at, unsaid + 1)
            return
        self._told[key] = (now, 0)
        event: dict[str, Any] = {
            "slm.kind": "auth",
            "event.action": "send",
            "event.outcome": "failure",
            "event.reason": reason,
            "user_agent.original": user_agent[:1024] or None,
            "slm.attributes": {"path": path[:1024], "more_since_last": unsaid},
        }
        self._tell(event | ({"source.ip": key[0]} if key[0] else {}))

    def _key(self, peer: str, reason: str, now: float) -> tuple[str, str]:
        """Addresses beyond the limit are told of together, so that a storm from many fills neither memory nor trail."""
        if (peer, reason) in self._told or len(self._told) < self.MAX_ADDRESSES:
            return peer, reason
        for key in [key for key, (told_at, _) in self._told.items() if now - told_at >= self.EVERY_S]:
            del self._told[key]
        return (peer, reason) if len(self._told) < self.MAX_ADDRESSES else ("", reason)


def peer_of(scope: Scope) -> str:
    """The address at the other end of the connection; empty where there is none."""
    client = scope.get("client")
    try:
        address = ipaddress.ip_address(client[0].partition("%")[0]) if client else None
    except ValueError:
        return ""
    return str(getattr(address, "ipv4_mapped", None) or address) if address else ""

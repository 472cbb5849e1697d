"""The gateway: takes frames of collectors that can't reach the bus, and tells them the decisions.

It answers when the bus has acknowledged the frames, and keeps none: what is not acknowledged stays in the spool of
its collector. Frames are passed on as they are, signed and encrypted.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections import defaultdict

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from slmtrail.collectors import relaying
from slmtrail.core import frames
from slmtrail.core.control import Decisions
from slmtrail.core.errors import BusError, FrameError, KeyFileError
from slmtrail.core.frames import SHIP_WINDOW_FRAMES
from slmtrail.core.metrics import FRAMES_RELAYED, SENDERS_REFUSED
from slmtrail.core.ports import FRAMES, Message, Publisher
from slmtrail.core.trust import Trust, Trusted

log = logging.getLogger(__name__)

BODY_TIMEOUT_S = 60
RETRY_AFTER_S = 2
LOOK_S = 0.5


def gateway_routes(bus: Publisher, trust: Trust, decisions: Decisions | None) -> list[Route]:
    """`POST /v1/frames` and `GET /v1/control`, for collectors whose keys are in the trust file."""
    # One at a time: else frames that come again could pass those of a request that was given up.
    under_way: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
    told_by = secrets.token_hex(8)

    async def post(request: Request) -> Response:
        try:
            async with asyncio.timeout(BODY_TIMEOUT_S):
                body = await _read(request)
        except TimeoutError:
            return _no(408, f"the body did not arrive within {BODY_TIMEOUT_S} s")
        except ClientDisconnect:
            return Response(status_code=400)
        if body is None:
            return _no(413, f"a request is at most {relaying.MAX_REQUEST_BYTES} bytes")
        sender = _sender(request, body)
        if isinstance(sender, Response):
            return sender
        try:
            taken = relaying.unpacked(body)
            _check(taken, sender)
        except FrameError as error:
            return _no(422, str(error))
        try:
            async with under_way[sender.collector]:
                await bus.publish(FRAMES, [Message(sender.collector, data) for data in taken])
        except BusError as error:
            log.warning("frames of %s stay with it: %s", sender.collector, error)
            return _no(503, "the bus does not take frames at the moment", RETRY_AFTER_S)
        FRAMES_RELAYED.inc(len(taken))
        return _json({"published": len(taken)})

    async def get(request: Request) -> Response:
        sender = _sender(request)
        if isinstance(sender, Response):
            return sender
        if decisions is None:
            return _no(404, "this gateway knows no key by which to believe decisions", RETRY_AFTER_S)
        by, _, version = request.headers.get(relaying.CURSOR_HEADER, "").partition("-")
        known = int(version) if by == told_by and version.isdecimal() else 0
        until_s = time.monotonic() + relaying.HOLD_S
        while decisions.version <= known and time.monotonic() < until_s:  # noqa: ASYNC110
            await asyncio.sleep(LOOK_S)
        found = [orjson.Fragment(data) for data in decisions.since(known)]
        return _json({"decisions": found}, headers={relaying.CURSOR_HEADER: f"{told_by}-{decisions.version}"})

    def _sender(request: Request, body: bytes = b"") -> Trusted | Response:
        given, path = request.headers.get("authorization", ""), request.url.path
        try:
            found = relaying.sender(trust, given, request.method, path, body)
        except KeyFileError as error:
            log.error("no collector is let in: %s", error)
            return _no(503, "collectors can't be checked at the moment", RETRY_AFTER_S)
        if found is None:
            SENDERS_REFUSED.labels("unknown_collector").inc()
            return _no(401, "no collector that is known here has signed this: enrol, or have its key admitted")
        return found

    return [
        Route(relaying.FRAMES_PATH, post, methods=["POST"]),
        Route(relaying.CONTROL_PATH, get, methods=["GET"]),
    ]


async def _read(request: Request) -> bytes | None:
    """The body; None where it is too large."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > relaying.MAX_REQUEST_BYTES:
            return None
    return bytes(body)


def _check(taken: list[bytes], sender: Trusted) -> None:
    """Raises FrameError for what a collector would not send. A damaged frame it may: the stream tells of that."""
    if len(taken) > SHIP_WINDOW_FRAMES:
        raise FrameError(f"{len(taken)} frames at once are over {SHIP_WINDOW_FRAMES}", "oversized")
    for data in taken:
        try:
            header = frames.header_of(data)
        except FrameError:
            continue
        if header.collector != sender.collector:
            raise FrameError(f"a frame of {header.collector} does not come from {sender.collector}", "unknown_key")


def _no(status: int, text: str, retry_after_s: int | None = None) -> Response:
    return _json({"text": text}, status, {"retry-after": str(retry_after_s)} if retry_after_s else None)


def _json(content: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(content) + b"\n", status, headers, media_type="application/json")

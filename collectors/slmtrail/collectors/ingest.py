"""The HTTP endpoint that takes events, and verdicts of other guardrails: JSON or NDJSON, one or many. It answers when
they are on disk."""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from slmtrail.collectors.batches import Batch
from slmtrail.collectors.collector import Collector
from slmtrail.collectors.guard import external
from slmtrail.collectors.item import Accepted
from slmtrail.collectors.receive.door import sender_of
from slmtrail.core import canonical, events
from slmtrail.core.errors import EventError, SpoolFull, StorageError
from slmtrail.core.metrics import EVENTS_REFUSED

BODY_TIMEOUT_S = 60
RETRY_AFTER_S = 5
MAX_REASONS = 10_000
"""Refusals spelled out in one answer; the rest are counted."""

INLINE_BYTES = 16 * 1024
"""Bodies above this are parsed in a thread, so that one caller does not hold up the others."""

DROPPED_HEADER = "slm-dropped"
"""How many events the caller has lost: signed for with those it sends."""

BATCH_HEADER = "slm-batch"
"""The caller's key of this request: sent again under it, it is answered as before and nothing is doubled."""

Read = Callable[[Any], Any]

_KEY = re.compile(r"[A-Za-z0-9_.\-]{8,64}")
_COUNT = re.compile(r"[0-9]{1,9}")
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class IngestLimits:
    """What a caller may send at once."""

    max_event_bytes: int
    max_request_bytes: int


@dataclass(slots=True)
class _Parsed:
    lines: list[bytes] = field(default_factory=list)
    refused: list[dict[str, Any]] = field(default_factory=list)
    refused_count: int = 0
    only_oversized: bool = True

    def refuse(self, line: int, error: EventError) -> None:
        EVENTS_REFUSED.labels(error.reason).inc()
        self.refused_count += 1
        self.only_oversized &= error.reason == "oversized"
        if len(self.refused) < MAX_REASONS:
            self.refused.append({"line": line, "reason": error.reason, "text": str(error)})


def ingest_routes(collector: Collector, limits: IngestLimits) -> list[Route]:
    """`POST /v1/events` and `POST /v1/verdicts/<shape>` in front of a collector."""

    async def post_events(request: Request) -> Response:
        return await post(request, lambda given: given)

    async def post_verdicts(request: Request) -> Response:
        shape = request.path_params["shape"]
        if shape not in external.SHAPES:
            return _problem(404, "unknown_shape", f"verdicts are taken in the shapes of {', '.join(external.SHAPES)}")
        return await post(request, lambda given: external.fields(shape, _loaded(given)))

    async def post(request: Request, read: Read) -> Response:
        if _cross_site(request):
            return _problem(403, "cross_site", "a page of another site can't send events from a browser")
        try:
            async with asyncio.timeout(BODY_TIMEOUT_S):
                body = await _read(request, limits.max_request_bytes)
        except TimeoutError:
            return _problem(408, "slow_body", f"the body did not arrive within {BODY_TIMEOUT_S} s")
        except ClientDisconnect:
            return Response(status_code=400)
        except EventError as error:
            return _problem(413 if error.reason == "oversized" else 415, error.reason, str(error))
        content_type = request.headers.get("content-type", "").lower()
        ndjson = "ndjson" in content_type or "jsonl" in content_type
        sender = sender_of(request.scope)
        identity = sender.fields() if sender else {}
        if len(body) > INLINE_BYTES:
            parsed = await run_in_threadpool(_parse, body, ndjson, limits.max_event_bytes, identity, read)
        else:
            parsed = _parse(body, ndjson, limits.max_event_bytes, identity, read)
        lost = request.headers.get(DROPPED_HEADER, "")
        dropped = int(lost) if _COUNT.fullmatch(lost) else 0
        try:
            batch = _batch(request, body)
            if parsed.lines or dropped:
                accepted = await asyncio.wrap_future(collector.submit(parsed.lines, batch=batch, dropped=dropped))
            else:
                accepted = Accepted([])
        except EventError as error:
            return _problem(422, error.reason, str(error))
        except SpoolFull as error:
            return _problem(503, "spool_full", str(error), {"retry-after": str(RETRY_AFTER_S)})
        except StorageError as error:
            return _problem(507, "storage", str(error), {"retry-after": str(RETRY_AFTER_S)})
        return _answer(accepted, parsed)

    return [
        Route("/v1/events", post_events, methods=["POST"]),
        Route("/v1/verdicts/{shape}", post_verdicts, methods=["POST"]),
    ]


def _loaded(given: bytes | dict[str, Any]) -> Any:
    """What a line or a part of a JSON list says."""
    return events.load(given) if isinstance(given, bytes) else given


def _batch(request: Request, body: bytes) -> Batch | None:
    key = request.headers.get(BATCH_HEADER)
    if key is None:
        return None
    if not _KEY.fullmatch(key):
        raise EventError(f"{BATCH_HEADER}: should be 8 to 64 of letters, digits, '_', '.', '-'", "batch_key")
    return Batch(key, hashlib.sha256(body).hexdigest()[:32])


def _cross_site(request: Request) -> bool:
    """Whether a browser sends this for a page that is not ours: nobody else sends these headers."""
    origin = request.headers.get("origin")
    foreign = origin is not None and urlsplit(origin).netloc != request.headers.get("host")
    return foreign or request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin")


async def _read(request: Request, limit: int) -> bytes:
    encoding = request.headers.get("content-encoding", "identity").lower()
    if encoding != "identity":
        raise EventError(f"content-encoding {encoding[:20]!r} is not taken: send the body as it is", "encoding")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise EventError(f"the request is over {limit} bytes: send fewer events at once", "oversized")
    return bytes(body.removeprefix(_BOM))


def _parse(body: bytes, ndjson: bool, max_event_bytes: int, identity: dict[str, Any], read: Read) -> _Parsed:
    """Sorts good events from bad. A body that is not one JSON text but has several lines is taken as NDJSON.

    `identity`: the fields of who sends it, whatever it says of that itself. `read`: makes an event of what was sent.
    """
    now_ms = time.time_ns() // 1_000_000
    parsed = _Parsed()
    numbered: list[tuple[int, Any]]
    try:
        if ndjson:
            raise EventError("", "ndjson")
        whole = events.load(body)
        numbered = list(enumerate(whole if isinstance(whole, list) else [whole], 1))
    except EventError as error:
        numbered = [(number, line) for number, line in enumerate(body.split(b"\n"), 1) if line.strip()]
        if len(numbered) < 2 and error.reason != "ndjson":
            parsed.refuse(1, error)
            return parsed
    for number, item in numbered:
        try:
            if isinstance(item, bytes) and len(item) > max_event_bytes:
                raise EventError(f"the event is {len(item)} bytes, over {max_event_bytes}", "oversized")
            if not isinstance(item, bytes | dict):
                raise EventError("an event is a JSON object, this is something else", "not_an_object")
            line = canonical.dumps(events.parse(read(item), now_ms) | identity)
            if len(line) > max_event_bytes:
                raise EventError(f"the event is {len(line)} bytes, over {max_event_bytes}", "oversized")
            parsed.lines.append(line)
        except EventError as error:
            parsed.refuse(number, error)
    return parsed


def _answer(accepted: Accepted, parsed: _Parsed) -> Response:
    status = 200
    if parsed.refused:
        status = 413 if parsed.only_oversized else 422
    content: dict[str, Any] = {"accepted": len(accepted.places), "ids": accepted.ids}
    if accepted.left_out:
        content["left_out"] = accepted.left_out
    if accepted.dropped:
        content["dropped"] = accepted.dropped
    if parsed.refused:
        content["refused"] = parsed.refused
        content["refused_count"] = parsed.refused_count
    return _json(content, status)


def _problem(status: int, reason: str, text: str, headers: dict[str, str] | None = None) -> Response:
    EVENTS_REFUSED.labels(reason).inc()
    return _json({"accepted": 0, "reason": reason, "text": text}, status, headers)


def _json(content: dict[str, Any], status: int, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(content) + b"\n", status, headers, media_type="application/json")

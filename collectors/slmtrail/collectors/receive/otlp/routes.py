"""The endpoint for OTLP over HTTP: protobuf or JSON. It answers when the events are on disk."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from types import ModuleType
from typing import Any, Literal

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from slmtrail.collectors.batches import Batch
from slmtrail.collectors.collector import Collector
from slmtrail.collectors.receive.door import sender_of
from slmtrail.collectors.receive.otlp import jsonform
from slmtrail.collectors.receive.otlp.convert import Converted, Converter
from slmtrail.collectors.receive.otlp.status import PROTOBUF, failed, media_type
from slmtrail.core.errors import EventError, SpoolFull, StorageError
from slmtrail.core.metrics import EVENTS_REFUSED, SIGNALS_PASSED_OVER

BODY_TIMEOUT_S = 60
RETRY_AFTER_S = 5
CONVERTED_AT_ONCE = 2
"""Read into objects an export takes many times its bytes, and more threads would make none of them faster."""

NO_METRICS = "metrics are not taken: send traces and logs here, and metrics elsewhere"

Name = Literal["traces", "logs", "metrics"]


def otlp_routes(
    collector: Collector, max_event_bytes: int, max_request_bytes: int, *, keep_others: bool
) -> list[Route]:
    """`POST /v1/traces`, `/v1/logs` and `/v1/metrics` in front of a collector."""
    converter = Converter(max_event_bytes, keep_others)
    turns = asyncio.Semaphore(CONVERTED_AT_ONCE)

    def route(signal: Name) -> Route:
        async def post(request: Request) -> Response:
            return await _post(signal, request, collector, converter, turns, max_request_bytes)

        return Route(f"/v1/{signal}", post, methods=["POST"])

    return [route("traces"), route("logs"), route("metrics")]


async def _post(
    signal: Name,
    request: Request,
    collector: Collector,
    converter: Converter,
    turns: asyncio.Semaphore,
    max_request_bytes: int,
) -> Response:
    encoding = media_type(request.headers)
    if not encoding:
        return failed(request.headers, 415, "send application/x-protobuf or application/json")
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            body = await _read(request, max_request_bytes)
        form = _form(encoding)
        if signal == "metrics":
            async with turns:
                count = await run_in_threadpool(form.data_points, body)
            EVENTS_REFUSED.labels("metrics").inc(count)
            return Response(form.answer(signal, count, NO_METRICS if count else ""), media_type=encoding)
        sender = sender_of(request.scope)
        identity = sender.fields() if sender else {}
        async with turns:
            converted = await run_in_threadpool(_convert, signal, form, body, converter, identity)
        if converted.lines:
            accepted = await asyncio.wrap_future(collector.submit(converted.lines, batch=_batch(signal, body)))
            if accepted.dropped:
                converted.refuse(accepted.dropped, "the spool is full: events were dropped and signed for")
    except TimeoutError:
        return failed(request.headers, 408, f"the body did not arrive within {BODY_TIMEOUT_S} s")
    except ClientDisconnect:
        return Response(status_code=400)
    except EventError as error:
        EVENTS_REFUSED.labels(error.reason).inc()
        return failed(request.headers, 413 if error.reason == "oversized" else 400, str(error))
    except (SpoolFull, StorageError) as error:
        return failed(request.headers, 503, str(error), RETRY_AFTER_S)
    converter.committed(converted)
    EVENTS_REFUSED.labels("otlp").inc(converted.refused)
    SIGNALS_PASSED_OVER.labels(signal).inc(converted.passed_over)
    return Response(form.answer(signal, converted.refused, "; ".join(converted.reasons)), media_type=encoding)


def _convert(
    signal: Name, form: ModuleType, body: bytes, converter: Converter, identity: Mapping[str, Any]
) -> Converted:
    if signal == "traces":
        return converter.spans(form.spans(body), identity)
    return converter.logs(form.logs(body), identity)


def _batch(signal: Name, body: bytes) -> Batch:
    """Exporters send the same bytes again where no answer came: what was on disk by then is not doubled."""
    digest = hashlib.sha256(body).hexdigest()
    return Batch(f"otlp-{signal}-{digest[:32]}", digest[:32])


def _form(encoding: str) -> ModuleType:
    if encoding == PROTOBUF:
        from slmtrail.collectors.receive.otlp import protobuf

        return protobuf
    return jsonform


async def _read(request: Request, limit: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise EventError(f"the request is over {limit} bytes: send fewer at once", "oversized")
    return bytes(body)

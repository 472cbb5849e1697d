"""Exports as instrumentations send them, made with the protobuf messages of OTLP, and the events they become."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import orjson
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from slmtrail.collectors.receive.otlp import protobuf
from slmtrail.collectors.receive.otlp.convert import Converted, Converter

TRACE, SPAN, PARENT = bytes(range(16)), bytes(range(8)), bytes(range(1, 9))
START_NS = 1_767_323_045_678_000_000
"""2026-01-02T03:04:05.678Z"""

RESOURCE = {
    "service.name": "helpdesk",
    "service.version": "1.4.0",
    "deployment.environment.name": "prod",
    "host.name": "node-3",
    "process.pid": 77,
    "telemetry.sdk.name": "opentelemetry",
    "cloud.region": "eu-1",
}
_IDS = ("traceId", "spanId", "parentSpanId")


def value(given: Any) -> AnyValue:
    """A value of an attribute."""
    made = AnyValue()
    if isinstance(given, bool):
        made.bool_value = given
    elif isinstance(given, str):
        made.string_value = given
    elif isinstance(given, int):
        made.int_value = given
    elif isinstance(given, float):
        made.double_value = given
    elif isinstance(given, bytes):
        made.bytes_value = given
    elif isinstance(given, list):
        made.array_value.values.extend(value(item) for item in given)
    elif isinstance(given, dict):
        made.kvlist_value.values.extend(pairs(given))
    return made


def pairs(given: Mapping[str, Any]) -> list[KeyValue]:
    """Attributes."""
    return [KeyValue(key=name, value=value(item)) for name, item in given.items()]


def span(
    attributes: Mapping[str, Any],
    *,
    name: str = "chat phi-3",
    kind: int = 3,
    took_ms: int = 1250,
    events: list[tuple[str, int, dict[str, Any]]] | None = None,
    error: str | None = None,
    span_id: bytes = SPAN,
    parent_id: bytes = PARENT,
) -> Span:
    """A span; events are a name, milliseconds after its start, and attributes."""
    made = Span(
        name=name,
        kind=kind,  # type: ignore[arg-type]
        trace_id=TRACE,
        span_id=span_id,
        parent_span_id=parent_id,
        start_time_unix_nano=START_NS,
        end_time_unix_nano=START_NS + took_ms * 1_000_000,
        attributes=pairs(attributes),
        events=[
            Span.Event(name=event, time_unix_nano=START_NS + at_ms * 1_000_000, attributes=pairs(more))
            for event, at_ms, more in events or []
        ],
    )
    if error is not None:
        made.status.code = 2  # type: ignore[assignment]
        made.status.message = error
    return made


def record(
    name: str, attributes: Mapping[str, Any], body: Any = None, *, old: bool = False, span_id: bytes = SPAN
) -> LogRecord:
    """A named event; `old`: with its name where it was before it had a place of its own."""
    more = {"event.name": name} if old else {}
    made = LogRecord(
        time_unix_nano=START_NS,
        severity_number=9,  # type: ignore[arg-type]
        attributes=pairs({**more, **attributes}),
        trace_id=TRACE,
        span_id=span_id,
        event_name="" if old else name,
    )
    if body is not None:
        made.body.CopyFrom(value(body))
    return made


def traces(*spans: Span, resource: Mapping[str, Any] = RESOURCE) -> ExportTraceServiceRequest:
    """An export of spans."""
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    group.resource.attributes.extend(pairs(resource))
    scoped = group.scope_spans.add()
    scoped.scope.name, scoped.scope.version = "some.instrumentation", "2.0"
    scoped.spans.extend(spans)
    return request


def logs(*records: LogRecord, resource: Mapping[str, Any] = RESOURCE) -> ExportLogsServiceRequest:
    """An export of log records."""
    request = ExportLogsServiceRequest()
    group = request.resource_logs.add()
    group.resource.attributes.extend(pairs(resource))
    group.scope_logs.add().log_records.extend(records)
    return request


def as_json(request: Any) -> bytes:
    """An export in JSON as OTLP has it: ids in hex, where protobuf's own JSON has base64."""
    return orjson.dumps(_hex(MessageToDict(request, use_integers_for_enums=True)))


def _hex(given: Any) -> Any:
    if isinstance(given, list):
        return [_hex(item) for item in given]
    if not isinstance(given, dict):
        return given
    return {
        name: base64.b64decode(item).hex() if name in _IDS and isinstance(item, str) else _hex(item)
        for name, item in given.items()
    }


def converted(*requests: Any, keep_others: bool = False) -> Converted:
    """What the last of several exports becomes, after the others are on disk."""
    converter = Converter(1 << 20, keep_others)
    made = Converted()
    for request in requests:
        data = request.SerializeToString()
        is_logs = type(request).__name__ == "ExportLogsServiceRequest"
        made = converter.logs(protobuf.logs(data), {}) if is_logs else converter.spans(protobuf.spans(data), {})
        converter.committed(made)
    return made


def events(*requests: Any, keep_others: bool = False) -> list[dict[str, Any]]:
    """The same, as events; nothing may have been refused."""
    made = converted(*requests, keep_others=keep_others)
    assert made.refused == 0, made.reasons
    return [orjson.loads(line) for line in made.lines]


def holds(event: dict[str, Any], expected: dict[str, Any]) -> None:
    """Asserts that fields are as expected; None: that they are not there."""
    assert {name: event.get(name) for name in expected} == expected


def said(event: dict[str, Any], side: str) -> list[tuple[str, list[Any]]]:
    """Roles, and what their parts hold."""
    return [
        (
            message["role"],
            [_held(part) for part in message["parts"]],
        )
        for message in event[f"gen_ai.{side}.messages"]
    ]


def _held(part: dict[str, Any]) -> Any:
    return part.get("content") or part.get("result") or (part["type"], part.get("arguments"))


def told(event: dict[str, Any]) -> dict[str, Any]:
    """What has no field of its own."""
    return orjson.loads(event["slm.attributes"])

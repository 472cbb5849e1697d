"""OTLP in protobuf. Only here are its messages imported: they cost memory that other collectors keep."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from slmtrail.collectors.receive.otlp.signals import LogRecord, Moment, Origin, Received, Span
from slmtrail.core.errors import EventError

MAX_DEPTH = 64
_ANSWERS: dict[str, tuple[Any, str]] = {
    "traces": (ExportTraceServiceResponse, "rejected_spans"),
    "logs": (ExportLogsServiceResponse, "rejected_log_records"),
    "metrics": (ExportMetricsServiceResponse, "rejected_data_points"),
}


def spans(body: bytes) -> Received:
    """The spans in a request. Raises EventError where it is none."""
    received = Received()
    for group in _parsed(ExportTraceServiceRequest(), body).resource_spans:
        for origin, scoped in _origins(group.resource, group.scope_spans):
            for span in scoped.spans:
                _read(received, span, origin, _span)
    return received


def logs(body: bytes) -> Received:
    """The log records in a request. Raises EventError where it is none."""
    received = Received()
    for group in _parsed(ExportLogsServiceRequest(), body).resource_logs:
        for origin, scoped in _origins(group.resource, group.scope_logs):
            for record in scoped.log_records:
                _read(received, record, origin, _log)
    return received


def data_points(body: bytes) -> int:
    """How many points of metrics a request holds. Raises EventError where it is none."""
    request = _parsed(ExportMetricsServiceRequest(), body)
    metrics = (metric for group in request.resource_metrics for one in group.scope_metrics for metric in one.metrics)
    return sum(
        len(getattr(metric, kind).data_points) for metric in metrics if (kind := metric.WhichOneof("data")) is not None
    )


def answer(signal: str, rejected: int, text: str) -> bytes:
    """The answer to a request of which all but `rejected` were taken."""
    make, field = _ANSWERS[signal]
    said = make()
    if text:
        setattr(said.partial_success, field, rejected)
        said.partial_success.error_message = text
    return bytes(said.SerializeToString())


def _parsed(request: Any, body: bytes) -> Any:
    try:
        request.ParseFromString(body)
    except DecodeError:
        raise EventError("not a protobuf message of OTLP, or one with text that is not UTF-8", "not_protobuf") from None
    return request


def _origins(resource: Any, scopes: Iterable[Any]) -> Iterator[tuple[Origin, Any]]:
    attributes = _mapping(resource.attributes, MAX_DEPTH)
    for scoped in scopes:
        yield Origin(attributes, scoped.scope.name, scoped.scope.version), scoped


def _read(received: Received, given: Any, origin: Origin, read: Any) -> None:
    try:
        received.signals.append(read(given, origin))
    except EventError as error:
        received.faults.append(str(error))


def _span(given: Any, origin: Origin) -> Span:
    return Span(
        origin=origin,
        name=given.name,
        kind=given.kind,
        trace_id=_id(given.trace_id),
        span_id=_id(given.span_id),
        parent_id=_id(given.parent_span_id),
        start_ns=given.start_time_unix_nano,
        end_ns=given.end_time_unix_nano,
        attributes=_mapping(given.attributes, MAX_DEPTH),
        moments=[Moment(one.name, one.time_unix_nano, _mapping(one.attributes, MAX_DEPTH)) for one in given.events],
        links=[(_id(link.trace_id), _id(link.span_id)) for link in given.links],
        status=given.status.code,
        status_text=given.status.message,
    )


def _log(given: Any, origin: Origin) -> LogRecord:
    return LogRecord(
        origin=origin,
        name=given.event_name,
        time_ns=given.time_unix_nano or given.observed_time_unix_nano,
        severity=given.severity_number,
        severity_text=given.severity_text,
        body=_value(given.body, MAX_DEPTH),
        attributes=_mapping(given.attributes, MAX_DEPTH),
        trace_id=_id(given.trace_id),
        span_id=_id(given.span_id),
    )


def _id(given: bytes) -> str:
    return given.hex() if given.strip(b"\0") else ""


def _mapping(pairs: Iterable[Any], depth: int) -> dict[str, Any]:
    return {pair.key: _value(pair.value, depth) for pair in pairs if pair.key}


def _value(given: Any, depth: int) -> Any:
    if depth == 0:
        raise EventError(f"an attribute is nested deeper than {MAX_DEPTH} levels", "too_deep")
    kind = given.WhichOneof("value")
    if kind is None:
        return None
    value = getattr(given, kind)
    if kind == "array_value":
        return [_value(item, depth - 1) for item in value.values]
    if kind == "kvlist_value":
        return _mapping(value.values, depth - 1)
    return base64.b64encode(value).decode() if kind == "bytes_value" else value

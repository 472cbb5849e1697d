"""OTLP in JSON: ids in hex, whole numbers of 64 bits as text or as numbers, names in either spelling."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import orjson

from slmtrail.collectors.receive.otlp.signals import LogRecord, Moment, Origin, Received, Signal, Span
from slmtrail.core import canonical, events
from slmtrail.core.errors import EventError

MAX_DEPTH = 64
MAX_NS = 2**64 - 1
_HEX = re.compile(r"(?!0+$)[0-9a-f]{1,64}")
_WHOLE = re.compile(r"-?[0-9]{1,19}")
_DECIMAL = re.compile(r"-?[0-9]{1,19}(\.[0-9]{1,19})?([eE][+-]?[0-9]{1,3})?|NaN|-?Infinity")
_HUMP = re.compile(r"[A-Z]")
_REJECTED = {"traces": "rejectedSpans", "logs": "rejectedLogRecords", "metrics": "rejectedDataPoints"}
_POINTS = ("gauge", "sum", "histogram", "exponentialHistogram", "summary")


def spans(body: bytes) -> Received:
    """The spans in a request. Raises EventError where it is none."""
    return _received(body, "resourceSpans", "scopeSpans", "spans", _span)


def logs(body: bytes) -> Received:
    """The log records in a request. Raises EventError where it is none."""
    return _received(body, "resourceLogs", "scopeLogs", "logRecords", _log)


def data_points(body: bytes) -> int:
    """How many points of metrics a request holds. Raises EventError where it is none."""
    return sum(
        len(_list(_of(metric, kind), "dataPoints"))
        for _, scoped in _scopes(_request(body), "resourceMetrics", "scopeMetrics")
        for metric in _list(scoped, "metrics")
        for kind in _POINTS
    )


def answer(signal: str, rejected: int, text: str) -> bytes:
    """The answer to a request of which all but `rejected` were taken."""
    told = {"partialSuccess": {_REJECTED[signal]: str(rejected), "errorMessage": text}} if text else {}
    return orjson.dumps(told)


def _received(
    body: bytes, groups: str, scopes: str, items: str, read: Callable[[dict[str, Any], Origin], Signal]
) -> Received:
    received = Received()
    for resource, scoped in _scopes(_request(body), groups, scopes):
        scope = _of(scoped, "scope")
        origin = Origin(resource, _text(_of(scope, "name")), _text(_of(scope, "version")))
        for item in _list(scoped, items):
            try:
                if not isinstance(item, dict):
                    raise EventError("should be a JSON object, this is something else", "not_an_object")
                received.signals.append(read(item, origin))
            except EventError as error:
                received.faults.append(str(error))
    return received


def _request(body: bytes) -> dict[str, Any]:
    request = events.load(body)
    if not isinstance(request, dict):
        raise EventError("a request is a JSON object, this is something else", "not_an_object")
    return request


def _scopes(request: dict[str, Any], groups: str, scopes: str) -> Iterator[tuple[dict[str, Any], Any]]:
    for group in _list(request, groups):
        resource = _mapping(_of(_of(group, "resource"), "attributes"), MAX_DEPTH)
        for scoped in _list(group, scopes):
            yield resource, scoped


def _span(given: dict[str, Any], origin: Origin) -> Span:
    return Span(
        origin=origin,
        name=_text(_of(given, "name")),
        kind=_enum(_of(given, "kind"), "SPAN_KIND_", ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT")),
        trace_id=_id(_of(given, "traceId")),
        span_id=_id(_of(given, "spanId")),
        parent_id=_id(_of(given, "parentSpanId")),
        start_ns=_whole(_of(given, "startTimeUnixNano")),
        end_ns=_whole(_of(given, "endTimeUnixNano")),
        attributes=_mapping(_of(given, "attributes"), MAX_DEPTH),
        moments=[
            Moment(
                _text(_of(one, "name")),
                _whole(_of(one, "timeUnixNano")),
                _mapping(_of(one, "attributes"), MAX_DEPTH),
            )
            for one in _list(given, "events")
        ],
        links=[(_id(_of(link, "traceId")), _id(_of(link, "spanId"))) for link in _list(given, "links")],
        status=_enum(_of(_of(given, "status"), "code"), "STATUS_CODE_", ("UNSET", "OK", "ERROR")),
        status_text=_text(_of(_of(given, "status"), "message")),
    )


def _log(given: dict[str, Any], origin: Origin) -> LogRecord:
    return LogRecord(
        origin=origin,
        name=_text(_of(given, "eventName")),
        time_ns=_whole(_of(given, "timeUnixNano")) or _whole(_of(given, "observedTimeUnixNano")),
        severity=_whole(_of(given, "severityNumber")),
        severity_text=_text(_of(given, "severityText")),
        body=_value(_of(given, "body"), MAX_DEPTH),
        attributes=_mapping(_of(given, "attributes"), MAX_DEPTH),
        trace_id=_id(_of(given, "traceId")),
        span_id=_id(_of(given, "spanId")),
    )


def _of(given: Any, name: str) -> Any:
    """What `given` holds under a name, or under the same name with underscores."""
    if not isinstance(given, dict):
        return None
    if name in given:
        return given[name]
    return given.get(_HUMP.sub(lambda hump: f"_{hump[0].lower()}", name))


def _list(given: Any, name: str) -> list[Any]:
    found = _of(given, name)
    return found if isinstance(found, list) else []


def _text(given: Any) -> str:
    return canonical.text(given) if isinstance(given, str) else ""


def _id(given: Any) -> str:
    text = _text(given).lower()
    return text if _HEX.fullmatch(text) else ""


def _whole(given: Any) -> int:
    if isinstance(given, str) and len(given) <= 20 and given.isascii() and given.isdigit():
        given = int(given)
    return given if isinstance(given, int) and not isinstance(given, bool) and 0 <= given <= MAX_NS else 0


def _enum(given: Any, prefix: str, names: tuple[str, ...]) -> int:
    if isinstance(given, str) and given.removeprefix(prefix) in names:
        return names.index(given.removeprefix(prefix))
    return _whole(given)


def _mapping(pairs: Any, depth: int) -> dict[str, Any]:
    found = pairs if isinstance(pairs, list) else []
    return {_text(pair["key"]): _value(pair.get("value"), depth) for pair in found if _is_named(pair)}


def _is_named(pair: Any) -> bool:
    return isinstance(pair, dict) and isinstance(pair.get("key"), str) and pair["key"] != ""


def _value(given: Any, depth: int) -> Any:
    if depth == 0:
        raise EventError(f"an attribute is nested deeper than {MAX_DEPTH} levels", "too_deep")
    if not isinstance(given, dict):
        return _plain(given)
    kind = next((name for name in _KINDS if _of(given, name) is not None), None)
    if kind is None:
        return None
    value = _of(given, kind)
    if kind == "arrayValue":
        return [_value(item, depth - 1) for item in _list(value, "values")]
    if kind == "kvlistValue":
        return _mapping(_of(value, "values"), depth - 1)
    if kind == "intValue" and isinstance(value, str) and _WHOLE.fullmatch(value):
        value = int(value)
    if kind == "doubleValue" and isinstance(value, str | int) and not isinstance(value, bool):
        value = float(value) if _DECIMAL.fullmatch(str(value)) else value
    return _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return str(value)
    return _text(value) if isinstance(value, str) else value if isinstance(value, int | float) else None


_KINDS = ("stringValue", "intValue", "doubleValue", "boolValue", "arrayValue", "kvlistValue", "bytesValue")

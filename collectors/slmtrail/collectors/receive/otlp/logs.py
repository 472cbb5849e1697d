"""From log records to events: the named events of the GenAI conventions, and what else speaks of models."""

from __future__ import annotations

from typing import Any

import orjson

from slmtrail.collectors.receive.otlp.messages import SPOKEN, is_mute, spoken
from slmtrail.collectors.receive.otlp.related import about_models
from slmtrail.collectors.receive.otlp.shape import from_resource, kind_of, told_by
from slmtrail.collectors.receive.otlp.signals import LogRecord, Moment
from slmtrail.collectors.receive.otlp.spans import DETAILS, EVALUATION, Made, evaluated, failed, step_fields
from slmtrail.collectors.tail.formats.values import known, word

SAID = "messages"
"""The name of the step that holds messages which came apart from their inference."""


def name_of(record: LogRecord) -> str:
    """The name of an event; empty for an ordinary log record."""
    return record.name or word(record.attributes.get("event.name")) or ""


def is_related(record: LogRecord) -> bool:
    """Whether a log record speaks of models, and says something: without content messages are only their roles."""
    if name_of(record) in SPOKEN:
        return not is_mute(record.body)
    return name_of(record).startswith("gen_ai.") or about_models(record.attributes)


def made_of(records: list[LogRecord]) -> list[tuple[list[LogRecord], Made]]:
    """The events of log records, each with those it is made of. Messages of one span become one event."""
    made: list[tuple[list[LogRecord], Made]] = []
    talks: dict[tuple[str, str], list[LogRecord]] = {}
    for record in records:
        if name_of(record) in SPOKEN and record.span_id:
            talks.setdefault((record.trace_id, record.span_id), []).append(record)
        else:
            made.append(([record], _spoken([record]) if name_of(record) in SPOKEN else _one(record)))
    return made + [(talk, _spoken(talk)) for talk in talks.values()]


def _one(record: LogRecord) -> Made:
    name, body = name_of(record), record.body
    attributes = {n: v for n, v in record.attributes.items() if n != "event.name"}
    if name == DETAILS and isinstance(body, dict):  # where an earlier draft put them
        attributes, body = {**body, **attributes}, None
    told = told_by(attributes)
    event, about = _shared(record)
    event |= told.fields
    kind, step = kind_of(told)
    if name == EVALUATION:
        event |= {"slm.kind": "process"} | evaluated(told, name)
    elif name == DETAILS or (kind == "inference" and not name):
        event |= {"slm.kind": "inference"}
    else:
        event |= {"slm.kind": "process"} | step_fields(told, step, name or record.origin.scope or "log")
    exception = Moment("exception", record.time_ns, record.attributes)
    if "error.type" in told.fields or "exception.type" in record.attributes:
        event |= failed(told, [exception], "")
    elif name == DETAILS:
        event["event.outcome"] = "success"
    if body is not None:
        event["message"] = body if isinstance(body, str) else orjson.dumps(body).decode()
    return Made(known(event), told.rest, about)


def _spoken(records: list[LogRecord]) -> Made:
    """Messages without their inference, which comes as a span."""
    event, about = _shared(records[0])
    turns: dict[str, list[Any]] = {}
    rest: dict[str, Any] = {}
    for record in records:
        told = told_by({n: v for n, v in record.attributes.items() if n != "event.name"})
        event = told.fields | event
        rest |= told.rest
        field, message = spoken(name_of(record), record.body if record.body is not None else {})
        turns.setdefault(field, []).append(message)
    return Made(event | turns | {"slm.kind": "process", "slm.step.name": SAID, "slm.step.type": "state"}, rest, about)


def _shared(record: LogRecord) -> tuple[dict[str, Any], dict[str, Any]]:
    fields, about = from_resource(record.origin)
    if name_of(record):
        about["event"] = name_of(record)
    if severity := known({"number": record.severity or None, "text": record.severity_text or None}):
        about["severity"] = severity
    event = {
        **fields,
        "@timestamp": record.time_ns // 1_000_000 or None,
        "trace.id": record.trace_id or None,
        "span.id": record.span_id or None,
        "event.outcome": "unknown",
    }
    return known(event), about

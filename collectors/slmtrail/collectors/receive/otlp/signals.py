"""Spans and log records as a request brings them, whatever its encoding."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

SERVER, CLIENT = 2, 3
"""The kinds of spans that stand at the two ends of a call."""

FAILED = 2
"""The status of a span that went wrong."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The resource and the instrumentation that a span or log record comes from."""

    resource: dict[str, Any] = field(default_factory=dict)
    scope: str = ""
    scope_version: str = ""


@dataclass(slots=True)
class Moment:
    """An event within a span."""

    name: str
    time_ns: int
    attributes: dict[str, Any]


@dataclass(slots=True)
class Span:
    """One operation. Ids are hex, empty where there is none."""

    origin: Origin
    name: str
    kind: int
    trace_id: str
    span_id: str
    parent_id: str
    start_ns: int
    end_ns: int
    attributes: dict[str, Any]
    moments: list[Moment]
    links: list[tuple[str, str]]
    status: int
    status_text: str


@dataclass(slots=True)
class LogRecord:
    """One log record, or a named event."""

    origin: Origin
    name: str
    time_ns: int
    severity: int
    severity_text: str
    body: Any
    attributes: dict[str, Any]
    trace_id: str
    span_id: str


Signal = Span | LogRecord


@dataclass(slots=True)
class Received:
    """What a request held, and why parts of it could not be read."""

    signals: list[Signal] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

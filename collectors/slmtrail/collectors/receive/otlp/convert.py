"""From what a request brought to lines of events, with what was passed over and what was refused, and why."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from slmtrail.collectors.receive.otlp import logs, spans
from slmtrail.collectors.receive.otlp.related import Remembered, about_models, asks_model, is_call
from slmtrail.collectors.receive.otlp.shape import line
from slmtrail.collectors.receive.otlp.signals import CLIENT, LogRecord, Received, Span
from slmtrail.collectors.receive.otlp.spans import Made
from slmtrail.core.errors import EventError

MAX_REMEMBERED = 60_000
MAX_REASONS = 5
"""Different reasons spelled out in one answer."""

MAX_REASON_CHARS = 300


@dataclass(slots=True)
class Converted:
    """The lines of a request. `refused` counts signals, as the protocol does."""

    lines: list[bytes] = field(default_factory=list)
    refused: int = 0
    reasons: list[str] = field(default_factory=list)
    passed_over: int = 0
    inferences: set[str] = field(default_factory=set)
    traces: list[str] = field(default_factory=list)

    def refuse(self, count: int, reason: str) -> None:
        """Counts signals that became no event."""
        self.refused += count
        reason = reason[:MAX_REASON_CHARS]
        if reason not in self.reasons and len(self.reasons) < MAX_REASONS:
            self.reasons.append(reason)


class Converter:
    """Turns signals into events. Remembers, for a while, which spans have told of an inference, and which traces.

    A program may tell of one inference twice: in a span and in a log record, in any order and apart, or in the span of
    a framework and in that of the client right below it. The second, and of two spans the inner one where both are
    known, becomes a step with the same ids, so that inferences are counted once.
    """

    def __init__(self, max_event_bytes: int, keep_others: bool) -> None:
        self._max_event_bytes = max_event_bytes
        self._keep_others = keep_others
        self._inferences = Remembered(MAX_REMEMBERED)
        self._traces = Remembered(MAX_REMEMBERED)

    def spans(self, received: Received, identity: Mapping[str, Any]) -> Converted:
        """The events of spans. `identity`: the fields of who sends them."""
        converted = _begun(received)
        given = [signal for signal in received.signals if isinstance(signal, Span)]
        traces = {span.trace_id for span in given if about_models(span.attributes)} - {""}
        converted.traces += traces
        related = [span for span in given if self._keep_others or self._is_related(span, traces)]
        converted.passed_over += len(given) - len(related)
        told = [made for span in related for made in spans.made_of(span)]
        outer = {_place(made.event, "span.id") for made in told if _own_key(made.event)}
        for made in told:
            self._take(converted, made, identity, 1, outer)
        return converted

    def logs(self, received: Received, identity: Mapping[str, Any]) -> Converted:
        """The events of log records. `identity`: the fields of who sends them."""
        converted = _begun(received)
        given = [signal for signal in received.signals if isinstance(signal, LogRecord)]
        related = [record for record in given if self._keep_others or logs.is_related(record)]
        converted.passed_over += len(given) - len(related)
        for records, made in logs.made_of(related):
            self._take(converted, made, identity, len(records), set())
        return converted

    def committed(self, converted: Converted) -> None:
        """Remembers what is on disk."""
        for key in converted.inferences:
            self._inferences.add(key)
        for trace in converted.traces:
            self._traces.add(trace)

    def _is_related(self, span: Span, traces: set[str]) -> bool:
        if about_models(span.attributes) or any(moment.name.startswith("gen_ai.") for moment in span.moments):
            return True
        if span.kind != CLIENT or not is_call(span.attributes):
            return False
        return span.trace_id in traces or span.trace_id in self._traces or asks_model(span)

    def _take(self, converted: Converted, made: Made, identity: Mapping[str, Any], count: int, outer: set[str]) -> None:
        try:
            if own := _own_key(made.event):
                here, above = _place(made.event, "span.id"), _place(made.event, "parent.id")
                keys = (own, above, f"above {here}")
                again = any(key in self._inferences or key in converted.inferences for key in keys if key)
                inner = above in outer
                if again or inner:
                    _as_step(made)
                converted.inferences |= {own, here} if inner and not again else {own, here, f"above {above}"}
            event = {**made.event, **identity}
            converted.lines.append(line(event, made.rest, made.about, self._max_event_bytes, _now_ms()))
        except EventError as error:
            converted.refuse(count, str(error))


def _begun(received: Received) -> Converted:
    converted = Converted()
    for fault in received.faults:
        converted.refuse(1, fault)
    return converted


def _own_key(event: dict[str, Any]) -> str:
    """What an inference is known again by; empty where it has no ids, and for other kinds."""
    if event["slm.kind"] != "inference" or not event.get("span.id"):
        return ""
    return f"{event.get('trace.id', '')}/{event['span.id']}"


def _place(event: dict[str, Any], name: str) -> str:
    """What another span of the same program tells the same inference from: its own place, or that right above it."""
    if not event.get(name):
        return ""
    operation = event.get("gen_ai.operation.name")
    what = operation if operation in ("embeddings", "image_generation") else "text"
    return f"{event.get('trace.id', '')}/{event[name]} {what} {event.get('service.name', '')}"


def _as_step(made: Made) -> None:
    name = made.about.pop("span", None) or made.about.get("event") or "inference"
    made.event |= {"slm.kind": "process", "slm.step.name": name, "slm.step.type": "generate"}


def _now_ms() -> int:
    return time.time_ns() // 1_000_000

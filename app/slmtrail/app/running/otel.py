"""The tracer that exports by OTLP over HTTP: OpenTelemetry's own, given the ids that frames have."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from importlib import metadata
from typing import TYPE_CHECKING

from slmtrail.core.settings import Settings
from slmtrail.core.tracing import TRACING, FrameId, Work, ids

if TYPE_CHECKING:
    from opentelemetry.trace import SpanContext
    from opentelemetry.util.types import AttributeValue

MAX_LINKS = 128
END_MS = 3000
"""How long a process that ends waits until its last spans are taken."""


@contextlib.contextmanager
def traced(settings: Settings) -> Iterator[None]:
    """Exports spans meanwhile to `tracing.endpoint`; without the setting, does nothing."""
    if not settings.tracing.endpoint:
        yield
        return
    tracer = OtelTracer(settings.tracing.endpoint)
    TRACING.tracer = tracer
    try:
        yield
    finally:
        TRACING.tracer = None
        tracer.close()


class OtelTracer:
    """The Tracer port."""

    def __init__(self, endpoint: str) -> None:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

        class Ids(RandomIdGenerator):
            """Those of the frame whose trace begins; else random ones."""

            def generate_trace_id(self) -> int:
                given = _BEGINS.get()
                return given[0] if given else super().generate_trace_id()

            def generate_span_id(self) -> int:
                given = _BEGINS.get()
                return given[1] if given else super().generate_span_id()

        about = Resource.create({"service.name": "slmtrail", "service.version": metadata.version("slmtrail")})
        self._provider = TracerProvider(resource=about, id_generator=Ids())
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
        self._tracer = self._provider.get_tracer("slmtrail")

    @contextlib.contextmanager
    def span(self, work: Work, frames: Iterable[FrameId]) -> Iterator[None]:
        """Measures work. What is shipped is a span a frame; further on there is one a batch, in the trace of its first
        frame, with links to the others."""
        from opentelemetry.context import Context
        from opentelemetry.trace import Link, NonRecordingSpan, SpanKind, Status, StatusCode, set_span_in_context

        known = list(dict.fromkeys(frames))
        if work == "ship":
            spans = []
            for frame in known:
                token = _BEGINS.set(ids(frame))
                about: dict[str, AttributeValue] = {"slm.collector.id": frame[0], "slm.collector.frame": frame[2]}
                spans.append(self._tracer.start_span(work, Context(), SpanKind.PRODUCER, about))
                _BEGINS.reset(token)
        else:
            contexts = [_context(frame) for frame in known[: MAX_LINKS + 1]]
            parent = set_span_in_context(NonRecordingSpan(contexts[0]), Context()) if contexts else Context()
            links = [Link(context) for context in contexts[1:]]
            count = {"slm.frames": len(known)}
            spans = [self._tracer.start_span(work, parent, SpanKind.CONSUMER, count, links)]
        try:
            yield
        except BaseException as error:
            for span in spans:
                span.set_status(Status(StatusCode.ERROR, type(error).__name__))
            raise
        finally:
            for span in spans:
                span.end()

    def close(self) -> None:
        """Sends what is left."""
        self._provider.force_flush(END_MS)
        self._provider.shutdown()


_BEGINS: ContextVar[tuple[int, int] | None] = ContextVar("begins", default=None)


def _context(frame: FrameId) -> SpanContext:
    from opentelemetry.trace import SpanContext, TraceFlags

    return SpanContext(*ids(frame), is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))

"""Spans of the pipeline itself: a frame's trace goes on from stage to stage, though nothing travels with the frame."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from slmtrail.app.running.otel import OtelTracer, traced
from slmtrail.core.settings import Settings
from slmtrail.core.tracing import TRACING, FrameId, ids

FRAMES: list[FrameId] = [("edge", "b1", 0), ("edge", "b1", 1), ("tail", "b2", 0)]


@contextmanager
def receiving() -> Iterator[tuple[str, list[Any]]]:
    """An OTLP endpoint, and the spans that it got."""
    spans: list[Any] = []

    class Take(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            packed = self.headers.get("content-encoding") == "gzip"
            request = ExportTraceServiceRequest.FromString(gzip.decompress(body) if packed else body)
            for resource in request.resource_spans:
                for scope in resource.scope_spans:
                    spans.extend(scope.spans)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    with HTTPServer(("127.0.0.1", 0), Take) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1/traces", spans
        server.shutdown()
        thread.join()


def test_what_each_stage_did_with_a_frame_is_one_trace() -> None:
    with receiving() as (endpoint, spans):
        edge, stream = OtelTracer(endpoint), OtelTracer(endpoint)  # as in processes of their own
        with edge.span("ship", FRAMES):
            pass
        with stream.span("process", [*FRAMES, FRAMES[0]]):
            pass
        edge.close()
        stream.close()
    shipped, (processed,) = spans[:3], spans[3:]
    assert [(int.from_bytes(each.trace_id), int.from_bytes(each.span_id)) for each in shipped] == [*map(ids, FRAMES)]
    assert not any(each.parent_span_id for each in shipped)
    assert (processed.trace_id, processed.parent_span_id) == (shipped[0].trace_id, shipped[0].span_id)
    assert [(link.trace_id, link.span_id) for link in processed.links] == [(s.trace_id, s.span_id) for s in shipped[1:]]
    assert processed.span_id not in {each.span_id for each in shipped}


def test_a_failure_is_told_by_its_kind_alone() -> None:
    with (
        receiving() as (endpoint, spans),
        pytest.raises(ValueError, match="alice"),
        traced(Settings.model_validate({"tracing": {"endpoint": endpoint}})),
        TRACING.span("store", lambda: FRAMES[:1]),
    ):
        raise ValueError("alice@example.com")
    (span,) = spans
    assert span.status.message == "ValueError"
    assert b"alice" not in span.SerializeToString()
    assert TRACING.tracer is None


def test_without_the_setting_nobody_asks_for_frames() -> None:
    with traced(Settings()), TRACING.span("store", lambda: pytest.fail("asked")):
        assert TRACING.tracer is None


def test_an_endpoint_that_is_away_stops_nothing() -> None:
    tracer = OtelTracer("http://127.0.0.1:9/v1/traces")
    with tracer.span("process", []):
        pass
    tracer._provider.shutdown()

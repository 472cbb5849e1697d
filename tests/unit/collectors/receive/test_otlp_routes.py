"""The endpoint for OTLP: what it answers, and what is on disk by then."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from starlette.applications import Starlette
from starlette.middleware import Middleware

import otlp
from slmtrail.collectors.collector import Collector
from slmtrail.collectors.receive import senders
from slmtrail.collectors.receive.door import Door
from slmtrail.collectors.receive.otlp.routes import otlp_routes
from slmtrail.collectors.receive.pressure import Pressure, Room
from slmtrail.collectors.spool import Spool

PROTOBUF = {"content-type": "application/x-protobuf"}
JSON = {"content-type": "application/json; charset=utf-8"}
CHAT = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}
EXPORT = otlp.traces(otlp.span(CHAT), otlp.span(CHAT, span_id=b"12345678"))


class Endpoint:
    """A collector behind it."""

    def __init__(self, collector: Collector, post: Callable[..., Any], max_request_bytes: int) -> None:
        routes = otlp_routes(collector, 20_000, max_request_bytes, keep_others=False)
        pressure = Middleware(Pressure, room=Room(1 << 26), filling=lambda: False)
        self._app = Starlette(routes=routes, middleware=[pressure])
        self._post = post

    def __call__(self, path: str, *pieces: bytes, headers: dict[str, str], **more: Any) -> Any:
        return self._post(self._app, path, *pieces, headers=headers, **more)


@pytest.fixture
def endpoint(collecting: Callable[..., Collector], spool: Spool, post: Callable[..., Any]) -> Endpoint:
    return Endpoint(collecting(spool, heartbeat_ms=3_600_000), post, 200_000)


def _kinds(boots: Any) -> list[str]:
    return [json.loads(line)["slm.kind"] for line in boots.lines]


@pytest.mark.parametrize("fold", [bytes, gzip.compress])
@pytest.mark.parametrize(("headers", "encode"), [(PROTOBUF, lambda r: r.SerializeToString()), (JSON, otlp.as_json)])
def test_an_export_is_on_disk_when_it_is_answered(
    endpoint: Endpoint, spool: Spool, read: Any, fold: Any, headers: dict[str, str], encode: Any
) -> None:
    more = {"content-encoding": "gzip"} if fold is gzip.compress else {}
    answer = endpoint("/v1/traces", fold(encode(EXPORT)), headers=headers | more)
    assert answer.status == 200
    assert answer.headers["content-type"] == headers["content-type"].partition(";")[0]
    assert answer.body == (b"" if headers is PROTOBUF else b"{}")
    assert _kinds(read(spool)) == ["inference", "inference"]


def test_log_records_too(endpoint: Endpoint, spool: Spool, read: Any) -> None:
    request = otlp.logs(otlp.record("gen_ai.client.inference.operation.details", CHAT))
    answer = endpoint("/v1/logs", request.SerializeToString(), headers=PROTOBUF)
    assert (answer.status, ExportLogsServiceResponse.FromString(answer.body)) == (200, ExportLogsServiceResponse())
    assert _kinds(read(spool)) == ["inference"]


def test_an_export_that_comes_again_after_a_lost_answer_doubles_nothing(
    endpoint: Endpoint, spool: Spool, read: Any
) -> None:
    for _ in range(3):
        assert endpoint("/v1/traces", EXPORT.SerializeToString(), headers=PROTOBUF).status == 200
    assert endpoint(
        "/v1/traces", gzip.compress(EXPORT.SerializeToString()), headers=PROTOBUF | {"content-encoding": "gzip"}
    )
    assert _kinds(read(spool)) == ["inference", "inference"]


def test_what_could_not_be_taken_is_told_as_partial_success(endpoint: Endpoint, spool: Spool, read: Any) -> None:
    deep = orjson.loads(otlp.as_json(otlp.traces(otlp.span(CHAT, span_id=b"87654321"))))
    value: Any = {"stringValue": "x"}
    for _ in range(70):
        value = {"arrayValue": {"values": [value]}}
    deep["resourceSpans"][0]["scopeSpans"][0]["spans"].append({"attributes": [{"key": "gen_ai.x", "value": value}]})
    answer = endpoint("/v1/traces", json.dumps(deep).encode(), headers=JSON)
    assert answer.status == 200
    told_json = orjson.loads(answer.body)["partialSuccess"]
    assert (told_json["rejectedSpans"], "64 levels" in told_json["errorMessage"]) == ("1", True)
    assert _kinds(read(spool)) == ["inference"]


def test_metrics_are_turned_away_without_a_fuss(endpoint: Endpoint) -> None:
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add()
    metric.sum.data_points.add()
    answer = endpoint("/v1/metrics", request.SerializeToString(), headers=PROTOBUF)
    told = ExportMetricsServiceResponse.FromString(answer.body).partial_success
    assert (answer.status, told.rejected_data_points) == (200, 1)
    answer = endpoint("/v1/metrics", otlp.as_json(request), headers=JSON)
    assert orjson.loads(answer.body)["partialSuccess"]["rejectedDataPoints"] == "1"


@pytest.mark.parametrize(
    ("body", "headers", "status", "word"),
    [
        (b"\xff\xff\xff", PROTOBUF, 400, "protobuf"),
        (b"{", JSON, 400, "JSON"),
        (b"[]", JSON, 400, "object"),
        (b"\xff", JSON, 400, "UTF-8"),
        (b"", {"content-type": "text/plain"}, 415, "application/x-protobuf"),
        (b"", {}, 415, "application/x-protobuf"),
        (bytes(200_001), PROTOBUF, 413, "200000"),
        (gzip.compress(bytes(10_000_000)), PROTOBUF | {"content-encoding": "gzip"}, 413, "200000"),
        (b"not gzip", JSON | {"content-encoding": "gzip"}, 400, "compressed"),
        (b"", JSON | {"content-encoding": "zstd"}, 415, "gzip"),
    ],
    ids=range(10),
)
def test_what_is_no_export_is_refused_in_the_senders_encoding(
    endpoint: Endpoint, spool: Spool, read: Any, body: bytes, headers: dict[str, str], status: int, word: str
) -> None:
    answer = endpoint("/v1/traces", body, headers=headers)
    assert answer.status == status
    said = (
        orjson.loads(answer.body)["message"]
        if "json" in headers.get("content-type", "")
        else Status.FromString(answer.body).message
    )
    assert word in said
    assert read(spool).lines == []


def test_a_full_spool_puts_the_sender_off(
    collecting: Callable[..., Collector], post: Callable[..., Any], tmp_path: Any, read: Any
) -> None:
    small = Spool(tmp_path / "small", 20_000)
    try:
        endpoint = Endpoint(collecting(small, heartbeat_ms=3_600_000), post, 200_000)
        noise = random.Random(7).randbytes(9_000).hex()
        statuses = [
            endpoint(
                "/v1/traces",
                otlp.traces(otlp.span({**CHAT, "gen_ai.input.messages": noise, "n": n})).SerializeToString(),
                headers=PROTOBUF,
            )
            for n in range(4)
        ]
        refused = [answer for answer in statuses if answer.status != 200]
        assert refused
        assert {(answer.status, answer.headers["retry-after"]) for answer in refused} == {(503, "5")}
        assert Status.FromString(refused[0].body).code == 14
        assert len(read(small).lines) == 4 - len(refused)
    finally:
        small.close()


def test_events_carry_who_sent_them(
    collecting: Callable[..., Collector], spool: Spool, read: Any, post: Callable[..., Any], tmp_path: Any
) -> None:
    token, _ = senders.token_file(tmp_path / "senders.json").new("gateway")
    routes = otlp_routes(collecting(spool, heartbeat_ms=3_600_000), 20_000, 200_000, keep_others=False)
    door = Middleware(Door, senders=senders.Senders(tmp_path / "senders.json"), tell=lambda event: None)
    app = Starlette(routes=routes, middleware=[door])
    body = otlp.traces(otlp.span({**CHAT, "slm.identity.issuer": "me", "user.id": "alice"})).SerializeToString()
    assert post(app, "/v1/traces", body, headers=PROTOBUF).status == 401
    assert post(app, "/v1/traces", body, headers=PROTOBUF | {"authorization": f"Bearer {token}"}).status == 200
    (event,) = map(json.loads, read(spool).lines)
    assert (event["slm.identity.issuer"], event["slm.identity.method"], event["user.id"]) == (
        "token:gateway",
        "application",
        "alice",
    )

"""Protobuf and JSON mean the same, and no bytes at all do harm."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import otlp
from slmtrail.collectors.receive.otlp import convert, jsonform, protobuf
from slmtrail.collectors.receive.otlp.convert import Converted, Converter
from slmtrail.core import canonical, events
from slmtrail.core.errors import EventError

NAMES = (
    "gen_ai.operation.name gen_ai.provider.name gen_ai.system gen_ai.request.model gen_ai.response.model "
    "gen_ai.input.messages gen_ai.output.messages gen_ai.prompt gen_ai.prompt.0.role gen_ai.prompt.0.content "
    "gen_ai.prompt.0.content.deep gen_ai.completion.00.tool_calls.0.name gen_ai.usage.input_tokens "
    "gen_ai.response.finish_reasons gen_ai.request.temperature gen_ai.tool.name gen_ai.system_instructions "
    "openinference.span.kind input.value output.value llm.input_messages.0.message.role llm.model_name "
    "llm.input_messages.0.message.contents.0.message_content.text llm.invocation_parameters llm.tools.0.tool "
    "retrieval.documents.0.document embedding.embeddings.1.embedding.vector llm.prompts.0 llm.choices.0.completion "
    "traceloop.span.kind traceloop.entity.name traceloop.association.properties.a llm.request.functions.0.name "
    "http.request.method url.full db.system error.type exception.type event.name user.id source.ip session.id "
    "labels slm.kind slm.attributes server.port @timestamp gen_ai.evaluation.name gen_ai.event.content"
).split()
TEXTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            *("chat", "embeddings", "execute_tool", "LLM", "TOOL", "RETRIEVER", "AGENT", "workflow", "POST", "chroma"),
            *('[{"role":"user","content":"x"}]', '{"model":"m","messages":[{"role":7}]}', "[[1]]", "null", "[" * 200),
            *('{"choices":[{"message":{"content":"x"},"finish_reason":3}]}', "https://[x/v1", "https://a/v1/chat"),
        ]
    ),
)
VALUES = st.recursive(
    st.one_of(TEXTS, st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(), st.binary(max_size=6)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)
ATTRIBUTES = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=7)
EVENT_NAMES = st.sampled_from(
    "gen_ai.user.message gen_ai.choice gen_ai.tool.message gen_ai.content.prompt exception gen_ai.evaluation.result "
    "gen_ai.client.inference.operation.details llm.content.completion.chunk other".split()
)


@pytest.fixture(autouse=True, scope="module")
def still() -> Iterator[None]:
    """Signals without a time get the time of their arrival."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(convert, "_now_ms", lambda: 1_767_323_045_678)
        yield


@st.composite
def exports_of_spans(draw: Any) -> Any:
    """Spans of odd and less odd attributes."""
    spans = []
    for _ in range(draw(st.integers(1, 2))):
        moments = [
            (draw(EVENT_NAMES), draw(st.integers(0, 9)), draw(ATTRIBUTES)) for _ in range(draw(st.integers(0, 2)))
        ]
        made = otlp.span(draw(ATTRIBUTES), kind=draw(st.integers(0, 9)), events=moments, name=draw(TEXTS))
        made.start_time_unix_nano = draw(st.sampled_from([0, 1, otlp.START_NS, 2**64 - 1]))
        made.trace_id, made.span_id = (
            draw(st.sampled_from([b"", bytes(16), otlp.TRACE])),
            draw(st.sampled_from([b"", b"ab"])),
        )
        spans.append(made)
    return otlp.traces(*spans, resource=draw(ATTRIBUTES))


@st.composite
def exports_of_logs(draw: Any) -> Any:
    """Log records of odd and less odd attributes."""
    names = EVENT_NAMES | st.just("")
    records = [otlp.record(draw(names), draw(ATTRIBUTES), draw(VALUES)) for _ in range(draw(st.integers(1, 3)))]
    return otlp.logs(*records, resource=draw(ATTRIBUTES))


def _same(made: Converted) -> Any:
    return made.lines, made.refused, made.reasons, made.passed_over


def _check(made: Converted) -> None:
    """Every line is what the stream will take."""
    for line in made.lines:
        event = orjson.loads(line)
        assert canonical.dumps(events.parse(event, 0)) == line


@settings(deadline=None, max_examples=120)
@given(exports_of_spans(), st.booleans())
def test_spans_mean_the_same_in_both_encodings(request: Any, keep_others: bool) -> None:
    made = Converter(10_000, keep_others).spans(protobuf.spans(request.SerializeToString()), {})
    assert _same(made) == _same(Converter(10_000, keep_others).spans(jsonform.spans(otlp.as_json(request)), {}))
    assert made.refused == 0, made.reasons
    _check(made)


@settings(deadline=None, max_examples=120)
@given(exports_of_logs(), st.booleans())
def test_log_records_mean_the_same_in_both_encodings(request: Any, keep_others: bool) -> None:
    made = Converter(10_000, keep_others).logs(protobuf.logs(request.SerializeToString()), {})
    assert _same(made) == _same(Converter(10_000, keep_others).logs(jsonform.logs(otlp.as_json(request)), {}))
    assert made.refused == 0, made.reasons
    _check(made)


SPANS, RECORDS = otlp.traces(otlp.span({"gen_ai.request.model": "m"})), otlp.logs(otlp.record("gen_ai.choice", {}))
WHOLE = [SPANS.SerializeToString(), RECORDS.SerializeToString(), otlp.as_json(SPANS), otlp.as_json(RECORDS)]


@settings(deadline=None, max_examples=150)
@given(st.sampled_from([b"", *WHOLE]), st.data())
def test_any_bytes_are_taken_or_refused_with_a_reason(whole: bytes, data: Any) -> None:
    at = data.draw(st.integers(0, len(whole)))
    body = whole[:at] + data.draw(st.binary(max_size=8)) + whole[data.draw(st.integers(at, len(whole))) :]
    for form in (protobuf, jsonform):
        for read, turn in ((form.spans, "spans"), (form.logs, "logs"), (form.data_points, None)):
            try:
                received = read(body)
            except EventError as error:
                assert error.reason in ("not_protobuf", "not_json", "not_utf8", "not_an_object", "too_deep")
                continue
            if turn:
                _check(getattr(Converter(10_000, keep_others=True), turn)(received, {}))


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                "resourceSpans scope_spans scopeSpans spans resource attributes key value stringValue arrayValue "
                "values kvlistValue intValue doubleValue traceId name kind events links startTimeUnixNano".split()
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@settings(deadline=None, max_examples=150)
@given(JSONS)
def test_any_json_is_taken_or_refused_with_a_reason(value: Any) -> None:
    request = {
        "resourceSpans": [
            {"resource": value, "scopeSpans": [{"scope": value, "spans": [value, {"attributes": value}]}]}
        ]
    }
    for given_json in (value, request):
        try:
            received = jsonform.spans(orjson.dumps(given_json))
        except (EventError, orjson.JSONEncodeError):
            continue
        _check(Converter(10_000, keep_others=True).spans(received, {}))


def test_json_is_taken_in_either_spelling_with_numbers_as_text_or_not() -> None:
    body = b"""{"resource_spans": [{"scope_spans": [{"spans": [{
        "trace_id": "000102030405060708090A0B0C0D0E0F", "name": "chat", "kind": "SPAN_KIND_CLIENT",
        "start_time_unix_nano": 1767323045678000000, "endTimeUnixNano": "1767323046678000000",
        "status": {"code": "STATUS_CODE_ERROR"},
        "attributes": [{"key": "gen_ai.request.model", "value": {"string_value": "m"}},
            {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "12"}},
            {"key": "gen_ai.usage.output_tokens", "value": {"intValue": 3}},
            {"key": "gen_ai.request.temperature", "value": {"doubleValue": "0.5"}},
            {"key": "odd \\ud800", "value": {"doubleValue": "NaN"}}]}]}]}]}"""
    (line,) = Converter(10_000, keep_others=False).spans(jsonform.spans(body), {}).lines
    event = orjson.loads(line)
    assert event["trace.id"] == otlp.TRACE.hex()
    assert (event["@timestamp"], event["slm.latency_ms"]) == ("2026-01-02T03:04:05.678Z", 1000)
    assert (event["gen_ai.usage.input_tokens"], event["gen_ai.usage.output_tokens"]) == (12, 3)
    assert (event["gen_ai.request.temperature"], event["event.outcome"]) == (0.5, "failure")


def test_what_is_nested_too_deep_is_refused_alone() -> None:
    request = orjson.loads(otlp.as_json(otlp.traces(otlp.span({"gen_ai.request.model": "m"}))))
    value: Any = {"stringValue": "x"}
    for _ in range(90):
        value = {"arrayValue": {"values": [value]}}
    request["resourceSpans"][0]["scopeSpans"][0]["spans"].append({"attributes": [{"key": "gen_ai.a", "value": value}]})
    found = jsonform.spans(json.dumps(request).encode())
    assert (len(found.signals), len(found.faults)) == (1, 1)
    assert "64 levels" in found.faults[0]
    with pytest.raises(EventError):
        jsonform.spans(b'{"a":' * 100_000)

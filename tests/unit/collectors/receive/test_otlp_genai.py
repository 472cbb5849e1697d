"""What instrumentations of the GenAI conventions send, of today and of the years before, as events."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest

from otlp import PARENT, SPAN, TRACE, converted, events, holds, logs, record, said, span, told, traces
from slmtrail.collectors.receive.otlp import protobuf
from slmtrail.collectors.receive.otlp.convert import Converter

# OpenTelemetry GenAI, v1.41.1

ASKED = [
    {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
    {"role": "user", "parts": [{"type": "text", "content": "Weather in Paris?"}]},
    {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "sunny"}]},
]
CALLED = [
    {
        "role": "assistant",
        "parts": [{"type": "tool_call", "id": "c1", "name": "weather", "arguments": {"city": "Paris"}}],
        "finish_reason": "tool_call",
    }
]
CHAT = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "phi-3",
    "gen_ai.response.model": "phi-3-mini",
    "gen_ai.response.id": "chatcmpl-1",
    "gen_ai.request.temperature": 0.2,
    "gen_ai.request.max_tokens": 100,
    "gen_ai.request.stop_sequences": ["END"],
    "gen_ai.response.finish_reasons": ["tool_calls"],
    "gen_ai.usage.input_tokens": 20,
    "gen_ai.usage.output_tokens": 7,
    "gen_ai.usage.cache_read.input_tokens": 4,
    "gen_ai.conversation.id": "c-9",
    "server.address": "api.example",
    "server.port": 8000,
}
CONTENT = {
    "gen_ai.input.messages": json.dumps(ASKED),
    "gen_ai.output.messages": json.dumps(CALLED),
    "gen_ai.system_instructions": json.dumps([{"type": "text", "content": "Be brief."}]),
    "gen_ai.tool.definitions": json.dumps([{"type": "function", "name": "weather"}]),
}


def test_a_chat_of_today() -> None:
    (event,) = events(traces(span({**CHAT, **CONTENT, "acme.plan": "gold"})))
    holds(event, CHAT)
    holds(
        event,
        {
            "slm.kind": "inference",
            "@timestamp": "2026-01-02T03:04:05.678Z",
            "slm.latency_ms": 1250,
            "event.outcome": "success",
            "trace.id": TRACE.hex(),
            "span.id": SPAN.hex(),
            "parent.id": PARENT.hex(),
            "service.name": "helpdesk",
            "service.version": "1.4.0",
            "deployment.environment.name": "prod",
            "host.name": "node-3",
            "process.pid": 77,
            "gen_ai.system_instructions": "Be brief.",
        },
    )
    assert said(event, "input") == [("system", ["Be brief."]), ("user", ["Weather in Paris?"]), ("tool", ["sunny"])]
    assert said(event, "output") == [("assistant", [("tool_call", '{"city":"Paris"}')])]
    assert orjson.loads(event["gen_ai.tool.definitions"]) == [{"type": "function", "name": "weather"}]
    assert told(event)["attributes"] == {"acme.plan": "gold"}
    assert told(event)["resource"] == {"cloud.region": "eu-1"}


def test_messages_may_be_structures_too() -> None:
    (event,) = events(traces(span({**CHAT, "gen_ai.input.messages": ASKED})))
    assert said(event, "input")[1] == ("user", ["Weather in Paris?"])


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        (
            {
                "gen_ai.operation.name": "embeddings",
                "gen_ai.request.model": "e5",
                "gen_ai.embeddings.dimension.count": 8,
            },
            {"slm.kind": "inference", "gen_ai.operation.name": "embeddings", "gen_ai.embeddings.dimension.count": 8},
        ),
        (
            {
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": "weather",
                "gen_ai.tool.call.id": "c1",
                "gen_ai.tool.call.arguments": '{"city": "Paris"}',
                "gen_ai.tool.call.result": "sunny",
            },
            {
                "slm.kind": "process",
                "slm.step.type": "tool",
                "slm.step.name": "weather",
                "gen_ai.tool.call.arguments": '{"city": "Paris"}',
                "gen_ai.tool.call.result": "sunny",
            },
        ),
        (
            {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "Planner", "gen_ai.agent.id": "a-1"},
            {"slm.kind": "process", "slm.step.type": "agent", "slm.step.name": "Planner", "gen_ai.agent.id": "a-1"},
        ),
        (
            {
                "gen_ai.operation.name": "retrieval",
                "gen_ai.data_source.id": "kb",
                "gen_ai.retrieval.query.text": "refund",
            },
            {"slm.kind": "process", "slm.step.type": "retrieve", "gen_ai.retrieval.query.text": "refund"},
        ),
        (
            {"mcp.method.name": "tools/call", "gen_ai.tool.name": "look", "mcp.session.id": "m-1"},
            {"slm.kind": "process", "slm.step.type": "tool", "slm.step.name": "look"},
        ),
        (
            {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "gen_ai.response.time_to_first_chunk": 0.25},
            {"slm.kind": "inference", "slm.time_to_first_token_ms": 250},
        ),
        ({"gen_ai.operation.name": "chat"}, {"slm.kind": "inference", "gen_ai.request.model": "unknown"}),
        (
            {"gen_ai.request.model": "m", "gen_ai.usage.input_tokens": "12", "gen_ai.request.stream": "true"},
            {"slm.kind": "inference", "gen_ai.usage.input_tokens": 12, "gen_ai.request.stream": True},
        ),
    ],
    ids=["embeddings", "tool", "agent", "retrieval", "mcp", "first chunk", "no model", "loose types"],
)
def test_operations(attributes: dict[str, Any], expected: dict[str, Any]) -> None:
    (event,) = events(traces(span(attributes)))
    holds(event, expected)


def test_what_failed_says_how() -> None:
    raised = ("exception", 5, {"exception.type": "openai.RateLimitError", "exception.message": "slow down"})
    (event,) = events(traces(span({**CHAT, "error.type": "429"}, error="")))
    holds(event, {"event.outcome": "failure", "error.type": "429"})
    (event,) = events(traces(span(CHAT, error="", events=[raised])))
    holds(event, {"event.outcome": "failure", "error.type": "openai.RateLimitError", "error.message": "slow down"})


def test_details_in_a_log_record_are_the_inference_and_its_span_a_step_or_the_other_way_round() -> None:
    details = logs(record("gen_ai.client.inference.operation.details", {**CHAT, **CONTENT}))
    chat = traces(span(CHAT))
    for first, second in ((details, chat), (chat, details)):
        (event,) = events(first)
        assert event["slm.kind"] == "inference"
        (event,) = events(first, second)
        holds(event, {"slm.kind": "process", "slm.step.type": "generate", "span.id": SPAN.hex()})
    (event,) = events(details)
    assert said(event, "input")[1] == ("user", ["Weather in Paris?"])
    in_span = ("gen_ai.client.inference.operation.details", 1250, CONTENT)
    (event,) = events(traces(span(CHAT, events=[in_span])))
    assert said(event, "output") == [("assistant", [("tool_call", '{"city":"Paris"}')])]


def test_spans_of_a_framework_and_of_its_client_are_one_inference_told_by_the_outermost() -> None:
    ids = [bytes([number]) * 8 for number in range(4)]
    outer, middle, inner = (
        span(CHAT, name=f"span {number}", span_id=ids[number], parent_id=ids[number - 1]) for number in (1, 2, 3)
    )
    for sent in ([inner, middle, outer], [outer, middle, inner]):
        made = {event["span.id"]: event["slm.kind"] for event in events(traces(*sent))}
        assert made == {ids[1].hex(): "inference", ids[2].hex(): "process", ids[3].hex(): "process"}


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 2, 1)])
def test_spans_of_one_inference_that_come_apart_are_counted_once(order: tuple[int, ...]) -> None:
    ids = [bytes([number]) * 8 for number in range(4)]
    exports = [traces(span(CHAT, span_id=ids[number], parent_id=ids[number - 1])) for number in order]
    for many, kind in ((1, "inference"), (2, "process"), (3, "process")):
        (event,) = events(*exports[:many])
        assert event["slm.kind"] == kind


def test_inferences_side_by_side_and_of_other_kinds_or_programs_are_counted_each() -> None:
    one, two, above = b"1" * 8, b"2" * 8, b"3" * 8
    lookup = {"gen_ai.operation.name": "embeddings", "gen_ai.request.model": "bge"}
    made = events(
        traces(
            span(CHAT, span_id=one, parent_id=above),
            span(CHAT, span_id=two, parent_id=above),
            span(lookup, span_id=b"4" * 8, parent_id=two),
        )
    )
    assert [event["slm.kind"] for event in made] == ["inference"] * 3
    served = traces(span(CHAT, span_id=b"5" * 8, parent_id=one), resource={"service.name": "gateway"})
    (event,) = events(traces(span(CHAT, span_id=one)), served)
    assert event["slm.kind"] == "inference"


def test_an_evaluation_names_the_answer_it_judges() -> None:
    result = {
        "gen_ai.evaluation.name": "Relevance",
        "gen_ai.evaluation.score.value": 0.75,
        "gen_ai.evaluation.score.label": "relevant",
        "gen_ai.evaluation.explanation": "to the point",
        "gen_ai.response.id": "chatcmpl-1",
    }
    expected = {
        "slm.kind": "process",
        "slm.step.type": "evaluate",
        "slm.step.name": "Relevance",
        "gen_ai.evaluation.score.value": 0.75,
        "slm.caused_by": "chatcmpl-1",
    }
    (event,) = events(logs(record("gen_ai.evaluation.result", result)))
    holds(event, expected)
    inference, event = events(traces(span(CHAT, events=[("gen_ai.evaluation.result", 1300, result)])))
    holds(event, expected)
    assert inference["slm.kind"] == "inference"


# The names before

OLD = {
    "gen_ai.system": "openai",
    "gen_ai.request.model": "phi-3",
    "gen_ai.usage.prompt_tokens": 20,
    "gen_ai.usage.completion_tokens": 7,
    "gen_ai.openai.request.seed": 42,
    "gen_ai.response.finish_reason": "stop",
}


def test_deprecated_names() -> None:
    (event,) = events(traces(span({**OLD, "net.peer.name": "api.example", "enduser.id": "alice"})))
    holds(
        event,
        {
            "slm.kind": "inference",
            "gen_ai.provider.name": "openai",
            "gen_ai.usage.input_tokens": 20,
            "gen_ai.usage.output_tokens": 7,
            "gen_ai.request.seed": 42,
            "gen_ai.response.finish_reasons": ["stop"],
            "server.address": "api.example",
            "user.id": "alice",
        },
    )
    assert "attributes" not in told(event)


def test_lists_may_be_json_text_and_clients_tell_of_themselves() -> None:
    attributes = {
        "gen_ai.request.stop_sequences": '["a","b"]',
        "gen_ai.usage.cache_write.input_tokens": 1,
        "anthropic.message.stop_reason": "end_turn",
    }
    (event,) = events(traces(span({**CHAT, "gen_ai.response.finish_reasons": '["stop"]'})))
    assert event["gen_ai.response.finish_reasons"] == ["stop"]
    asked = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "phi-3"}
    (event,) = events(traces(span({**asked, **attributes})))
    holds(
        event,
        {
            "gen_ai.request.stop_sequences": ["a", "b"],
            "gen_ai.usage.cache_creation.input_tokens": 1,
            "gen_ai.response.finish_reasons": ["end_turn"],
        },
    )


def test_the_message_of_an_error_has_no_traceback() -> None:
    raised = ("exception", 1000, {"exception.type": "ValueError", "exception.message": "too long"})
    (event,) = events(
        traces(span(CHAT, error="ValueError('too long')Traceback (most recent call last): …", events=[raised]))
    )
    assert event["error.message"] == "too long"
    (event,) = events(traces(span(CHAT, error="gave up", events=[raised])))
    assert event["error.message"] == "gave up"


def test_messages_as_events_of_a_span() -> None:
    spoken = [
        ("gen_ai.system.message", 0, {"gen_ai.event.content": '{"content":"Be brief."}', "gen_ai.system": "openai"}),
        ("gen_ai.user.message", 0, {"content": "Hi", "gen_ai.system": "openai"}),
        (
            "gen_ai.choice",
            900,
            {"gen_ai.event.content": '{"index":0,"finish_reason":"stop","message":{"content":"Hello"}}'},
        ),
    ]
    (event,) = events(traces(span(OLD, events=spoken)))
    assert said(event, "input") == [("system", ["Be brief."]), ("user", ["Hi"])]
    assert said(event, "output") == [("assistant", ["Hello"])]
    prompts = [
        ("gen_ai.content.prompt", 0, {"gen_ai.prompt": '[{"role":"user","content":"Hi"}]'}),
        ("gen_ai.content.completion", 900, {"gen_ai.completion": '[{"role":"assistant","content":"Hello"}]'}),
    ]
    (event,) = events(traces(span(OLD, events=prompts)))
    assert (said(event, "input"), said(event, "output")) == ([("user", ["Hi"])], [("assistant", ["Hello"])])


@pytest.mark.parametrize("old", [False, True])
def test_messages_as_log_records_become_one_step_beside_the_inference(old: bool) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Paris"}'}}
    (event,) = events(
        logs(
            record("gen_ai.user.message", {"gen_ai.system": "openai"}, {"content": "Weather?"}, old=old),
            record("gen_ai.assistant.message", {"gen_ai.system": "openai"}, {"tool_calls": [call]}, old=old),
            record("gen_ai.tool.message", {"gen_ai.system": "openai"}, {"id": "c1", "content": "sunny"}, old=old),
            record("gen_ai.choice", {}, {"index": 0, "finish_reason": "stop", "message": {"content": "Sun."}}, old=old),
        )
    )
    holds(event, {"slm.kind": "process", "slm.step.name": "messages", "span.id": SPAN.hex()})
    assert said(event, "input") == [
        ("user", ["Weather?"]),
        ("assistant", [("tool_call", '{"city":"Paris"}')]),
        ("tool", ["sunny"]),
    ]
    assert said(event, "output") == [("assistant", ["Sun."])]


# What stands around

HTTP = {
    "http.request.method": "POST",
    "url.full": "https://api.example/v1/refunds?id=7",
    "http.response.status_code": 503,
}


def test_calls_of_a_trace_with_a_model_are_upstream_and_others_are_passed_over() -> None:
    call, server = span(HTTP, span_id=b"12345678"), span({"http.request.method": "GET"}, kind=2, span_id=b"abcdefgh")
    upstream, inference = events(traces(call, span(CHAT)))
    holds(
        upstream,
        {
            "slm.kind": "upstream",
            "slm.upstream.name": "api.example",
            "event.action": "post",
            "http.response.status_code": 503,
            "event.outcome": "failure",
        },
    )
    assert inference["slm.kind"] == "inference"
    (later,) = events(traces(span(CHAT)), traces(call))
    assert later["slm.kind"] == "upstream"
    alone = converted(traces(call, server))
    assert (alone.lines, alone.passed_over) == ([], 2)
    assert len(events(traces(call, server), keep_others=True)) == 2
    ordinary = converted(logs(record("", {"thread.name": "main"}, "started")))
    assert (ordinary.lines, ordinary.passed_over) == ([], 1)


def test_what_no_field_takes_goes_along_as_attributes() -> None:
    odd = {
        **CHAT,
        "gen_ai.usage.input_tokens": "many",
        "server.port": {"a": 1},
        "user.id": [1, 2],
        "gen_ai.output.messages": 7,
    }
    (event,) = events(traces(span(odd)))
    holds(event, {"slm.kind": "inference", "gen_ai.usage.input_tokens": None, "server.port": None})
    assert told(event)["attributes"]["gen_ai.usage.input_tokens"] == "many"


def test_a_sender_can_set_no_field_that_is_ours() -> None:
    forged = {
        "event.id": "x",
        "slm.kind": "auth",
        "slm.flags": ["y"],
        "slm.identity.verified": True,
        "slm.policy.digest": "z",
    }
    (event,) = events(traces(span({**CHAT, **forged})))
    assert event["slm.kind"] == "inference"
    assert not {"event.id", "slm.flags", "slm.identity.verified"} & event.keys()
    assert told(event)["attributes"] == forged


def test_a_long_event_is_cut_and_says_so() -> None:
    long = json.dumps([{"role": "user", "parts": [{"type": "text", "content": "x" * 3_000_000}]}])
    converter = Converter(100_000, keep_others=False)
    made = converter.spans(
        protobuf.spans(traces(span({**CHAT, "gen_ai.input.messages": long})).SerializeToString()), {}
    )
    (line,) = made.lines
    assert len(line) <= 100_000
    assert b"[cut: 3000000 characters]" in line


def test_messages_without_their_content_are_passed_over() -> None:
    mute = logs(
        record("gen_ai.user.message", {"gen_ai.system": "openai"}),
        record("gen_ai.assistant.message", {"gen_ai.system": "openai"}, {"role": "assistant"}),
        record("gen_ai.choice", {}, {"index": 0, "finish_reason": "stop", "message": {"role": "assistant"}}),
    )
    made = converted(mute)
    assert (made.lines, made.passed_over) == ([], 3)
    assert len(events(mute, keep_others=True)) == 1

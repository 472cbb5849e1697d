"""What Vercel's AI SDK and Langfuse send, as events."""

from __future__ import annotations

import json

from otlp import events, holds, said, span, traces

# Vercel's AI SDK

ASKED = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": [{"type": "text", "text": "Weather?"}]},
    {
        "role": "assistant",
        "content": [{"type": "tool-call", "toolCallId": "c1", "toolName": "look", "input": {"at": 1}}],
    },
    {"role": "tool", "content": [{"type": "tool-result", "toolCallId": "c1", "toolName": "look", "output": "grey"}]},
]
CALL = {
    "ai.operationId": "ai.streamText.doStream",
    "ai.model.id": "phi-3",
    "ai.model.provider": "openai.chat",
    "ai.prompt.messages": json.dumps(ASKED),
    "ai.prompt.tools": ['{"type":"function","name":"look"}'],
    "ai.response.text": "Grey sky",
    "ai.response.toolCalls": json.dumps([{"toolCallId": "c2", "toolName": "paint", "args": {"colour": "grey"}}]),
    "ai.response.finishReason": "stop",
    "ai.response.msToFirstChunk": 120.6,
    "ai.usage.promptTokens": 30,
    "ai.usage.completionTokens": 5,
    "ai.telemetry.metadata.userId": "alice",
    "ai.settings.maxRetries": 2,
}


def test_a_call_of_vercels_sdk() -> None:
    (event,) = events(traces(span(CALL, name="ai.streamText.doStream", kind=1)))
    holds(
        event,
        {
            "slm.kind": "inference",
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai.chat",
            "gen_ai.request.model": "phi-3",
            "gen_ai.usage.input_tokens": 30,
            "gen_ai.usage.output_tokens": 5,
            "gen_ai.response.finish_reasons": ["stop"],
            "slm.time_to_first_token_ms": 121,
            "user.id": "alice",
        },
    )
    assert said(event, "input") == [
        ("system", ["Be brief."]),
        ("user", ["Weather?"]),
        ("assistant", [("tool_call", '{"at":1}')]),
        ("tool", ["grey"]),
    ]
    assert said(event, "output") == [("assistant", ["Grey sky", ("tool_call", '{"colour":"grey"}')])]
    assert json.loads(event["slm.attributes"])["attributes"] == {"ai.settings.maxRetries": 2}


def test_what_stands_around_a_call_of_vercels_sdk_is_no_second_inference() -> None:
    outer = {"ai.operationId": "ai.streamText", "ai.model.id": "phi-3", "ai.usage.promptTokens": 30, "ai.prompt": "{}"}
    tool = {"ai.operationId": "ai.toolCall", "ai.toolCall.name": "look", "ai.toolCall.args": '{"at":1}'}
    made = events(traces(*(span(one, kind=1, span_id=bytes([n] * 8)) for n, one in enumerate([outer, tool], 1))))
    holds(made[0], {"slm.kind": "process", "slm.step.name": "ai.streamText"})
    holds(made[1], {"slm.kind": "process", "slm.step.type": "tool", "gen_ai.tool.call.arguments": '{"at":1}'})


# Langfuse


def test_a_generation_of_langfuse() -> None:
    attributes = {
        "langfuse.observation.type": "generation",
        "langfuse.observation.model.name": "phi-3",
        "langfuse.observation.model.parameters": '{"temperature": 0.5, "max_tokens": 9}',
        "langfuse.observation.input": '{"messages": [{"role": "user", "content": "Weather?"}], "tools": []}',
        "langfuse.observation.output": '{"role": "assistant", "content": "Grey sky"}',
        "langfuse.observation.usage_details": '{"input": 30, "output": 5, "total": 35}',
        "langfuse.observation.cost_details": '{"total": 0.25}',
        "langfuse.observation.level": "ERROR",
        "langfuse.observation.status_message": "cut off",
        "user.id": "alice",
    }
    (event,) = events(traces(span(attributes, kind=1)))
    holds(
        event,
        {
            "slm.kind": "inference",
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "phi-3",
            "gen_ai.request.temperature": 0.5,
            "gen_ai.request.max_tokens": 9,
            "gen_ai.usage.input_tokens": 30,
            "gen_ai.usage.output_tokens": 5,
            "slm.cost_usd": 0.25,
            "event.outcome": "failure",
            "error.message": "cut off",
            "user.id": "alice",
        },
    )
    assert said(event, "input") == [("user", ["Weather?"])]
    assert said(event, "output") == [("assistant", ["Grey sky"])]


def test_a_generation_of_langfuse_from_the_responses_api() -> None:
    asked = [
        {"role": "user", "content": "Weather?"},
        {"type": "function_call", "call_id": "c1", "name": "look", "arguments": '{"at":1}'},
        {"type": "function_call_output", "call_id": "c1", "output": "grey"},
    ]
    answer = [
        {"type": "reasoning", "id": "r1", "summary": [{"type": "summary_text", "text": "Hm."}], "content": None},
        {"type": "function_call", "call_id": "c2", "name": "paint", "arguments": '{"colour":"grey"}'},
    ]
    counts = {
        "input_tokens": 30,
        "input_tokens_details": {"cached_tokens": 7},
        "output_tokens": 5,
        "output_tokens_details": {"reasoning_tokens": 2},
    }
    attributes = {
        "langfuse.observation.type": "generation",
        "langfuse.observation.model.name": "phi-3",
        "langfuse.observation.input": json.dumps({"input": asked, "tools": []}),
        "langfuse.observation.output": json.dumps(answer),
        "langfuse.observation.usage_details": json.dumps(counts),
        "langfuse.observation.metadata.langfuse_user_id": '"alice"',
        "langfuse.observation.metadata.langfuse_session_id": '"s-1"',
    }
    (event,) = events(traces(span(attributes, kind=1)))
    holds(
        event,
        {
            "gen_ai.usage.input_tokens": 30,
            "gen_ai.usage.output_tokens": 5,
            "gen_ai.usage.cache_read.input_tokens": 7,
            "gen_ai.usage.reasoning.output_tokens": 2,
            "user.id": "alice",
            "session.id": "s-1",
        },
    )
    assert said(event, "input") == [
        ("user", ["Weather?"]),
        ("assistant", [("tool_call", '{"at":1}')]),
        ("tool", ["grey"]),
    ]
    assert said(event, "output") == [("assistant", ["Hm."]), ("assistant", [("tool_call", '{"colour":"grey"}')])]


def test_other_observations_of_langfuse_are_steps() -> None:
    tool = {
        "langfuse.observation.type": "tool",
        "langfuse.observation.input": '{"at":1}',
        "langfuse.observation.output": "grey",
    }
    made = events(
        traces(span(tool, name="look", kind=1), span({"langfuse.observation.type": "span"}, kind=1, span_id=b"x" * 8))
    )
    holds(made[0], {"slm.kind": "process", "slm.step.type": "tool", "gen_ai.tool.call.result": "grey"})
    holds(made[1], {"slm.kind": "process", "gen_ai.operation.name": "span"})

"""What OpenLLMetry and OpenInference send, as events."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from otlp import events, holds, said, span, traces

IMAGE = "data:image/png;base64," + "iVBORw0KGgo" * 60

# OpenLLMetry

LLMETRY = {
    "gen_ai.system": "openai",
    "gen_ai.request.model": "gpt-4o-mini",
    "gen_ai.response.model": "gpt-4o-mini-2024",
    "llm.request.type": "chat",
    "llm.is_streaming": False,
    "gen_ai.openai.api_base": "https://api.openai.com/v1/",
    "gen_ai.prompt.0.role": "user",
    "gen_ai.prompt.0.content": "Weather?",
    "gen_ai.prompt.1.role": "assistant",
    "gen_ai.prompt.1.tool_calls.0.id": "c1",
    "gen_ai.prompt.1.tool_calls.0.name": "weather",
    "gen_ai.prompt.1.tool_calls.0.arguments": '{"city":"Paris"}',
    "gen_ai.prompt.2.role": "tool",
    "gen_ai.prompt.2.tool_call_id": "c1",
    "gen_ai.prompt.2.content": "sunny",
    "gen_ai.completion.0.finish_reason": "stop",
    "gen_ai.completion.0.role": "assistant",
    "gen_ai.completion.0.content": "Sun.",
    "gen_ai.usage.prompt_tokens": 30,
    "gen_ai.usage.completion_tokens": 5,
    "llm.usage.total_tokens": 35,
    "llm.request.functions.0.name": "weather",
    "llm.request.functions.0.parameters": '{"type":"object"}',
    "traceloop.association.properties.user_id": "alice",
    "traceloop.association.properties.plan": "gold",
    "traceloop.workflow.name": "answer",
}


def test_openllmetry() -> None:
    (event,) = events(traces(span(LLMETRY, name="openai.chat")))
    holds(
        event,
        {
            "slm.kind": "inference",
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.stream": False,
            "gen_ai.usage.input_tokens": 30,
            "gen_ai.response.finish_reasons": ["stop"],
            "gen_ai.workflow.name": "answer",
            "server.address": "api.openai.com",
            "user.id": "alice",
            "labels": {"plan": "gold"},
        },
    )
    assert said(event, "input") == [
        ("user", ["Weather?"]),
        ("assistant", [("tool_call", '{"city":"Paris"}')]),
        ("tool", ["sunny"]),
    ]
    assert said(event, "output") == [("assistant", ["Sun."])]
    (tool,) = orjson.loads(event["gen_ai.tool.definitions"])
    assert tool["function"] == {"name": "weather", "parameters": {"type": "object"}}


def test_openllmetry_workflows_tools_and_vector_stores() -> None:
    tool = {
        "traceloop.span.kind": "tool",
        "traceloop.entity.name": "weather",
        "traceloop.entity.input": '{"city":"Paris"}',
        "traceloop.entity.output": "sunny",
    }
    workflow = {"traceloop.span.kind": "workflow", "traceloop.entity.name": "answer", "traceloop.entity.input": "{}"}
    store = {"db.system": "chroma", "db.operation": "query"}
    made = events(
        traces(
            *(span(one, kind=1, name="x.y", span_id=bytes([n] * 8)) for n, one in enumerate([tool, workflow, store], 1))
        )
    )
    holds(
        made[0],
        {
            "slm.step.type": "tool",
            "slm.step.name": "weather",
            "gen_ai.tool.call.arguments": '{"city":"Paris"}',
            "gen_ai.tool.call.result": "sunny",
        },
    )
    holds(made[1], {"slm.kind": "process", "slm.step.name": "answer", "gen_ai.operation.name": "invoke_workflow"})
    holds(made[2], {"slm.kind": "process", "slm.step.type": "retrieve"})


# OpenInference

INFERENCE = {
    "openinference.span.kind": "LLM",
    "llm.system": "openai",
    "llm.model_name": "gpt-4o-mini-2024",
    "llm.invocation_parameters": '{"model":"gpt-4o-mini","temperature":0.1,"max_tokens":50}',
    "llm.input_messages.0.message.role": "user",
    "llm.input_messages.0.message.contents.0.message_content.type": "text",
    "llm.input_messages.0.message.contents.0.message_content.text": "What is it?",
    "llm.input_messages.0.message.contents.1.message_content.type": "image",
    "llm.input_messages.0.message.contents.1.message_content.image.image.url": IMAGE,
    "llm.output_messages.0.message.role": "assistant",
    "llm.output_messages.0.message.tool_calls.0.tool_call.id": "c1",
    "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "look",
    "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": '{"a":1}',
    "llm.token_count.prompt": 12,
    "llm.token_count.completion": 3,
    "llm.token_count.total": 15,
    "llm.tools.0.tool.json_schema": '{"type":"function","function":{"name":"look"}}',
    "input.value": '{"messages":[],"model":"gpt-4o-mini"}',
    "input.mime_type": "application/json",
    "output.value": '{"id":"chatcmpl-3","choices":[{"finish_reason":"tool_calls","message":{"content":null}}]}',
    "output.mime_type": "application/json",
    "session.id": "s-1",
    "user.id": "bob",
}


def test_openinference() -> None:
    (event,) = events(traces(span(INFERENCE, kind=1, name="ChatCompletion")))
    holds(
        event,
        {
            "slm.kind": "inference",
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4o-mini",
            "gen_ai.response.model": "gpt-4o-mini-2024",
            "gen_ai.request.temperature": 0.1,
            "gen_ai.request.max_tokens": 50,
            "gen_ai.usage.input_tokens": 12,
            "gen_ai.usage.output_tokens": 3,
            "gen_ai.response.id": "chatcmpl-3",
            "gen_ai.response.finish_reasons": ["tool_calls"],
            "session.id": "s-1",
            "user.id": "bob",
        },
    )
    assert said(event, "output") == [("assistant", [("tool_call", '{"a":1}')])]
    assert "What is it?" in event["gen_ai.input.messages"][0]["parts"][0]["content"]
    assert "iVBOR" not in str(event)


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        (
            {
                "openinference.span.kind": "RETRIEVER",
                "input.value": "refund",
                "retrieval.documents.0.document.id": "d1",
                "retrieval.documents.0.document.content": "Refunds take 5 days.",
                "retrieval.documents.0.document.score": 0.5,
                "retrieval.documents.0.document.metadata": '{"page":3}',
            },
            {
                "slm.kind": "process",
                "slm.step.type": "retrieve",
                "gen_ai.retrieval.query.text": "refund",
                "gen_ai.retrieval.documents": (
                    '[{"id":"d1","content":"Refunds take 5 days.","score":0.5,"metadata":{"page":3}}]'
                ),
            },
        ),
        (
            {
                "openinference.span.kind": "EMBEDDING",
                "embedding.model_name": "e5",
                "embedding.embeddings.0.embedding.text": "hello",
                "embedding.embeddings.0.embedding.vector": [0.5, 0.25],
            },
            {"slm.kind": "inference", "gen_ai.operation.name": "embeddings", "gen_ai.embeddings.dimension.count": 2},
        ),
        (
            {"openinference.span.kind": "TOOL", "tool.name": "look", "input.value": '{"a":1}', "output.value": "seen"},
            {"slm.step.type": "tool", "gen_ai.tool.call.arguments": '{"a":1}', "gen_ai.tool.call.result": "seen"},
        ),
        (
            {"openinference.span.kind": "CHAIN", "input.value": "x"},
            {"slm.kind": "process", "slm.step.name": "chat phi-3"},
        ),
        (
            {"openinference.span.kind": "GUARDRAIL", "input.value": "x"},
            {"slm.kind": "process", "slm.step.type": "guardrail"},
        ),
    ],
    ids=["retriever", "embedding", "tool", "chain", "guardrail"],
)
def test_openinference_kinds(attributes: dict[str, Any], expected: dict[str, Any]) -> None:
    (event,) = events(traces(span(attributes, kind=1)))
    holds(event, expected)


def test_openinference_says_a_call_of_a_tool_once_and_whose_it_was() -> None:
    message = "llm.output_messages.0.message"
    call = {"tool_call.id": "c1", "tool_call.function.name": "look", "tool_call.function.arguments": '{"at":1}'}
    attributes = {
        "openinference.span.kind": "LLM",
        "llm.model_name": "phi-3",
        "llm.invocation_parameters": '{"model": "phi-3"}',
        "metadata": '{"user_id": "alice", "thread_id": "t-1"}',
        f"{message}.role": "assistant",
        f"{message}.contents.0.message_content.type": "text",
        f"{message}.contents.0.message_content.text": "Let me see.",
        f"{message}.contents.1.message_content.type": "tool_use",
        **{f"{message}.contents.1.{name}": value for name, value in call.items()},
        **{f"{message}.tool_calls.0.{name}": value for name, value in call.items()},
    }
    (event,) = events(traces(span(attributes, kind=1)))
    assert said(event, "output") == [("assistant", ["Let me see.", ("tool_call", '{"at":1}')])]
    holds(event, {"user.id": "alice", "gen_ai.conversation.id": "t-1", "gen_ai.response.model": "phi-3"})


def test_openinference_without_an_answer_names_the_model_asked_alone() -> None:
    asked = {"llm.model_name": "phi-3", "llm.invocation_parameters": '{"model": "phi-3"}'}
    (event,) = events(traces(span({"openinference.span.kind": "LLM", **asked}, error="refused")))
    holds(event, {"gen_ai.request.model": "phi-3", "gen_ai.response.model": None})

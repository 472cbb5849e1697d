"""OpenLLMetry (Traceloop): attributes numbered one by one, and spans of workflows, tasks, agents and tools."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from slmtrail.collectors.receive.otlp.messages import messages
from slmtrail.collectors.receive.otlp.told import Told, opened
from slmtrail.collectors.tail.formats.values import word

VECTOR_STORES = frozenset(
    "chroma lancedb marqo milvus opensearch_vector pinecone qdrant weaviate vespa turbopuffer".split()
)
_ASSOCIATION = "traceloop.association.properties."
MAX_LABELS = 64
_LABEL = re.compile(r"[A-Za-z0-9_.\-]{1,64}")
_RENAMED = {
    "llm.vendor": "gen_ai.provider.name",
    "llm.request.model": "gen_ai.request.model",
    "llm.response.model": "gen_ai.response.model",
    "llm.request.max_tokens": "gen_ai.request.max_tokens",
    "gen_ai.request.max_completion_tokens": "gen_ai.request.max_tokens",
    "llm.temperature": "gen_ai.request.temperature",
    "llm.top_p": "gen_ai.request.top_p",
    "llm.top_k": "gen_ai.request.top_k",
    "llm.frequency_penalty": "gen_ai.request.frequency_penalty",
    "llm.presence_penalty": "gen_ai.request.presence_penalty",
    "llm.chat.stop_sequences": "gen_ai.request.stop_sequences",
    "gen_ai.request.n": "gen_ai.request.choice.count",
    "llm.is_streaming": "gen_ai.request.stream",
    "gen_ai.is_streaming": "gen_ai.request.stream",
    "llm.user": "enduser.pseudo.id",
    "gen_ai.user": "enduser.pseudo.id",
    "llm.usage.prompt_tokens": "gen_ai.usage.input_tokens",
    "llm.usage.completion_tokens": "gen_ai.usage.output_tokens",
    "gen_ai.usage.cache_creation_input_tokens": "gen_ai.usage.cache_creation.input_tokens",
    "gen_ai.usage.cache_read_input_tokens": "gen_ai.usage.cache_read.input_tokens",
    "llm.usage.reasoning_tokens": "gen_ai.usage.reasoning.output_tokens",
    "gen_ai.usage.reasoning_tokens": "gen_ai.usage.reasoning.output_tokens",
    "llm.response.finish_reason": "gen_ai.response.finish_reasons",
    "llm.response.stop_reason": "gen_ai.response.finish_reasons",
    "gen_ai.response.stop_reason": "gen_ai.response.finish_reasons",
    "traceloop.workflow.name": "gen_ai.workflow.name",
    "traceloop.prompt.key": "gen_ai.prompt.name",
    "traceloop.prompt.template": "slm.prompt.template",
    f"{_ASSOCIATION}user_id": "user.id",
    f"{_ASSOCIATION}session_id": "session.id",
    f"{_ASSOCIATION}chat_id": "gen_ai.conversation.id",
    f"{_ASSOCIATION}thread_id": "gen_ai.conversation.id",
    f"{_ASSOCIATION}conversation_id": "gen_ai.conversation.id",
}
_TOOL_SAID = {
    "traceloop.entity.input": "gen_ai.tool.call.arguments",
    "traceloop.entity.output": "gen_ai.tool.call.result",
}
_TYPES = {"completion": "text_completion", "embedding": "embeddings"}
_SPANS = {"workflow": "invoke_workflow", "agent": "invoke_agent", "tool": "execute_tool", "task": "task"}


def read(told: Told) -> None:
    """Takes what this vocabulary names."""
    told.rename(_RENAMED)
    if asked := word(told.take("llm.request.type")):
        told.give("gen_ai.operation.name", _TYPES.get(asked, asked))
    for prefixes, field, role in (
        (("gen_ai.prompt", "llm.prompts"), "gen_ai.input.messages", "user"),
        (("gen_ai.completion", "llm.completions"), "gen_ai.output.messages", "assistant"),
    ):
        for prefix in prefixes:
            if turns := told.items(prefix):
                told.give(field, messages([_turn(turn, role) for turn in turns], role))
    told.give("gen_ai.tool.definitions", [_tool(tool) for tool in told.items("llm.request.functions")])
    _entity(told)
    told.give("labels", _labels(told))
    _server(told)
    if word(told.rest.get("db.system") or told.rest.get("db.system.name")) in VECTOR_STORES:
        told.give("gen_ai.operation.name", "retrieval")
        told.give("gen_ai.data_source.id", word(told.rest.get("db.collection.name")))


def _turn(turn: Any, role: str) -> Any:
    """A message of numbered attributes, in OpenAI's shape."""
    if not isinstance(turn, dict):
        return {"role": role, "content": turn}
    made = {"role": role, **turn, "content": _parts(turn.get("content"))}
    if isinstance(calls := made.get("tool_calls"), list):
        made["tool_calls"] = [_call(call) for call in calls]
    return made


def _parts(content: Any) -> Any:
    """Content that is JSON text of a list of parts as that list; else as it is."""
    parts = opened(content)
    return parts if isinstance(parts, list) and all(isinstance(part, dict) for part in parts) else content


def _call(call: Any) -> Any:
    if not isinstance(call, dict) or "name" not in call:
        return call
    rest = {name: value for name, value in call.items() if name not in ("name", "arguments")}
    return {"type": "function", **rest, "function": {"name": call["name"], "arguments": call.get("arguments")}}


def _tool(tool: Any) -> Any:
    if not isinstance(tool, dict):
        return tool
    schema = {name: opened(value) if name in ("parameters", "input_schema") else value for name, value in tool.items()}
    return {"type": "function", "function": schema}


def _entity(told: Told) -> None:
    kind = told.take("traceloop.span.kind")
    if not isinstance(kind, str):
        return
    told.give("gen_ai.operation.name", _SPANS.get(kind, kind))
    name = told.take("traceloop.entity.name")
    told.give("slm.step.name", word(name))
    if kind == "agent":
        told.give("gen_ai.agent.name", word(name))
    if kind == "tool":
        told.give("gen_ai.tool.name", word(name))
        told.rename(_TOOL_SAID)


def _labels(told: Told) -> dict[str, str]:
    """The properties that a program gave its spans."""
    labels: dict[str, str] = {}
    for name in [name for name in told.rest if name.startswith(_ASSOCIATION)]:
        label, value = name.removeprefix(_ASSOCIATION), word(told.rest[name])
        if value and _LABEL.fullmatch(label) and len(labels) < MAX_LABELS:
            labels[label] = value
            told.take(name)
    return labels


def _server(told: Told) -> None:
    """The server that was asked, which only a URL tells."""
    base = told.rest.get("gen_ai.openai.api_base")
    if not isinstance(base, str) or "server.address" in told.rest:
        return
    try:
        url = urlsplit(base)
        told.give("server.address", url.hostname)
        told.give("server.port", url.port)
    except ValueError:
        return

"""Langfuse: observations of a type, with input, output and counts as JSON text."""

from __future__ import annotations

from typing import Any

from slmtrail.collectors.receive.otlp.messages import messages
from slmtrail.collectors.receive.otlp.told import Told, opened
from slmtrail.collectors.sidecar.apis import openai
from slmtrail.collectors.tail.formats import bodies
from slmtrail.collectors.tail.formats.values import dig, word

TYPE = "langfuse.observation.type"
_START = "langfuse.observation."
_OPERATIONS = {
    "generation": "chat",
    "embedding": "embeddings",
    "tool": "execute_tool",
    "agent": "invoke_agent",
    "retriever": "retrieval",
    "evaluator": "evaluate",
}
_SAID = {
    "tool": ("gen_ai.tool.call.arguments", "gen_ai.tool.call.result"),
    "retriever": ("gen_ai.retrieval.query.text", "gen_ai.retrieval.documents"),
}
_RENAMED = {
    f"{_START}model.name": "gen_ai.request.model",
    f"{_START}prompt.name": "gen_ai.prompt.name",
    "langfuse.user.id": "user.id",
    "langfuse.session.id": "session.id",
}
_USAGE = {
    "input": "gen_ai.usage.input_tokens",
    "output": "gen_ai.usage.output_tokens",
    "input_cache_read": "gen_ai.usage.cache_read.input_tokens",
    "output_reasoning": "gen_ai.usage.reasoning.output_tokens",
}
_PEOPLE = {
    f"{_START}metadata.langfuse_user_id": "user.id",
    f"{_START}metadata.langfuse_session_id": "session.id",
}


def read(told: Told) -> None:
    """Takes what this vocabulary names."""
    kind = word(told.rest.get(TYPE))
    if kind is None:
        return
    told.take(TYPE)
    kind = kind.lower()
    told.give("gen_ai.operation.name", _OPERATIONS.get(kind, kind))
    told.rename(_RENAMED)
    for field, value in bodies.parameters(opened(told.rest.get(f"{_START}model.parameters"))).items():
        told.give(field, value)
    counts = opened(told.rest.get(f"{_START}usage_details"))
    for name, field in _USAGE.items():
        told.give(field, dig(counts, name))
    for field, value in openai.usage(counts).items():
        told.give(field, value)
    for name, field in _PEOPLE.items():
        if told.give(field, word(opened(told.rest.get(name)))):
            told.take(name)
    told.give("slm.cost_usd", dig(opened(told.rest.get(f"{_START}cost_details")), "total"))
    if word(told.rest.get(f"{_START}level")) == "ERROR":
        told.give("error.type", "error")
        told.give("error.message", word(told.take(f"{_START}status_message")))
    _said(told, kind)


def _said(told: Told, kind: str) -> None:
    if kind in ("generation", "embedding", "agent"):
        fields = ("gen_ai.input.messages", "gen_ai.output.messages")
    elif kind in _SAID:
        fields = _SAID[kind]
    else:
        return
    for name, field, role in zip(("input", "output"), fields, ("user", "assistant"), strict=True):
        value = told.rest.get(f"{_START}{name}")
        if told.give(field, value if kind in _SAID else _messages(value, role)):
            told.take(f"{_START}{name}")


def _messages(value: Any, role: str) -> list[Any] | None:
    """Messages, also where they stand beside tools and instructions in the input of a client that was wrapped."""
    given = opened(value)
    wrapped = next((said for name in ("messages", "input") if isinstance(said := dig(given, name), list | str)), None)
    return messages(given if wrapped is None else wrapped, role)

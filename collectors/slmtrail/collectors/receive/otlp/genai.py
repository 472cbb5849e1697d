"""OpenTelemetry's GenAI conventions, v1.41.1, and the names they had before.

Names of today are those of our fields; only what differs is here.
"""

from __future__ import annotations

from typing import Any

from slmtrail.collectors.receive.otlp.messages import instructions, messages
from slmtrail.collectors.receive.otlp.told import Told
from slmtrail.collectors.tail.formats.values import number

_RENAMED = {
    "gen_ai.system": "gen_ai.provider.name",
    "gen_ai.usage.prompt_tokens": "gen_ai.usage.input_tokens",
    "gen_ai.usage.completion_tokens": "gen_ai.usage.output_tokens",
    "gen_ai.openai.request.seed": "gen_ai.request.seed",
    "gen_ai.openai.request.response_format": "gen_ai.output.type",
    "gen_ai.request.response_format": "gen_ai.output.type",
    "gen_ai.usage.cache_write.input_tokens": "gen_ai.usage.cache_creation.input_tokens",
    "gen_ai.response.finish_reason": "gen_ai.response.finish_reasons",
    "anthropic.message.stop_reason": "gen_ai.response.finish_reasons",
    "gen_ai.tool.call.response": "gen_ai.tool.call.result",
    "gen_ai.retrieval.query": "gen_ai.retrieval.query.text",
    "gen_ai.evaluation.score": "gen_ai.evaluation.score.value",
    "gen_ai.evaluation.label": "gen_ai.evaluation.score.label",
    "gen_ai.evaluation.reasoning": "gen_ai.evaluation.explanation",
    "enduser.id": "user.id",
    "enduser.role": "user.roles",
    "http.status_code": "http.response.status_code",
    "net.peer.name": "server.address",
    "net.peer.port": "server.port",
    "client.address": "source.ip",
}
_MESSAGES = {
    "gen_ai.input.messages": ("gen_ai.input.messages", "user"),
    "gen_ai.output.messages": ("gen_ai.output.messages", "assistant"),
    "gen_ai.prompt": ("gen_ai.input.messages", "user"),
    "gen_ai.completion": ("gen_ai.output.messages", "assistant"),
}
_OPERATIONS = {"tools/call": "execute_tool", "prompts/get": "prompts/get", "resources/read": "retrieval"}


def read(told: Told) -> None:
    """Takes what these conventions name."""
    told.rename(_RENAMED)
    for name, (field, role) in _MESSAGES.items():
        if name in told.rest and told.give(field, messages(told.rest[name], role)):
            told.take(name)
    if text := instructions(told.rest.get("gen_ai.system_instructions")):
        told.take("gen_ai.system_instructions")
        told.give("gen_ai.system_instructions", text)
    seconds: Any = number(told.rest.get("gen_ai.response.time_to_first_chunk"))
    if seconds is not None and seconds >= 0:
        told.take("gen_ai.response.time_to_first_chunk")
        told.give("slm.time_to_first_token_ms", round(seconds * 1000))
    if method := told.rest.get("mcp.method.name"):
        told.give("gen_ai.operation.name", _OPERATIONS.get(method) if isinstance(method, str) else None)

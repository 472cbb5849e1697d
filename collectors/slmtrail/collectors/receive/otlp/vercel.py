"""Vercel's AI SDK: spans named by an operation, with messages and answers as JSON text."""

from __future__ import annotations

from typing import Any

from slmtrail.collectors.receive.otlp.messages import messages
from slmtrail.collectors.receive.otlp.told import Told, opened
from slmtrail.collectors.tail.formats.values import known, number, word

OPERATION = "ai.operationId"
_RENAMED = {
    "ai.model.id": "gen_ai.request.model",
    "ai.model.provider": "gen_ai.provider.name",
    "ai.response.id": "gen_ai.response.id",
    "ai.response.model": "gen_ai.response.model",
    "ai.response.finishReason": "gen_ai.response.finish_reasons",
    "ai.usage.inputTokens": "gen_ai.usage.input_tokens",
    "ai.usage.outputTokens": "gen_ai.usage.output_tokens",
    "ai.usage.promptTokens": "gen_ai.usage.input_tokens",
    "ai.usage.completionTokens": "gen_ai.usage.output_tokens",
    "ai.usage.tokens": "gen_ai.usage.input_tokens",
    "ai.usage.cachedInputTokens": "gen_ai.usage.cache_read.input_tokens",
    "ai.usage.reasoningTokens": "gen_ai.usage.reasoning.output_tokens",
    "ai.settings.maxOutputTokens": "gen_ai.request.max_tokens",
}
_TOOL = {
    "ai.toolCall.name": "gen_ai.tool.name",
    "ai.toolCall.id": "gen_ai.tool.call.id",
    "ai.toolCall.args": "gen_ai.tool.call.arguments",
    "ai.toolCall.result": "gen_ai.tool.call.result",
}
_PEOPLE = {
    "ai.telemetry.metadata.userId": "user.id",
    "ai.telemetry.metadata.sessionId": "session.id",
}


def read(told: Told) -> None:
    """Takes what this vocabulary names. A call of a model is a span within that of the function called."""
    operation = word(told.rest.get(OPERATION))
    if operation is None:
        return
    told.take(OPERATION)
    told.rename(_PEOPLE)
    if operation == "ai.toolCall":
        told.give("gen_ai.operation.name", "execute_tool")
        told.rename(_TOOL)
    elif ".do" in operation:
        told.give("gen_ai.operation.name", "embeddings" if operation.endswith("Embed") else "chat")
        told.rename(_RENAMED)
        _conversation(told)
    else:
        told.give("gen_ai.operation.name", "invoke_workflow")
        told.give("slm.step.name", operation)


def _conversation(told: Told) -> None:
    asked = opened(told.rest.get("ai.prompt.messages"))
    if isinstance(asked, list) and told.give("gen_ai.input.messages", messages([_turn(turn) for turn in asked])):
        told.take("ai.prompt.messages")
    texts = told.rest.get("ai.values")
    if isinstance(texts, list) and told.give("gen_ai.input.messages", messages([opened(text) for text in texts])):
        told.take("ai.values")
    told.take("ai.embeddings")
    said = [{"type": "reasoning", "content": thought} for thought in _texts(told, "ai.response.reasoning")]
    said += [{"type": "text", "content": text} for text in _texts(told, "ai.response.text", "ai.response.object")]
    calls = opened(told.take("ai.response.toolCalls"))
    said += [_part({"type": "tool-call", **call}) for call in calls or [] if isinstance(call, dict)]
    if said:
        told.give("gen_ai.output.messages", messages([{"role": "assistant", "content": said}], "assistant"))
    if tools := told.take("ai.prompt.tools"):
        told.give("gen_ai.tool.definitions", [opened(tool) for tool in (tools if isinstance(tools, list) else [tools])])
    waited: Any = number(told.take("ai.response.msToFirstChunk"))
    if waited is not None and waited >= 0:
        told.give("slm.time_to_first_token_ms", round(waited))


def _texts(told: Told, *names: str) -> list[str]:
    return [text for name in names if isinstance(text := told.take(name), str) and text]


def _turn(turn: Any) -> Any:
    if not isinstance(turn, dict) or not isinstance(turn.get("content"), list):
        return turn
    return {**turn, "content": [_part(part) for part in turn["content"]]}


def _part(part: Any) -> Any:
    """A part in the shape of events."""
    if not isinstance(part, dict):
        return part
    shared = {"id": part.get("toolCallId"), "name": part.get("toolName")}
    if part.get("type") == "tool-call":
        return known({"type": "tool_call", **shared, "arguments": part.get("input", part.get("args"))})
    if part.get("type") == "tool-result":
        return known({"type": "tool_call_response", **shared, "result": part.get("output", part.get("result"))})
    return part

"""Amazon Bedrock's Converse, and its way to ask a model in the model's own words; gateways serve both, too."""

from __future__ import annotations

from typing import Any

from slmtrail.collectors.sidecar.apis import anthropic, other
from slmtrail.collectors.sidecar.apis.api import (
    Api,
    Joined,
    Json,
    Timed,
    index,
    items,
    mapping,
    objects,
    renamed,
    text,
    tool_call,
)

_CONFIG = {
    "maxTokens": "gen_ai.request.max_tokens",
    "temperature": "gen_ai.request.temperature",
    "topP": "gen_ai.request.top_p",
    "stopSequences": "gen_ai.request.stop_sequences",
}
_USAGE = {
    "inputTokens": "gen_ai.usage.input_tokens",
    "outputTokens": "gen_ai.usage.output_tokens",
    "cacheReadInputTokens": "gen_ai.usage.cache_read.input_tokens",
    "cacheWriteInputTokens": "gen_ai.usage.cache_creation.input_tokens",
}


def _request(body: Json) -> Json:
    fields = renamed(mapping(body.get("inferenceConfig")), _CONFIG)
    if tools := objects(mapping(body.get("toolConfig")).get("tools")):
        fields["gen_ai.tool.definitions"] = [mapping(tool.get("toolSpec")) or tool for tool in tools]
    if system := body.get("system"):
        fields["gen_ai.system_instructions"] = "\n".join(text(block.get("text")) for block in objects(system)) or system
    fields["gen_ai.input.messages"] = [
        {"role": text(turn.get("role")) or "user", "parts": [_part(block) for block in items(turn.get("content"))]}
        for turn in objects(body.get("messages"))
    ]
    return fields


def _part(given: Any) -> Json:
    block = mapping(given)
    if said := text(block.get("text")):
        return {"type": "text", "content": said}
    if thought := text(mapping(mapping(block.get("reasoningContent")).get("reasoningText")).get("text")):
        return {"type": "reasoning", "content": thought}
    if call := mapping(block.get("toolUse")):
        return tool_call(call.get("toolUseId"), call.get("name"), call.get("input"))
    if result := mapping(block.get("toolResult")):
        return {"type": "tool_call_response", "id": result.get("toolUseId"), "result": result.get("content")}
    return {"type": "extra", "extra": given}


def _answer(body: Json) -> Json:
    fields = renamed(mapping(body.get("usage")), _USAGE)
    # Here, unlike in OpenTelemetry, what came from a cache is not among the input tokens.
    counts = [count for name, field in _USAGE.items() if name != "outputTokens" and (count := fields.get(field))]
    if counts:
        fields["gen_ai.usage.input_tokens"] = sum(count for count in counts if isinstance(count, int))
    reason = text(body.get("stopReason"))
    parts = [_part(block) for block in items(mapping(mapping(body.get("output")).get("message")).get("content"))]
    if parts:
        message: Json = {"role": "assistant", "parts": parts}
        fields["gen_ai.output.messages"] = [message | ({"finish_reason": reason} if reason else {})]
    fields["gen_ai.response.finish_reasons"] = [reason] if reason else []
    return fields


def _join(values: Timed) -> Joined:
    body: Json = {}
    calls: dict[int, Json] = {}
    pieces: dict[int, tuple[str, list[str]]] = {}
    token_ms: list[float] = []
    for at_ms, value in values:
        for told in value.values():
            event = mapping(told)
            place = index(event.get("contentBlockIndex"))
            body |= {name: event[name] for name in ("stopReason", "usage") if name in event}
            if call := mapping(mapping(event.get("start")).get("toolUse")):
                calls[place] = call
            for kind, piece in mapping(event.get("delta")).items():
                if said := text(piece) or text(mapping(piece).get("input")) or text(mapping(piece).get("text")):
                    pieces.setdefault(place, (kind, []))[1].append(said)
                    token_ms.append(at_ms)
        body |= renamed(value, {"error": "error"})
    content = [_whole(calls.get(place), *pieces.get(place, ("text", []))) for place in sorted(calls | pieces)]
    body["output"] = {"message": {"content": content}}
    return Joined(body, "stopReason" in body, token_ms)


def _whole(call: Json | None, kind: str, pieces: list[str]) -> Json:
    said = "".join(pieces)
    if call is not None:
        return {"toolUse": call | {"input": said}}
    return {"reasoningContent": {"reasoningText": {"text": said}}} if kind == "reasoningContent" else {"text": said}


def _invoke_request(body: Json) -> Json:
    return (anthropic.MESSAGES if "anthropic_version" in body else other.ANY).request(body)


def _invoke_answer(body: Json) -> Json:
    if mapping(body.get("output")):
        return _answer(body)
    return (anthropic.MESSAGES if isinstance(body.get("content"), list) else other.ANY).answer(body)


def _invoke_join(values: Timed) -> Joined:
    if any("messageStart" in value or "contentBlockDelta" in value for _, value in values):
        return _join(values)
    return (anthropic.MESSAGES if any("message" in value for _, value in values) else other.ANY).join(values)


CONVERSE = Api("aws.bedrock", "chat", _request, _answer, _join)
INVOKE = Api("aws.bedrock", "chat", _invoke_request, _invoke_answer, _invoke_join)

"""Anthropic's messages."""

from __future__ import annotations

from typing import Any

import orjson

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

_REQUEST = {
    "model": "gen_ai.request.model",
    "stream": "gen_ai.request.stream",
    "max_tokens": "gen_ai.request.max_tokens",
    "temperature": "gen_ai.request.temperature",
    "top_p": "gen_ai.request.top_p",
    "top_k": "gen_ai.request.top_k",
    "stop_sequences": "gen_ai.request.stop_sequences",
    "tools": "gen_ai.tool.definitions",
}
_USAGE = {
    "output_tokens": "gen_ai.usage.output_tokens",
    "cache_read_input_tokens": "gen_ai.usage.cache_read.input_tokens",
    "cache_creation_input_tokens": "gen_ai.usage.cache_creation.input_tokens",
}
_DELTAS = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}


def _request(body: Json) -> Json:
    fields = renamed(body, _REQUEST)
    system = body.get("system")
    if isinstance(system, list):
        system = "\n".join(text(block.get("text")) for block in objects(system))
    if system:
        fields["gen_ai.system_instructions"] = system
    if end_user := mapping(body.get("metadata")).get("user_id"):
        fields["enduser.pseudo.id"] = end_user
    fields["gen_ai.input.messages"] = [
        {"role": text(turn.get("role")) or "user", "parts": _parts(turn.get("content"))}
        for turn in objects(body.get("messages"))
    ]
    return fields


def _parts(content: object) -> list[Any]:
    if isinstance(content, str):
        return [{"type": "text", "content": content}]
    return [_part(block) for block in items(content)]


def _part(block: Any) -> Any:
    given = mapping(block)
    kind = given.get("type")
    if kind == "text":
        return {"type": "text", "content": text(given.get("text"))}
    if kind == "thinking":
        return {"type": "reasoning", "content": text(given.get("thinking"))}
    if kind in ("tool_use", "server_tool_use"):
        return tool_call(given.get("id"), given.get("name"), given.get("input"))
    if kind == "tool_result":
        return {"type": "tool_call_response", "id": given.get("tool_use_id"), "result": given.get("content")}
    return block if given else {"type": "extra", "extra": block}


def _answer(body: Json) -> Json:
    fields = renamed(body, {"id": "gen_ai.response.id", "model": "gen_ai.response.model"})
    usage = mapping(body.get("usage"))
    fields |= renamed(usage, _USAGE)
    # Here, unlike in OpenTelemetry, what came from a cache is not among the input tokens.
    counts = [usage.get(name) for name in ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")]
    if isinstance(counts[0], int):
        fields["gen_ai.usage.input_tokens"] = sum(count for count in counts if isinstance(count, int))
    reason = text(body.get("stop_reason"))
    if parts := _parts(body.get("content")):
        message: Json = {"role": "assistant", "parts": parts}
        fields["gen_ai.output.messages"] = [message | ({"finish_reason": reason} if reason else {})]
    fields["gen_ai.response.finish_reasons"] = [reason] if reason else []
    return fields


def _join(values: Timed) -> Joined:
    body: Json = {}
    blocks: dict[int, Json] = {}
    pieces: dict[int, list[str]] = {}
    usage: Json = {}
    token_ms: list[float] = []
    complete = False
    for at_ms, value in values:
        kind, place = value.get("type"), index(value.get("index"))
        if kind == "message_start":
            body |= mapping(value.get("message"))
            usage |= mapping(body.get("usage"))
        elif kind == "content_block_start":
            blocks[place] = dict(mapping(value.get("content_block")))
        elif kind == "content_block_delta":
            delta = mapping(value.get("delta"))
            if said := text(delta.get(_DELTAS.get(text(delta.get("type")), ""))):
                pieces.setdefault(place, []).append(said)
                token_ms.append(at_ms)
        elif kind == "message_delta":
            body |= mapping(value.get("delta"))
            usage |= {name: count for name, count in mapping(value.get("usage")).items() if count is not None}
        elif kind == "error":
            body["error"] = value.get("error")
        complete |= kind == "message_stop"
    body["content"] = [
        _whole(blocks.get(place, {"type": "text"}), "".join(pieces.get(place, []))) for place in sorted(blocks | pieces)
    ]
    return Joined(body | {"usage": usage}, complete, token_ms)


def _whole(block: Json, said: str) -> Json:
    name = {"text": "text", "thinking": "thinking"}.get(text(block.get("type")))
    if name:
        return block | {name: text(block.get(name)) + said}
    if not said:
        return block
    try:
        return block | {"input": orjson.loads(said)}
    except orjson.JSONDecodeError:  # cut off
        return block | {"input": said}


MESSAGES = Api("anthropic", "chat", _request, _answer, _join)

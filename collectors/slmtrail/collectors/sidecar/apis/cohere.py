"""Cohere's chat, in both versions of its API, and its embeddings."""

from __future__ import annotations

from typing import Any

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
from slmtrail.collectors.sidecar.apis.openai import prompts

_REQUEST = {
    "model": "gen_ai.request.model",
    "stream": "gen_ai.request.stream",
    "max_tokens": "gen_ai.request.max_tokens",
    "temperature": "gen_ai.request.temperature",
    "p": "gen_ai.request.top_p",
    "k": "gen_ai.request.top_k",
    "seed": "gen_ai.request.seed",
    "frequency_penalty": "gen_ai.request.frequency_penalty",
    "presence_penalty": "gen_ai.request.presence_penalty",
    "stop_sequences": "gen_ai.request.stop_sequences",
    "tools": "gen_ai.tool.definitions",
    "preamble": "gen_ai.system_instructions",
    "conversation_id": "gen_ai.conversation.id",
}
_PIECES = ("text", "thinking")
"""What of a block comes in pieces."""

_ROLES = {"CHATBOT": "assistant", "SYSTEM": "system", "TOOL": "tool", "USER": "user"}


def _request(body: Json) -> Json:
    turns = items(body.get("messages")) + [_older(turn) for turn in objects(body.get("chat_history"))]
    if said := body.get("message"):
        turns.append({"role": "user", "content": said})
    if documents := body.get("documents"):
        turns.append({"role": "user", "parts": [{"type": "extra", "extra": {"documents": documents}}]})
    return renamed(body, _REQUEST) | {"gen_ai.input.messages": turns}


def _older(turn: Json) -> Json:
    """A turn as the first version tells it."""
    role = text(turn.get("role"))
    rest = {name: value for name, value in turn.items() if name not in ("role", "message")}
    return rest | {"role": _ROLES.get(role, role) or "user", "content": turn.get("message")}


def _embed_request(body: Json) -> Json:
    given = next((body[name] for name in ("texts", "inputs", "images") if body.get(name)), None)
    return renamed(body, {"model": "gen_ai.request.model"}) | {"gen_ai.input.messages": prompts(given)}


def _answer(body: Json) -> Json:
    fields = renamed(body, {"generation_id": "gen_ai.response.id", "id": "gen_ai.response.id"})
    tokens = mapping(body.get("usage") or body.get("meta")).get("tokens")
    fields |= renamed(
        mapping(tokens), {"input_tokens": "gen_ai.usage.input_tokens", "output_tokens": "gen_ai.usage.output_tokens"}
    )
    said = mapping(body.get("message")) or {"content": body.get("text"), "tool_calls": body.get("tool_calls")}
    reason = text(body.get("finish_reason"))
    if parts := _parts(said):
        message: Json = {"role": "assistant", "parts": parts}
        fields["gen_ai.output.messages"] = [message | ({"finish_reason": reason} if reason else {})]
    return fields | {"gen_ai.response.finish_reasons": [reason] if reason else []}


def _parts(message: Json) -> list[Any]:
    content = message.get("content")
    parts = [{"type": "reasoning", "content": plan}] if (plan := text(message.get("tool_plan"))) else []
    for block in content if isinstance(content, list) else [{"type": "text", "text": content}] if content else []:
        given = mapping(block)
        if thought := text(given.get("thinking")):
            parts.append({"type": "reasoning", "content": thought})
        else:
            parts.append(block)
    for call in objects(message.get("tool_calls")):
        function = mapping(call.get("function"))
        name, arguments = function.get("name", call.get("name")), function.get("arguments", call.get("parameters"))
        parts.append(tool_call(call.get("id"), name, arguments))
    return parts


def _join(values: Timed) -> Joined:
    """Events named by `type` (version 2) or `event_type` (version 1), whose last one holds the whole answer."""
    body: Json = {}
    blocks: dict[int, dict[str, list[Any]]] = {}
    calls: dict[int, Json] = {}
    arguments: dict[int, list[str]] = {}
    plan: list[str] = []
    token_ms: list[float] = []
    complete = False
    for at_ms, value in values:
        kind, place = text(value.get("type")) or text(value.get("event_type")), index(value.get("index"))
        delta = mapping(value.get("delta"))
        message = mapping(delta.get("message"))
        if kind == "message-start":
            body |= renamed(value, {"id": "id"})
        elif kind in ("content-start", "content-delta"):
            for name, piece in mapping(message.get("content")).items():
                blocks.setdefault(place, {}).setdefault(name, []).append(piece)
        elif kind == "tool-plan-delta":
            plan.append(text(message.get("tool_plan")))
        elif kind == "tool-call-start":
            calls[place] = mapping(message.get("tool_calls"))
        elif kind == "tool-call-delta":
            piece = mapping(mapping(message.get("tool_calls")).get("function")).get("arguments")
            arguments.setdefault(place, []).append(text(piece))
        elif kind == "text-generation":
            blocks.setdefault(0, {"type": ["text"]}).setdefault("text", []).append(value.get("text"))
        elif kind == "message-end":
            body |= delta
        elif kind == "stream-end":
            body |= mapping(value.get("response")) | renamed(value, {"finish_reason": "finish_reason"})
        if kind.endswith(("-delta", "text-generation")):
            token_ms.append(at_ms)
        complete |= kind in ("message-end", "stream-end")
    if "text" not in body:
        body["message"] = {
            "content": [
                {name: "".join(map(text, said)) if name in _PIECES else said[-1] for name, said in block.items()}
                for _, block in sorted(blocks.items())
            ],
            "tool_calls": [
                _called(calls.get(place, {}), arguments.get(place, [])) for place in sorted(calls | arguments)
            ],
            "tool_plan": "".join(plan),
        }
    return Joined(body, complete, token_ms)


def _called(call: Json, arguments: list[str]) -> Json:
    function = mapping(call.get("function"))
    return call | {"function": function | {"arguments": text(function.get("arguments")) + "".join(arguments)}}


def _embeddings(body: Json) -> Json:
    given = body.get("embeddings")
    vectors = items(given) or next((items(one) for one in mapping(given).values() if one), [])
    fields = renamed(body, {"id": "gen_ai.response.id"})
    return fields | ({"gen_ai.embeddings.dimension.count": len(items(vectors[0]))} if vectors else {})


CHAT = Api("cohere", "chat", _request, _answer, _join)
EMBED = Api("cohere", "embeddings", _embed_request, _embeddings, _join)

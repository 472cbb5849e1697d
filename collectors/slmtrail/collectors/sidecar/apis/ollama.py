"""Ollama's own API: chat, generate and embeddings, streamed as lines of JSON unless told otherwise."""

from __future__ import annotations

from slmtrail.collectors.sidecar.apis.api import (
    SAMPLING,
    Api,
    Joined,
    Json,
    Timed,
    items,
    mapping,
    objects,
    renamed,
    text,
    tool_call,
)
from slmtrail.collectors.sidecar.apis.openai import prompts
from slmtrail.collectors.sidecar.fit import without_blobs

_OPTIONS = {
    "num_predict": "gen_ai.request.max_tokens",
    **SAMPLING,
}


def _shared(body: Json) -> Json:
    fields = renamed(body, {"model": "gen_ai.request.model"}) | renamed(mapping(body.get("options")), _OPTIONS)
    if body.get("format"):
        fields["gen_ai.output.type"] = "json"
    return fields | {"gen_ai.request.stream": body.get("stream") is not False}


def _chat_request(body: Json) -> Json:
    turns = [_turn(turn) for turn in objects(body.get("messages"))]
    return _shared(body) | renamed(body, {"tools": "gen_ai.tool.definitions"}) | {"gen_ai.input.messages": turns}


def _generate_request(body: Json) -> Json:
    turn: Json = {"role": "user", "content": text(body.get("prompt"))}
    if body.get("images"):
        turn["images"] = body["images"]
    fields = _shared(body) | {"gen_ai.input.messages": [_turn(turn)]}
    return fields | renamed(body, {"system": "gen_ai.system_instructions"})


def _embed_request(body: Json) -> Json:
    given = renamed(body, {"model": "gen_ai.request.model"})
    return given | {"gen_ai.input.messages": prompts(body.get("input", body.get("prompt")))}


def _turn(turn: Json) -> Json:
    parts: list[Json] = []
    if thought := text(turn.get("thinking")):
        parts.append({"type": "reasoning", "content": thought})
    if said := text(turn.get("content")):
        parts.append({"type": "text", "content": said})
    images = items(without_blobs(turn.get("images"), "images"))
    parts += [{"type": "blob", "modality": "image", "content": image} for image in images]
    for call in objects(turn.get("tool_calls")):
        function = mapping(call.get("function"))
        parts.append(tool_call(call.get("id"), function.get("name"), function.get("arguments")))
    if turn.get("role") == "tool":
        parts = [{"type": "tool_call_response", "name": turn.get("tool_name"), "result": text(turn.get("content"))}]
    return {"role": text(turn.get("role")) or "user", "parts": parts}


def _answer(body: Json) -> Json:
    fields = renamed(
        body,
        {
            "model": "gen_ai.response.model",
            "prompt_eval_count": "gen_ai.usage.input_tokens",
            "eval_count": "gen_ai.usage.output_tokens",
        },
    )
    said = mapping(body.get("message")) or {"content": body.get("response"), "thinking": body.get("thinking")}
    message = _turn({"role": "assistant"} | {name: value for name, value in said.items() if value is not None})
    reason = text(body.get("done_reason"))
    if message["parts"]:
        fields["gen_ai.output.messages"] = [message | ({"finish_reason": reason} if reason else {})]
    return fields | {"gen_ai.response.finish_reasons": [reason] if reason else []}


def _embeddings(body: Json) -> Json:
    fields = renamed(body, {"model": "gen_ai.response.model", "prompt_eval_count": "gen_ai.usage.input_tokens"})
    vectors = items(body.get("embeddings"))
    vector = items(vectors[0]) if vectors else items(body.get("embedding"))
    return fields | ({"gen_ai.embeddings.dimension.count": len(vector)} if vector else {})


def _join(values: Timed) -> Joined:
    body: Json = {}
    texts: dict[str, list[str]] = {"content": [], "thinking": []}
    calls: list[Json] = []
    token_ms: list[float] = []
    for at_ms, value in values:
        body |= value
        said = mapping(value.get("message")) or {"content": value.get("response"), "thinking": value.get("thinking")}
        for name, pieces in texts.items():
            pieces.append(text(said.get(name)))
        called = objects(said.get("tool_calls"))
        calls += called
        if called or texts["content"][-1] or texts["thinking"][-1]:
            token_ms.append(at_ms)
    body["message"] = {name: "".join(pieces) for name, pieces in texts.items()} | {"tool_calls": calls}
    return Joined(body, body.get("done") is True, token_ms)


CHAT = Api("ollama", "chat", _chat_request, _answer, _join, ndjson=True, streams_by_default=True)
GENERATE = Api("ollama", "text_completion", _generate_request, _answer, _join, ndjson=True, streams_by_default=True)
EMBED = Api("ollama", "embeddings", _embed_request, _embeddings, _join, ndjson=True)

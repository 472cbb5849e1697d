"""Google's Gemini API, also as Vertex AI serves it: generateContent, whole, as server-sent events or as one array."""

from __future__ import annotations

import itertools
from typing import Any

from slmtrail.collectors.sidecar.apis.api import (
    SEVERAL,
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
    "temperature": "gen_ai.request.temperature",
    "topP": "gen_ai.request.top_p",
    "topK": "gen_ai.request.top_k",
    "maxOutputTokens": "gen_ai.request.max_tokens",
    "candidateCount": "gen_ai.request.choice.count",
    "stopSequences": "gen_ai.request.stop_sequences",
    "seed": "gen_ai.request.seed",
    "presencePenalty": "gen_ai.request.presence_penalty",
    "frequencyPenalty": "gen_ai.request.frequency_penalty",
}
_USAGE = {
    "promptTokenCount": "gen_ai.usage.input_tokens",
    "candidatesTokenCount": "gen_ai.usage.output_tokens",
    "cachedContentTokenCount": "gen_ai.usage.cache_read.input_tokens",
    "thoughtsTokenCount": "gen_ai.usage.reasoning.output_tokens",
}


def camel(body: Json) -> Json:
    """The names of an object in the one of their two spellings that servers answer with."""
    made = {}
    for name, value in body.items():
        first, *rest = name.split("_")
        made[first + "".join(word.capitalize() for word in rest)] = value
    return made


def _request(body: Json) -> Json:
    given = camel(body)
    config = camel(mapping(given.get("generationConfig")))
    fields = renamed(given, {"model": "gen_ai.request.model", "tools": "gen_ai.tool.definitions"})
    fields |= renamed(config, _CONFIG)
    if "json" in text(config.get("responseMimeType")):
        fields["gen_ai.output.type"] = "json"
    if system := given.get("systemInstruction"):
        fields["gen_ai.system_instructions"] = "\n".join(
            text(part.get("text")) for part in objects(mapping(system).get("parts"))
        ) or text(system)
    contents = given.get("contents", given.get("content"))
    fields["gen_ai.input.messages"] = [_turn(one) for one in (contents if isinstance(contents, list) else [contents])]
    return fields


def _batch_request(body: Json) -> Json:
    each = objects(body.get("requests"))
    fields = renamed(mapping(each[0] if each else None), {"model": "gen_ai.request.model"})
    return fields | {"gen_ai.input.messages": [_turn(one.get("content")) for one in each]}


def _turn(given: Any) -> Json:
    if isinstance(given, str):
        return {"role": "user", "parts": [{"type": "text", "content": given}]}
    turn = mapping(given)
    parts = turn.get("parts")
    role = {"model": "assistant"}.get(text(turn.get("role")), text(turn.get("role"))) or "user"
    return {"role": role, "parts": [_part(part) for part in (parts if isinstance(parts, list) else [parts or given])]}


def _part(given: Any) -> Any:
    part = camel(mapping(given))
    if said := text(part.get("text")):
        return {"type": "reasoning" if part.get("thought") is True else "text", "content": said}
    if call := mapping(part.get("functionCall")):
        return tool_call(call.get("id"), call.get("name"), call.get("args"))
    if answer := mapping(part.get("functionResponse")):
        told = {"id": answer.get("id"), "name": answer.get("name"), "result": answer.get("response")}
        return {"type": "tool_call_response"} | {name: value for name, value in told.items() if value is not None}
    return {"type": "extra", "extra": given}


def _answer(body: Json) -> Json:
    if SEVERAL in body:
        body = _join([(0.0, value) for value in body[SEVERAL]]).body
    fields = renamed(body, {"responseId": "gen_ai.response.id", "modelVersion": "gen_ai.response.model"})
    fields |= renamed(mapping(body.get("usageMetadata")), _USAGE)
    candidates = objects(body.get("candidates"))
    blocked = text(mapping(body.get("promptFeedback")).get("blockReason"))
    reasons = [text(candidate.get("finishReason")) for candidate in candidates] or [blocked]
    fields["gen_ai.output.messages"] = [
        _turn(mapping(candidate.get("content")) | {"role": "model"}) | ({"finish_reason": reason} if reason else {})
        for candidate, reason in zip(candidates, reasons, strict=False)
        if mapping(candidate.get("content")).get("parts")
    ]
    fields["gen_ai.response.finish_reasons"] = [reason for reason in reasons if reason]
    return fields


def _join(values: Timed) -> Joined:
    body: Json = {}
    candidates: dict[int, Json] = {}
    said: dict[int, list[Any]] = {}
    token_ms: list[float] = []
    for at_ms, value in values:
        body |= value
        for given in objects(value.get("candidates")):
            place = index(given.get("index"))
            candidates.setdefault(place, {}).update(given)
            parts = items(mapping(given.get("content")).get("parts"))
            said.setdefault(place, []).extend(parts)
            if parts:
                token_ms.append(at_ms)
    body["candidates"] = [
        candidate | {"content": {"parts": _whole(said[place])}} for place, candidate in sorted(candidates.items())
    ]
    blocked = bool(mapping(body.get("promptFeedback")).get("blockReason"))
    complete = blocked or (bool(candidates) and all(one.get("finishReason") for one in candidates.values()))
    return Joined(body, complete, token_ms)


def _whole(pieces: list[Any]) -> list[Any]:
    """Parts, the pieces of a text joined."""
    parts: list[Any] = []
    for kind, each in itertools.groupby(pieces, _kind):
        if kind is None:
            parts += each
        else:
            parts.append({"text": "".join(piece["text"] for piece in each), "thought": kind})
    return parts


def _kind(piece: Any) -> bool | None:
    """Of a piece of plain text whether it is of a thought; None for other pieces."""
    given = mapping(piece)
    plain = isinstance(given.get("text"), str) and given.keys() <= {"text", "thought"}
    return given.get("thought") is True if plain else None


def _embeddings(body: Json) -> Json:
    each = [mapping(body.get("embedding")), *objects(body.get("embeddings"))]
    sizes = [len(items(one.get("values"))) for one in each if one.get("values")]
    return {"gen_ai.embeddings.dimension.count": sizes[0]} if sizes else {}


GENERATE = Api("gcp.gemini", "generate_content", _request, _answer, _join)
EMBED = Api("gcp.gemini", "embeddings", _request, _embeddings, _join)
BATCH_EMBED = Api("gcp.gemini", "embeddings", _batch_request, _embeddings, _join)

"""OpenAI's responses."""

from __future__ import annotations

from typing import Any

from slmtrail.collectors.sidecar.apis.api import (
    Api,
    Joined,
    Json,
    Timed,
    confidence,
    index,
    items,
    mapping,
    objects,
    renamed,
    text,
    tool_call,
)
from slmtrail.collectors.sidecar.apis.openai import usage

_REQUEST = {
    "model": "gen_ai.request.model",
    "stream": "gen_ai.request.stream",
    "max_output_tokens": "gen_ai.request.max_tokens",
    "temperature": "gen_ai.request.temperature",
    "top_p": "gen_ai.request.top_p",
    "user": "enduser.pseudo.id",
    "tools": "gen_ai.tool.definitions",
    "instructions": "gen_ai.system_instructions",
}
_ENDS = ("response.completed", "response.incomplete", "response.failed", "error")


def _request(body: Json) -> Json:
    given = body.get("input")
    turns = [{"role": "user", "content": given}] if isinstance(given, str) else [turn(item) for item in items(given)]
    kind = mapping(mapping(body.get("text")).get("format")).get("type")
    conversation = body.get("conversation")
    fields = renamed(body, _REQUEST) | {"gen_ai.input.messages": turns}
    if kind:
        fields["gen_ai.output.type"] = "json" if text(kind).startswith("json") else kind
    if conversation:
        fields["gen_ai.conversation.id"] = mapping(conversation).get("id", conversation)
    return fields


def turn(given: Any) -> Json:
    """An item of input or output as a message: some items are messages, others are calls, results or thoughts."""
    item = mapping(given)
    kind = item.get("type", "message")
    if kind == "message" and item:
        return {"role": text(item.get("role")) or "user", "parts": _parts(item.get("content"))}
    if kind == "function_call":
        return _assistant(tool_call(item.get("call_id"), item.get("name"), item.get("arguments")))
    if kind == "function_call_output":
        answer = {"type": "tool_call_response", "id": item.get("call_id"), "result": item.get("output")}
        return {"role": "tool", "parts": [answer]}
    if kind == "reasoning":
        thoughts = objects(item.get("content")) or objects(item.get("summary"))
        return _assistant(*({"type": "reasoning", "content": text(thought.get("text"))} for thought in thoughts))
    return _assistant({"type": "extra", "extra": given})


def _assistant(*parts: Json) -> Json:
    return {"role": "assistant", "parts": list(parts)}


def _parts(content: object) -> list[Any]:
    if isinstance(content, str):
        return [{"type": "text", "content": content}]
    return [_part(part) for part in items(content)]


def _part(part: Any) -> Any:
    given = mapping(part)
    if text(given.get("type")) in ("input_text", "output_text"):
        return {"type": "text", "content": text(given.get("text"))}
    if given.get("type") == "refusal":
        return {"type": "refusal", "content": text(given.get("refusal"))}
    return part


def _answer(body: Json) -> Json:
    fields = renamed(body, {"id": "gen_ai.response.id", "model": "gen_ai.response.model"}) | usage(body.get("usage"))
    output = objects(body.get("output"))
    parts = [part for item in output for part in turn(item)["parts"]]
    reason = text(mapping(body.get("incomplete_details")).get("reason")) or text(body.get("status"))
    message = _assistant(*parts) | ({"finish_reason": reason} if reason else {})
    fields["gen_ai.output.messages"] = [message] if parts else []
    fields["gen_ai.response.finish_reasons"] = [reason] if reason else []
    said = [part for item in output for part in objects(item.get("content"))]
    sure = confidence([token.get("logprob") for part in said for token in objects(part.get("logprobs"))])
    return fields if sure is None else fields | {"slm.confidence": sure}


def _join(values: Timed) -> Joined:
    """The last event holds the whole answer; of a stream cut off, the deltas hold what was seen."""
    body: Json = {}
    items_seen: dict[int, Json] = {}
    deltas: dict[int, list[str]] = {}
    token_ms: list[float] = []
    complete = False
    for at_ms, value in values:
        kind, place = text(value.get("type")), index(value.get("output_index"))
        if isinstance(value.get("response"), dict):
            body |= value["response"]
        if kind in ("response.output_item.added", "response.output_item.done"):
            items_seen[place] = mapping(value.get("item"))
        elif kind.endswith(".delta"):
            deltas.setdefault(place, []).append(text(value.get("delta")))
            token_ms.append(at_ms)
        elif kind == "error":
            body["error"] = value.get("error") or value
        complete |= kind in _ENDS
    if not complete or not items(body.get("output")):
        places = sorted(items_seen | deltas)
        body["output"] = [_seen(items_seen.get(place, {}), deltas.get(place, [])) for place in places]
    return Joined(body, complete, token_ms)


def _seen(item: Json, deltas: list[str]) -> Json:
    said = "".join(deltas)
    kind = item.get("type", "message")
    if kind == "function_call":
        return item | {"arguments": text(item.get("arguments")) or said}
    if kind in ("message", "reasoning") and not item.get("content"):
        return item | {"type": kind, "role": "assistant", "content": [{"type": "output_text", "text": said}]}
    return item


RESPONSES = Api("openai", "chat", _request, _answer, _join)

"""Chat messages in the shapes of common APIs, brought into OpenTelemetry's: a role and parts. It needs no pydantic."""

from __future__ import annotations

from typing import Any

import orjson

PART_FIELDS = frozenset("type content id name arguments result uri mime_type modality extra".split())
MESSAGE_FIELDS = frozenset("role parts name finish_reason".split())


def json_text(value: object) -> object:
    """Free-form JSON as the string that carries it."""
    if isinstance(value, str) or value is None:
        return value
    try:
        return orjson.dumps(value).decode()
    except TypeError as error:
        raise ValueError(f"can't be carried as JSON text: {error}") from None


def normalise_messages(value: object) -> object:
    """`value` as a list of messages with parts: from a string, OpenAI's or Anthropic's `content`, or JSON text."""
    if isinstance(value, str):
        if value.startswith("["):
            try:
                given = orjson.loads(value)
            except orjson.JSONDecodeError:
                given = []
            if given and all(isinstance(item, dict) and "role" in item for item in given):
                return normalise_messages(given)
        return [{"role": "user", "parts": [{"type": "text", "content": value}]}]
    if isinstance(value, dict):
        value = [value]
    if not isinstance(value, list):
        return value
    return [_message(item) if isinstance(item, dict) else item for item in value]


def _message(given: dict[str, Any]) -> dict[str, Any]:
    message = {key: value for key, value in given.items() if value is not None}
    if "parts" in message:
        parts = _content_parts(message.pop("parts"))
    else:
        parts = _content_parts(message.pop("content", None))
        if isinstance(message.get("tool_calls"), list):
            parts += [_tool_call(call) for call in message.pop("tool_calls")]
        for name in ("reasoning", "reasoning_content", "thinking"):
            if isinstance(message.get(name), str):
                parts.append({"type": "reasoning", "content": message.pop(name)})
        if "tool_call_id" in message:
            parts = [_tool_answer(message.pop("tool_call_id"), parts)]
    extra = {key: message.pop(key) for key in list(message) if key not in MESSAGE_FIELDS}
    if extra:
        parts.append({"type": "extra", "extra": extra})
    return {"role": "user", **message, "parts": [_part(part) for part in parts]}


def _content_parts(content: object) -> list[dict[str, Any]]:
    parts = content if isinstance(content, list) else [content]
    return [_content_part(part) for part in parts if part is not None]


def _content_part(part: object) -> dict[str, Any]:
    if isinstance(part, dict):
        return part
    return {"type": "text", "content": part} if isinstance(part, str) else {"type": "extra", "extra": part}


def _tool_call(call: object) -> dict[str, Any]:
    """OpenAI's shape of a call; what it holds beside id, name and arguments stays, as extra."""
    if not isinstance(call, dict) or not isinstance(call.get("function"), dict):
        return {"type": "tool_call", "extra": call}
    rest = {key: value for key, value in call.items() if key not in ("function", "type")}
    return {**call["function"], **rest, "type": "tool_call"}


def _tool_answer(call_id: object, parts: list[dict[str, Any]]) -> dict[str, Any]:
    """The result of a call: text where it is all text, else the parts as they came."""
    texts: list[Any] = [
        part.get("content", part.get("text")) for part in parts if part.keys() <= {"type", "text", "content"}
    ]
    plain = len(texts) == len(parts) and all(isinstance(text, str) for text in texts)
    return {"type": "tool_call_response", "id": call_id, "result": "".join(texts) if plain else parts}


def _part(given: dict[str, Any]) -> dict[str, Any]:
    part = {key: value for key, value in given.items() if value is not None}
    if isinstance(part.get("text"), str) and "content" not in part:
        part["content"] = part.pop("text")
    part.setdefault("type", "text")
    if "content" in part:
        part["content"] = json_text(part["content"])
    extra = {key: part.pop(key) for key in list(part) if key not in PART_FIELDS}
    if extra:
        if "extra" in part:
            extra["extra"] = part["extra"]
        part["extra"] = extra
    return part

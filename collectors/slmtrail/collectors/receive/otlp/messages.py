"""Messages as the conventions of several years write them, in the one shape that events take."""

from __future__ import annotations

import hashlib
from typing import Any

from slmtrail.collectors.receive.otlp.told import opened
from slmtrail.collectors.sidecar.apis import responses
from slmtrail.collectors.sidecar.fit import without_blobs
from slmtrail.collectors.tail.formats import bodies
from slmtrail.collectors.tail.formats.values import dig

_ROLES = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
}
CHOICE = "gen_ai.choice"
SPOKEN = frozenset({*_ROLES, CHOICE})
"""Names of events that are one message each, from before messages were attributes."""


def messages(value: Any, role: str = "user") -> list[Any] | None:
    """Messages from what an attribute holds: JSON text, a structure, or plain text."""
    given = without_blobs(opened(value))
    found = bodies.messages([_item(one) for one in given] if isinstance(given, list) else given, role)
    return [_message(one) for one in found] if found else None


def instructions(value: Any) -> str | None:
    """System instructions, which are parts of a message, as text."""
    parts = opened(value)
    if isinstance(parts, list) and all(isinstance(part, dict) for part in parts):
        texts = [part.get("content", part.get("text")) for part in parts]
        if all(isinstance(text, str) for text in texts):
            return "\n\n".join(texts) or None
    return value if isinstance(value, str) else None


def spoken(name: str, said: Any) -> tuple[str, dict[str, Any]]:
    """The field that an event of `SPOKEN` belongs to, and its message."""
    body = said if isinstance(said, dict) else {"content": said}
    if name == CHOICE:
        inner = body.get("message")
        message = dict(inner) if isinstance(inner, dict) else {"content": inner or body.get("content")}
        whole = {"role": "assistant", **message, "finish_reason": body.get("finish_reason")}
        return "gen_ai.output.messages", _message(without_blobs(whole))
    message = {"role": _ROLES[name], **body}
    if name == "gen_ai.tool.message" and "id" in message:
        message["tool_call_id"] = message.pop("id")
    return "gen_ai.input.messages", _message(without_blobs(message))


def is_mute(said: Any) -> bool:
    """Whether the body of an event of `SPOKEN` has only what stands around a message."""
    if not isinstance(said, dict):
        return not said
    rest = {name: value for name, value in said.items() if name not in ("role", "index", "finish_reason") and value}
    return is_mute(rest["message"]) if rest.keys() == {"message"} else not rest


def _item(given: Any) -> Any:
    """An item of OpenAI's Responses API that is no message, as one."""
    kind = dig(given, "type")
    is_item = kind in ("function_call", "function_call_output") or (kind == "reasoning" and "summary" in given)
    return responses.turn(given) if is_item and "role" not in given else given


def _message(given: Any) -> Any:
    if not isinstance(given, dict) or not isinstance(given.get("parts"), list):
        return given
    return {**given, "parts": [_part(part) if isinstance(part, dict) else part for part in given["parts"]]}


def _part(part: dict[str, Any]) -> dict[str, Any]:
    made = dict(part)
    if part.get("type") == "tool_call_response" and "result" not in part:
        made["result"] = made.pop("response", None)
    if part.get("type") == "blob" and isinstance(part.get("content"), str):
        content = part["content"]
        digest = hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()
        made["content"] = f"chars={len(content)};sha256={digest}"
    return made

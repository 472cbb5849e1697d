"""Parameters and responses in the shapes that model APIs have, as fields of an event."""

from __future__ import annotations

import functools
from typing import Any

from slmtrail.collectors.sdk import plain
from slmtrail.collectors.sdk.pack import MAX_EVENT_BYTES
from slmtrail.collectors.sidecar.apis import anthropic, ollama, openai, responses
from slmtrail.collectors.sidecar.apis.api import Api


@functools.lru_cache(256)
def is_parameter(word: str) -> bool:
    """Whether OpenAI's API has a parameter of that name that is a field of an event."""
    return bool(openai.CHAT.request({word: {"type": "text"}}))


def parameters(given: dict[str, Any]) -> dict[str, Any]:
    """The fields of parameters by OpenAI's names."""
    return openai.CHAT.request(given)


def fields(response: Any) -> dict[str, Any]:
    """The fields of a response of a client, or of its JSON; none where it is of no known shape."""
    if not isinstance(response, dict) and not hasattr(type(response), "model_dump"):
        return {}
    body = plain.loads(plain.dumps(response, MAX_EVENT_BYTES))
    api = _api(body) if isinstance(body, dict) else None
    return {name: value for name, value in api.answer(body).items() if value not in (None, [], "")} if api else {}


def _api(body: dict[str, Any]) -> Api | None:
    if isinstance(body.get("choices"), list):
        return openai.CHAT
    if body.get("object") == "response":
        return responses.RESPONSES
    if body.get("type") == "message":
        return anthropic.MESSAGES
    if "done" in body and ("message" in body or "response" in body):
        return ollama.CHAT
    if isinstance(body.get("data"), list) and body.get("object") == "list":
        return openai.EMBEDDINGS
    return None

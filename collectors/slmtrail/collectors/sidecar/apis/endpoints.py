"""Which path is which API."""

from __future__ import annotations

from functools import lru_cache

from slmtrail.collectors.sidecar.apis import anthropic, llamacpp, ollama, openai, responses, tgi
from slmtrail.collectors.sidecar.apis.api import Api

_ENDINGS = {
    "/chat/completions": openai.CHAT,
    "/completions": openai.COMPLETIONS,
    "/responses": responses.RESPONSES,
    "/v1/messages": anthropic.MESSAGES,
    "/api/chat": ollama.CHAT,
    "/api/generate": ollama.GENERATE,
    "/api/embed": ollama.EMBED,
    "/api/embeddings": ollama.EMBED,
    "/embeddings": openai.EMBEDDINGS,
    "/completion": llamacpp.COMPLETION,
    "/generate": tgi.GENERATE,
    "/generate_stream": tgi.GENERATE,
}
"""The first that fits."""


@lru_cache(64)
def find(method: str, path: str) -> Api | None:
    """The API served at a path, wherever it is mounted; None for paths that ask no model."""
    if method != "POST":
        return None
    path = path.rstrip("/")
    return next((api for end, api in _ENDINGS.items() if path.endswith(end)), None)

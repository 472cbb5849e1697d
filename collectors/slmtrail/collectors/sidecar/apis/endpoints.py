"""Which path is which API."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import unquote

from slmtrail.collectors.sidecar.apis import (
    anthropic,
    bedrock,
    cohere,
    gemini,
    llamacpp,
    ollama,
    openai,
    responses,
    tgi,
)
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
    ":generateContent": gemini.GENERATE,
    ":streamGenerateContent": gemini.GENERATE,
    ":embedContent": gemini.EMBED,
    ":batchEmbedContents": gemini.BATCH_EMBED,
    ":rawPredict": anthropic.MESSAGES,
    ":streamRawPredict": anthropic.MESSAGES,
    "/v1/chat": cohere.CHAT,
    "/v2/chat": cohere.CHAT,
    "/v1/embed": cohere.EMBED,
    "/v2/embed": cohere.EMBED,
}
"""The first that fits."""

MAX_MODEL_CHARS = 512
"""Of a path, from its end, where a model may be named."""

_BEDROCK = re.compile(r"/model/[^/]{1,200}/(?:(converse)(?:-stream)?|invoke(?:-with-response-stream)?)$")
_MODEL = re.compile(
    r"/(?:models/([^/:]{1,200}):[A-Za-z]{1,50}|deployments/([^/]{1,200})/[a-z/]{1,50}"
    r"|model/([^/]{1,200})/(?:converse|invoke)[a-z-]{0,30}"
    r"|models/([^/:]{1,200})(?:/versions/[^/]{1,20})?/(?:infer|generate|generate_stream))$"
)


@lru_cache(64)
def find(method: str, path: str) -> Api | None:
    """The API served at a path, wherever it is mounted; None for paths that ask no model."""
    if method != "POST":
        return None
    path = path.rstrip("/")
    if named := _BEDROCK.search(path[-MAX_MODEL_CHARS:]):
        return bedrock.CONVERSE if named[1] else bedrock.INVOKE
    return next((api for end, api in _ENDINGS.items() if path.endswith(end)), None)


def model_of(path: str) -> str:
    """The model that a path names, as Google's, Azure's, Amazon's and Triton's do; "" where it names none."""
    named = _MODEL.search(path[-MAX_MODEL_CHARS:])
    return unquote(next(filter(None, named.groups()))) if named else ""

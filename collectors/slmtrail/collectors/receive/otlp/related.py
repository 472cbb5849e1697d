"""Which spans and log records have to do with models; the others are passed over, or kept where a setting says so."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from slmtrail.collectors.receive.otlp.signals import CLIENT, Span
from slmtrail.collectors.receive.otlp.traceloop import VECTOR_STORES
from slmtrail.collectors.sidecar.apis import endpoints
from slmtrail.collectors.tail.formats.values import word

_MARKS = frozenset(
    "gen_ai.operation.name gen_ai.system gen_ai.provider.name gen_ai.request.model gen_ai.response.model "
    "gen_ai.tool.name gen_ai.tool.call.id gen_ai.evaluation.name gen_ai.prompt gen_ai.completion mcp.method.name "
    "llm.request.type llm.request.model llm.model_name openinference.span.kind traceloop.span.kind "
    "ai.operationId langfuse.observation.type".split()
)
"""Attributes that only the instrumentation of a model or of what stands around one sets."""

_CALLS = ("http.request.method", "http.method", "rpc.system", "db.system", "db.system.name", "messaging.system")


def about_models(attributes: Mapping[str, Any]) -> bool:
    """Whether attributes speak of a model, a tool, an agent, a retrieval or an evaluation."""
    if not _MARKS.isdisjoint(attributes):
        return True
    if is_call(attributes):
        # Frameworks hang a workflow's or a conversation's name on every span below it, calls of others too.
        return word(attributes.get("db.system") or attributes.get("db.system.name")) in VECTOR_STORES
    return any(name.startswith(("gen_ai.", "traceloop.entity.", "llm.")) for name in attributes)


def is_call(attributes: Mapping[str, Any]) -> bool:
    """Whether attributes speak of a call to another system."""
    return any(name in attributes for name in _CALLS)


def asks_model(span: Span) -> bool:
    """Whether a call goes to the path of a model's API."""
    url = word(span.attributes.get("url.full") or span.attributes.get("http.url"))
    method = word(span.attributes.get("http.request.method") or span.attributes.get("http.method"))
    if span.kind != CLIENT or not url or not method:
        return False
    try:
        return endpoints.find(method.upper(), urlsplit(url).path) is not None
    except ValueError:
        return False


class Remembered:
    """The last keys that were added. Safe to use from several threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._keys: dict[str, None] = {}
        self._lock = threading.Lock()

    def add(self, key: str) -> None:
        """Remembers `key`, and forgets the oldest beyond the limit."""
        with self._lock:
            self._keys.pop(key, None)
            self._keys[key] = None
            while len(self._keys) > self._most:
                del self._keys[next(iter(self._keys))]

    def __contains__(self, key: str) -> bool:
        return key in self._keys

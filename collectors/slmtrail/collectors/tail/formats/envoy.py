"""Envoy AI Gateway's access logs: who asked which model, how it ended. There are no bodies in them."""

from __future__ import annotations

from typing import Any

from slmtrail.collectors.tail.formats.format import json_object
from slmtrail.collectors.tail.formats.values import address, integer, known, labels, word
from slmtrail.core.errors import EventError


def read(entry: bytes) -> list[dict[str, Any]]:
    """The events of one line."""
    given = json_object(entry)
    status = integer(given.get("response_code"))
    flags = set((word(given.get("response_flags")) or "").split(","))
    asked, answering = word(given.get("gen_ai.request.model")), word(given.get("gen_ai.response.model"))
    failed = status is not None and (status >= 400 or status == 0)
    shared = known(
        {
            "@timestamp": word(given.get("start_time") or given.get("timestamp")),
            "trace.id": word(given.get("x-request-id")),
            "session.id": word(given.get("session.id")),
            "user.id": word(given.get("user.id") or given.get("x-user-id")),
            "user_agent.original": word(given.get("user-agent") or given.get("user_agent")),
            "source.ip": address(_client(given)),
            "slm.latency_ms": integer(given.get("duration")),
            "gen_ai.provider.name": word(given.get("gen_ai.provider.name")),
            "labels": labels(
                path=given.get("x-envoy-origin-path") or given.get("path"),
                authority=given.get(":authority"),
                flags=given.get("response_flags"),
                details=given.get("response_code_details"),
            ),
        }
    )
    made: list[dict[str, Any]] = []
    if asked or answering:
        operation = word(given.get("gen_ai.operation.name"))
        inference = {
            **shared,
            "slm.kind": "inference",
            "event.outcome": "unknown" if status is None else "failure" if failed else "success",
            "error.type": str(status) if failed else None,
            "http.response.status_code": status,
            "gen_ai.operation.name": operation or "chat",
            "gen_ai.request.model": asked,
            "gen_ai.response.model": answering,
            "gen_ai.usage.input_tokens": integer(given.get("gen_ai.usage.input_tokens")),
            "gen_ai.usage.output_tokens": integer(given.get("gen_ai.usage.output_tokens")),
            "gen_ai.usage.cache_read.input_tokens": integer(
                given.get("gen_ai.usage.cache_read.input_tokens") or given.get("gen_ai.usage.cached_input_tokens")
            ),
            "server.address": word(given.get("upstream_host")),
            "slm.request_bytes": integer(given.get("bytes_received")),
            "slm.response_bytes": integer(given.get("bytes_sent")),
        }
        made.append(known(inference))
    if status in (401, 403) or "UAEX" in flags:
        made.append({**shared, "slm.kind": "auth", "event.action": "api_request", "event.outcome": "failure"})
    if status == 429 or "RL" in flags:
        made.append(
            {
                **shared,
                "slm.kind": "policy",
                "event.action": "rate_limit",
                "event.outcome": "success",
                "slm.verdict": "block",
                "slm.guardrail.name": "envoy",
            }
        )
    if not made:
        raise EventError("names no model, and nobody was refused: not about an inference", "no_model")
    return made


def _client(given: dict[str, Any]) -> Any:
    forwarded = word(given.get("x-forwarded-for"))
    # Only the last hop is what the gateway itself saw.
    return forwarded.rpartition(",")[2].strip() if forwarded else given.get("downstream_remote_address")

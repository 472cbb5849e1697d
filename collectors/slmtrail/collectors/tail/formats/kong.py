"""Kong's log entries with `ai.*`: an inference, its guards' verdicts, and a caller who was turned away."""

from __future__ import annotations

from typing import Any

from slmtrail.collectors.guard import external
from slmtrail.collectors.tail.formats import bodies
from slmtrail.collectors.tail.formats.format import json_object
from slmtrail.collectors.tail.formats.values import address, dig, integer, known, labels, number, word
from slmtrail.core.errors import EventError

_REFUSED = (401, 403)
_NO_GUARDS = ("proxy", "meta", "usage", "payload", "guardrail_triggered")
"""What else stands beside guards; the last one says again, with the text, what the guard itself says."""


def read(entry: bytes) -> list[dict[str, Any]]:
    """The events of one log entry."""
    given = _nested(json_object(entry))
    ai = given.get("ai")
    status = integer(dig(given, "response", "status"))
    if not isinstance(ai, dict):
        ai = {}
    shared = known(
        {
            "@timestamp": integer(given.get("started_at")),
            "trace.id": word(dig(given, "request", "id")),
            "source.ip": address(given.get("client_ip")),
            "user.id": word(dig(given, "consumer", "username") or dig(given, "consumer", "id")),
            "user_agent.original": word(dig(given, "request", "headers", "user-agent")),
            "service.name": word(dig(given, "service", "name")),
            "labels": labels(
                route=dig(given, "route", "name"),
                consumer=dig(given, "consumer", "id"),
                credential=dig(given, "authenticated_entity", "id"),
                workspace=given.get("workspace_name") or given.get("workspace"),
            ),
        }
    )
    made = [
        _inference(shared, given, part, status)
        for part in ai.values()
        if isinstance(part, dict) and (dig(part, "meta", "request_model") or dig(part, "meta", "response_model"))
    ]
    for under in (ai, dig(ai, "proxy")):
        if isinstance(under, dict):
            made += [shared | external.kong(part, name) for name, part in under.items() if _is_guard(name, part)]
    if status in _REFUSED:
        made.append({**shared, "slm.kind": "auth", "event.action": "api_request", "event.outcome": "failure"})
    if not made:
        raise EventError("no model or guard under ai, and nobody was refused: not about an inference", "no_model")
    return made


def _inference(shared: dict[str, Any], given: dict[str, Any], part: dict[str, Any], status: int | None) -> Any:
    meta, counted = dig(part, "meta"), dig(part, "usage")
    failed = status is not None and status >= 400
    mode = word(dig(meta, "request_mode"))
    cost = number(dig(counted, "cost"))
    return known(
        {
            **shared,
            "slm.kind": "inference",
            "event.outcome": "unknown" if status is None else "failure" if failed else "success",
            "error.type": str(status) if failed else None,
            "http.response.status_code": status,
            "gen_ai.provider.name": word(dig(meta, "provider_name")),
            "gen_ai.operation.name": "chat",
            "slm.latency_ms": integer(dig(meta, "llm_latency") or dig(given, "latencies", "request")),
            "slm.time_to_first_token_ms": integer(dig(counted, "time_to_first_token")),
            "slm.cost_usd": cost,
            "slm.request_bytes": integer(dig(given, "request", "size")),
            "slm.response_bytes": integer(dig(given, "response", "size")),
            **bodies.asked(dig(part, "payload", "request")),
            **bodies.answered(dig(part, "payload", "response")),
            **bodies.usage(counted),
            **known(
                {
                    "gen_ai.request.model": word(dig(meta, "request_model")),
                    "gen_ai.response.model": word(dig(meta, "response_model")),
                    "gen_ai.request.stream": mode == "stream" if mode else None,
                }
            ),
        }
    )


def _is_guard(name: str, part: Any) -> bool:
    told = part.keys() if isinstance(part, dict) and name not in _NO_GUARDS else ()
    return (name == "sanitizer" and bool(told)) or any(
        key.endswith(("block_reason", "_masked", "_processing_latency")) or key in ("mode", "guards_triggered_count")
        for key in told
    )


def _nested(given: dict[str, Any]) -> dict[str, Any]:
    """`{"ai.proxy.usage.cost": 1}` as the objects its names stand for."""
    nested = {name: value for name, value in given.items() if not name.startswith("ai.")}
    for name, value in given.items():
        if name.startswith("ai."):
            *path, last = name.split(".")
            level = nested
            for step in path:
                if not isinstance(level.get(step), dict):
                    level[step] = {}
                level = level[step]
            level[last] = value
    return nested

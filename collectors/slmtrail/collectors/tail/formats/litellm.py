"""LiteLLM's StandardLoggingPayload: an inference, its guardrails' verdicts, and a key that was refused."""

from __future__ import annotations

from typing import Any

from slmtrail.collectors.guard import external
from slmtrail.collectors.tail.formats import bodies
from slmtrail.collectors.tail.formats.format import json_object
from slmtrail.collectors.tail.formats.values import (
    address,
    dig,
    embedded,
    epoch_ms,
    known,
    labels,
    number,
    word,
)
from slmtrail.core.errors import EventError

_OPERATIONS = {"embedding": "embeddings", "text_completion": "text_completion", "image_generation": "generate_content"}


def read(entry: bytes) -> list[dict[str, Any]]:
    """The events of one payload."""
    given = json_object(entry)
    if "call_type" not in given and "startTime" not in given:
        raise EventError("no call_type and startTime: not a StandardLoggingPayload", "another_format")
    metadata = given.get("metadata")
    shared = known(
        {
            "@timestamp": epoch_ms(given.get("startTime")),
            "trace.id": word(given.get("trace_id")),
            "user.id": word(dig(metadata, "user_api_key_user_id")),
            "user.email": word(dig(metadata, "user_api_key_user_email")),
            "enduser.pseudo.id": word(given.get("end_user")),
            "source.ip": address(given.get("requester_ip_address") or dig(metadata, "requester_ip_address")),
            "user_agent.original": word(given.get("user_agent") or dig(metadata, "user_agent")),
            "labels": labels(
                key_hash=dig(metadata, "user_api_key_hash"),
                key_alias=dig(metadata, "user_api_key_alias"),
                team=dig(metadata, "user_api_key_team_alias") or dig(metadata, "user_api_key_team_id"),
                org=dig(metadata, "user_api_key_org_id"),
                model_group=given.get("model_group"),
                call_type=given.get("call_type"),
                cache_hit=str(given["cache_hit"]).lower() if given.get("cache_hit") is not None else None,
            ),
        }
    )
    made = [_inference(shared, given)] if word(given.get("model")) else []
    told = given.get("guardrail_information") or dig(metadata, "guardrail_information")
    made += [
        shared | external.litellm(item) for item in (told if isinstance(told, list) else [told]) if _is_verdict(item)
    ]
    fault = given.get("error_information")
    if word(dig(fault, "error_code")) in ("401", "403") or dig(fault, "error_class") == "AuthenticationError":
        refusal = {**shared, "slm.kind": "auth", "event.action": "api_request", "event.outcome": "failure"}
        made.append(known({**refusal, "error.type": word(dig(fault, "error_class"))}))
    if not made:
        raise EventError("names no model, guardrail or refusal: not about an inference", "no_model")
    return made


def _inference(shared: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    call = word(given.get("call_type")) or ""
    status = given.get("status")
    said = given.get("error_str")
    return known(
        {
            **shared,
            "slm.kind": "inference",
            "event.outcome": status if status in ("success", "failure") else "unknown",
            "error.type": word(dig(given, "error_information", "error_class")),
            "error.message": said if isinstance(said, str) and said else None,
            "gen_ai.operation.name": _OPERATIONS.get(call.removeprefix("a"), "chat"),
            "gen_ai.provider.name": word(given.get("custom_llm_provider")),
            "server.address": word(given.get("api_base")),
            "slm.latency_ms": _between(given, "endTime"),
            "slm.time_to_first_token_ms": _between(given, "completionStartTime") if given.get("stream") else None,
            "slm.cost_usd": number(given.get("response_cost")),
            **bodies.parameters(embedded(given.get("model_parameters"))),
            "gen_ai.input.messages": bodies.messages(embedded(given.get("messages"))),
            **bodies.answered(given.get("response")),
            **bodies.usage(given),
            **known(
                {
                    "gen_ai.request.model": word(given["model"]),
                    "gen_ai.response.id": word(given.get("id")),
                    "gen_ai.request.stream": given["stream"] if isinstance(given.get("stream"), bool) else None,
                }
            ),
        }
    )


def _between(given: dict[str, Any], end: str) -> int | None:
    """Milliseconds from the start of a call; the times are seconds since 1970."""
    began, ended = number(given.get("startTime")), number(given.get(end))
    if began is None or ended is None or ended < began:
        return None
    return round((ended - began) * 1000)


def _is_verdict(item: Any) -> bool:
    return isinstance(item, dict) and ("guardrail_status" in item or "guardrail_name" in item)

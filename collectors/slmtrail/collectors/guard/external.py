"""Verdicts of other guardrails, in the shapes in which they answer, as fields of events of kind policy.

What a guard only detects is flagged; what it has stopped is blocked. Of texts that a guard quotes nothing is kept,
but for those that Kong was told to log, which go where redaction looks.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from slmtrail.collectors.tail.formats.values import dig, integer, known, number, word
from slmtrail.core.errors import EventError

_HAZARDS = (
    "violent crimes",
    "non-violent crimes",
    "sex-related crimes",
    "child sexual exploitation",
    "defamation",
    "specialised advice",
    "privacy",
    "intellectual property",
    "indiscriminate weapons",
    "hate",
    "suicide and self-harm",
    "sexual content",
    "elections",
    "code interpreter abuse",
)
"""What Llama Guard 3 and 4 call S1, S2 and so on."""

_LLAMA_GUARD = re.compile(r"\s*(safe|unsafe)\b[\s,:]*((?:S\d{1,2}[\s,]*)*)", re.IGNORECASE)
_STATUSES = {
    "success": "allow",
    "not_run": "allow",
    "guardrail_intervened": "block",
    "blocked": "block",
    "failure": "block",
}
_UNANSWERED = "guardrail_failed_to_respond"
_TOLD_BY_LITELLM = (
    "guardrail_id guardrail_provider guardrail_mode guardrail_action masked_entity_count detection_method risk_score "
    "confidence_score violation_categories policy_template patterns_checked"
).split()
_MAX_REASONS = 256


def llama_guard(answer: Any) -> dict[str, Any]:
    """Llama Guard: `safe`, or `unsafe` and hazards; as text or as the answer of a chat API that holds it."""
    choice = next(iter(_list(dig(answer, "choices"))), None)
    places = (dig(choice, "message", "content"), dig(choice, "text"), dig(answer, "message", "content"))
    said = next((text for text in (answer, *places, dig(answer, "response")) if isinstance(text, str)), "")
    found = _LLAMA_GUARD.match(said)
    if found is None:
        raise EventError("should begin with safe or unsafe, as Llama Guard answers", "not_a_verdict")
    hazards = re.findall(r"S\d{1,2}", found[2].upper())
    names = [_HAZARDS[int(code[1:]) - 1] for code in hazards if 0 < int(code[1:]) <= len(_HAZARDS)]
    verdict = "flag" if found[1].lower() == "unsafe" else "allow"
    return _fields("llama_guard", verdict, hazards, reason="; ".join(names))


def nemo(answer: Any) -> dict[str, Any]:
    """NeMo Guardrails: a generation with its log of activated rails, or the status of a check."""
    log = next(
        (found for path in ((), ("guardrails_data",), ("guardrails",)) if (found := dig(answer, *path, "log"))), None
    )
    rails = [rail for rail in _list(dig(log, "activated_rails")) if isinstance(rail, dict)]
    status = word(dig(answer, "status"))
    if status is None and not rails:
        raise EventError(
            "has neither a status nor log.activated_rails: ask NeMo Guardrails for that log", "not_a_verdict"
        )
    stopped = [rail for rail in rails if rail.get("stop") is True]
    each = dig(answer, "rails_status")
    names = [name for name, rail in each.items() if word(dig(rail, "status")) == "blocked"] if _is_object(each) else []
    names += [name for rail in stopped if (name := word(rail.get("name")))]
    if status in ("blocked", "modified") and (rail_name := word(dig(answer, "rail"))):
        names.append(rail_name)
    verdict = "block" if stopped or status == "blocked" else "flag" if status == "modified" else "allow"
    seconds = number(dig(log, "stats", "total_duration"))
    return _fields(
        "nemo",
        verdict,
        names,
        point={"input": "request", "output": "answer"}.get(str(stopped[0].get("type"))) if stopped else None,
        latency_ms=None if seconds is None else round(seconds * 1000),
        more={"rails": [known({"type": word(rail.get("type")), "name": word(rail.get("name"))}) for rail in rails]},
    )


def lakera(answer: Any) -> dict[str, Any]:
    """Lakera Guard, version 2: `flagged`, a breakdown by detector, and the places of what was found."""
    flagged = dig(answer, "flagged")
    if not isinstance(flagged, bool):
        raise EventError("flagged: should be true or false, as Lakera Guard answers", "not_a_verdict")
    places = [place for place in _list(dig(answer, "payload")) if isinstance(place, dict)]
    detected = [one for one in _list(dig(answer, "breakdown")) if isinstance(one, dict) and one.get("detected") is True]
    return _fields(
        "lakera",
        "flag" if flagged else "allow",
        [name for one in (*detected, *places) if (name := word(one.get("detector_type")))],
        more={
            "request_uuid": word(dig(answer, "metadata", "request_uuid")),
            "detected": [_only(one, "detector_id", "detector_type", "policy_id", "message_id") for one in detected],
            "places": [_only(place, "detector_type", "message_id", "start", "end") for place in places],
        },
    )


def presidio(answer: Any) -> dict[str, Any]:
    """Presidio: what its analyzer found in a text or several, or what its anonymizer replaced."""
    given = dig(answer, "items") if _is_object(answer) else answer
    if not isinstance(given, list):
        raise EventError("should be a list of findings, as Presidio answers", "not_a_verdict")
    found = [one for part in given for one in (part if isinstance(part, list) else [part])]
    types = [kind for one in found if (kind := word(dig(one, "entity_type")))]
    if len(types) < len(found):
        raise EventError("entity_type: is missing in a finding", "not_a_verdict")
    scores = [score for one in found if (score := number(one.get("score"))) is not None]
    counts = dict(sorted(Counter(types).items()))
    return _fields(
        "presidio",
        "flag" if found else "allow",
        types,
        more={"counts": counts, "highest_score": max(scores, default=None)},
    )


def kong(told: Any, name: str = "kong") -> dict[str, Any]:
    """A guard of Kong's AI gateway: what stands under `ai.proxy.<guard>` or `ai.sanitizer` in its log."""
    if not _is_object(told):
        raise EventError("should be a JSON object, as Kong logs it under ai.proxy", "not_a_verdict")
    blocked = {
        key: text for key, value in sorted(told.items()) if key.endswith("block_reason") and (text := word(value))
    }
    details = [one for key in told if key.endswith("_block_detail") for one in _list(told[key])]
    changed = any(value for key, value in told.items() if key.endswith("_masked"))
    changed = changed or bool(integer(told.get("guards_triggered_count")) or integer(told.get("pii_identified")))
    sides = {key.partition("_")[0] for key in (blocked or told) if key.startswith(("input_", "output_"))}
    latencies = [ms for key in told if key.endswith("_processing_latency") and (ms := integer(told[key])) is not None]
    return _fields(
        name,
        "block" if blocked else "flag" if changed else "allow",
        [*blocked.values(), *(kind for one in details if (kind := word(dig(one, "detector_type"))))],
        reason="; ".join(blocked.values()),
        point={"input": "request", "output": "answer"}[sides.pop()] if len(sides) == 1 else None,
        latency_ms=integer(told.get("duration")) if not latencies else sum(latencies),
        more=told,
    )


def litellm(told: Any) -> dict[str, Any]:
    """One entry of LiteLLM's `guardrail_information`."""
    if not _is_object(told) or not ("guardrail_status" in told or "guardrail_name" in told):
        raise EventError("should be an entry of LiteLLM's guardrail_information", "not_a_verdict")
    status = word(told.get("guardrail_status")) or ""
    masked, duration = told.get("masked_entity_count"), number(told.get("duration"))
    reasons = [*_list(told.get("violation_categories")), *(masked if _is_object(masked) else ())]
    mode = word(told.get("guardrail_mode")) or ""
    verdict = _STATUSES.get(status, "flag")
    return _fields(
        word(told.get("guardrail_name")) or "litellm",
        "flag" if verdict == "allow" and masked else verdict,
        [text for reason in reasons if (text := word(reason))],
        reason=status,
        error=status if status == _UNANSWERED else None,
        point="answer" if mode.startswith("post_call") else "request" if mode.endswith("_call") else None,
        latency_ms=None if duration is None else round(duration * 1000),
        more=_only(told, *_TOLD_BY_LITELLM),
    )


SHAPES: Mapping[str, Callable[[Any], dict[str, Any]]] = {
    "kong": kong,
    "lakera": lakera,
    "litellm": litellm,
    "llama_guard": llama_guard,
    "nemo": nemo,
    "presidio": presidio,
}


def fields(shape: str, given: Any) -> dict[str, Any]:
    """The fields of an event from `{"answer": …, "event": …}`: what a guardrail of that shape answered, and fields of
    whom and what it was about. Those may also say what came of it, with slm.verdict."""
    event = dig(given, "event")
    if not _is_object(given) or "answer" not in given or not (event is None or _is_object(event)):
        raise EventError('should be {"answer": …} as the guardrail gave it, with fields in "event"', "not_a_verdict")
    return SHAPES[shape](given["answer"]) | (event or {}) | {"slm.kind": "policy"}


def _fields(
    name: str,
    verdict: str,
    reasons: Iterable[str],
    *,
    reason: str = "",
    error: str | None = None,
    point: str | None = None,
    latency_ms: int | None = None,
    more: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    given = list(dict.fromkeys(reasons))[:_MAX_REASONS]
    rest = {key: value for key, value in (more or {}).items() if value not in (None, [], {})}
    return known(
        {
            "slm.kind": "policy",
            "event.action": "guardrail",
            "event.outcome": "failure" if error or verdict == "block" else "success",
            "error.type": error,
            "event.reason": (reason or "; ".join(given))[:1024] or None,
            "slm.verdict": verdict,
            "slm.guard.point": point,
            "slm.guard.reasons": given or None,
            "slm.guardrail.name": name,
            "slm.latency_ms": latency_ms,
            "slm.attributes": rest or None,
        }
    )


def _only(given: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: given[name] for name in names if given.get(name) is not None}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)

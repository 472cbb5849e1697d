"""Azure OpenAI's diagnostic logs (RequestResponse, Audit) and API Management's GatewayLogs in front of it."""

from __future__ import annotations

import re
from typing import Any

from slmtrail.collectors.tail.formats import bodies
from slmtrail.collectors.tail.formats.format import json_object
from slmtrail.collectors.tail.formats.values import address, dig, embedded, integer, known, labels, word
from slmtrail.core.errors import EventError

_DEPLOYMENT = re.compile(r"/deployments/([^/?]+)/([a-z/]+)")
_OPERATIONS = {"embeddings": "embeddings", "completions": "text_completion", "chat": "chat", "responses": "chat"}


def read(entry: bytes) -> list[dict[str, Any]]:
    """The events of one log record."""
    given = json_object(entry)
    category = given.get("category") or given.get("Category")
    properties = embedded(given.get("properties"))
    properties = properties if isinstance(properties, dict) else {}
    if category == "GatewayLogs":
        return _gateway(given, properties)
    if category == "RequestResponse":
        return _request(given, properties)
    if category == "Audit":
        return [known({**_auth(_shared(given), given.get("resultSignature")), "event.action": _action(given)})]
    raise EventError("category: should be RequestResponse, GatewayLogs or Audit", "another_format")


def _shared(given: dict[str, Any]) -> dict[str, Any]:
    return {
        "@timestamp": word(given.get("time")),
        "trace.id": word(given.get("correlationId")),
        "source.ip": address(given.get("callerIpAddress")),
        "slm.latency_ms": integer(given.get("durationMs")),
        "gen_ai.provider.name": "azure.ai.openai",
        "labels": labels(
            resource=given.get("resourceId"),
            location=given.get("location"),
            tenant=given.get("Tenant"),
            operation=given.get("operationName"),
        ),
    }


def _request(given: dict[str, Any], properties: dict[str, Any]) -> list[dict[str, Any]]:
    shared = _shared(given)
    status = integer(given.get("resultSignature"))
    answering = word(properties.get("modelName"))
    version = word(properties.get("modelVersion"))
    deployment = word(properties.get("modelDeploymentName"))
    stream_type = word(properties.get("streamType"))
    operation = (word(given.get("operationName")) or "").lower()
    inference = {
        **shared,
        "slm.kind": "inference",
        "event.action": _action(given),
        "event.outcome": _outcome(status),
        "error.type": _fault(status),
        "user.id": word(properties.get("objectId")),
        "gen_ai.operation.name": "embeddings" if "embed" in operation else "chat",
        "gen_ai.request.model": deployment,
        "gen_ai.response.model": f"{answering}-{version}" if answering and version else answering,
        "gen_ai.request.stream": None if stream_type is None else stream_type.lower() == "streaming",
        "slm.request_bytes": integer(properties.get("requestLength")),
        "slm.response_bytes": integer(properties.get("responseLength")),
        "http.response.status_code": status,
    }
    made = [known(inference)] if deployment or answering else []
    if status in (401, 403):
        made.append(known({**_auth(shared, status), "user.id": word(properties.get("objectId"))}))
    if not made:
        raise EventError("properties name no model, and nobody was refused: not about an inference", "no_model")
    return made


def _gateway(given: dict[str, Any], properties: dict[str, Any]) -> list[dict[str, Any]]:
    shared = _shared(given)
    answer = next((properties[k] for k in ("responseBody", "backendResponseBody") if properties.get(k)), None)
    request = next((properties[k] for k in ("requestBody", "backendRequestBody") if properties.get(k)), None)
    status = integer(_first(properties, "responseCode", "backendResponseCode", given.get("resultSignature")))
    place = _DEPLOYMENT.search(str(properties.get("url") or properties.get("backendUrl") or ""))
    asked, answered = bodies.asked(request), bodies.answered(answer)
    user = known({"user.id": word(properties.get("userId")), "labels": _gateway_labels(shared, properties)})
    inference = {
        **shared,
        "slm.kind": "inference",
        "event.action": _action(given),
        "event.outcome": _outcome(status),
        "error.type": _fault(status),
        "gen_ai.operation.name": _OPERATIONS.get(place[2].split("/")[0], "chat") if place else "chat",
        "gen_ai.request.model": place[1] if place else None,
        "http.response.status_code": status,
        "slm.request_bytes": integer(properties.get("requestSize")),
        "slm.response_bytes": integer(properties.get("responseSize")),
        **user,
        **asked,
        **answered,
    }
    made: list[dict[str, Any]] = []
    if inference.get("gen_ai.request.model") or inference.get("gen_ai.response.model"):
        made.append(known(inference))
    if status in (401, 403):
        made.append(known({**_auth(shared, status), **user}))
    made += _filtered(known({**shared, **user}), embedded(answer))
    if not made:
        raise EventError("neither address nor bodies name a model: not about an inference", "no_model")
    return made


def _gateway_labels(shared: dict[str, Any], properties: dict[str, Any]) -> dict[str, str] | None:
    more = labels(
        api=properties.get("apiId"),
        subscription=properties.get("apimSubscriptionId"),
        backend_status=properties.get("backendResponseCode"),
        backend_ms=properties.get("backendTime"),
    )
    return {**(shared["labels"] or {}), **(more or {})} or None


def _filtered(shared: dict[str, Any], answer: Any) -> list[dict[str, Any]]:
    """The content filter's verdict, where the answer tells it."""
    refusal = dig(answer, "error", "innererror", "content_filter_result")
    results = [refusal]
    for part in ("prompt_filter_results", "choices"):
        listed = dig(answer, part)
        results += [dig(item, "content_filter_results") for item in listed] if isinstance(listed, list) else []
    results = [result for result in results if result]
    blocked = dig(answer, "error", "code") == "content_filter" or any(
        dig(hit, "filtered") is True for result in results if isinstance(result, dict) for hit in result.values()
    )
    if not results and not blocked:
        return []
    verdict = {
        **shared,
        "slm.kind": "policy",
        "event.action": "content_filter",
        "event.outcome": "success",
        "slm.verdict": "block" if blocked else "allow",
        "slm.guardrail.name": "azure.content_filter",
        "slm.attributes": results or None,
    }
    return [known(verdict)]


def _auth(shared: dict[str, Any], status: Any) -> dict[str, Any]:
    code = integer(status)
    return {**shared, "slm.kind": "auth", "event.action": "api_request", "event.outcome": _outcome(code)}


def _action(given: dict[str, Any]) -> str:
    return word(given.get("operationName")) or "request"


def _outcome(status: int | None) -> str:
    if status is None:
        return "unknown"
    return "failure" if status >= 400 else "success"


def _fault(status: int | None) -> str | None:
    return str(status) if status and status >= 400 else None


def _first(properties: dict[str, Any], *names: Any) -> Any:
    """The first of some properties that is there; the last of `names` is the value to fall back on."""
    return next((properties[name] for name in names[:-1] if properties.get(name) is not None), names[-1])

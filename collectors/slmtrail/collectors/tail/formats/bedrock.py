"""Amazon Bedrock's ModelInvocationLog: an inference, and the verdict of a guardrail where one looked."""

from __future__ import annotations

from typing import Any

from slmtrail.collectors.tail.formats import bodies
from slmtrail.collectors.tail.formats.format import json_object
from slmtrail.collectors.tail.formats.values import dig, embedded, integer, known, labels, number, word, words
from slmtrail.core.errors import EventError


def read(entry: bytes) -> list[dict[str, Any]]:
    """The events of one log entry."""
    given = json_object(entry)
    if "modelId" not in given or "operation" not in given:
        raise EventError("no modelId and operation: not a ModelInvocationLog", "another_format")
    operation = word(given["operation"]) or ""
    asked = embedded(dig(given, "input", "inputBodyJson"))
    answered = _whole(embedded(dig(given, "output", "outputBodyJson")))
    failed = word(given.get("errorCode"))
    stopped = dig(answered, "stopReason") or dig(answered, "stop_reason")
    shared = {
        "@timestamp": word(given.get("timestamp")),
        "user.id": word(dig(given, "identity", "arn")),
        "gen_ai.provider.name": "aws.bedrock",
        "gen_ai.request.model": word(given["modelId"]),
        "trace.id": word(given.get("requestId")),
    }
    inference = {
        **shared,
        "slm.kind": "inference",
        "event.action": operation or None,
        "event.outcome": "failure" if failed else "success",
        "error.type": failed,
        "gen_ai.operation.name": "embeddings" if "embed" in str(given["modelId"]) else "chat",
        "gen_ai.request.stream": "Stream" in operation,
        "gen_ai.usage.input_tokens": integer(dig(given, "input", "inputTokenCount")),
        "gen_ai.usage.cache_read.input_tokens": integer(dig(given, "input", "cacheReadInputTokenCount")),
        "gen_ai.usage.cache_creation.input_tokens": integer(dig(given, "input", "cacheWriteInputTokenCount")),
        "gen_ai.usage.output_tokens": integer(dig(given, "output", "outputTokenCount")),
        "gen_ai.response.finish_reasons": words(stopped),
        "slm.latency_ms": integer(dig(answered, "metrics", "latencyMs")),
        "labels": labels(
            account=given.get("accountId"),
            region=given.get("region"),
            inference_region=given.get("inferenceRegion"),
            input_s3=dig(given, "input", "inputBodyS3Path"),
            output_s3=dig(given, "output", "outputBodyS3Path"),
        ),
        "slm.attributes": given.get("requestMetadata") or None,
        **_asked(asked),
        "gen_ai.output.messages": _said(answered),
    }
    return [known(inference), *_verdict(known(shared), asked, answered, stopped)]


def _asked(body: Any) -> dict[str, Any]:
    """Converse's shape, Anthropic's or another model's own."""
    settings = dig(body, "inferenceConfig") or dig(body, "textGenerationConfig") or body
    said = next((body[name] for name in ("messages", "prompt", "inputText") if dig(body, name)), None)
    system = dig(body, "system")
    if isinstance(system, list):
        system = "\n".join(text for item in system if isinstance(text := dig(item, "text"), str)) or None
    tokens = next(
        (found for key in ("maxTokens", "maxTokenCount", "max_tokens") if (found := dig(settings, key))), None
    )
    return known(
        {
            "gen_ai.input.messages": bodies.messages(said if isinstance(body, dict) else body),
            "gen_ai.system_instructions": system if isinstance(system, str) else None,
            "gen_ai.request.temperature": number(dig(settings, "temperature")),
            "gen_ai.request.top_p": number(_first(settings, "topP", "top_p")),
            "gen_ai.request.top_k": number(_first(settings, "topK", "top_k")),
            "gen_ai.request.max_tokens": integer(tokens),
            "gen_ai.request.stop_sequences": words(_first(settings, "stopSequences", "stop_sequences")),
            "gen_ai.tool.definitions": dig(body, "toolConfig", "tools") or dig(body, "tools") or None,
        }
    )


def _first(value: Any, *names: str) -> Any:
    return next((found for name in names if (found := dig(value, name)) is not None), None)


def _said(body: Any) -> Any:
    if message := dig(body, "output", "message"):
        return bodies.messages(message, "assistant")
    results = dig(body, "results")
    texts = [dig(item, "outputText") for item in results] if isinstance(results, list) else None
    for said in (dig(body, "content"), texts, dig(body, "completion"), dig(body, "generation")):
        if said:
            return [{"role": "assistant", "content": said}]
    if isinstance(body, dict) and ("embedding" in body or not body.keys() - {"stopReason", "usage", "metrics"}):
        return None
    return bodies.messages(body, "assistant")


def _whole(body: Any) -> Any:
    """The pieces of a streamed answer as one; Converse's or Anthropic's."""
    if not isinstance(body, list):
        return body
    whole: dict[str, Any] = {}
    texts: list[str] = []
    for piece in body:
        text = (
            dig(piece, "contentBlockDelta", "delta", "text") or dig(piece, "delta", "text") or dig(piece, "completion")
        )
        texts.append(text if isinstance(text, str) else "")
        stopped = dig(piece, "messageStop", "stopReason") or dig(piece, "delta", "stop_reason")
        found = {"stopReason": stopped, "metrics": dig(piece, "metadata", "metrics")}
        found |= {"trace": dig(piece, "metadata", "trace")}
        found |= (
            {key: value for key, value in piece.items() if key.startswith("amazon-bedrock")}
            if dig(piece, "amazon-bedrock-guardrailAction")
            else {}
        )
        whole |= known(found)
    if text := "".join(texts):
        whole["content"] = text
    return whole


def _verdict(shared: dict[str, Any], asked: Any, answered: Any, stopped: Any) -> list[dict[str, Any]]:
    trace = dig(answered, "trace", "guardrail") or dig(answered, "amazon-bedrock-trace", "guardrail")
    action = dig(answered, "amazon-bedrock-guardrailAction")
    blocked = stopped == "guardrail_intervened" or action == "INTERVENED"
    if not (trace or action or blocked):
        return []
    verdict = {
        **shared,
        "slm.kind": "policy",
        "event.action": "guardrail",
        "event.outcome": "success",
        "slm.verdict": "block" if blocked else "allow",
        "slm.guardrail.name": word(dig(asked, "guardrailConfig", "guardrailIdentifier")) or "bedrock",
        "slm.attributes": trace or None,
    }
    return [known(verdict)]

"""The own API of Hugging Face's Text Generation Inference: generate, whole or as a stream."""

from __future__ import annotations

from typing import Any

from slmtrail.collectors.sidecar.apis.api import (
    Api,
    Joined,
    Json,
    Timed,
    confidence,
    items,
    mapping,
    objects,
    renamed,
    text,
)
from slmtrail.collectors.sidecar.apis.openai import prompts

_PARAMETERS = {
    "max_new_tokens": "gen_ai.request.max_tokens",
    "best_of": "gen_ai.request.choice.count",
    "seed": "gen_ai.request.seed",
    "temperature": "gen_ai.request.temperature",
    "top_p": "gen_ai.request.top_p",
    "top_k": "gen_ai.request.top_k",
    "frequency_penalty": "gen_ai.request.frequency_penalty",
    "stop": "gen_ai.request.stop_sequences",
    "adapter_id": "slm.model.adapter",
}


def _request(body: Json) -> Json:
    given = mapping(body.get("parameters"))
    fields = renamed(given, _PARAMETERS) | {"gen_ai.input.messages": prompts(body.get("inputs"))}
    return fields | ({"gen_ai.output.type": "json"} if given.get("grammar") else {})


def _answer(body: Json) -> Json:
    details = mapping(body.get("details"))
    fields: Json = {"gen_ai.usage.output_tokens": details.get("generated_tokens")}
    fields["gen_ai.usage.input_tokens"] = details.get("input_length") or len(items(details.get("prefill"))) or None
    said = [(body.get("generated_text"), details)]
    said += [(one.get("generated_text"), one) for one in objects(details.get("best_of_sequences"))]
    reasons = [text(about.get("finish_reason")) for _, about in said]
    fields["gen_ai.output.messages"] = [
        _message(text(content), reason) for (content, _), reason in zip(said, reasons, strict=True) if content
    ]
    fields["gen_ai.response.finish_reasons"] = [reason for reason in reasons if reason]
    fields["slm.confidence"] = confidence([token.get("logprob") for token in objects(details.get("tokens"))])
    return {name: value for name, value in fields.items() if value is not None}


def _message(content: str, reason: str) -> Json:
    message: Json = {"role": "assistant", "parts": [{"type": "text", "content": content}]}
    return message | ({"finish_reason": reason} if reason else {})


def _join(values: Timed) -> Joined:
    """The last event holds the text and what is told of it; of a stream cut off, the tokens hold what was seen."""
    body: Json = {}
    tokens: list[Any] = []
    token_ms: list[float] = []
    for at_ms, value in values:
        names = ("generated_text", "details", "error", "error_type")
        body |= {name: value[name] for name in names if value.get(name) is not None}
        if token := mapping(value.get("token")):
            tokens.append(token)
            token_ms.append(at_ms)
    complete = "generated_text" in body
    body.setdefault("generated_text", "".join(text(token.get("text")) for token in tokens if not token.get("special")))
    body["details"] = mapping(body.get("details")) | {"tokens": tokens}
    return Joined(body, complete, token_ms)


GENERATE = Api("tgi", "text_completion", _request, _answer, _join)

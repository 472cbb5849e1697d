"""The own API of llama.cpp's server: completion, whole or as a stream."""

from __future__ import annotations

import math
from typing import Any

from slmtrail.collectors.sidecar.apis.api import (
    SAMPLING,
    SEVERAL,
    Api,
    Joined,
    Json,
    Timed,
    confidence,
    objects,
    renamed,
    text,
)
from slmtrail.collectors.sidecar.apis.openai import prompts

_REQUEST = {
    "model": "gen_ai.request.model",
    "stream": "gen_ai.request.stream",
    "n_predict": "gen_ai.request.max_tokens",
    **SAMPLING,
}
_COUNTS = {
    "tokens_evaluated": "gen_ai.usage.input_tokens",
    "tokens_predicted": "gen_ai.usage.output_tokens",
}


def _request(body: Json) -> Json:
    fields = renamed(body, _REQUEST) | {"gen_ai.input.messages": prompts(body.get("prompt"))}
    return fields | ({"gen_ai.output.type": "json"} if body.get("json_schema") else {})


def _answer(body: Json) -> Json:
    each = objects(body.get(SEVERAL)) or [body]  # one for each prompt
    fields = renamed(each[0], {"model": "gen_ai.response.model"})
    for name, field in _COUNTS.items():
        counts = [one[name] for one in each if isinstance(one.get(name), int)]
        fields |= {field: sum(counts)} if counts else {}
    reasons = [_reason(one) for one in each]
    fields["gen_ai.output.messages"] = [
        _message(said, reason) for one, reason in zip(each, reasons, strict=True) if (said := text(one.get("content")))
    ]
    fields["gen_ai.response.finish_reasons"] = [reason for reason in reasons if reason]
    sure = confidence([_logprob(token) for one in each for token in objects(one.get("completion_probabilities"))])
    return fields if sure is None else fields | {"slm.confidence": sure}


def _message(said: str, reason: str) -> Json:
    message: Json = {"role": "assistant", "parts": [{"type": "text", "content": said}]}
    return message | ({"finish_reason": reason} if reason else {})


def _reason(body: Json) -> str:
    """Why it stopped; older servers say it in a flag each."""
    flags = ("stopped_eos", "stopped_limit", "stopped_word")
    return text(body.get("stop_type")) or next((flag[8:] for flag in flags if body.get(flag) is True), "")


def _logprob(token: Json) -> Any:
    """Of the token that was chosen; older servers tell the probabilities of those that could have been."""
    if "probs" not in token:
        return token.get("logprob")
    chosen = [one.get("prob") for one in objects(token["probs"]) if one.get("tok_str") == token.get("content")]
    return math.log(chosen[0]) if chosen and isinstance(chosen[0], int | float) and chosen[0] > 0 else None


def _join(values: Timed) -> Joined:
    body: Json = {}
    said: list[str] = []
    told: list[Json] = []
    token_ms: list[float] = []
    for at_ms, value in values:
        body |= value
        told += objects(value.get("completion_probabilities"))
        if piece := text(value.get("content")):
            said.append(piece)
            token_ms.append(at_ms)
    body |= {"content": "".join(said), "completion_probabilities": told}
    return Joined(body, body.get("stop") is True, token_ms)


COMPLETION = Api("llama.cpp", "text_completion", _request, _answer, _join)

"""Bodies of requests and answers in OpenAI's shape, whole or streamed, as fields of an inference."""

from __future__ import annotations

from typing import Any

import orjson

from slmtrail.collectors.tail.formats.values import dig, embedded, integer, known, number, word, words

_PARAMETERS = {
    "gen_ai.request.temperature": (number, "temperature"),
    "gen_ai.request.top_p": (number, "top_p"),
    "gen_ai.request.top_k": (number, "top_k"),
    "gen_ai.request.frequency_penalty": (number, "frequency_penalty"),
    "gen_ai.request.presence_penalty": (number, "presence_penalty"),
    "gen_ai.request.seed": (integer, "seed"),
    "gen_ai.request.choice.count": (integer, "n"),
    "gen_ai.request.stop_sequences": (words, "stop"),
}


def parameters(given: Any) -> dict[str, Any]:
    """The settings of a request."""
    limits = (dig(given, name) for name in ("max_completion_tokens", "max_tokens", "max_output_tokens"))
    fields = {name: read(dig(given, key)) for name, (read, key) in _PARAMETERS.items()}
    fields["gen_ai.request.max_tokens"] = next((integer(limit) for limit in limits if limit is not None), None)
    stream = dig(given, "stream")
    fields["gen_ai.request.stream"] = stream if isinstance(stream, bool) else None
    return known(fields)


def asked(body: Any) -> dict[str, Any]:
    """What a request asked, and with which settings."""
    body = embedded(body)
    if not isinstance(body, dict):
        return known({"gen_ai.input.messages": messages(body)})
    said = next((body[name] for name in ("messages", "input", "prompt") if body.get(name) is not None), None)
    return known(
        {
            "gen_ai.request.model": word(body.get("model")),
            "gen_ai.input.messages": messages(said),
            "gen_ai.tool.definitions": body.get("tools") or None,
            **parameters(body),
        }
    )


def answered(body: Any) -> dict[str, Any]:
    """What an answer said: JSON, the text of a stream of events, or plain text."""
    body = embedded(body)
    if isinstance(body, str) and "data:" in body:
        body = _joined(body)
    if not isinstance(body, dict):
        return known({"gen_ai.output.messages": messages(body, "assistant")})
    choices = [choice for choice in body.get("choices") or [] if isinstance(choice, dict)]
    said: Any = [choice.get("message") or choice.get("text") for choice in choices]
    if not choices:
        said = body.get("output") or body.get("content")
    finished = [word(choice.get("finish_reason")) for choice in choices]
    return known(
        {
            "gen_ai.response.id": word(body.get("id")),
            "gen_ai.response.model": word(body.get("model")),
            "gen_ai.response.finish_reasons": [reason for reason in finished if reason] or None,
            "gen_ai.output.messages": messages([part for part in said if part] if choices else said, "assistant"),
            "error.type": word(dig(body, "error", "code") or dig(body, "error", "type")),
            "error.message": _text(dig(body, "error", "message")),
            **usage(body.get("usage")),
        }
    )


def usage(given: Any) -> dict[str, Any]:
    """The tokens counted."""
    cached = dig(given, "prompt_tokens_details", "cached_tokens")
    reasoning = dig(given, "completion_tokens_details", "reasoning_tokens")
    sent = dig(given, "prompt_tokens")
    got = dig(given, "completion_tokens")
    return known(
        {
            "gen_ai.usage.input_tokens": integer(dig(given, "input_tokens") if sent is None else sent),
            "gen_ai.usage.output_tokens": integer(dig(given, "output_tokens") if got is None else got),
            "gen_ai.usage.cache_read.input_tokens": integer(cached),
            "gen_ai.usage.reasoning.output_tokens": integer(reasoning),
        }
    )


def messages(value: Any, role: str = "user") -> Any:
    """Messages as an event takes them; whatever is no message becomes the content of one."""
    if value is None or value in ("", [], {}):
        return None
    items = value if isinstance(value, list) else [value]
    return [item if isinstance(item, dict) and "role" in item else _message(item, role) for item in items]


def _message(item: Any, role: str) -> dict[str, Any]:
    return {"role": role, "content": item if isinstance(item, str | list) else orjson.dumps(item).decode()}


def _joined(stream: str) -> dict[str, Any]:
    """A stream of server-sent events as the answer that it told piece by piece."""
    whole: dict[str, Any] = {}
    texts: dict[int, list[str]] = {}
    calls: dict[int, dict[int, dict[str, Any]]] = {}
    finished: dict[int, Any] = {}
    for line in stream.splitlines():
        piece = embedded(line.removeprefix("data:").strip()) if line.startswith("data:") else None
        if not isinstance(piece, dict):
            continue
        whole |= {name: piece[name] for name in ("id", "model", "usage", "error") if piece.get(name)}
        for choice in piece.get("choices") or []:
            index = integer(dig(choice, "index")) or 0
            text = dig(choice, "delta", "content") or dig(choice, "text")
            texts.setdefault(index, []).append(text if isinstance(text, str) else "")
            finished[index] = dig(choice, "finish_reason") or finished.get(index)
            for call in dig(choice, "delta", "tool_calls") or []:
                _add_call(calls.setdefault(index, {}), call)
    return whole | {
        "choices": [
            {
                "message": known(
                    {
                        "role": "assistant",
                        "content": "".join(parts) or None,
                        "tool_calls": list(calls.get(index, {}).values()) or None,
                    }
                ),
                "finish_reason": finished.get(index),
            }
            for index, parts in sorted(texts.items())
        ]
    }


def _add_call(calls: dict[int, dict[str, Any]], piece: Any) -> None:
    call = calls.setdefault(integer(dig(piece, "index")) or 0, {"function": {"name": "", "arguments": ""}})
    if identity := word(dig(piece, "id")):
        call["id"] = identity
    for name in ("name", "arguments"):
        text = dig(piece, "function", name)
        call["function"][name] += text if isinstance(text, str) else ""


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None

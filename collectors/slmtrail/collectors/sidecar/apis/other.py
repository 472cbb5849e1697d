"""What asks a model at a path of no known API: a body in JSON, or a form, that holds a prompt under a usual name."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from slmtrail.collectors.sidecar.apis import openai
from slmtrail.collectors.sidecar.apis.api import SAMPLING, Api, Joined, Json, Timed, mapping, objects, renamed, text

OPERATION = "unknown"
"""Of what is sent to a path that is no known API's."""

MAX_VECTOR = 32
"""Longer lists of numbers are embeddings: their length is told, not they."""

_REQUEST = {
    "model": "gen_ai.request.model",
    "stream": "gen_ai.request.stream",
    "max_tokens": "gen_ai.request.max_tokens",
    "tools": "gen_ai.tool.definitions",
    "system": "gen_ai.system_instructions",
    "system_prompt": "gen_ai.system_instructions",
    **SAMPLING,
}
_PROMPTS = re.compile(
    r"(?:.*_)?(?:messages?|prompts?|inputs?|quer(?:y|ies)|questions?|texts?)(?:_\d)?"
    r"|.*(?:Messages?|Prompts?|Inputs?|Query|Question|Text)"
    r"|instances|contents|requests|input_prefix|input_suffix"
)
"""Names under which requests hold what is asked, alone or as the last word of a name."""

_TEXTS = tuple(
    "text output response content completion generation generated_text text_output output_text outputText answer "
    "result".split()
)
_READABLE = (str, list, dict)
_BOUNDARY = re.compile(r"multipart/form-data\s*;(?:.*;)?\s*boundary=(?:\"([^\"]{1,70})\"|([^\s;]{1,70}))", re.I)
_FIELD = re.compile(rb';\s*(file)?name\*?="?([^";\r\n]*)', re.I)


def asks(body: Json) -> bool:
    """Whether a request holds what a model is asked."""
    named = any(value and isinstance(value, _READABLE) and _PROMPTS.fullmatch(name) for name, value in body.items())
    return named or bool(body.get("role") and body.get("content")) or bool(body.get("model") and body.get("file"))


def form(data: bytes, content_type: str) -> Json:
    """The fields of a form, files as what is known of them; empty where it is none."""
    boundary = _BOUNDARY.match(content_type)
    if boundary is None:
        return {}
    fields: Json = {}
    for part in data.split(b"--" + (boundary[1] or boundary[2]).encode())[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        named = {bool(file): name.decode("utf-8", "replace") for file, name in _FIELD.findall(head)}
        content = content.removesuffix(b"\r\n")
        if True in named:
            told: Any = {"name": named[True], "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        else:
            told = content.decode("utf-8", "replace")
        fields[named.get(False, "")] = told
    return fields


def said(data: bytes, content_type: str) -> Json:
    """An answer that is not JSON."""
    if content_type.startswith("text/"):
        return {"text": data.decode("utf-8", "replace")}
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()} if data else {}


def _request(body: Json) -> Json:
    turns: list[Any] = []
    rest: Json = {}
    for name, value in body.items():
        if name == "messages" and isinstance(value, list):
            turns += value
        elif isinstance(value, str) and _PROMPTS.fullmatch(name) and name not in _REQUEST:
            turns.append({"role": "user", "parts": [{"type": "text", "content": value}]})
        elif name not in _REQUEST and isinstance(value, _READABLE):
            rest[name] = value
    if rest:
        turns.append({"role": "user", "parts": [{"type": "extra", "extra": rest}]})
    return renamed(body, _REQUEST) | {"gen_ai.input.messages": turns}


def _answer(body: Json) -> Json:
    if objects(body.get("choices")):
        return openai.CHAT.answer(body)
    fields = renamed(body, {"id": "gen_ai.response.id", "model": "gen_ai.response.model"})
    fields |= openai.usage(body.get("usage"))
    parts: list[Json] = [{"type": "text", "content": content} for name in _TEXTS if (content := text(body.get(name)))]
    rest = {name: value for name, value in body.items() if isinstance(value, dict | list) and name != "usage"}
    if rest:
        parts.append({"type": "extra", "extra": _without_vectors(rest)})
    return fields | ({"gen_ai.output.messages": [{"role": "assistant", "parts": parts}]} if parts else {})


def _without_vectors(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_vectors(item) for name, item in value.items()}
    if isinstance(value, list):
        if len(value) > MAX_VECTOR and all(isinstance(item, int | float) for item in value):
            return {"numbers": len(value)}
        return [_without_vectors(item) for item in value]
    return value


def _join(values: Timed) -> Joined:
    if any(objects(value.get("choices")) for _, value in values):
        return openai.CHAT.join(values)
    body: Json = {}
    pieces: dict[str, list[str]] = {}
    rest: list[Json] = []
    for _, value in values:
        body |= renamed(value, {name: name for name in ("id", "model", "usage", "error")})
        told = {name: piece for name in _TEXTS if (piece := text(value.get(name)))}
        for name, piece in told.items():
            pieces.setdefault(name, []).append(piece)
        if not told:
            rest.append(mapping(value))
    body |= {name: "".join(each) for name, each in pieces.items()}
    return Joined(body | ({"events": rest} if rest else {}), True, [at_ms for at_ms, _ in values])


ANY = Api("unknown", OPERATION, _request, _answer, _join)

"""What a request asks for, read for the guard: model, prompt, tools, parameters, and what is odd about it.

A body that two servers could read in two ways (a key given twice, or in another case, which some take for the same)
is odd: the guard can't say what the model will see. So is a prompt in numbers of tokens.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
import zstandard

from slmtrail.collectors.sidecar.apis import endpoints, other
from slmtrail.collectors.sidecar.apis.api import Json, beside, mapping, objects, text
from slmtrail.core.shapes import normalise_messages

UNKNOWN_OPERATION = other.OPERATION

MAX_DEPTH = 64
_SAFE_METHODS = frozenset(("GET", "HEAD", "OPTIONS"))
_READ = frozenset(
    "model messages prompt input inputs system instructions tools functions options parameters adapter_id contents "
    "message chat_history preamble".split()
)
"""Keys that decide what the model sees."""
_PARAMETERS = ("options", "parameters", "generationConfig", "generation_config")
_DECLARATIONS = ("functionDeclarations", "function_declarations")
_SYSTEM_ROLES = frozenset(("system", "developer"))


@dataclass(slots=True)
class Asked:
    """A request as the guard sees it. `oddities` are stable words."""

    operation: str
    body_bytes: int = 0
    model: str = ""
    messages: int = 0
    prompt: list[str] = field(default_factory=list)
    system: list[str] = field(default_factory=list)
    tools: list[str] = field(default_factory=list)
    tool_text: str = ""
    parameters: dict[str, float] = field(default_factory=dict)
    oddities: list[str] = field(default_factory=list)


def operation(method: str, path: str) -> str | None:
    """The operation that a request is of; None for what only looks."""
    api = endpoints.find(method, path)
    if api is not None:
        return api.operation
    return None if method in _SAFE_METHODS else UNKNOWN_OPERATION


def read(method: str, path: str, head: Mapping[str, str], body: bytes, max_bytes: int) -> Asked:
    """What the request asks for; `max_bytes` bounds a body once decompressed."""
    asked = Asked(operation(method, path) or UNKNOWN_OPERATION, len(body))
    plain = _decoded(body, head.get("content-encoding", ""), max_bytes)
    if plain is None:
        asked.oddities.append("unreadable_encoding")
        return asked
    given = _load(plain, asked)
    api = endpoints.find(method, path)
    try:
        if api is not None and isinstance(given, dict):
            _take(asked, given, api.request(given), endpoints.model_of(path))
            # What stands beside is read by some servers, and all of it where another API has this path.
            asked.prompt += _strings(beside(given) if asked.prompt else given, MAX_DEPTH)
        elif given is not None:
            asked.prompt += _strings(given, MAX_DEPTH)
    except (ValueError, TypeError, RecursionError):
        asked.oddities.append("unreadable_body")
    if asked.oddities:
        asked.prompt.append(plain.decode("utf-8", "replace"))
    return asked


def _take(asked: Asked, given: Json, fields: Json, model: str) -> None:
    named = text(given.get("model"))
    asked.model = model or named
    if model and named and named.removeprefix("models/") != model:
        asked.oddities.append("two_models")
    turns = objects(normalise_messages(fields.get("gen_ai.input.messages")))
    asked.messages = len(turns)
    for turn in turns:
        if turn.get("role") in _SYSTEM_ROLES:
            asked.system.append("\n".join(_contents(turn)))
        asked.prompt += _strings(turn.get("parts"), MAX_DEPTH)
        if any(isinstance(part.get("extra"), int | list) for part in objects(turn.get("parts"))):
            asked.oddities.append("prompt_in_tokens")
    if instructions := fields.get("gen_ai.system_instructions"):
        asked.system += _strings(instructions, MAX_DEPTH)
    if tools := fields.get("gen_ai.tool.definitions"):
        asked.tools = [name for tool in (tools if isinstance(tools, list) else [tools]) for name in _tool_names(tool)]
        asked.tool_text = "\n".join(_strings(tools, MAX_DEPTH))
    for place in (*(mapping(given.get(name)) for name in _PARAMETERS), given):
        asked.parameters |= {
            name: value
            for name, value in place.items()
            if isinstance(value, int | float) and not isinstance(value, bool)
        }


def _contents(turn: Json) -> Iterator[str]:
    """The parts of a message as text; those that are none as the strings in them."""
    for part in objects(turn.get("parts")):
        plain = part.keys() <= {"type", "content"} and isinstance(part.get("content"), str)
        yield part["content"] if plain else "\n".join(_strings(part, MAX_DEPTH))


def _tool_names(tool: Any) -> list[str]:
    """The name of a tool; of Gemini's, which stand together, those of its functions and of what is built in."""
    named = mapping(tool)
    if name := text(mapping(named.get("function")).get("name")) or text(named.get("name")) or text(named.get("type")):
        return [name]
    names = []
    for key, value in named.items():
        declared = objects(value) if key in _DECLARATIONS else []
        names += [text(one.get("name")) for one in declared] or [key]
    return names or [""]


def _load(plain: bytes, asked: Asked) -> Any:
    """The JSON value in a body, None where it is none; notes what in it could be read in two ways."""
    if not plain.strip():
        return {}
    doubled = False

    def pairs(given: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal doubled
        made = dict(given)
        doubled |= len(made) < len(given)
        return made

    try:
        value = json.loads(plain, object_pairs_hook=pairs)
    except (ValueError, RecursionError):
        asked.oddities.append("malformed_body")
        return None
    if doubled:
        asked.oddities.append("doubled_key")
    if isinstance(value, dict) and any(name not in _READ and name.casefold() in _READ for name in value):
        asked.oddities.append("key_in_another_case")
    return value


def _strings(value: Any, depth: int) -> Iterator[str]:
    """Every string in a value, those in JSON text inside it as they stand."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict) and depth:
        for item in value.values():
            yield from _strings(item, depth - 1)
    elif isinstance(value, list) and depth:
        for item in value:
            yield from _strings(item, depth - 1)
    elif isinstance(value, dict | list):
        yield orjson.dumps(value).decode()


def _decoded(body: bytes, coding: str, max_bytes: int) -> bytes | None:
    """`body` without its content coding, None where that can't be undone within `max_bytes`."""
    coding = coding.strip().lower()
    try:
        if coding in ("", "identity"):
            return body
        if coding in ("gzip", "x-gzip", "deflate"):
            inflate = zlib.decompressobj(47)
            plain = inflate.decompress(body, max_bytes)
            return plain if inflate.eof and not inflate.unused_data else None
        if coding == "zstd":
            reader = zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(body)
            plain = reader.read(max_bytes + 1)
            return plain if len(plain) <= max_bytes else None
    except (zlib.error, zstandard.ZstdError):
        return None
    return None

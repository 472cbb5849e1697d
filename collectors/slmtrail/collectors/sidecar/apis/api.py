"""What the recorder needs to know of an API, and the careful reading of values that may be anything."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
Timed = Sequence[tuple[float, Json]]
"""What a stream carried, each with the milliseconds since the exchange began."""


SEVERAL = "several"
"""Where the objects of an answer that is an array stand."""


@dataclass(slots=True)
class Joined:
    """A streamed answer in the shape of one that was not streamed."""

    body: Json
    complete: bool
    """The stream came to the end that its API has."""
    token_ms: list[float] = field(default_factory=list)
    """When each piece that says something came, since the exchange began."""


@dataclass(frozen=True, slots=True)
class Api:
    """One endpoint of one API.

    request, answer: event fields from a body. Neither may assume a shape: bodies come from strangers.
    join: a streamed answer as one body.
    """

    provider: str
    operation: str
    request: Callable[[Json], Json]
    answer: Callable[[Json], Json]
    join: Callable[[Timed], Joined]
    ndjson: bool = False
    streams_by_default: bool = False


def mapping(value: object) -> Json:
    """`value` if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[Any]:
    """`value` if it is an array, else an empty one."""
    return value if isinstance(value, list) else []


def objects(value: object) -> list[Json]:
    """The objects of an array."""
    return [item for item in items(value) if isinstance(item, dict)]


def text(value: object) -> str:
    """`value` if it is a string, else an empty one."""
    return value if isinstance(value, str) else ""


def index(value: object, below: int = 4096) -> int:
    """`value` if it is a place in a list of sensible length, else 0."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < below else 0


def confidence(logprobs: list[Any]) -> float | None:
    """The geometric mean of the probabilities of the tokens."""
    known = [p for p in logprobs if isinstance(p, int | float) and not isinstance(p, bool) and -1e4 < p <= 0]
    return math.exp(sum(known) / len(known)) if known else None


SAMPLING = {
    "seed": "gen_ai.request.seed",
    "temperature": "gen_ai.request.temperature",
    "top_p": "gen_ai.request.top_p",
    "top_k": "gen_ai.request.top_k",
    "frequency_penalty": "gen_ai.request.frequency_penalty",
    "presence_penalty": "gen_ai.request.presence_penalty",
    "stop": "gen_ai.request.stop_sequences",
}
"""Parameters that OpenAI's API, and those that followed it, name alike."""


def renamed(body: Json, names: dict[str, str]) -> Json:
    """Those of `names` that `body` has, under their new names."""
    return {new: value for old, new in names.items() if (value := body.get(old)) is not None}


_TOLD = frozenset(
    "model messages prompt input inputs system instructions tools functions options parameters user metadata stop "
    "stop_sequences encoding_format format grammar text conversation conversation_id safety_identifier images contents "
    "content requests systemInstruction system_instruction generationConfig generation_config message chat_history "
    "preamble documents texts inferenceConfig".split()
)
"""Keys of requests that have fields of their own."""

_HOW = frozenset(
    "stream_options tool_choice toolConfig tool_config parallel_tool_calls logit_bias modalities service_tier include "
    "keep_alive thinking reasoning reasoning_effort reasoning_format truncation verbosity best_of anthropic_version "
    "anthropic_beta betas embedding_types input_type".split()
)
"""Keys that say how to answer; a model reads none of them."""

_READABLE = (str, list, dict)


def folded(body: Json) -> Json:
    """A request with those keys in their usual case which servers in Go take in any."""
    usual = {name: name.casefold() for name in body.keys() - _TOLD if name.casefold() in _TOLD}
    if not usual:
        return body
    return {name if (other := usual.get(name, name)) in body else other: value for name, value in body.items()}


def beside(body: Json) -> Json:
    """What of a request has no field of its own, though a model may read it: a template, a suffix, a schema."""
    more = body.keys() - _TOLD - _HOW
    return {name: body[name] for name in body if name in more and body[name] and isinstance(body[name], _READABLE)}


_METADATA = {"user_id": "enduser.pseudo.id", "session_id": "session.id", "conversation_id": "gen_ai.conversation.id"}


def claimed(body: Json) -> Json:
    """For whom a client says it asks, in the fields that all APIs have in common."""
    said = renamed(mapping(body.get("metadata")), _METADATA) | renamed(body, {"safety_identifier": "enduser.pseudo.id"})
    return {name: value for name, value in said.items() if isinstance(value, str)}


def tool_call(call_id: object, name: object, arguments: object) -> Json:
    """A part of a message: the model asks for a tool."""
    part: Json = {"type": "tool_call", "id": call_id, "name": name, "arguments": arguments}
    return {key: value for key, value in part.items() if value is not None}

"""From what passed to the event that says so."""

from __future__ import annotations

import ipaddress
import itertools
import json
import math
import re
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson
import pydantic_core

from slmtrail.collectors.sidecar import streams
from slmtrail.collectors.sidecar.apis import endpoints, other
from slmtrail.collectors.sidecar.apis.api import (
    SEVERAL,
    Api,
    Joined,
    Json,
    beside,
    claimed,
    folded,
    mapping,
    objects,
    text,
)
from slmtrail.collectors.sidecar.fit import cut_to, fitting, json_text, without_blobs
from slmtrail.collectors.sidecar.transcript import Transcript
from slmtrail.collectors.sidecar.wire import Facts
from slmtrail.core import canonical, events
from slmtrail.core.errors import EventError

UNKNOWN_MODEL = "unknown"
"""Stands where neither side names one: the event is an inference all the same."""

MAX_RAW_CHARS = 64 * 1024
MAX_MODELS = 256
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(-.*)?")
_LINES = re.compile("ndjson|jsonl|stream\\+json")
_LINES_OF_JSON = re.compile(rb"\}\r?\n\{")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_.\-]{0,63}")


@dataclass(frozen=True, slots=True)
class Place:
    """Which server is stood before, and how large an event may be."""

    address: str
    port: int
    service: str | None
    max_event_bytes: int
    boot: str
    """What makes the ids of this sidecar's exchanges its own: 16 hexadecimal digits."""


def to_line(seen: Transcript, place: Place, beside: Json | None = None) -> bytes:
    """The event's canonical line, with the fields `beside`. Raises EventError only where no event can be made of it."""
    event = shared(seen, place) | _outcome(seen.facts) | (beside or {})
    attributes = _about(seen)
    asked = _asked(seen)
    api = endpoints.find(seen.method, seen.path) or (other.ANY if seen.method == "POST" and other.asks(asked) else None)
    if api is None:
        made = line(event | _passing(seen, place, attributes))
    else:
        fields = _inference(seen, api, asked, attributes)
        try:
            fields["slm.attributes"] = json_text(attributes)
            made = line(event | fields)
        except (EventError, TypeError, ValueError, RecursionError):
            # Of a shape that no event takes: then as it was, in text.
            attributes |= {"request": _raw(seen.request), "response": _raw(seen.response)}
            names = ("gen_ai.request.model", "gen_ai.operation.name", "gen_ai.provider.name", "slm.kind", "error.type")
            kept = {name: fields[name] for name in names if name in fields}
            made = line(event | kept | {"slm.attributes": json_text(attributes)})
    return made if len(made) <= place.max_event_bytes else cut_to(orjson.loads(made), place.max_event_bytes)


def line(event: Json) -> bytes:
    """The bytes of an event whose values all fit their fields."""
    try:
        return canonical.dumps(event)
    except EventError:  # lone surrogates, which the long way replaces
        return canonical.dumps(events.parse(event, event["@timestamp"]))


def shared(seen: Transcript, place: Place) -> Json:
    """What all events of an exchange say."""
    facts, asked = seen.facts, seen.asked
    exchange = f"{place.boot}{facts.number:016x}"
    event: Json = {
        "@timestamp": _second(facts.at_ms // 1000) + f"{facts.at_ms % 1000:03d}Z",
        "slm.exchange.id": exchange,
        "server.address": place.address,
        "server.port": place.port,
        # A trace begins here where the client has begun none.
        "trace.id": exchange,
    }
    if facts.source_ip:
        event["source.ip"] = _ip(facts.source_ip)
    if place.service:
        event["service.name"] = place.service
    if agent := asked[b"user-agent"]:
        event["user_agent.original"] = agent
    if trace := _TRACEPARENT.fullmatch(asked[b"traceparent"]):
        event["trace.id"], event["parent.id"] = trace.group(1, 2)
    return event


def _outcome(facts: Facts) -> Json:
    """How an exchange went."""
    status, error = facts.status, facts.error or (str(facts.status) if facts.status >= 400 else "")
    event: Json = {
        "slm.latency_ms": facts.latency_ms,
        "slm.request_bytes": facts.request_bytes,
        "slm.response_bytes": facts.response_bytes,
        "event.outcome": "failure" if error else "success",
    }
    if error:
        event["error.type"] = error
    if status:
        event["http.response.status_code"] = status
    return event


@lru_cache(16)
def _second(epoch_s: int) -> str:
    """The text of a second, up to its decimals."""
    return events.timestamp_text(epoch_s * 1000)[:-4]


@lru_cache(1024)
def _ip(source: str) -> str:
    return str(ipaddress.ip_address(source.partition("%")[0]))


def _about(seen: Transcript) -> Json:
    about: Json = {}
    if seen.method:
        about = {"method": seen.method, "path": seen.path}
    if seen.facts.request_cut or seen.facts.response_cut:
        about["cut"] = True
    if seen.undecoded:
        about["undecoded"] = True
    return about


def _passing(seen: Transcript, place: Place, about: Json) -> Json:
    """What asks no model: an upstream event, without content but for the models a server lists."""
    if seen.path.rstrip("/").endswith(("/models", "/api/tags")) and seen.facts.status == 200:
        body = _object(seen.response)
        listed = objects(body.get("data")) or objects(body.get("models"))
        about["models"] = [text(model.get("id") or model.get("name")) for model in listed[:MAX_MODELS]]
    return {
        "slm.kind": "upstream",
        "slm.upstream.name": f"{place.address}:{place.port}"[:1024],
        "event.action": seen.method.lower() or "refused",
        "slm.attributes": json_text(about),
    }


def _inference(seen: Transcript, api: Api, asked: Json, about: Json) -> Json:
    status = seen.facts.status
    answered = Joined({}, complete=True)
    broken = "malformed_request_body" if not asked and not seen.facts.request_cut else ""
    streaming = False
    if status == 200:
        content_type = seen.answered[b"content-type"].lower()
        begins = seen.pieces[0][1][:8] if seen.pieces else b""
        server_sent = "event-stream" in content_type or begins.startswith((b"data:", b"event:", b": "))
        framed = streams.FRAMED in content_type
        lines = _LINES.search(content_type) or (api.ndjson and _LINES_OF_JSON.search(seen.response))
        streaming = server_sent or framed or (bool(lines) and asked.get("stream") is not False)
        if streaming:
            cut = streams.framed if framed else streams.server_sent if server_sent else streams.lines
            answered, fault = _streamed(seen, api, cut(seen.pieces))
        else:
            answered, fault = _whole(seen, api, content_type)
        broken = broken or fault
    elif status:
        answered.body = _object(seen.response)
    fields = claimed(asked) | api.request(asked) | api.answer(answered.body)
    if api is not other.ANY and not _says(fields) and other.asks(asked):
        return _inference(seen, other.ANY, asked, about)  # another API at the path of one that is known
    fit, rest = fitting(fields)
    if rest:
        about["unfit"] = json_text(without_blobs(rest))
    if api is not other.ANY and (more := beside(asked)):
        about["asked"] = json_text(without_blobs(more))[:MAX_RAW_CHARS]
    if broken.startswith("malformed"):
        about["raw"] = _raw(seen.request if broken == "malformed_request_body" else seen.response)
    if streaming:
        _times(answered.token_ms, fit, about)
        fit.setdefault("gen_ai.request.stream", True)
    elif status == 200 and not asked.get("stream"):
        fit.pop("gen_ai.request.stream", None)
    fit["slm.kind"] = "inference"
    fit["gen_ai.operation.name"] = api.operation
    fit["gen_ai.provider.name"] = api.provider
    if model := endpoints.model_of(seen.path):
        fit["gen_ai.request.model"] = model
    elif "gen_ai.request.model" not in fit and "gen_ai.response.model" not in fit:
        fit["gen_ai.request.model"] = UNKNOWN_MODEL
    if broken or answered.body.get("error") or seen.facts.error or status >= 400 or not answered.complete:
        fit |= _faults(seen, answered, broken, streaming)
    return fit


def _says(fields: Json) -> bool:
    """Whether either side of an exchange says anything."""
    names = ("gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions")
    return any(fields.get(name) for name in names)


def _times(token_ms: list[float], fit: Json, about: Json) -> None:
    if token_ms:
        fit["slm.time_to_first_token_ms"] = int(token_ms[0])
        gaps = sorted(round(later - sooner, 3) for sooner, later in itertools.pairwise(token_ms))
        about["pieces"] = len(token_ms)
        if gaps:
            about["between_pieces_ms"] = {"p50": gaps[len(gaps) // 2], "max": gaps[-1]}


def _faults(seen: Transcript, answered: Joined, broken: str, streaming: bool) -> Json:
    """What went wrong, the most telling first: what the proxy saw, what the server says, what is missing."""
    error = answered.body.get("error")
    told = mapping(error)
    message = text(told.get("message")) or text(error)
    message = message or text(answered.body.get("detail")) or text(answered.body.get("message"))
    # TGI names the kind beside the message; vLLM and others put both at the top.
    kinds = (told.get("type"), told.get("code"), answered.body.get("error_type"), answered.body.get("type"))
    kind = next((kind for kind in map(text, kinds) if _WORD.fullmatch(kind)), "")
    fault = seen.facts.error
    if not fault and (seen.facts.status >= 400 or error):
        fault = kind or (str(seen.facts.status) if seen.facts.status >= 400 else "error")
    if not fault:
        fault = broken
    if not fault and streaming and not answered.complete and not seen.facts.response_cut:
        fault = "incomplete_stream"
    fields = {"error.type": fault, "event.outcome": "failure"} if fault else {}
    return fields | ({"error.message": message[:MAX_RAW_CHARS]} if message else {})


def _streamed(seen: Transcript, api: Api, stream: streams.Stream) -> tuple[Joined, str]:
    joined = api.join(stream.values)
    joined.complete |= stream.done
    return joined, "malformed_stream" if stream.malformed and not seen.facts.response_cut else ""


def _whole(seen: Transcript, api: Api, content_type: str) -> tuple[Joined, str]:
    body = _object(seen.response, cut=_is_cut(seen.facts.response_cut, seen)) or _several(seen.response)
    if api is other.ANY:
        return Joined(body or other.said(seen.response, content_type), complete=True), ""
    fault = "malformed_response_body" if not body and not seen.facts.response_cut and not seen.undecoded else ""
    return Joined(body, complete=True), fault


def _asked(seen: Transcript) -> Json:
    """A request's body, of JSON or a form."""
    return folded(_object(seen.request, cut=_is_cut(seen.facts.request_cut, seen))) or other.form(
        seen.request, seen.asked[b"content-type"]
    )


def _is_cut(by_us: bool, seen: Transcript) -> bool:
    """Whether a body may lack its end."""
    return by_us or bool(seen.facts.error)


def _object(data: bytes, *, cut: bool = False) -> Json:
    """The JSON object in `data`, an empty one where there is none; of one that is cut what stands before the cut."""
    try:
        return mapping(events.load(data)) if data else {}
    except EventError:
        pass
    with suppress(ValueError, RecursionError, EventError):
        return mapping(events.load(json.dumps(_as_servers_read(data))))
    if cut:
        with suppress(ValueError, RecursionError, EventError):
            return mapping(events.load(json.dumps(pydantic_core.from_json(data, allow_partial="trailing-strings"))))
    return {}


def _as_servers_read(data: bytes) -> Any:
    """What is not quite JSON and that model servers in Python take all the same: NaN, numbers without bounds, a byte
    order mark, UTF-16 and UTF-32. Else who asks so would go by what reads prompts."""
    return json.loads(data, parse_constant=str, parse_float=_finite)


def _finite(number: str) -> float | str:
    return float(number) if math.isfinite(float(number)) else number


def _several(data: bytes) -> Json:
    """The JSON array in `data`, as the object in which the answers to several prompts stand; else an empty one."""
    with suppress(EventError):
        if data.lstrip().startswith(b"[") and (each := objects(events.load(data))):
            return {SEVERAL: each}
    return {}


def _raw(data: bytes) -> Any:
    return data[:MAX_RAW_CHARS].decode("utf-8", "replace")

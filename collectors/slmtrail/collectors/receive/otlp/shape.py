"""From what attributes told to an event that is sure to be taken: what has no field of its own goes along as JSON."""

from __future__ import annotations

from typing import Any

import orjson

from slmtrail.collectors.receive.otlp import genai, langfuse, openinference, traceloop, vercel
from slmtrail.collectors.receive.otlp.signals import Origin
from slmtrail.collectors.receive.otlp.told import Told, opened
from slmtrail.collectors.sidecar.fit import cut_to, fitting
from slmtrail.collectors.tail.formats.values import address, dig, integer, known, number, word, words
from slmtrail.core import events
from slmtrail.core.errors import EventError
from slmtrail.core.fields import FIELDS, STREAM_OWNED

UNKNOWN_MODEL = "unknown"
"""Stands where nothing names one: the event is an inference all the same."""

_OURS = frozenset(
    "@timestamp slm.kind slm.repairs slm.attributes event.outcome labels message trace.id span.id parent.id "
    "slm.identity.method slm.identity.verified slm.identity.issuer slm.identity.groups".split()
)
_NORMALISED = frozenset("gen_ai.input.messages gen_ai.output.messages gen_ai.system_instructions".split())
_ADOPTED = frozenset(FIELDS) - STREAM_OWNED - _OURS - _NORMALISED

_INFERENCES = frozenset("chat text_completion generate_content embeddings image_generation".split())
_STEPS = {
    "retrieval": "retrieve",
    "rerank": "rerank",
    "execute_tool": "tool",
    "invoke_agent": "agent",
    "create_agent": "agent",
    "evaluate": "evaluate",
    "guardrail": "guardrail",
    "prompt": "preprocess",
}
_ANSWERED = ("gen_ai.output.messages", "gen_ai.response.id", "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens")
_RESOURCE = {
    "service.namespace": "service.namespace",
    "service.name": "service.name",
    "service.version": "service.version",
    "deployment.environment.name": "deployment.environment.name",
    "deployment.environment": "deployment.environment.name",
    "host.name": "host.name",
    "process.pid": "process.pid",
}
_STATIC = ("telemetry.", "process.", "os.")
"""What a resource says of how a program was built and started: the same with every event, and of no use in one."""


def told_by(attributes: dict[str, Any]) -> Told:
    """What the vocabularies understand of attributes."""
    told = Told(attributes)
    told.adopt(_ADOPTED)
    for vocabulary in (genai, openinference, traceloop, vercel, langfuse):
        vocabulary.read(told)
    # Some tell of the end only where they tell of the message.
    said = told.fields.get("gen_ai.output.messages") or []
    told.give("gen_ai.response.finish_reasons", words([dig(message, "finish_reason") for message in said]))
    return told


def kind_of(told: Told) -> tuple[str, str | None]:
    """The kind of event, and of a step its type."""
    fields = told.fields
    operation = word(fields.get("gen_ai.operation.name")) or ""
    if operation in _INFERENCES:
        return "inference", None
    if operation in _STEPS:
        return "process", _STEPS[operation]
    if "gen_ai.evaluation.name" in fields:
        return "process", "evaluate"
    if "gen_ai.tool.name" in fields or "gen_ai.tool.call.id" in fields:
        return "process", "tool"
    names_model = "gen_ai.request.model" in fields or "gen_ai.response.model" in fields
    if names_model and (not operation or any(name in fields for name in _ANSWERED)):
        return "inference", None
    return "process", None


def from_resource(origin: Origin) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields that a resource fills, and what else is told of where a signal comes from."""
    fields: dict[str, Any] = {}
    for name, field in _RESOURCE.items():
        if name in origin.resource:
            fields.setdefault(field, origin.resource[name])
    about = {
        "resource": {
            name: value
            for name, value in origin.resource.items()
            if name not in _RESOURCE and not name.startswith(_STATIC)
        },
        "scope": known({"name": origin.scope or None, "version": origin.scope_version or None}),
    }
    return known(fields), {name: value for name, value in about.items() if value}


def line(event: dict[str, Any], rest: dict[str, Any], about: dict[str, Any], max_bytes: int, now_ms: int) -> bytes:
    """The canonical line of an event.

    rest: attributes that no field holds. about: what else is told. Raises EventError where no event at all can be
    made of it.
    """
    kind = event["slm.kind"]
    own = {str(field.alias) for field in events.KINDS[kind].model_fields.values()}
    fields, unfit = _fit({name: value for name, value in event.items() if name in own})
    if kind == "inference" and not {"gen_ai.request.model", "gen_ai.response.model"} & fields.keys():
        fields["gen_ai.request.model"] = UNKNOWN_MODEL
    unfit |= {name: value for name, value in event.items() if name not in own}
    whole = known({**rest, **unfit})
    said = {**about, **({"attributes": whole} if whole else {})}
    safe = {name: fields[name] for name in fields if FIELDS[name].type in ("date", "integer", "keyword", "ip")}
    unsafe = {name: value for name, value in fields.items() if name not in safe}
    # What no event takes goes along as text; what is too long for that too is left out.
    for taken, carried in ((fields, said), (safe, {**said, "attributes": {**whole, **unsafe}}), (safe, {"cut": True})):
        try:
            made = events.parse({**taken, **_carried(carried)}, now_ms)
            break
        except EventError as error:
            fault = error
    else:
        raise fault
    cut = cut_to(made, max_bytes)
    if len(cut) > max_bytes:
        raise EventError(f"the event is {len(cut)} bytes, over {max_bytes}", "oversized")
    return cut


def _carried(said: dict[str, Any]) -> dict[str, Any]:
    return {"slm.attributes": orjson.dumps(said).decode()} if said else {}


def _fit(event: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields whose values are of their types, or can be made so, and the others."""
    made, unfit = {}, {}
    for name, value in event.items():
        read = _READERS.get(FIELDS[name].type)
        made[name] = read(value) if read else value
        if made[name] is None:
            del made[name]
            unfit[name] = value
    plain = {name: value for name, value in made.items() if FIELDS[name].type in ("ip", "date", "labels")}
    fit, rest = fitting({name: value for name, value in made.items() if name not in plain})
    return plain | fit, unfit | rest


def _flag(value: Any) -> bool | None:
    return {"true": True, "false": False}.get(value.lower()) if isinstance(value, str) else value


def _each(value: Any) -> Any:
    return found if isinstance(found := opened(value), list) else value


_READERS = {"integer": integer, "decimal": number, "ip": address, "boolean": _flag, "keywords": _each}

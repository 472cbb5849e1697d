"""From a span to the events it tells of: an inference, a step, a call to another system."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from slmtrail.collectors.receive.otlp.messages import SPOKEN, messages, spoken
from slmtrail.collectors.receive.otlp.related import about_models, is_call
from slmtrail.collectors.receive.otlp.shape import from_resource, kind_of, told_by
from slmtrail.collectors.receive.otlp.signals import CLIENT, FAILED, Moment, Span
from slmtrail.collectors.receive.otlp.told import Told, opened
from slmtrail.collectors.tail.formats.values import known, word

DETAILS = "gen_ai.client.inference.operation.details"
EVALUATION = "gen_ai.evaluation.result"
_PIECES = frozenset(("gen_ai.content.completion.chunk", "llm.content.completion.chunk", "First Token Stream Event"))
"""What tells within a span that a piece of a streamed answer came."""

_NAMED_BY = {"tool": "gen_ai.tool.name", "agent": "gen_ai.agent.name", "evaluate": "gen_ai.evaluation.name"}
_CONTENT = {"gen_ai.content.prompt": "gen_ai.prompt", "gen_ai.content.completion": "gen_ai.completion"}


class Made:
    """An event under way: its fields, the attributes that none of them holds, and what else is told."""

    __slots__ = ("about", "event", "rest")

    def __init__(self, event: dict[str, Any], rest: dict[str, Any], about: dict[str, Any]) -> None:
        self.event = event
        self.rest = rest
        self.about = about


def made_of(span: Span) -> list[Made]:
    """The events of a span: itself, and the evaluations that it tells of."""
    if not about_models(span.attributes) and (is_call(span.attributes) or span.kind == CLIENT):
        return [_call(span)]
    moments = [moment for moment in span.moments if moment.name not in (EVALUATION, DETAILS)]
    details = [moment.attributes for moment in span.moments if moment.name == DETAILS]
    told = told_by({name: value for one in (*details, span.attributes) for name, value in one.items()})
    left = _moments(told, moments, span.start_ns)
    kind, step = kind_of(told)
    event, about = _shared(span, told)
    event |= {"slm.kind": kind} | told.fields
    if kind == "process":
        event |= step_fields(told, step, span.name)
    elif span.name:
        about["span"] = span.name
    made = Made(event, told.rest, about | ({"events": left} if left else {}))
    return [made, *(_evaluation(span, moment) for moment in span.moments if moment.name == EVALUATION)]


def step_fields(told: Told, step: str | None, name: str) -> dict[str, Any]:
    """What a step is called, and of which type it is."""
    fields = told.fields
    own = _NAMED_BY.get(step or "")
    names = (fields.get("slm.step.name"), fields.get(own) if own else None, name, fields.get("gen_ai.operation.name"))
    called = next((found for one in names if (found := word(one))), "step")
    return known({"slm.step.name": called, "slm.step.type": step})


def failed(told: Told, moments: list[Moment], text: str) -> dict[str, Any]:
    """What went wrong, from a status and from exceptions."""
    raised = next((moment.attributes for moment in reversed(moments) if moment.name == "exception"), {})
    kind = told.fields.get("error.type") or word(raised.get("exception.type"))
    message = word(raised.get("exception.message"))
    said = message if message and message in text else text or message  # some add the traceback
    return known({"event.outcome": "failure", "error.type": kind or "error", "error.message": said or None})


def _shared(span: Span, told: Told) -> tuple[dict[str, Any], dict[str, Any]]:
    fields, about = from_resource(span.origin)
    event = {
        **fields,
        "@timestamp": span.start_ns // 1_000_000 or None,
        "slm.latency_ms": _between_ms(span.start_ns, span.end_ns),
        "trace.id": span.trace_id or None,
        "span.id": span.span_id or None,
        "parent.id": span.parent_id or None,
        "event.outcome": "success",
    }
    links = [known({"trace": trace or None, "span": one or None}) for trace, one in span.links]
    if links:
        about["links"] = links
    if span.status == FAILED or "error.type" in told.fields:
        event |= failed(told, span.moments, span.status_text)
    return known(event), about


def _between_ms(start_ns: int, end_ns: int) -> int | None:
    return round((end_ns - start_ns) / 1_000_000) if 0 < start_ns <= end_ns else None


def _moments(told: Told, moments: list[Moment], start_ns: int) -> list[dict[str, Any]]:
    """Takes what moments tell of messages and of time; returns the others."""
    left, pieces_ns = [], []
    turns: dict[str, list[Any]] = {}
    for moment in moments:
        if moment.name in _PIECES:
            pieces_ns.append(moment.time_ns)
        elif moment.name in SPOKEN:
            field, message = spoken(moment.name, _body(moment))
            turns.setdefault(field, []).append(message)
        elif moment.name in _CONTENT and (said := moment.attributes.get(_CONTENT[moment.name])) is not None:
            side, role = ("input", "user") if moment.name == "gen_ai.content.prompt" else ("output", "assistant")
            turns.setdefault(f"gen_ai.{side}.messages", []).extend(messages(said, role) or [])
        else:
            at_ms = _between_ms(start_ns, moment.time_ns)
            left.append(known({"name": moment.name, "at_ms": at_ms, "attributes": moment.attributes or None}))
    for field, said in turns.items():
        told.give(field, said)
    if pieces_ns:
        told.give("gen_ai.request.stream", value=True)
        told.fields.setdefault("slm.time_to_first_token_ms", _between_ms(start_ns, min(pieces_ns)))
    return left


def _body(moment: Moment) -> Any:
    """What a message event holds: a body as JSON text, or its attributes."""
    given = opened(moment.attributes.get("gen_ai.event.content"))
    return given if given is not None else {n: v for n, v in moment.attributes.items() if n != "gen_ai.system"}


def _evaluation(span: Span, moment: Moment) -> Made:
    told = told_by(moment.attributes)
    event, about = _shared(span, told)
    event.pop("slm.latency_ms", None)
    event |= {"slm.kind": "process", "@timestamp": moment.time_ns // 1_000_000} | told.fields
    event |= evaluated(told, moment.name)
    return Made(event, told.rest, about)


def evaluated(told: Told, name: str) -> dict[str, Any]:
    """The fields of an evaluation, which judges an answer that it names by id."""
    return known({**step_fields(told, "evaluate", name), "slm.caused_by": word(told.fields.get("gen_ai.response.id"))})


def _call(span: Span) -> Made:
    """A call to another system."""
    told = told_by(span.attributes)
    event, about = _shared(span, told)
    url = word(span.attributes.get("url.full") or span.attributes.get("http.url"))
    host = word(told.fields.get("server.address")) or _host(url)
    system = next(
        (
            found
            for name in ("db.system.name", "db.system", "rpc.system", "messaging.system")
            if (found := word(span.attributes.get(name)))
        ),
        None,
    )
    method = word(span.attributes.get("http.request.method") or span.attributes.get("http.method"))
    status = told.fields.get("http.response.status_code")
    if isinstance(status, int) and status >= 400 and event["event.outcome"] == "success":
        event |= {"event.outcome": "failure", "error.type": str(status)}
    event |= told.fields | known(
        {
            "slm.kind": "upstream",
            "slm.upstream.name": host or system or span.name or "unknown",
            "event.action": (method or system or span.name).lower() or None,
            "slm.request_bytes": told.take("http.request.body.size") or told.take("http.request_content_length"),
            "slm.response_bytes": told.take("http.response.body.size") or told.take("http.response_content_length"),
        }
    )
    return Made(event, told.rest, about | ({"span": span.name} if span.name else {}))


def _host(url: str | None) -> str | None:
    try:
        return urlsplit(url or "").hostname
    except ValueError:
        return None

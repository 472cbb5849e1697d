"""Records in the shape in which the templates show them.

A record may have been tampered with in the store, and must be shown all the same: nothing here trusts its shape.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from slmtrail.app.reading import excerpt
from slmtrail.app.web.pieces import Piece, pieces, visible_json
from slmtrail.app.web.render import link
from slmtrail.core.commitment import COMMITMENTS, SALTS
from slmtrail.core.fields import CONTENT, FIELDS, WORDED
from slmtrail.core.ports import Sealed
from slmtrail.indexer.reading.walk import quoted
from slmtrail.indexer.store.language.names import ALIASES
from slmtrail.stream.redact.operators import LABELS

EXCERPT_CHARS = 180
MAX_FINDINGS = 200

_MESSAGES = ("gen_ai.input.messages", "gen_ai.output.messages")
_SHOWN_APART = CONTENT | {SALTS, COMMITMENTS, "slm.findings", "slm.flags", "slm.alert.evidence"}
_GROUPS: dict[str, tuple[str, ...]] = {
    "Who": ("user.", "enduser.", "session.", "source.", "user_agent."),
    "Model": ("gen_ai.", "slm.latency_ms", "slm.time_to_first_token_ms", "slm.confidence", "slm.cost_usd"),
    "Where": ("deployment.", "service.", "host.", "server.", "process."),
    "Origin": ("event.id", "slm.collector.", "slm.policy.", "slm.ruleset."),
    "What": ("",),
}
_ORDER = ("Who", "What", "Model", "Where", "Origin")
_SEARCHED = {
    "slm.kind": "kind",
    "event.outcome": "outcome",
    "deployment.environment.name": "env",
    "gen_ai.request.model": "model",
    "gen_ai.response.model": "model",
    "user.id": "user",
    "user.name": "user",
    "user.email": "user",
    "enduser.pseudo.id": "user",
}
"""Fields that a search has a filter of its own for."""
_SHORT = {
    field: short
    for short, fields in ALIASES.items()
    for field in fields
    if field != "event.id" and FIELDS[field].type in ("keyword", "ip")
}
"""Fields that the language of searches has a short name for; not the id, which is that of the record alone."""
_OPERATORS = {"replace": "replaced", "hash": "hashed", "mask": "masked", "drop": "removed", "keep": "kept"}


@dataclass(frozen=True, slots=True)
class Row:
    """A record in a list."""

    id: str
    at: str
    kind: str
    who: str
    model: str
    environment: str
    outcome: str
    flags: list[str]
    severity: str
    headline: str
    excerpt: list[Piece]


@dataclass(frozen=True, slots=True)
class Block:
    """A text of a record, under the name of what it is."""

    label: str
    pieces: list[Piece]
    code: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """What one side of a conversation said."""

    role: str
    name: str = ""
    finish: str = ""
    answer: bool = False
    """It is the answer of the model that this record is about."""
    blocks: list[Block] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Value:
    """A field; `link` leads to a search for its value, where a search has a short name for it."""

    name: str
    text: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found where, by which rule, how surely, and what was done with it."""

    type: str
    path: str
    rule: str
    score: str
    done: str


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert: how bad, about whom, why, what to do, and the records it rests on."""

    id: str
    at: str
    severity: str
    rule: str
    name: str
    field: str
    subject: str
    why: str
    response: str
    evidence: list[str]
    model: str
    environment: str
    count: int
    since: str


def row(sealed: Sealed) -> Row:
    """A record as one line."""
    record = sealed.record
    return Row(
        id=sealed.id,
        at=_text(record, "@timestamp"),
        kind=_text(record, "slm.kind"),
        who=_first(record, "user.id", "user.name", "user.email", "enduser.pseudo.id"),
        model=_first(record, "gen_ai.request.model", "gen_ai.response.model"),
        environment=_text(record, "deployment.environment.name"),
        outcome=_text(record, "event.outcome"),
        flags=names(record, "slm.flags"),
        severity=_text(record, "slm.alert.severity"),
        headline=headline(record),
        excerpt=pieces(_excerpt(record, told=not headline(record)), labels(record)),
    )


def headline(record: Mapping[str, Any]) -> str:
    """The few words that name what happened; empty where the text of the record says it better."""
    names = {
        "policy": ("slm.verdict", "slm.guardrail.name", "rule.name"),
        "config": ("slm.config.name",),
        "process": (
            "slm.step.name",
            "gen_ai.tool.name",
            "gen_ai.data_source.id",
            "gen_ai.evaluation.name",
            "gen_ai.evaluation.score.value",
        ),
        "upstream": ("slm.upstream.name", "http.response.status_code"),
        "alert": ("rule.name",),
    }.get(_text(record, "slm.kind"), ())
    return " · ".join(_text(record, name) for name in names if name in record)


def labels(record: Mapping[str, Any]) -> frozenset[str]:
    """The labels of the markers that redaction put into this record."""
    return frozenset(LABELS.get(type_, type_) for type_ in names(record, "slm.findings.types"))


def session(record: Mapping[str, Any]) -> str:
    """The session or conversation that a record belongs to."""
    return _first(record, "gen_ai.conversation.id", "session.id")


def conversation(record: Mapping[str, Any]) -> list[Turn]:
    """The system's instructions, what was asked, and what was answered, turn by turn."""
    known = labels(record)
    turns = []
    if "gen_ai.system_instructions" in record:
        text = _text(record, "gen_ai.system_instructions")
        turns.append(Turn("system", blocks=[Block("", pieces(text, known))]))
    for name in _MESSAGES:
        for message in _dicts(record.get(name)):
            blocks = [block for part in _dicts(message.get("parts")) for block in _part(part, known)]
            turns.append(
                Turn(
                    _text(message, "role") or "unknown",
                    _text(message, "name"),
                    _text(message, "finish_reason"),
                    name == _MESSAGES[1],
                    blocks,
                )
            )
    return turns


def contents(record: Mapping[str, Any]) -> list[Block]:
    """Every other text of the record, under the name of its field."""
    known = labels(record)
    shown_as_turns = {"gen_ai.system_instructions", *_MESSAGES}
    return [
        Block(name, pieces(_pretty(record[name]), known), FIELDS[name].type in ("json", "labels"))
        for name in sorted(WORDED & record.keys() - shown_as_turns)
    ]


def groups(record: Mapping[str, Any]) -> dict[str, list[Value]]:
    """All plain fields, sorted into who, what, model, where and origin."""
    sorted_in: dict[str, list[Value]] = {name: [] for name in _ORDER}
    for name in sorted(record):
        if name not in _SHOWN_APART:
            group = next(group for group, prefixes in _GROUPS.items() if name.startswith(prefixes))
            sorted_in[group].append(Value(name, _pretty(record[name]), _search(name, record[name])))
    return {name: values for name, values in sorted_in.items() if values}


def findings(record: Mapping[str, Any]) -> list[Finding]:
    """What redaction found, as the stream described it."""
    try:
        found = _dicts(orjson.loads(_text(record, "slm.findings") or "[]"))
    except orjson.JSONDecodeError:
        return []
    return [
        Finding(
            _text(one, "type"),
            _text(one, "path"),
            _text(one, "rule"),
            _text(one, "score"),
            _OPERATORS.get(_text(one, "operator"), ""),
        )
        for one in found
    ]


def alert(sealed: Sealed) -> Alert:
    """A record of kind alert."""
    record = sealed.record
    field_name, _, subject = _text(record, "slm.alert.subject").partition(":")
    return Alert(
        id=sealed.id,
        at=_text(record, "@timestamp"),
        severity=_text(record, "slm.alert.severity"),
        rule=_text(record, "rule.id"),
        name=_text(record, "rule.name"),
        field=field_name,
        subject=subject,
        why=_text(record, "message"),
        response=_text(record, "slm.alert.response"),
        evidence=names(record, "slm.alert.evidence"),
        model=_text(record, "gen_ai.request.model"),
        environment=_text(record, "deployment.environment.name"),
        count=count if isinstance(count := record.get("slm.alert.count"), int) else 1,
        since=_text(record, "slm.alert.since"),
    )


def raised(record: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """What alerts about a record can be found by: for each of its flags, the user, and the time they are not before."""
    if record.get("slm.kind") == "alert":
        return []
    who, at = _text(record, "user.id"), _text(record, "@timestamp")
    return [(flag, who, at) for flag in names(record, "slm.flags")]


def raw_json(sealed: Sealed) -> str:
    """The record as it is stored, indented, nothing in it invisible."""
    if not sealed.record:
        return visible_json(sealed.data.decode(errors="replace"))
    return visible_json(orjson.dumps(sealed.record, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode())


def _part(part: Mapping[str, Any], known: frozenset[str]) -> Iterator[Block]:
    type_ = _text(part, "type")
    name = _text(part, "name")
    label = {"text": "", "tool_call": f"calls {name}", "tool_call_response": "result"}.get(type_, type_)
    for key, code in (("content", False), ("arguments", True), ("result", True), ("uri", True), ("extra", True)):
        if key in part:
            yield Block(label, pieces(_pretty(part[key]) if code else _text(part, key), known), code)
            label = ""
    if label:
        yield Block(label, [])


def _excerpt(record: dict[str, Any], *, told: bool) -> str:
    try:
        return excerpt(record, EXCERPT_CHARS, told=told)
    except (KeyError, TypeError, AttributeError):
        return ""


def _search(name: str, value: Any) -> str:
    """The address of a search for what has this value; empty where there is none, or nobody would look for it."""
    if not isinstance(value, str):
        return ""
    if name in _SEARCHED:
        return link("/", {_SEARCHED[name]: value})
    return link("/", {"q": f"{_SHORT[name]}:{quoted(value)}"}) if name in _SHORT else ""


def _pretty(value: Any) -> str:
    """JSON indented, also where it is carried as a string; everything else as it is."""
    if isinstance(value, str):
        if value[:1] not in ("{", "["):
            return value
        try:
            return orjson.dumps(orjson.loads(value), option=orjson.OPT_INDENT_2).decode()
        except orjson.JSONDecodeError:
            return value
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value)
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def _text(record: Mapping[str, Any], name: str) -> str:
    value = record.get(name, "")
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _first(record: Mapping[str, Any], *names: str) -> str:
    return next((_text(record, name) for name in names if name in record), "")


def names(record: Mapping[str, Any], name: str) -> list[str]:
    """The words in a field that holds several; none where it holds something else."""
    value = record.get(name, [])
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []

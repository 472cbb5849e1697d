"""The fields a search can name: by a short name, or by their full name in the field table."""

from __future__ import annotations

import difflib
from typing import get_args

from slmtrail.core.events import KINDS, Outcome
from slmtrail.core.fields import FIELDS, WORDED, Type
from slmtrail.indexer.store.columns import (
    COLLECTOR,
    ENVIRONMENT,
    FLAGS,
    IPS,
    KIND,
    MODELS,
    OUTCOME,
    RULES,
    SESSIONS,
    TEAMS,
    TIME,
    USERS,
)

SINCE, UNTIL = "since", "until"
"""Not fields: `since:2h` is `@timestamp>=2h`."""

ALIASES: dict[str, tuple[str, ...]] = {
    "user": USERS,
    "model": MODELS,
    "kind": (KIND,),
    "env": (ENVIRONMENT,),
    "environment": (ENVIRONMENT,),
    "outcome": (OUTCOME,),
    "collector": (COLLECTOR,),
    "flag": (FLAGS,),
    "service": ("service.name",),
    "host": ("host.name",),
    "session": SESSIONS,
    "trace": ("trace.id",),
    "span": ("span.id",),
    "id": ("event.id",),
    "time": (TIME,),
    "ip": IPS,
    "rule": RULES,
    "severity": ("slm.alert.severity",),
    "alert_status": ("slm.alert.status",),
    "verdict": ("slm.verdict",),
    "role": ("slm.role", "user.roles"),
    "group": ("slm.identity.groups",),
    "team": TEAMS,
    "alert": ("slm.alert.id",),
    "action": ("event.action",),
    "reason": ("event.reason",),
    "error": ("error.type",),
    "status": ("http.response.status_code",),
    "latency_ms": ("slm.latency_ms",),
    "first_token_ms": ("slm.time_to_first_token_ms",),
    "tokens": ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"),
    "input_tokens": ("gen_ai.usage.input_tokens",),
    "output_tokens": ("gen_ai.usage.output_tokens",),
    "cost_usd": ("slm.cost_usd",),
    "confidence": ("slm.confidence",),
    "temperature": ("gen_ai.request.temperature",),
    "finding": ("slm.findings.types",),
    "findings": ("slm.findings.count",),
    "tool": ("gen_ai.tool.name",),
    "provider": ("gen_ai.provider.name",),
    "operation": ("gen_ai.operation.name",),
    "version": ("slm.model.version",),
    "risk": ("slm.risk",),
    "guardrail": ("slm.guardrail.name",),
    "retention": ("slm.retention.class",),
}
"""A short name, and the fields of which any may fit."""

_CHOICES: dict[tuple[str, ...], tuple[str, ...]] = {(KIND,): tuple(KINDS), (OUTCOME,): get_args(Outcome)}
"""Fields of which all values are known."""

_TEXTS = frozenset({"text", "json", "messages", "labels"})
_OLD = {"flags": "flag", "username": "user", "email": "user", "latency": "latency_ms", "duration": "latency_ms"}


def named(name: str) -> tuple[str, ...]:
    """The fields that `name` stands for; empty where there are none."""
    return ALIASES.get(name.lower()) or ((name,) if name in FIELDS else ())


def type_of(names: tuple[str, ...]) -> Type:
    """The type of fields that a short name joins: it is the same for all, but that some hold a list."""
    return FIELDS[names[0]].type


def unsearched(name: str) -> str:
    """Why a field can't be named in a search; empty where it can."""
    if FIELDS[name].type not in _TEXTS:
        return ""
    if name in WORDED:
        return f"{name} is searched by its words: write them without naming a field"
    return f"{name} is kept and shown, but not searched"


def unknown(name: str) -> str:
    """What to say of a name that is none, with the one that was perhaps meant."""
    known = [*ALIASES, SINCE, UNTIL, *FIELDS]
    meant = _OLD.get(name.lower()) or next(iter(difflib.get_close_matches(name.lower(), known, 1, 0.6)), "")
    hint = f"did you mean {meant}?" if meant else "docs/search.md lists them."
    return f'there is no field {name!r}; {hint} To search for these words, put them in "quotes"'


def no_choice(found: tuple[str, ...], name: str, value: str) -> str:
    """Why no record has this value; empty where one may."""
    choices = _CHOICES.get(found, (value,))
    if value in choices:
        return ""
    meant = next(iter(difflib.get_close_matches(value.lower(), choices, 1, 0.6)), "")
    hint = f"did you mean {meant}?" if meant else f"it is one of {', '.join(sorted(choices))}"
    return f"there is no {name} {value!r}; {hint}"

"""What a record is searched by, besides its text."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from slmtrail.core import retaining
from slmtrail.core.events import timestamp_ms
from slmtrail.core.fields import FIELDS
from slmtrail.indexer.store.language.fits import values

TIME = "@timestamp"
KIND = "slm.kind"
ENVIRONMENT = "deployment.environment.name"
OUTCOME = "event.outcome"
COLLECTOR = "slm.collector.id"
USERS = ("user.id", "user.name", "user.email", "enduser.pseudo.id")
MODELS = ("gen_ai.request.model", "gen_ai.response.model")
FLAGS = "slm.flags"
SESSIONS = ("session.id", "gen_ai.conversation.id")
IPS = ("source.ip", "network.forwarded_ip")
RULES = ("rule.id", "rule.name")
LIKENESS = "slm.prompt.likeness"
TEAMS = ("service.namespace", "slm.identity.groups")
"""The team that an application belongs to, as OpenTelemetry has it, or that a verified user does."""

COLUMNS = {
    KIND: "kind",
    ENVIRONMENT: "environment",
    OUTCOME: "outcome",
    COLLECTOR: "collector",
    "service.name": "service",
    "slm.latency_ms": "latency_ms",
    "gen_ai.usage.input_tokens": "input_tokens",
    "gen_ai.usage.output_tokens": "output_tokens",
    "http.response.status_code": "status",
}
"""Fields with a column of their own in the embedded store: common, and with many records a value."""
TERMS = {
    "user": USERS,
    "model": MODELS,
    "flag": (FLAGS,),
    "session": SESSIONS,
    "trace": ("trace.id",),
    "ip": IPS,
    "rule": RULES,
    "severity": ("slm.alert.severity",),
    "verdict": ("slm.verdict",),
    "retention": (retaining.FIELD,),
    "team": TEAMS,
    "alert": ("slm.alert.id",),
    "like": (LIKENESS,),
}
"""Fields in the embedded store's index of terms: what finds few records, or what few records have."""


class Columns(NamedTuple):
    """The searched values of one record; None where it has none."""

    ts_ms: int
    kind: str | None
    environment: str | None
    outcome: str | None
    collector: str | None
    service: str | None
    latency_ms: int | None
    input_tokens: int | None
    output_tokens: int | None
    status: int | None
    terms: list[tuple[str, str]]
    """Values of which a record may have several, with the name of their kind, sorted."""


SCALARS = Columns._fields[:-1]
"""The columns that a record has one value of, as they are named in the embedded store."""


def columns(record: dict[str, Any]) -> Columns:
    """The searched values of `record`. Raises ValueError when it has no usable time."""
    ts_ms = time_ms(record)
    scalars = [take(record.get(name)) for name, take in _TAKE.items()]
    terms = {(_TERM_OF[name], term) for name in _TERM_OF.keys() & record.keys() for term in _terms(record, name)}
    return Columns._make((ts_ms, *scalars, sorted(terms)))


def ip_term(number: int) -> str:
    """An address as a term: those of a network stand in a row."""
    return f"{number:032x}"


def objection(record_id: str, record: dict[str, Any]) -> str:
    """Why no store can take a record that was sealed under this id; empty when it can."""
    if record.get("event.id") != record_id:
        return "event.id: is not the id under which the record was sealed"
    try:
        time_ms(record)
    except ValueError as error:
        return str(error)
    return ""


_ms = lru_cache(1024)(timestamp_ms)
"""Asked more than once about a record, and many happen at one time."""


def time_ms(record: dict[str, Any]) -> int:
    """When it happened. Raises ValueError where it says no usable time."""
    time = record.get(TIME)
    if not isinstance(time, str):
        raise ValueError("@timestamp: is missing, or no text")
    try:
        return _ms(time)
    except ValueError:
        raise ValueError("@timestamp: is not an RFC 3339 time") from None


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63 else None


_TAKE = {name: _number if FIELDS[name].type == "integer" else _word for name in COLUMNS}
_TERM_OF = {name: term for term, names in TERMS.items() for name in names}


def _terms(record: dict[str, Any], name: str) -> Iterator[str]:
    found = values(record, name)
    return map(ip_term, found) if FIELDS[name].type == "ip" else found

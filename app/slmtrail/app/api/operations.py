"""The operations that answer with one JSON object."""

from __future__ import annotations

import dataclasses
from typing import Any

import orjson

from slmtrail.app.api.operation import Given, Operation, Parameter
from slmtrail.app.counts import facets_told, histogram_told
from slmtrail.app.readers.looking import Looking, Standing
from slmtrail.app.reading import Asked
from slmtrail.core.ports import Sealed
from slmtrail.indexer.reading.incident import told
from slmtrail.indexer.store.cursor import SORTS
from slmtrail.indexer.store.facets import FACETS, MAX_BARS, MAX_VALUES
from slmtrail.indexer.store.query import MAX_LIMIT
from slmtrail.indexer.verify.prove import ProofState

MAX_FACETS = 10
STANDINGS = ("open", "acknowledged", "closed", "suppressed")

SEARCH = (
    Parameter("q", "What to find, in the language of docs/search.md."),
    Parameter("user", "Whose: user.id, name or e-mail as it was given, or its keyed hash."),
    Parameter("model", "The model asked or answering."),
    Parameter("kind", "The kind of record."),
    Parameter("env", "The deployment environment."),
    Parameter("flag", "A rule that fired."),
    Parameter("outcome", "success, failure or unknown."),
    Parameter("since", "From then on: 15m, 2h, 7d ago, or an RFC 3339 time."),
    Parameter("until", "Before then."),
)
CONTENT = Parameter(
    "content", "Whether to give out what was said; takes an investigator.", type="boolean", default=False
)
LIMIT = Parameter("limit", "How many at most.", type="integer", default=50, least=1, most=MAX_LIMIT)
CURSOR = Parameter("cursor", "The cursor of the page before.")
SORT = Parameter("sort", "The order; with a dash the newest or largest first.", default="-time", values=SORTS)

_ANY: dict[str, Any] = {"type": "object"}
_TEXT: dict[str, Any] = {"type": "string"}
_NUMBER: dict[str, Any] = {"type": "integer"}
_RECORDS: dict[str, Any] = {"type": "array", "items": _ANY}
_ALERT = {"type": "object", "properties": {"record": _ANY, "status": {"enum": STANDINGS}, "by": _TEXT, "at": _TEXT}}


def asked(given: Given) -> Asked:
    """The search in the parameters of a request."""
    named = {"text": "q", "environment": "env", "after": "cursor"}
    values = {field.name: given.get(named.get(field.name, field.name)) for field in dataclasses.fields(Asked)}
    return Asked(**{name: value for name, value in values.items() if value is not None})


def _search(looking: Looking, given: Given) -> dict[str, Any]:
    page = looking.search(asked(given))
    return {"records": _records(page.records), "total": page.total, "at_least": page.at_least, "cursor": page.cursor}


def _count(looking: Looking, given: Given) -> dict[str, Any]:
    return {"total": looking.count(asked(given))}


def _facets(looking: Looking, given: Given) -> dict[str, Any]:
    return {"facets": facets_told(looking.facets(asked(given), given["field"], given["size"]))}


def _histogram(looking: Looking, given: Given) -> dict[str, Any]:
    return histogram_told(looking.histogram(asked(given), given["bars"]))


def _record(looking: Looking, given: Given) -> dict[str, Any]:
    sealed, proof = looking.show(given["id"])
    return {"record": sealed.record, "proof": _proof(sealed, proof)}


def _proof(sealed: Sealed, proof: ProofState) -> dict[str, Any]:
    told = {"state": proof.state, "text": proof.text, "ledger": sealed.ledger, "leaf": sealed.leaf}
    return told | ({"tlog_proof": proof.proof.encode().decode()} if proof.proof else {})


def _session(looking: Looking, given: Given) -> dict[str, Any]:
    return {"records": _records(looking.together("session", given["id"]))}


def _trace(looking: Looking, given: Given) -> dict[str, Any]:
    return {"records": _records(looking.together("trace", given["id"]))}


def _alerts(looking: Looking, given: Given) -> dict[str, Any]:
    found, cursor = looking.alerts(asked(given), given["status"])
    return {"alerts": [_standing(one) for one in found], "cursor": cursor}


def _acknowledge(looking: Looking, given: Given) -> dict[str, Any]:
    return _standing(looking.settle(given["id"], "acknowledge", given["reason"]))


def _close(looking: Looking, given: Given) -> dict[str, Any]:
    return _standing(looking.settle(given["id"], "close", given["reason"]))


def _standing(one: Standing) -> dict[str, Any]:
    return {"record": one.sealed.record, **dataclasses.asdict(one.state)}


def _compare(looking: Looking, given: Given) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(orjson.dumps(looking.compare(asked(given), given["one"], given["other"])))
    return found


def _history(looking: Looking, given: Given) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(orjson.dumps(looking.history(asked(given), given["text"])))
    return found


def _incident(looking: Looking, given: Given) -> dict[str, Any]:
    return told(looking.incident(asked(given), given["about"], given["name"], given["margin_s"] * 1000))


def _me(looking: Looking, _: Given) -> dict[str, Any]:
    reader = looking.reader
    return {"name": reader.name, "role": reader.role, "scope": dataclasses.asdict(reader.scope)}


def _records(found: list[Sealed]) -> list[dict[str, Any]]:
    return [sealed.record for sealed in found]


def _id(of: str) -> Parameter:
    return Parameter("id", f"The id of {of}.", least=1, most=1024, required=True, in_path=True)


def _answer(**properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}


_PAGE = (*SEARCH, LIMIT, CURSOR)
OPERATIONS = (
    Operation("me", "/me", "Who asks, and what they may see.", _answer(name=_TEXT, role=_TEXT, scope=_ANY), (), _me),
    Operation(
        "search",
        "/search",
        "Records that fit, page by page.",
        _answer(records=_RECORDS, total=_NUMBER, at_least={"type": "boolean"}, cursor=_TEXT),
        (*_PAGE, SORT, CONTENT),
        _search,
    ),
    Operation("count", "/count", "How many records fit.", _answer(total=_NUMBER), SEARCH, _count),
    Operation(
        "facets",
        "/facets",
        "The most frequent values of fields among the records that fit.",
        _answer(facets=_ANY),
        (
            *SEARCH,
            Parameter(
                "field", "What to count by.", values=tuple(sorted(FACETS)), many=True, required=True, most=MAX_FACETS
            ),
            Parameter("size", "How many values of each.", type="integer", default=10, least=1, most=MAX_VALUES),
        ),
        _facets,
    ),
    Operation(
        "histogram",
        "/histogram",
        "The records that fit, over time.",
        _answer(step_ms=_NUMBER, bars=_RECORDS),
        (*SEARCH, Parameter("bars", "How many steps at most.", type="integer", default=60, least=2, most=MAX_BARS)),
        _histogram,
    ),
    Operation(
        "record",
        "/record/{id}",
        "One record, and what can be proved of it.",
        _answer(record=_ANY, proof=_ANY),
        (_id("a record"), CONTENT),
        _record,
    ),
    Operation(
        "session",
        "/session/{id}",
        "The records of one session or conversation, the oldest first.",
        _answer(records=_RECORDS),
        (_id("a session or conversation"), CONTENT),
        _session,
    ),
    Operation(
        "trace",
        "/trace/{id}",
        "The records of one trace, the oldest first.",
        _answer(records=_RECORDS),
        (_id("a trace"), CONTENT),
        _trace,
    ),
    Operation(
        "alerts",
        "/alerts",
        "Alerts as they stand, the newest first.",
        _answer(alerts={"type": "array", "items": _ALERT}, cursor=_TEXT),
        (*_PAGE, CONTENT, Parameter("status", "Only those that stand so.", values=("", *STANDINGS))),
        _alerts,
    ),
    Operation(
        "acknowledge",
        "/alerts/{id}/acknowledge",
        "Say that someone looks after an alert.",
        _ALERT,
        (_id("an alert, or of its record"),),
        _acknowledge,
        method="POST",
        reason="optional",
    ),
    Operation(
        "close",
        "/alerts/{id}/close",
        "Close an alert, with the reason.",
        _ALERT,
        (_id("an alert, or of its record"),),
        _close,
        method="POST",
        reason="required",
    ),
    Operation(
        "compare",
        "/compare",
        "Two models, or two versions of one, side by side.",
        _ANY,
        (
            *SEARCH,
            Parameter("one", "A model, or a version of it: phi-3@1.2.", least=1, most=1024, required=True),
            Parameter("other", "The one to hold it against.", least=1, most=1024, required=True),
            CONTENT,
        ),
        _compare,
    ),
    Operation(
        "history",
        "/history",
        "Where the same, or nearly the same, was asked: by whom, and what each model answered.",
        _answer(askings=_RECORDS, by_model=_ANY, times=_NUMBER, looked_at=_NUMBER),
        (*SEARCH, Parameter("text", "The prompt.", least=1, most=8192, required=True), CONTENT),
        _history,
    ),
    Operation(
        "incident",
        "/incident",
        "What happened around a trace, session, user, alert, record or time.",
        _answer(since=_TEXT, until=_TEXT, cut={"type": "boolean"}, entries=_RECORDS, changes=_RECORDS),
        (
            *SEARCH,
            Parameter(
                "about", "What it is about.", values=("trace", "session", "user", "alert", "id", "time"), required=True
            ),
            Parameter("name", "Its id, name or time.", least=1, most=1024, required=True),
            Parameter("margin_s", "How long before and after.", type="integer", default=300, most=86_400),
            CONTENT,
        ),
        _incident,
    ),
)
"""All of them. compare and history take content: they hold what was asked beside what was answered."""

"""An incident: what happened around a trace, a session, a user, an alert or a moment, in the order of time."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from slmtrail.core.errors import NotFound
from slmtrail.core.events import timestamp_ms, timestamp_text
from slmtrail.core.ports import Query, Sealed
from slmtrail.core.said import model_of
from slmtrail.indexer.reading.walk import Search, narrowed, quoted, walk
from slmtrail.indexer.store.columns import time_ms

About = Literal["trace", "session", "user", "alert", "id", "time"]

MAX_SEEDS, MAX_RECORDS = 500, 2000
"""Records that the subject names, and those in the timeline: of more, the newest."""

MAX_NAMES = 30
"""Names of one kind by which others are looked for: traces, sessions, people."""

CHANGES_MS, MAX_CHANGES = 24 * 3600 * 1000, 500
"""How long before the incident a change counts as one just before, and how many are looked at: of more, the newest."""

_JOINS = {
    "trace": ("trace.id",),
    "session": ("session.id", "gen_ai.conversation.id"),
    "slm.exchange.id": ("slm.exchange.id",),
}
"""What records of one thing share, by the name it has in a search."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A record in the timeline, and why it is there."""

    sealed: Sealed
    why: str


@dataclass(frozen=True, slots=True)
class Incident:
    """The timeline, the oldest first."""

    entries: list[Entry]
    changes: list[Entry]
    """What of models, prompts, policies and keys changed just before."""
    since_ms: int
    until_ms: int
    environments: list[str]
    cut: bool
    """Whether there are more records than are shown."""


def incident(
    search: Search, query: Query, about: About, name: str, margin_ms: int, at_most: int = MAX_RECORDS
) -> Incident:
    """What happened around the subject, up to `margin_ms` before and after it. Raises NotFound where nothing names it.

    `query` bounds what is looked at, by time or in any other way.
    """
    return _Inquiry(search, query, at_most).made(about, name, margin_ms)


def told(found: Incident) -> dict[str, Any]:
    """An incident as JSON has it."""
    return {
        "since": timestamp_text(found.since_ms),
        "until": timestamp_text(found.until_ms),
        "environments": found.environments,
        "cut": found.cut,
        "changes": [{"why": entry.why, "record": entry.sealed.record} for entry in found.changes],
        "entries": [{"why": entry.why, "record": entry.sealed.record} for entry in found.entries],
    }


class _Inquiry:
    def __init__(self, search: Search, query: Query, at_most: int) -> None:
        self._search = search
        self._query = query
        self._at_most = at_most
        self._found: dict[str, Entry] = {}
        self._cut = False

    def made(self, about: About, name: str, margin_ms: int) -> Incident:
        """The timeline."""
        if about == "time":
            at = timestamp_ms(name)
            since, until = at - margin_ms, at + margin_ms + 1
            self._take(self._all("", since, until, self._at_most), "at the time")
        else:
            seeds = self._seeds(about, name)
            times = list(_times(seeds))
            if not times:
                raise NotFound(
                    f"no record of the {about} {name!r} says when it was: see what slmtrail verify says of it"
                )
            since, until = min(times) - margin_ms, max(times) + margin_ms + 1
            self._take(seeds, f"the {about}" if about != "id" else "the record")
            self._around(since, until)
        entries = sorted(self._found.values(), key=_order)
        told = [entry.sealed.record for entry in entries]
        changes = [Entry(sealed, "changed just before") for sealed in self._changes(told, since)]
        return Incident(
            entries[-self._at_most :],
            sorted((one for one in changes if one.sealed.id not in self._found), key=_order),
            since,
            until,
            sorted({str(record.get("deployment.environment.name") or "") for record in told} - {""}),
            self._cut or len(entries) > self._at_most,
        )

    def _seeds(self, about: About, name: str) -> list[Sealed]:
        field = {"alert": "slm.alert.id", "id": "id"}.get(about, about)
        seeds = list(self._all(f"{field}:{quoted(name)}", None, None, MAX_SEEDS))
        if about == "alert" and not seeds:
            seeds = list(self._all(f"id:{quoted(name)}", None, None, MAX_SEEDS))
        if not seeds:
            raise NotFound(f"there is no record of the {about} {name!r} here: look for it with slmtrail search")
        evidence = [one for sealed in seeds for one in _evidence(sealed.record)]
        if evidence:
            self._take(self._named("id", evidence, None, None), "evidence of the alert")
        return seeds + [entry.sealed for entry in self._found.values()]

    def _around(self, since_ms: int, until_ms: int) -> None:
        """What shares a trace, a session or an exchange with what is there; then who was behind it, and alerts."""
        seeds = [entry.sealed.record for entry in self._found.values()]
        for short, fields in _JOINS.items():
            names = _values(seeds, fields)
            self._take(self._named(short, names, since_ms, until_ms), f"the same {fields[0].split('.')[-2]}")
        records = [entry.sealed.record for entry in self._found.values()]
        people = _values(records, ("user.id",))
        self._take(self._named("user", people, since_ms, until_ms, "kind:(auth or policy)"), "the same user")
        keys = _values(records, ("slm.key.hash",))
        self._take(self._named("slm.key.hash", keys, since_ms, until_ms, "kind:(auth or policy)"), "the same key")
        causes = _values(records, ("event.id",))
        self._take(self._named("slm.caused_by", causes, since_ms, until_ms, "kind:process"), "caused by it")
        alerts = self._all("kind:alert", since_ms, until_ms, MAX_RECORDS)
        told = set(self._found)
        self._take((one for one in alerts if told & {*_evidence(one.record)}), "an alert about it")

    def _changes(self, records: list[dict[str, Any]], since_ms: int) -> Iterator[Sealed]:
        """Of what was asked or where it ran: what changed, in the time before."""
        models = {model_of(record) for record in records} - {""}
        places = {record.get("deployment.environment.name") for record in records}
        for sealed in self._all("kind:config", since_ms - CHANGES_MS, since_ms, MAX_CHANGES):
            model = model_of(sealed.record)
            if sealed.record.get("deployment.environment.name") in places and (not model or model in models):
                yield sealed

    def _named(
        self, field: str, names: list[str], since_ms: int | None, until_ms: int | None, more: str = ""
    ) -> Iterator[Sealed]:
        if names:
            any_of = " or ".join(map(quoted, names[:MAX_NAMES]))
            self._cut |= len(names) > MAX_NAMES
            yield from self._all(f"{field}:({any_of}) {more}", since_ms, until_ms, self._at_most)

    def _all(self, where: str, since_ms: int | None, until_ms: int | None, at_most: int) -> Iterator[Sealed]:
        bounded = dataclasses.replace(
            narrowed(self._query, where),
            since_ms=_tighter(max, self._query.since_ms, since_ms),
            until_ms=_tighter(min, self._query.until_ms, until_ms),
        )
        left = at_most
        for sealed in walk(self._search, bounded, at_most):
            left -= 1
            yield sealed
        self._cut |= left == 0

    def _take(self, records: Iterator[Sealed] | list[Sealed], why: str) -> None:
        for sealed in records:
            self._found.setdefault(sealed.id, Entry(sealed, why))


def _tighter(pick: Any, one: int | None, other: int | None) -> int | None:
    given = [bound for bound in (one, other) if bound is not None]
    return pick(given) if given else None


def _values(records: list[dict[str, Any]], fields: tuple[str, ...]) -> list[str]:
    return list(dict.fromkeys(str(record[name]) for record in records for name in fields if name in record))


def _times(records: list[Sealed]) -> Iterator[int]:
    """When they were, as far as they still say."""
    for sealed in records:
        with contextlib.suppress(ValueError):
            yield time_ms(sealed.record)


def _evidence(record: dict[str, Any]) -> list[str]:
    named = record.get("slm.alert.evidence")
    return [one for one in named if isinstance(one, str)] if isinstance(named, list) else []


def _order(entry: Entry) -> tuple[str, str, int]:
    return str(entry.sealed.record.get("@timestamp")), entry.sealed.ledger, entry.sealed.leaf

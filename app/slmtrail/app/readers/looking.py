"""The trail as one reader sees it: what they have no right to is refused, and that they looked is recorded."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from slmtrail.app.readers.access import Access
from slmtrail.app.readers.triage import ACTIONS, State, alert_id, states
from slmtrail.app.reading import Asked, Reading
from slmtrail.core.errors import NotAllowed, NotFound, QueryError
from slmtrail.core.ports import Histogram, Page, Sealed
from slmtrail.core.readers import EVERYTHING, Reader, Right
from slmtrail.indexer.reading.compare import Comparison, compare
from slmtrail.indexer.reading.history import History, history
from slmtrail.indexer.reading.incident import About, Incident, incident
from slmtrail.indexer.reading.walk import quoted, walk
from slmtrail.indexer.store.language.names import ALIASES, SINCE, UNTIL, named
from slmtrail.indexer.store.language.parse import parse
from slmtrail.indexer.store.language.tree import Text, tests
from slmtrail.indexer.store.matching import Fits, matching
from slmtrail.indexer.store.query import asked as in_terms
from slmtrail.indexer.store.scoping import shown
from slmtrail.indexer.verify.prove import ProofState

MAX_TOGETHER = 1000
"""Records of one session or trace: of more, the newest."""

MAX_REASON_CHARS = 1000
_TEXT = "text"


@dataclass(frozen=True, slots=True)
class Standing:
    """An alert, and how it stands."""

    sealed: Sealed
    state: State


class Looking:
    """One reader at one request. Its methods block.

    content: whether what was said is given out too; that takes the right to, and is recorded as a `reveal`.
    """

    def __init__(
        self, reader: Reader, trail: Reading, access: Access, peer: str = "", *, content: bool = False
    ) -> None:
        self.reader = reader
        self._access = access
        self._peer = peer
        self._whole = trail.within(EVERYTHING)
        self.trail = trail.within(dataclasses.replace(reader.scope, content=reader.may("content")))
        self._content = content

    def search(self, asked: Asked) -> Page:
        """A page of records."""
        self._check("search")
        page = self._shown(self.trail.search(asked))
        self._tell("search", count=len(page.records), fields=_fields(asked))
        return page

    def count(self, asked: Asked) -> int:
        """How many records fit."""
        self._check("search")
        total = self.trail.count(asked)
        self._tell("count", count=0, fields=_fields(asked))
        return total

    def facets(self, asked: Asked, fields: Sequence[str], size: int) -> dict[str, dict[str, int]]:
        """The most frequent values of each field, and how many records have each."""
        self._check("search")
        found = {field: self.trail.facet(asked, field, size) for field in dict.fromkeys(fields)}
        self._tell("facets", count=0, fields=sorted({*_fields(asked), *chain.from_iterable(map(named, fields))}))
        return found

    def histogram(self, asked: Asked, bars: int) -> Histogram:
        """The records over time."""
        self._check("search")
        found = self.trail.histogram(asked, bars)
        self._tell("histogram", count=0, fields=_fields(asked))
        return found

    def show(self, record_id: str) -> tuple[Sealed, ProofState]:
        """One record, and what can be proved of it."""
        self._check("search")
        sealed, proof = self.trail.show(record_id)
        self._tell("view", record=sealed, count=1)
        return self._bare(sealed), proof

    def together(self, what: str, name: str) -> list[Sealed]:
        """The records of one session or trace, the oldest first."""
        self._check("search")
        query = self.trail.query(Asked(f"{what}:{quoted(name)}"))
        found = [self._bare(sealed) for sealed in walk(self.trail.ask, query, MAX_TOGETHER)][::-1]
        if not found:
            raise NotFound(f"there is no record of this {what}")
        self._tell(what, record=found[0], count=len(found))
        return found

    def alerts(self, asked: Asked, status: str = "") -> tuple[list[Standing], str]:
        """A page of alerts as they stand, of each the newest revision, and the cursor of the next page.

        status: only those that stand so, which a page may have fewer of than asked for.
        """
        self._check("search")
        page = self.trail.alerts(asked)
        standing = [
            Standing(self._bare(sealed), state if self.reader.may("content") else dataclasses.replace(state, reason=""))
            for sealed, state in zip(page.records, states(self._whole.ask, page.records), strict=True)
            if not status or state.status == status
        ]
        self._tell("alerts", count=len(standing), fields=_fields(asked))
        return standing, page.cursor

    def settle(self, name: str, action: str, reason: str) -> Standing:
        """Acknowledges or closes an alert, which is given by its id or that of one of its records."""
        self._check("triage")
        if len(reason) > MAX_REASON_CHARS:
            raise QueryError(f"reason: is longer than {MAX_REASON_CHARS} characters")
        if action == "close" and not reason.strip():
            raise QueryError("reason: is missing; an alert is closed with a reason")
        found = self.trail.search(Asked(f"alert:{quoted(name)} or id:{quoted(name)}", kind="alert", limit=1)).records
        if not found:
            raise NotFound(f"{name}: there is no alert of this id")
        alert, status = found[0], ACTIONS[action]
        more = {"slm.alert.id": alert_id(alert), "slm.alert.status": status, "message": reason.strip() or None}
        self._access.tell(self.reader, action, self._peer, record=alert.id, more=more)
        return Standing(self._bare(alert), State(status, self.reader.name, reason=reason.strip()))

    def export(self, asked: Asked, at_most: int) -> Iterator[Sealed]:
        """All records that fit. Refuses at once; the record that it happened comes first."""
        self._check("export")
        query = self.trail.query(asked)
        self.trail.ask(dataclasses.replace(query, limit=1, count_to=0))
        self._tell("export", fields=_fields(asked))
        return (self._bare(sealed) for sealed in walk(self.trail.ask, query, at_most))

    def compare(self, asked: Asked, one: str, other: str) -> Comparison:
        """Two models side by side."""
        self._check("content")
        found = compare(self.trail.ask, self.trail.query(asked), one, other)
        self._tell("compare", count=found.one.records + found.other.records, fields=_fields(asked))
        return found

    def history(self, asked: Asked, text: str) -> History:
        """Where nearly this was asked before."""
        self._check("content")
        found = history(self.trail.ask, self.trail.query(asked), text)
        self._tell("history", count=len(found.askings), fields=_fields(asked))
        return found

    def incident(self, asked: Asked, about: About, name: str, margin_ms: int) -> Incident:
        """What happened around a trace, session, user, alert, record or time."""
        self._check("search")
        try:
            found = incident(self.trail.ask, self.trail.query(asked), about, name, margin_ms)
        except (ValueError, OverflowError):
            raise QueryError("name: is no time; write 2026-01-31T09:00:00Z") from None
        self._tell("incident", count=len(found.entries), fields=named(about))
        return dataclasses.replace(
            found,
            entries=[dataclasses.replace(entry, sealed=self._bare(entry.sealed)) for entry in found.entries],
            changes=[dataclasses.replace(entry, sealed=self._bare(entry.sealed)) for entry in found.changes],
        )

    def following(self, asked: Asked) -> Fits:
        """Which records are to be given out as they come, through `bare`."""
        self._check("search")
        fits = matching(in_terms(self.trail.query(asked)))
        self._tell("stream", fields=_fields(asked))
        return fits

    def told(self, action: str, count: int, asked: Asked) -> None:
        """Records that so many records were given out in another way."""
        self._tell(action, count=count, fields=_fields(asked))

    def bare(self, sealed: Sealed) -> Sealed:
        """The record as it is given out."""
        return self._bare(sealed)

    def verifying(self) -> None:
        """Refuses who may not verify the whole trail: what is wrong is named, wherever it is."""
        self._check("verify")
        if not self.reader.scope.whole:
            raise NotAllowed("the whole trail is verified by who sees all of it; ask for the proof of a record")
        self._tell("verify")

    def _check(self, right: Right) -> None:
        if not self.reader.may(right):
            raise NotAllowed(f"a {self.reader.role} may not do this: it takes the right to {right}")
        if self._content and not self.reader.may("content"):
            raise NotAllowed("what was said is for investigators: ask without content")

    def _tell(
        self, action: str, *, record: Sealed | None = None, count: int | None = None, fields: Sequence[str] = ()
    ) -> None:
        reveals = self._content and count != 0
        told = "reveal" if reveals and action == "view" else action
        more: dict[str, Any] = {"slm.attributes": {"content": True}} if reveals else {}
        self._access.tell(
            self.reader, told, self._peer, record=record.id if record else "", count=count, fields=fields, more=more
        )

    def _shown(self, page: Page) -> Page:
        return dataclasses.replace(page, records=[self._bare(sealed) for sealed in page.records])

    def _bare(self, sealed: Sealed) -> Sealed:
        return sealed if self._content else shown(sealed, dataclasses.replace(self.reader.scope, content=False))


def _fields(asked: Asked) -> list[str]:
    """By what is searched, without the values: they may be names."""
    given = {field.name for field in dataclasses.fields(asked) if getattr(asked, field.name)}
    given = {"time" if name in (SINCE, UNTIL) else name for name in given}
    found = {name for short in given & ALIASES.keys() for name in named(short)}
    for test in tests(parse(asked.text)):
        found |= {_TEXT} if isinstance(test, Text) else set(test.names)
    return sorted(found)

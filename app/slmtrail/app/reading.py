"""Reading the trail: what the command line and the page have in common."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from slmtrail.app import parts
from slmtrail.core import keys
from slmtrail.core import policy as policy_file
from slmtrail.core.errors import KeyFileError, NotFound
from slmtrail.core.identity import origin, record_id
from slmtrail.core.policy import Policy
from slmtrail.core.ports import Histogram, Page, Proved, Query, Sealed, Store
from slmtrail.core.readers import EVERYTHING, Scope
from slmtrail.core.rollup import ENVIRONMENT, HOUR_MS, KIND, Rollup
from slmtrail.core.settings import Settings
from slmtrail.indexer.reading.walk import quoted
from slmtrail.indexer.store.language.times import moment_ms
from slmtrail.indexer.store.matching import holding, matching
from slmtrail.indexer.store.query import EVERY
from slmtrail.indexer.store.query import asked as in_terms
from slmtrail.indexer.store.scoping import shown, within
from slmtrail.indexer.verify.folder import LedgerFolder
from slmtrail.indexer.verify.prove import ProofState, prove
from slmtrail.indexer.verify.trail import Progress, verify
from slmtrail.indexer.verify.trail import Scope as Part
from slmtrail.stream.redact.operators import KeyedHash

END = 2**62
"""Behind every leaf."""

_TOLD = (
    "slm.verdict rule.id event.action slm.config.type slm.config.name slm.step.name slm.upstream.name event.reason"
).split()
"""What a record without a text of its own is about."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A search as a person puts it: `text` in the language of docs/search.md; all that is not empty must fit."""

    text: str = ""
    user: str = ""
    model: str = ""
    kind: str = ""
    environment: str = ""
    flag: str = ""
    outcome: str = ""
    since: str = ""
    until: str = ""
    limit: int = 50
    after: str = ""
    sort: str = "-time"


class Reading:
    """An open trail, all of it or what a scope lets through. Its methods block."""

    scope = EVERYTHING

    def __init__(self, settings: Settings, store: Store | None = None) -> None:
        self._settings = settings
        self._store = store or parts.open_store(settings)
        self._folders: dict[str, LedgerFolder] = {}
        self.collectors: dict[Any, tuple[float, list[str]]] = {}
        """Who has ever sent anything, as the page last looked it up, by scope and environment."""
        try:
            self._hash: KeyedHash | None = KeyedHash(
                keys.secret(settings.keys / "pseudonym.key"), parts.PSEUDONYM_EPOCH
            )
        except KeyFileError:
            # A reader without the key can still search by what is stored as it is.
            self._hash = None

    def within(self, scope: Scope) -> Reading:
        """The same trail, of which no more than this is seen."""
        narrowed = copy.copy(self)
        narrowed.scope = scope
        return narrowed

    def search(self, asked: Asked) -> Page:
        """A page of records, newest first unless `asked` says otherwise."""
        return self._store.search(self.query(asked))

    def alerts(self, asked: Asked) -> Page:
        """A page of alerts as they stand: of each the newest revision alone. Its total counts revisions."""
        page = self.search(dataclasses.replace(asked, kind="alert"))
        return dataclasses.replace(page, records=[one for one in page.records if not self._outgrown(one)])

    def _outgrown(self, sealed: Sealed) -> bool:
        """Whether an alert has a later revision."""
        try:
            collector, boot, place = origin(sealed.record)
            place = place._replace(frame=place.frame + 1)
        except (KeyError, TypeError):
            return False  # of a record that was changed; its proof says so
        return self._store.get(record_id(collector, boot, place)) is not None

    def ask(self, query: Query) -> Page:
        """A page of what fits, as the store is asked."""
        return self._store.search(dataclasses.replace(query, scope=self.scope))

    def count(self, asked: Asked) -> int:
        """How many records fit."""
        query = self.query(dataclasses.replace(asked, limit=1, after=""))
        return self._store.search(dataclasses.replace(query, count_to=EVERY)).total

    def facet(self, asked: Asked, field: str, size: int) -> dict[str, int]:
        """The most frequent values of a field, and how many records have each."""
        return self._store.facet(self.query(asked), field, size)

    def values(self, asked: Asked, field: str, size: int) -> list[str]:
        """Values of a field, up to so many."""
        return self._store.values(self.query(asked), field, size)

    def histogram(self, asked: Asked, bars: int) -> Histogram:
        """The records over time."""
        return self._store.histogram(self.query(asked), bars)

    def rollups(
        self, since_ms: int, until_ms: int, step_ms: int = HOUR_MS, kind: str = "", *, latency: bool = True
    ) -> list[Rollup]:
        """The statistics of hours or days; none for who may see some teams alone, as they don't tell teams apart."""
        if "*" not in self.scope.teams:
            return []
        told = self._store.rollups(since_ms, until_ms, step_ms, kind, latency=latency)
        fits = holding(within(self.scope))
        names = {(one.environment, one.kind) for one in told}
        seen = {pair for pair in names if fits({n: v for n, v in zip((ENVIRONMENT, KIND), pair, strict=True) if v})}
        return [one for one in told if (one.environment, one.kind) in seen]

    def query(self, asked: Asked) -> Query:
        """What is asked of the store."""
        return Query(
            where=asked.text,
            hashed=self._hash.text if self._hash else None,
            users=self.spellings(asked.user),
            model=asked.model,
            kind=asked.kind,
            environment=asked.environment,
            flag=asked.flag,
            outcome=asked.outcome,
            since_ms=moment_ms(asked.since) if asked.since else None,
            until_ms=moment_ms(asked.until) if asked.until else None,
            limit=asked.limit,
            after=asked.after,
            sort=asked.sort,
            scope=self.scope,
        )

    def show(self, record_id: str) -> tuple[Sealed, ProofState]:
        """One record, and what can be proved of it."""
        # What is proved is the whole record, whatever of it may be seen.
        whole = dataclasses.replace(self.scope, content=True)
        found = self._store.search(Query(where=f"id:{quoted(record_id)}", scope=whole, sort="time", limit=1)).records
        if not found:
            raise NotFound(f"{record_id}: there is no record of this id")
        return shown(found[0], self.scope), self.prove(found[0])

    def prove(self, sealed: Sealed) -> ProofState:
        """What can be proved of a record."""
        if sealed.ledger not in self._folders:
            try:
                self._folders = {folder.ledger: folder for folder in parts.ledger_folders(self._settings)}
            except KeyFileError as error:
                return ProofState("unknown", str(error))
        folder = self._folders.get(sealed.ledger)
        if folder is None:
            return ProofState("broken", f"the ledger {sealed.ledger!r} is not here")
        return prove(folder, sealed)

    def folders(self) -> list[LedgerFolder]:
        """The ledgers that are here; none where this machine has no keys to check them by."""
        try:
            return parts.ledger_folders(self._settings)
        except KeyFileError:
            return []

    def verify(self, collector: str, since_ms: int | None, until_ms: int | None, progress: Progress) -> Proved:
        """What is wrong with the whole trail, or the part of it around a collector's records or a time."""
        part = Part(collector, since_ms, until_ms)
        return verify(parts.ledger_folders(self._settings), self._store, progress, part)

    def policy(self) -> Policy:
        """The policy in force here."""
        return policy_file.load(self._settings.policy)

    def authorities(self) -> Mapping[str, Ed25519PublicKey]:
        """Who may sign certificates."""
        return parts.authorities(self._settings)

    def newer(self, seen: dict[str, int]) -> Iterator[Sealed]:
        """The records behind the leaves in `seen` (ledger: next leaf), which moves on with them."""
        fits = matching(in_terms(Query(scope=self.scope)))
        for ledger in sorted(seen.keys() | self._store.ledgers().keys()):
            for sealed in self._store.scan(ledger, seen.get(ledger, 0), END):
                seen[ledger] = sealed.leaf + 1
                if fits(sealed.record):
                    yield shown(sealed, self.scope)

    def ends(self) -> dict[str, int]:
        """Behind the newest leaf of each ledger: where `newer` starts to follow."""
        return {ledger: leaves.stop for ledger, leaves in self._store.extent(Query()).items()}

    def close(self) -> None:
        """Gives back the store."""
        self._store.close()

    def spellings(self, user: str) -> tuple[str, ...]:
        """The spellings of a user in records: as it was given, and as a keyed hash."""
        if not user:
            return ()
        return (user, self._hash.text(user)) if self._hash else (user,)


def excerpt(record: dict[str, Any], length: int = 100, *, told: bool = True) -> str:
    """One line that says what a record is about; where it has no text, by the names in it if `told`."""
    for name in ("message", "error.message"):
        if name in record:
            return _one_line(record[name], length)
    for name in ("gen_ai.input.messages", "gen_ai.output.messages"):
        for message in reversed(record.get(name, [])):
            text = " ".join(part.get("content") or part.get("result") or "" for part in message["parts"])
            if text.strip():
                return _one_line(text, length)
    return _one_line(" ".join(str(record[name]) for name in _TOLD if told and name in record), length)


def _one_line(text: str, length: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= length else f"{line[: length - 1]}…"

"""Which leaves of a store a class, a time or a hold is about."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from slmtrail.core import certificate
from slmtrail.core.errors import KeyFileError
from slmtrail.core.ports import Picked, Query, Sealed, Store
from slmtrail.core.retaining import STANDARD
from slmtrail.indexer.retain.certified import Hold
from slmtrail.indexer.retain.leafset import LeafSet
from slmtrail.indexer.retain.plan import Leaves, Older
from slmtrail.indexer.store.language.parse import parse

Spelling = Callable[[str], str]
"""How a name stands in records where redaction has put its keyed hash."""


def older(store: Store) -> Older:
    """The leaves of a class from before a time; certificates are of none."""

    def leaves(name: str, before_ms: int) -> Leaves:
        which = f"(retention:{name} or not retention:*)" if name == STANDARD else f"retention:{name}"
        where = f'{which} not collector:"{certificate.COLLECTOR}"'
        return _by_ledger(store.select(Query(where=where, until_ms=before_ms)))

    return leaves


def held(store: Store, holds: Iterable[Hold], hashed: Spelling | None) -> Leaves:
    """The leaves that holds are about. Raises KeyFileError where the key is missing by which persons are found."""
    found: dict[str, LeafSet] = {}
    for hold in holds:
        if hashed is None and names_someone(hold.query):
            raise KeyFileError(
                f"hold {hold.id} names a person, whom only keys/pseudonym.key finds in records. It is not here, so "
                "nothing is deleted: run slmtrail retain apply where it is"
            )
        for ledger, leaves in _by_ledger(store.select(Query(where=hold.query, hashed=hashed))).items():
            found[ledger] = found.get(ledger, LeafSet()) | leaves
    return found


def names_someone(query: str) -> bool:
    """Whether a query finds more by the keyed hashes of its values than by the values."""
    return parse(query, 0, lambda value: f"e0:{value}") != parse(query, 0)


def is_fixed(query: str) -> bool:
    """Whether a query finds the same at any time: an age in it moves."""
    return parse(query, 0) == parse(query, 10**12)


def certificates(store: Store) -> Iterable[Sealed]:
    """All records that say they hold a certificate."""
    for ledger in sorted(store.ledgers()):
        yield from store.certificates(ledger)


def _by_ledger(picked: Iterable[Picked]) -> Leaves:
    rows: dict[str, list[tuple[int, int]]] = {}
    for ledger, leaf, _ in picked:
        found = rows.setdefault(ledger, [])
        if found and found[-1][1] >= leaf - 1:
            found[-1] = found[-1][0], leaf
        else:
            found.append((leaf, leaf))
    return {ledger: LeafSet(found) for ledger, found in rows.items()}

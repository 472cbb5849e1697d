"""All records of a person of which anything is left: those that name it, and those around them that name nobody.

A step of a tool, a retrieval, a guardrail may not say who asked; it belongs to the person whose session, conversation
or trace it is in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from slmtrail.core.commitment import SALTS
from slmtrail.core.ports import Query, Sealed
from slmtrail.indexer.reading.walk import Search, quoted, walk
from slmtrail.indexer.store.columns import USERS
from slmtrail.indexer.store.language.parse import MAX_CHARS, MAX_CONDITIONS

_AROUND = {"session.id": "session", "gen_ai.conversation.id": "session", "trace.id": "trace"}
_OR = " or "
_ALL = 2**62


def records_of(search: Search, spellings: Sequence[str]) -> list[Sealed]:
    """The records, each once, in no order."""
    named = list(walk(search, Query(users=tuple(spellings)), _ALL))
    found = {(sealed.ledger, sealed.leaf): sealed for sealed in named}
    for where in _searches(_around(named)):
        for sealed in walk(search, Query(where=where), _ALL):
            if not any(name in sealed.record for name in USERS):
                found[sealed.ledger, sealed.leaf] = sealed
    return [sealed for sealed in found.values() if sealed.record[SALTS]]


def _around(named: Sequence[Sealed]) -> list[str]:
    """The conditions that fit what is around records."""
    conditions = {
        f"{field}:{quoted(sealed.record[name])}"
        for sealed in named
        for name, field in _AROUND.items()
        if name in sealed.record
    }
    return sorted(conditions)


def _searches(conditions: Sequence[str]) -> Iterator[str]:
    """As many of them in each search as it takes."""
    taken: list[str] = []
    for condition in conditions:
        if len(taken) == MAX_CONDITIONS or len(_OR.join([*taken, condition])) > MAX_CHARS:
            yield _OR.join(taken)
            taken = []
        taken.append(condition)
    if taken:
        yield _OR.join(taken)

"""A query, checked and in the terms that every store searches by."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from slmtrail.core import canonical
from slmtrail.core.errors import QueryError
from slmtrail.core.ports import Query
from slmtrail.core.readers import Scope
from slmtrail.indexer.store import cursor, scoping
from slmtrail.indexer.store.columns import COLLECTOR, ENVIRONMENT, FLAGS, KIND, MODELS, OUTCOME, TIME, USERS
from slmtrail.indexer.store.cursor import Cursor
from slmtrail.indexer.store.language.parse import parse
from slmtrail.indexer.store.language.tree import And, Equals, Node, Range, Text, both
from slmtrail.indexer.store.words import words

MAX_LIMIT = 1000
MAX_WORDS = 100
MAX_USERS = 100
FIRST_MS, LAST_MS = -62_135_596_800_000, 253_402_300_800_000
"""The years 1 to 9999, which is all that a record's time can say."""

LIMIT_S = 1.8
"""After which a search ends, whatever it has found, so that its answer is there within two seconds."""

EVERY = 2**31 - 1
"""How far to count, where all is to be counted."""

SLOW = "this search takes too long: narrow it by since:, user:, session:, trace: or a rare word, and ask again"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a record must fit: all of `tree`, and since ≤ time < until."""

    tree: And
    since_ms: int
    until_ms: int
    limit: int
    sort: str
    after: Cursor | None
    scope: Scope
    count_to: int


def asked(query: Query) -> Asked:
    """`query` in a store's terms. Raises QueryError where it can't be answered, NotAllowed where it may not be."""
    if not 1 <= query.limit <= MAX_LIMIT:
        raise QueryError(f"limit: {query.limit} is not between 1 and {MAX_LIMIT}; ask for more page by page")
    wanted = tuple(dict.fromkeys(words(query.text)))
    if len(wanted) > MAX_WORDS:
        raise QueryError(f"text: has {len(wanted)} different words, a search takes {MAX_WORDS}; leave some out")
    if len(query.users) > MAX_USERS:
        raise QueryError(f"users: {len(query.users)} are too many, a search takes {MAX_USERS}")
    given = {
        (KIND,): (query.kind,),
        (ENVIRONMENT,): (query.environment,),
        (OUTCOME,): (query.outcome,),
        (COLLECTOR,): (query.collector,),
        USERS: query.users,
        MODELS: (query.model,),
        (FLAGS,): (query.flag,),
    }
    filters = [
        Equals(names, tuple(dict.fromkeys(map(canonical.text, values))))
        for names, values in given.items()
        if any(values)
    ]
    tree = both(*filters, *(Text((word,)) for word in wanted), parse(query.where, hashed=query.hashed))
    scoping.check(tree, query.scope)
    tree = both(scoping.within(query.scope), tree)
    cursor.check(query.sort)
    after = cursor.parse(query.after, query.sort) if query.after else None
    since, until = _clamped(query.since_ms, FIRST_MS), _clamped(query.until_ms, LAST_MS)
    return _timed(Asked(tree, since, until, query.limit, query.sort, after, query.scope, query.count_to))


def _timed(question: Asked) -> Asked:
    """The question with the times that all of its tree demands taken out of it: by them stores find fastest."""
    rest: list[Node] = []
    since, until = question.since_ms, question.until_ms
    for part in question.tree.parts:
        if isinstance(part, Range) and part.names == (TIME,):
            if part.low is not None:
                since = max(since, _clamped(int(part.low) + part.low_open, FIRST_MS))
            if part.high is not None:
                until = min(until, _clamped(int(part.high) + (not part.high_open), LAST_MS))
        else:
            rest.append(part)
    return dataclasses.replace(question, tree=And(tuple(rest)), since_ms=since, until_ms=until)


def _clamped(ms: int | None, default: int) -> int:
    return default if ms is None else min(max(ms, FIRST_MS), LAST_MS)

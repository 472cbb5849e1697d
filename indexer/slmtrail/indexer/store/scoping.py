"""What a reader may see, as part of each question: a condition that every record must fit, and what is left out."""

from __future__ import annotations

import orjson

from slmtrail.core.commitment import SALTS
from slmtrail.core.errors import NotAllowed
from slmtrail.core.fields import CONTENT
from slmtrail.core.ports import Sealed
from slmtrail.core.readers import Scope
from slmtrail.indexer.store.columns import ENVIRONMENT, KIND, TEAMS
from slmtrail.indexer.store.language.tree import And, Equals, Like, Node, Text, either, tests

HIDDEN = CONTENT | {SALTS}
"""What is left out where content may not be seen. With a salt, what was said could be guessed and checked."""


def within(scope: Scope) -> And:
    """The condition of all records that may be seen."""
    dimensions = (((ENVIRONMENT,), scope.environments), ((KIND,), scope.kinds), (TEAMS, scope.teams))
    return And(tuple(_one_of(names, allowed) for names, allowed in dimensions if "*" not in allowed))


def check(tree: Node, scope: Scope) -> None:
    """Raises NotAllowed where an answer would tell something of content that may not be seen."""
    if not scope.content and any(isinstance(test, Text) or not CONTENT.isdisjoint(test.names) for test in tests(tree)):
        raise NotAllowed("what was said is for investigators: search by fields, such as user:, model: or flag:")


def shown(sealed: Sealed, scope: Scope) -> Sealed:
    """The record as it may be seen."""
    if scope.content or not HIDDEN & sealed.record.keys():
        return sealed
    record = {name: value for name, value in sealed.record.items() if name not in HIDDEN}
    return Sealed(sealed.ledger, sealed.leaf, sealed.id, record, orjson.dumps(record))


def _one_of(names: tuple[str, ...], allowed: tuple[str, ...]) -> Node:
    patterns = [name for name in allowed if "*" in name or "?" in name]
    plain = tuple(name for name in allowed if name not in patterns)
    # Without any name this is the one that fits nothing.
    tests: list[Node] = [Equals(names, plain)] if plain or not patterns else []
    tests += [Like(names, pattern.replace("\\", "\\\\")) for pattern in patterns]
    return either(*tests)

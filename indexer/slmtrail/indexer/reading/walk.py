"""Many records of a search, page by page, up to a bound."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator

from slmtrail.core.ports import Page, Query, Sealed
from slmtrail.indexer.store.language.parse import parse

Search = Callable[[Query], Page]

PAGE = 1000
UNREADABLE = (KeyError, TypeError, AttributeError)
"""What comes of reading a record that was changed in the store: its proof says so, and all others are read."""

_SPECIAL = re.compile(r'(["\\])')


def walk(search: Search, query: Query, at_most: int) -> Iterator[Sealed]:
    """The newest `at_most` records that fit, the newest first."""
    asked = dataclasses.replace(query, limit=min(PAGE, at_most), after="", count_to=0)
    while at_most > 0:
        page = search(asked)
        yield from page.records[:at_most]
        at_most -= len(page.records)
        if not page.cursor:
            return
        asked = dataclasses.replace(asked, after=page.cursor)


def narrowed(query: Query, where: str) -> Query:
    """The query, of which besides `where` must fit. Raises QueryError where it can't be understood by itself."""
    parse(query.where)
    return dataclasses.replace(query, where=f"({query.where}) {where}" if query.where.strip() else where)


def quoted(value: str) -> str:
    """A value as it is put into a search, whatever it is made of."""
    return '"' + _SPECIAL.sub(r"\\\1", value) + '"'

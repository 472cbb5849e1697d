"""The order of results, and where a page of them ends, as text that callers hand back to get the next."""

from __future__ import annotations

import base64
import binascii
from typing import NamedTuple

import orjson

from slmtrail.core.errors import QueryError

SORTED = ("latency_ms", "input_tokens", "output_tokens", "status")
"""Numbers that results are sorted by, beside their time; a record without one comes last."""
SORTS = tuple(f"{sign}{name}" for name in ("time", *SORTED) for sign in ("-", ""))
"""The orders of results: with a dash the newest or largest comes first."""
NONE = 2**53
"""Stands, beyond every number, for one that a record does not have."""


class Cursor(NamedTuple):
    """The place of a record in the order of results: by what they are sorted by, then by time, ledger, leaf and id.

    key: the number that is sorted by; None where that is the time.
    """

    sort: str
    key: int | None
    ts_ms: int
    ledger: str
    leaf: int
    id: str

    def text(self) -> str:
        """The cursor as callers see it."""
        return base64.urlsafe_b64encode(orjson.dumps(list(self))).decode()


def check(sort: str) -> None:
    """Raises QueryError for an order that there is not."""
    if sort not in SORTS:
        raise QueryError(f"results can't be sorted by {sort!r}; take one of {', '.join(SORTS)}")


def parse(text: str, sort: str) -> Cursor:
    """The cursor in `text`, of results in this order. Raises QueryError for what no store made."""
    try:
        cursor = Cursor(*orjson.loads(base64.b64decode(text, altchars=b"-_", validate=True)))
    except (binascii.Error, ValueError, TypeError):
        raise QueryError(_NO_CURSOR) from None
    by_number = cursor.sort.lstrip("-") in SORTED if isinstance(cursor.sort, str) else False
    if (
        list(map(type, cursor)) != [str, int if by_number else type(None), int, str, int, str]
        or cursor.sort not in SORTS
        or not all(abs(number) < 2**63 for number in cursor if isinstance(number, int))
    ):
        raise QueryError(_NO_CURSOR)
    if cursor.sort != sort:
        raise QueryError(f"this cursor is of results sorted by {cursor.sort}, not {sort}: ask in the same order")
    return cursor


_NO_CURSOR = "this is no cursor of a page of results: take it from the page before, whole"

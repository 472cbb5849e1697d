"""Where a page of search results ends, as text that callers hand back to get the next."""

from __future__ import annotations

import base64
import binascii
from typing import NamedTuple

import orjson

from slmtrail.core.errors import QueryError


class Cursor(NamedTuple):
    """The place of a record in the order of results: newest first, then by ledger, leaf and id, all downwards."""

    ts_ms: int
    ledger: str
    leaf: int
    id: str

    def text(self) -> str:
        """The cursor as callers see it."""
        return base64.urlsafe_b64encode(orjson.dumps(list(self))).decode()


def parse(text: str) -> Cursor:
    """The cursor in `text`. Raises QueryError for what no store made."""
    try:
        ts_ms, ledger, leaf, record_id = orjson.loads(base64.b64decode(text, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, TypeError):
        raise QueryError("this is no cursor of a page of results: take it from the page before, whole") from None
    if not (
        isinstance(ts_ms, int) and isinstance(ledger, str) and isinstance(leaf, int) and isinstance(record_id, str)
    ):
        raise QueryError("this is no cursor of a page of results: take it from the page before, whole")
    return Cursor(ts_ms, ledger, leaf, record_id)

"""No search of the embedded store goes on forever: after a while SQLite is stopped, and the search is an error."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager

from slmtrail.core.errors import QueryError
from slmtrail.indexer.store.query import LIMIT_S, SLOW
from slmtrail.indexer.store.sqlite_audit import error_code

_STEPS = 10_000


class Deadline:
    """When a search ends, whatever it has found."""

    def __init__(self) -> None:
        self._end_s = time.monotonic() + LIMIT_S

    def within(self, seconds: float) -> None:
        """Brings the end forward, where it is further away than so."""
        self._end_s = min(self._end_s, time.monotonic() + seconds)

    def passed(self) -> bool:
        """Whether it is over."""
        return time.monotonic() > self._end_s


@contextmanager
def bounded(db: sqlite3.Connection) -> Iterator[Deadline]:
    """What is asked within ends by the deadline. Raises QueryError where it would not."""
    deadline = Deadline()
    db.set_progress_handler(deadline.passed, _STEPS)
    try:
        yield deadline
    except sqlite3.OperationalError as error:
        if not stopped(error):
            raise
        raise QueryError(SLOW) from None
    finally:
        db.set_progress_handler(None, 0)


def stopped(error: sqlite3.OperationalError) -> bool:
    """Whether it is the deadline that ended a statement."""
    return error_code(error) == sqlite3.SQLITE_INTERRUPT

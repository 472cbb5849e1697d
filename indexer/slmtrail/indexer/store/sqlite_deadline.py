"""No search of the embedded store goes on forever: after a while SQLite is stopped, and the search is an error."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager

from slmtrail.core.errors import QueryError
from slmtrail.indexer.store.query import SLOW
from slmtrail.indexer.store.sqlite_audit import error_code

INDEXED_S, DATA_S = 10.0, 1.8
"""For a search that reads columns and indexes, and for one that reads the data of records."""
_STEPS = 10_000


class Deadline:
    """When a search ends, whatever it has found."""

    def __init__(self) -> None:
        self._began_s = time.monotonic()
        self.limit_s = INDEXED_S

    def passed(self) -> bool:
        """Whether it is over."""
        return time.monotonic() - self._began_s > self.limit_s


@contextmanager
def bounded(db: sqlite3.Connection) -> Iterator[Deadline]:
    """What is asked within ends by the deadline. Raises QueryError where it would not."""
    deadline = Deadline()
    db.set_progress_handler(deadline.passed, _STEPS)
    try:
        yield deadline
    except sqlite3.OperationalError as error:
        if error_code(error) != sqlite3.SQLITE_INTERRUPT:
            raise
        raise QueryError(SLOW) from None
    finally:
        db.set_progress_handler(None, 0)

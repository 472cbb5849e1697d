"""Where marks are kept: in the spool, as notes that move in the transaction of the frames that hold what was read.

So a process killed at any moment goes on exactly behind what it committed.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterable
from pathlib import Path

from slmtrail.collectors.spool import Spool
from slmtrail.collectors.tail.mark import Mark
from slmtrail.core.errors import StorageError

PREFIX = "tail/"
KEPT_MS = 30 * 24 * 3600 * 1000
"""How long the mark of a file that is not seen any more is kept, to know its compressed rotation by."""


def load(spool: Spool) -> list[Mark]:
    """The marks of all sources."""
    try:
        return [Mark.from_bytes(note) for note in spool.notes(PREFIX).values()]
    except (ValueError, TypeError, KeyError) as error:
        raise StorageError(
            f"the spool's mark of a file can't be read ({type(error).__name__}); "
            "move the spool's folder away to read all again"
        ) from None


def notes(marks: Iterable[Mark]) -> dict[str, bytes]:
    """The notes to be committed with what was read up to `marks`."""
    return {f"{PREFIX}{mark.source}": mark.to_bytes() for mark in marks}


def forget_unseen(spool: Spool) -> None:
    """Lets go of the marks that nobody has written for long."""
    spool.forget_notes(PREFIX, time.time_ns() // 1_000_000 - KEPT_MS)


def take_over(spool: Spool, folder: Path) -> None:
    """Moves the marks that earlier versions kept in a file beside the spool into it."""
    file = folder / "tail.sqlite"
    if not file.exists():
        return
    try:
        with contextlib.closing(sqlite3.connect(file)) as db:
            rows = db.execute("SELECT mark FROM marks").fetchall()
        spool.commit([], notes=notes(Mark.from_bytes(row[0]) for row in rows))
        for path in folder.glob("tail.sqlite*"):
            path.unlink()
    except (sqlite3.Error, OSError, ValueError, TypeError, KeyError) as error:
        raise StorageError(f"{file}: {type(error).__name__}: {error}; move it away to read all files again") from None

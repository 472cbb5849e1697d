"""What waits in a spool, seen from another process than the one that holds it: counted, or copied as it is."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from slmtrail.collectors.missing import Missing
from slmtrail.collectors.spool import FILE_NAME, UNSIGNED
from slmtrail.core import frames
from slmtrail.core.errors import FrameError, NotFound, StorageError
from slmtrail.core.frames import MAX_HEADER_BYTES


@dataclass(slots=True)
class Waiting:
    """What is in a spool. Times are of the first and last event; `no_frames`: what can't be read as a frame."""

    frames: int = 0
    bytes: int = 0
    events: int = 0
    no_frames: int = 0
    oldest_ms: int | None = None
    newest_ms: int | None = None
    unsigned: Missing = field(default_factory=Missing)
    set_aside: list[Path] = field(default_factory=list)
    """Damaged spools, of which all that could be read was saved."""


def look(folder: Path) -> Waiting:
    """Counts what waits in the spool in `folder`."""
    found = Waiting(set_aside=sorted(folder.glob("*.damaged-*.sqlite")))
    with _reading(folder) as db:
        head_bytes = frames.PREFIX_BYTES + MAX_HEADER_BYTES
        for head, size in db.execute("SELECT substr(data, 1, ?), length(data) FROM frames ORDER BY id", (head_bytes,)):
            found.bytes += size
            try:
                header = frames.header_of(head)
            except FrameError:
                found.no_frames += 1
                continue
            found.frames += 1
            found.events += header.events
            found.oldest_ms = min(found.oldest_ms or header.first_ms, header.first_ms)
            found.newest_ms = max(found.newest_ms or 0, header.last_ms)
        row = db.execute("SELECT value FROM notes WHERE key = ?", (UNSIGNED,)).fetchone()
        found.unsigned = Missing.decode(row[0] if row else b"")
    return found


def copied(folder: Path) -> Iterator[bytes]:
    """The frames in the spool in `folder` as they are, in order; what is no frame is passed over."""
    with _reading(folder) as db:
        for (data,) in db.execute("SELECT data FROM frames ORDER BY id"):
            with contextlib.suppress(FrameError):
                frames.from_bytes(data)
                yield data


@contextlib.contextmanager
def _reading(folder: Path) -> Iterator[sqlite3.Connection]:
    file = folder / FILE_NAME
    if not file.exists():
        raise NotFound(f"{file}: there is no spool: no collector of this name has run here")
    try:
        with contextlib.closing(sqlite3.connect(f"file:{quote(str(file.absolute()))}?mode=ro", uri=True)) as db:
            yield db
    except sqlite3.Error as error:
        raise StorageError(f"{file}: can't be read: {error}; the next start of its collector looks after it") from None

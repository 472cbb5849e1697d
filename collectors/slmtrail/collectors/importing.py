"""History from files: the events of each file once, at the times they have, marked as imported.

A file is known by what it holds. How far it was read is noted in the transaction that puts its events into the spool,
and the note stays: a file that was broken off goes on where it was, and one that was read is not read again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import orjson

from slmtrail.collectors import entries
from slmtrail.collectors.collector import Collector
from slmtrail.collectors.tail.formats.format import Format
from slmtrail.core import canonical
from slmtrail.core.errors import EventError, SpoolFull, StorageError
from slmtrail.core.events import timestamp_text
from slmtrail.core.fields import IMPORTED
from slmtrail.core.metrics import EVENTS_REFUSED

log = logging.getLogger(__name__)

PREFIX = "import/"
WINDOW_BYTES = 1024 * 1024
RETRY_S = 0.5
TOLD = 100
"""Refusals of one file that are logged."""

_NO_TIME_MS = 0
"""What the formats take for the time of an entry that tells none."""


@dataclass(slots=True)
class Taken:
    """How many entries of a file were read, ever; whether that was all; and what became, now, of their events."""

    entries: int = 0
    whole: bool = False
    accepted: int = 0
    left_out: int = 0
    """By the policy, or because the spool was full."""
    refused: int = 0


class Importer:
    """Gives the entries of files to a collector."""

    def __init__(self, collector: Collector, format_: Format, format_name: str, max_event_bytes: int) -> None:
        self._collector = collector
        self._format = format_
        self._format_name = format_name
        self._max_event_bytes = max_event_bytes
        self._stop = threading.Event()

    def stop(self) -> None:
        """Ends `take` soon; what is left is for the next time."""
        self._stop.set()

    def take(self, path: Path, source: str, progress: Callable[[int], None] = lambda _entries: None) -> Taken:
        """Imports a file, or what is left of it. Raises StorageError where it can't be read to its end."""
        key = f"{PREFIX}{self._format_name}/{entries.digest(path)}"
        note = self._collector.spool.notes(key).get(key)
        taken = Taken(*orjson.loads(note)) if note else Taken()
        if taken.whole:
            return taken
        read = entries.lines if self._format_name == "text" else entries.entries
        for window in _windows(islice(read(path), taken.entries, None)):
            made = self._events(path, source, window, taken)
            taken.entries += len(window)
            if not self._commit(made, key, taken):
                return taken
            progress(taken.entries)
        taken.whole = True
        self._commit([], key, taken)
        return taken

    def _events(self, path: Path, source: str, window: list[bytes], taken: Taken) -> list[bytes]:
        found = self._format.events(window, _NO_TIME_MS)
        for index, error in found.refused:
            self._refuse(f"{path}: entry {taken.entries + index + 1}", error, taken)
        made = []
        for line in found.lines:
            event = orjson.loads(line)
            stamped = canonical.dumps(event | {IMPORTED: source})
            if event["@timestamp"] == timestamp_text(_NO_TIME_MS):
                error = EventError("an entry tells no time, and nobody else knows it", "no_time")
                self._refuse(str(path), error, taken)
            elif len(stamped) > self._max_event_bytes:
                text = f"an event is {len(stamped)} bytes, over {self._max_event_bytes}"
                self._refuse(str(path), EventError(text, "oversized"), taken)
            else:
                made.append(stamped)
        return made

    @staticmethod
    def _refuse(where: str, error: EventError, taken: Taken) -> None:
        EVENTS_REFUSED.labels(error.reason).inc()
        taken.refused += 1
        if taken.refused <= TOLD:
            log.warning("%s: refused (%s): %s", where, error.reason, error)

    def _commit(self, made: list[bytes], key: str, taken: Taken) -> bool:
        """Puts events on disk together with how far they reach; False where it was stopped before."""
        note = {key: orjson.dumps((taken.entries, taken.whole))}
        while not self._stop.is_set():
            try:
                accepted = self._collector.submit(made, note).result()
            except (SpoolFull, StorageError) as error:
                log.warning("the import waits: %s", error)
                self._stop.wait(RETRY_S)
            else:
                kept = len(accepted.places) - accepted.left_out
                taken.accepted += kept
                taken.left_out += len(made) - kept
                return True
        return False


def _windows(given: Iterator[bytes]) -> Iterator[list[bytes]]:
    window: list[bytes] = []
    size = 0
    for entry in given:
        window.append(entry)
        size += len(entry)
        if size >= WINDOW_BYTES:
            yield window
            window, size = [], 0
    if window:
        yield window

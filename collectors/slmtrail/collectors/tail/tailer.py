"""The tailer: reads sources in turn, and gives their events to the collector together with how far it has read.

Two windows at most are in memory: one on its way to the disk, and the next one being read. Where the spool is
full the first is tried again for ever and nothing more is read: a file waits, a pipe's writer is held up.
"""

from __future__ import annotations

import logging
import re
import select
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass, field

from slmtrail.collectors.collector import Collector
from slmtrail.collectors.item import Accepted
from slmtrail.collectors.tail import marks
from slmtrail.collectors.tail.cutter import Cut, Cutter
from slmtrail.collectors.tail.formats.format import Format
from slmtrail.collectors.tail.mark import Mark
from slmtrail.collectors.tail.source import DamagedError, PlainFile, Source, Stream
from slmtrail.collectors.tail.watch import Watch
from slmtrail.core.errors import EventError, SpoolFull, StorageError
from slmtrail.core.metrics import EVENTS_REFUSED

log = logging.getLogger(__name__)

WINDOW_BYTES = 2 * 1024 * 1024
PIECES_A_TURN = 8
"""How much one source may give before the next has its turn."""

SCAN_S = 1.0
POLL_S = 0.2
RETRY_S = 0.5
FLUSH_S = 1.0
"""A group of lines is whole when nothing more came for this long."""

PARKED_BYTES = 64 * 1024
"""A line not yet whole and longer than this is not kept but read again when there is more of it."""

TOLD_ONE_BY_ONE = 100
TOLD_EACH = 1000


@dataclass(frozen=True, slots=True)
class TailOptions:
    """What is followed, how it is cut, and whether to end when all is read."""

    patterns: tuple[str, ...]
    max_event_bytes: int
    begins: re.Pattern[bytes] | None = None
    once: bool = False


@dataclass(slots=True)
class _Window:
    lines: list[bytes] = field(default_factory=list)
    size: int = 0
    sources: dict[str, Source] = field(default_factory=dict)
    notes: dict[str, bytes] = field(default_factory=dict)
    began_s: float = field(default_factory=time.monotonic)


class Tailer:
    """Follows sources until it is stopped, or all is read. Runs in the thread that calls `run`."""

    def __init__(self, options: TailOptions, format: Format, collector: Collector) -> None:  # noqa: A002
        self._options = options
        self._format = format
        self._collector = collector
        self._stop = threading.Event()
        self._watch = Watch(options.patterns, marks.load(collector.spool), self._cutter, options.once)
        self._window = _Window()
        self._sent: tuple[_Window, Future[Accepted]] | None = None
        self._scanned_s = float("-inf")
        self.accepted = 0
        self.dropped = 0
        self.refused = 0

    def stop(self) -> None:
        """Ends `run` soon. What is not committed by then is read again by the next start."""
        self._stop.set()

    def run(self) -> None:
        """Reads, until stopped or, with `once`, all is read and committed."""
        try:
            self._look()
            self._still_there()
            while not self._stop.is_set():
                if self._turn():
                    continue
                self._send()
                self._settle()
                if self._done():
                    break
                self._wait()
            self._send()
            self._settle()
        finally:
            self._watch.close()

    def _cutter(self, mark: Mark) -> Cutter:
        given = self._options
        return Cutter(given.max_event_bytes, given.begins, mark.offset, mark.line, mark.skipping)

    def _done(self) -> bool:
        """Whether nothing more can come."""
        if self._options.once:
            return not any(isinstance(source, Stream) for source in self._watch.sources)
        return set(self._options.patterns) == {"-"} and not self._watch.sources

    def _wait(self) -> None:
        """Until a stream has something, or it is time to look at the files again."""
        streams = [source for source in self._watch.sources if isinstance(source, Stream) and not source.at_end]
        if streams:
            select.select(streams, [], [], POLL_S)
        else:
            self._stop.wait(POLL_S)

    def _look(self) -> None:
        self._watch.scan()
        self._scanned_s = time.monotonic()

    def _still_there(self) -> None:
        """Writes the marks of all that is there anew, however long it has not grown; what is old by then goes."""
        self._window.sources = {source.id: source for source in self._watch.sources}
        self._send()
        if self._settle():
            marks.forget_unseen(self._collector.spool)

    def _turn(self) -> bool:
        """Lets every source give some; whether any did."""
        if time.monotonic() - self._scanned_s >= SCAN_S:
            self._look()
        gave = False
        for source in list(self._watch.sources):
            if self._stop.is_set():
                return False
            try:
                gave |= self._read(source)
            except DamagedError:
                log.error("%s: is damaged behind line %d; what stood before is kept", source.path, source.cutter.line)
                EVENTS_REFUSED.labels("damaged").inc()
                source.ended = True
                self._end(source)
        while self._watch.finished:
            self._finish(self._watch.finished.pop())
            gave = True
        return gave

    def _read(self, source: Source) -> bool:
        if isinstance(source, PlainFile) and not source.intact():
            log.info("%s: was cut off or written anew; it is read from its beginning", source.path)
            # What is in the window belongs to the mark as it was.
            self._send()
            self._watch.begin_again(source)
        for number in range(PIECES_A_TURN):
            data = source.read()
            if not data:
                self._quiet(source)
                return number > 0
            self._take(source, source.cutter.feed(data))
        return True

    def _finish(self, source: Source) -> None:
        """Takes the last of a file that is gone; nobody writes to it any more."""
        if isinstance(source, PlainFile):
            source.parked_bytes = None
        while data := source.read():
            self._take(source, source.cutter.feed(data))
        self._take(source, source.cutter.flush())
        self._send()  # it must still be open where its mark is taken
        self._watch.forget(source)

    def _quiet(self, source: Source) -> None:
        """There is nothing more for now: what is held back may be whole."""
        cutter = source.cutter
        if isinstance(source, PlainFile):
            if self._options.once:
                self._take(source, cutter.flush())
            elif self._options.begins and cutter.held_bytes and time.monotonic() - source.grown_s >= FLUSH_S:
                self._take(source, cutter.flush(whole_lines_only=True))
            elif cutter.held_bytes > PARKED_BYTES and not self._options.begins:
                source.park()
        elif isinstance(source, Stream):
            if source.at_end:
                self._take(source, cutter.flush())
            if source.ended:
                self._end(source)
        elif not source.ended:
            source.ended = True
            self._end(source)

    def _end(self, source: Source) -> None:
        self._take(source, source.cutter.flush())
        if isinstance(source, Stream):
            self._watch.sources.remove(source)

    def _take(self, source: Source, cut: Cut) -> None:
        if cut.entries:
            result = self._format.events(cut.entries, time.time_ns() // 1_000_000)
            self._window.lines += result.lines
            self._window.size += sum(map(len, result.lines))
            for index, error in result.refused:
                self._refuse(source, cut.numbers[index], error)
        for line in cut.oversized:
            text = f"the entry is over {self._options.max_event_bytes} bytes"
            self._refuse(source, line, EventError(text, "oversized"))
        self._window.sources[source.id] = source
        if self._window.size >= WINDOW_BYTES or time.monotonic() - self._window.began_s >= POLL_S:
            self._send()

    def _refuse(self, source: Source, line: int, error: EventError) -> None:
        EVENTS_REFUSED.labels(error.reason).inc()
        self.refused += 1
        source.refused += 1
        if source.refused <= TOLD_ONE_BY_ONE or source.refused % TOLD_EACH == 0:
            log.warning("%s:%d: refused (%s): %s", source.path, line, error.reason, error)
        if source.refused == TOLD_ONE_BY_ONE:
            log.warning("%s: from here on one refusal of %d is told", source.path, TOLD_EACH)

    def _send(self) -> None:
        """Gives the window to the collector, once the one before is on disk."""
        window, self._window = self._window, _Window()
        window.notes = marks.notes(source.mark() for source in window.sources.values() if source.replayable)
        if self._settle() and (window.lines or window.notes):
            self._sent = window, self._collector.submit(window.lines, window.notes)

    def _settle(self) -> bool:
        """Waits until the window that was sent is on disk. False when stopped before."""
        while self._sent:
            window, future = self._sent
            try:
                accepted = future.result()
            except (SpoolFull, StorageError) as error:
                log.warning("reading waits: %s", error)
                if self._stop.wait(RETRY_S):
                    return False
                self._sent = window, self._collector.submit(window.lines, window.notes)
                continue
            self._sent = None
            self.accepted += len(accepted.places)
            self.dropped += accepted.dropped
        return True

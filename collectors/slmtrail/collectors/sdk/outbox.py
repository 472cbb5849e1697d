"""What was handed over and is on its way: nothing in here makes a caller wait.

`put` appends to a queue. One thread packs what is there, every 50 ms, into lines; another sends them. Both
queues are bounded; what no longer fits is counted, and the collector signs for it. Threads start with the first
event, in each process anew, so that a server may fork when it likes.
"""

from __future__ import annotations

import atexit
import os
import queue
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from slmtrail.collectors.sdk.ids import batch_key
from slmtrail.collectors.sdk.pack import Item
from slmtrail.collectors.sdk.post import Answer, Collector, Unreached
from slmtrail.collectors.sdk.quiet import told, warn

MAX_WAITING = 50_000
MIN_WAITING = 64
MAX_WAITING_BYTES = 64 * 1024 * 1024
"""Of events not yet packed (by the size that the last ones had), and again of lines not yet sent."""

BATCH_EVENTS = 500
BATCH_BYTES = 1024 * 1024
SLICE = 32
"""Events packed before another thread of the program has its turn."""

LINGER_S = 0.05
DROPS_LINGER_S = 1.0
RETRY_MIN_S = 0.25
RETRY_MAX_S = 5.0
RETRY_AFTER_MAX_S = 30.0
DURABLE_TRIES = 3


class NotAccepted(Exception):
    """`emit_durable` could not hand the event over; the text says why."""


Pack = Callable[[Item], bytes]


class Outbox:
    """The way from the program to one collector."""

    def __init__(self, collector: Collector, pack: Pack) -> None:
        self.collector = collector
        self._pack = pack
        self.begin()
        _opened.add(self)

    def begin(self) -> None:
        """Starts with nothing; also in a forked child, whose parent sends what was waiting."""
        self.waiting: deque[Item | threading.Event] = deque()
        self._drops: deque[int] = deque()
        self.room = MAX_WAITING
        self.awake = False
        self._bell: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._starting = threading.Lock()
        self._to_start = [self._send_all, self._pack_all]
        self._lines: deque[bytes | threading.Event] = deque()
        self._lines_bytes = 0
        self._lines_there = threading.Condition()
        self._packing = 0
        self._undelivered = 0
        self._signing = 0

    @property
    def behind(self) -> int:
        """Events that were put and are not with the collector, those that it has yet to sign as lost among them."""
        held = sum(isinstance(one, tuple | bytes) for one in [*self.waiting, *self._lines])
        return held + self._packing + self._undelivered + self._signing + sum(self._drops)

    def put(self, item: Item) -> None:
        """Takes an event. Only calls that can be interrupted anywhere, by a signal handler or a fork, are made here."""
        if len(self.waiting) >= self.room:
            self.drop(1)
            return
        self.waiting.append(item)
        if not self.awake:
            self.ring()

    def drop(self, count: int) -> None:
        """The collector is to sign that `count` events were lost."""
        self._drops.append(count)
        if len(self._drops) > MIN_WAITING:
            self._drops.append(self._dropped())
        if not self.awake:
            self.ring()

    def flush(self, timeout_s: float) -> bool:
        """Waits until all that was put before is on the collector's disk; False if the time did not suffice."""
        done = threading.Event()
        self.waiting.append(done)
        self.ring()
        self._bell.put(None)
        return done.wait(timeout_s)

    def close(self, timeout_s: float) -> None:
        """Hands over what there is, at the end of the process."""
        if not self.behind:
            return
        if (self._to_start and not self._start()) or not self.flush(timeout_s):
            warn(
                "the program ends, and %d events are not with %s: nobody answers there, or not fast enough",
                self.behind,
                self.collector.url,
            )

    def send_now(self, item: Item) -> Answer:
        """Sends one event from this thread. Raises NotAccepted where nobody answers, or it can't be written."""
        try:
            body = self._pack(item)
        except Exception as error:
            raise NotAccepted(f"the event can't be written as JSON: {error}") from error
        key = batch_key()
        tries = 1
        while True:
            try:
                return self.collector.post(body, key, 0)
            except Unreached as error:
                if tries == DURABLE_TRIES or not error.broken:
                    raise NotAccepted(str(error)) from error
            tries += 1

    def ring(self) -> None:
        """Wakes the packing thread, or starts it."""
        self.awake = True
        if self._to_start and not self._start():
            self.awake = False  # the next event tries again
            return
        self._bell.put(None)

    def _start(self) -> bool:
        if not self._starting.acquire(blocking=False):
            return True  # someone else does
        try:
            while self._to_start:
                threading.Thread(target=self._to_start[-1], name="slmtrail-sdk", daemon=True).start()
                self._to_start.pop()
            _also_at_exit_of_children(self)
        except RuntimeError:  # no thread can be had, or the interpreter is ending
            return False
        finally:
            self._starting.release()
        return True

    def _pack_all(self) -> None:
        """The packing thread."""
        while True:
            self._bell.get()
            with suppress(queue.Empty):
                self._bell.get(timeout=LINGER_S)  # a second ring means: at once
            self.awake = False
            self._keep(self._packed())
            while self.waiting:
                time.sleep(0)
                self._keep(self._packed())

    def _packed(self) -> list[bytes | threading.Event]:
        """The lines of the next few events, and the flushes between them."""
        made: list[bytes | threading.Event] = []
        size = 0
        while self.waiting and len(made) < SLICE and size < BATCH_BYTES:
            self._packing = len(made) + 1  # so that at no moment it is nowhere
            item = self.waiting.popleft()
            if not isinstance(item, tuple):
                made.append(item)
                continue
            try:
                line = self._pack(item)
            except Exception as error:  # whatever the caller's objects do, this thread has to go on
                self._drops.append(1)
                told("an event", error)
            else:
                made.append(line)
                size += len(line)
        if size:
            self.room = min(MAX_WAITING, max(MIN_WAITING, MAX_WAITING_BYTES * len(made) // size))
        return made

    def _keep(self, made: list[bytes | threading.Event]) -> None:
        with self._lines_there:
            for one in made:
                if isinstance(one, bytes):
                    if self._lines_bytes + len(one) > MAX_WAITING_BYTES:
                        self._drops.append(1)
                        continue
                    self._lines_bytes += len(one)
                self._lines.append(one)
            self._packing = 0
            self._lines_there.notify()

    def _send_all(self) -> None:
        """The sending thread."""
        while True:
            lines, flushes = self._take()
            if self._deliver(lines) and flushes:
                self._deliver([])  # what was refused just now is signed for before a flush ends
            self._undelivered = 0
            for flush in flushes:
                flush.set()

    def _take(self) -> tuple[list[bytes], list[threading.Event]]:
        """The next batch; an empty one for drops that nothing follows."""
        lines: list[bytes] = []
        size = 0
        with self._lines_there:
            while not self._lines:
                if not self._lines_there.wait(DROPS_LINGER_S if self._drops else None) and self._drops:
                    break
            while self._lines and len(lines) < BATCH_EVENTS and size < BATCH_BYTES:
                one = self._lines.popleft()
                if isinstance(one, threading.Event):
                    return lines, [one]
                lines.append(one)
                size += len(one)
                self._lines_bytes -= len(one)
                self._undelivered += 1
        return lines, []

    def _deliver(self, lines: list[bytes]) -> bool:
        """Sends one batch, again and again while the collector is away or has no room; whether one took it."""
        dropped = self._dropped()
        if not lines and not dropped:
            return True
        body, key = b"\n".join(lines), batch_key()
        self._signing = dropped
        wait_s = RETRY_MIN_S
        while True:
            asked_s = 0.0
            with suppress(Unreached):
                answer = self.collector.post(body, key, dropped)
                if not answer.passes:
                    break
                asked_s = min(answer.wait_s, RETRY_AFTER_MAX_S)
            time.sleep(max(asked_s, wait_s * (0.5 + os.urandom(1)[0] / 512)))  # many processes, not all at once
            wait_s = min(wait_s * 2, RETRY_MAX_S)
        self._signing = 0
        return self._answered(lines, dropped, answer)

    def _answered(self, lines: list[bytes], dropped: int, answer: Answer) -> bool:
        """What was refused was lost, and is signed for like what was dropped."""
        refused = answer.told.get("refused_count", 0)
        if "ids" in answer.told:
            if answer.status != 200:
                self._drops.append(refused if isinstance(refused, int) else 0)
                warn("the collector refused %s events: %s", refused, answer.why)
            return True
        if dropped:
            self._drops.append(dropped)
        if answer.status == 413 and len(lines) > 1:
            half = len(lines) // 2
            return self._deliver(lines[:half]) & self._deliver(lines[half:])
        self._drops.append(len(lines))
        warn("%s took none of %d events: %s: %s", self.collector.url, len(lines), answer.status, answer.why)
        return False

    def _dropped(self) -> int:
        dropped = 0
        with suppress(IndexError):
            while True:
                dropped += self._drops.popleft()
        return dropped


_opened: weakref.WeakSet[Outbox] = weakref.WeakSet()
EXIT_DEADLINE_S = 2.0


def close_all() -> None:
    """Hands over what waits, of all outboxes, within one deadline."""
    deadline = time.monotonic() + EXIT_DEADLINE_S
    for outbox in list(_opened):
        outbox.close(max(0.0, deadline - time.monotonic()))


def _begin_all() -> None:
    for outbox in list(_opened):
        outbox.begin()


def _also_at_exit_of_children(outbox: Outbox) -> None:
    """Children of multiprocessing end without `atexit`, but not without their own finalizers."""
    if util := sys.modules.get("multiprocessing.util"):
        util.Finalize(outbox, close_all, exitpriority=100)


os.register_at_fork(after_in_child=_begin_all)
atexit.register(close_all)

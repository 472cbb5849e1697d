"""The collector: takes events from any thread, frames them, and commits them to the spool.

One writer thread does all the work. While it waits for the disk, events gather for the next commit, so the
number of commits adapts to the load (group commit). `submit` answers when the events are on disk, all of
them or none; `offer` never waits, and what it can't keep is counted and signed for.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import secrets
import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import accumulate, repeat
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from slmtrail.collectors.batches import Batch, Batches, Place
from slmtrail.collectors.framer import Framer, Identity
from slmtrail.collectors.item import Accepted, Item
from slmtrail.collectors.missing import NONE, Missing
from slmtrail.collectors.screen import Screen
from slmtrail.collectors.spool import Spool
from slmtrail.core import frames
from slmtrail.core.capturing import Capture
from slmtrail.core.errors import SpoolFull, StorageError, TrailError
from slmtrail.core.frames import Frame, FrameKind
from slmtrail.core.metrics import EVENTS_ACCEPTED, EVENTS_DROPPED, EVENTS_SAMPLED_OUT

log = logging.getLogger(__name__)

OFFER_MAX_BYTES = 64 * 1024 * 1024
"""What `offer` may leave in memory; beyond it events are dropped and signed for."""

MAX_LINES = 10_000
RETRY_S = 0.5


@dataclass(frozen=True, slots=True)
class CollectorOptions:
    """When a frame is closed, and what happens when the spool is full."""

    frame_max_bytes: int = 256 * 1024
    frame_linger_ms: int = 100
    heartbeat_ms: int = 10_000
    when_full: Literal["block", "drop"] = "block"


class Collector:
    """One boot of one collector, from `start` to `stop`."""

    def __init__(
        self,
        identity: Identity,
        spool: Spool,
        options: CollectorOptions | None = None,
        on_frame: Callable[[], None] = lambda: None,
        screen: Screen | None = None,
    ) -> None:
        self.name = identity.collector
        self._options = options or CollectorOptions()
        self.spool = spool
        self._on_frame = on_frame
        self._screen = screen
        self._queue: queue.SimpleQueue[Item | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._missing = NONE
        self._offered_bytes = 0
        self._stopped = False
        self._waiting: list[Item] = []
        self._framed_s = 0.0
        boot = secrets.token_hex(16)
        self._framer = Framer(identity, boot, prior_boot=spool.begin_boot(boot))
        self._batches = Batches(spool)
        self._thread = threading.Thread(target=self._run, name=f"slmtrail-{self.name}", daemon=True)

    @property
    def writes(self) -> bool:
        """Whether it goes on writing what it is given."""
        return self._thread.is_alive()

    def use(self, capture: Capture) -> None:
        """Keeps of events, from now on, what a policy says."""
        if self._screen:
            self._screen.use(capture)
        else:
            self._screen = Screen(capture)

    def seal_to(self, recipient: X25519PublicKey) -> None:
        """Encrypts what is framed from now on to this key of the stream."""
        self._framer.seal_to(recipient)

    def start(self) -> None:
        """Announces the boot with a first heartbeat. Raises StorageError where the disk refuses it.

        A spool that is full to the brim must not keep the shipping from starting: then the next frame announces it.
        """
        try:
            self._write("heartbeat", [[]])
        except SpoolFull as error:
            log.error("the first heartbeat could not be written: %s", error)
        self._thread.start()

    def submit(
        self,
        lines: list[bytes],
        notes: Mapping[str, bytes] | None = None,
        batch: Batch | None = None,
        dropped: int = 0,
    ) -> Future[Accepted]:
        """Commits events, and notes in the same transaction; the future is done when they are on disk.

        A `batch` that came before is answered as it was then, and not committed again. `dropped` events more, which
        the caller has lost, are signed for with it. It fails with SpoolFull or StorageError, or with EventError for
        a batch under the key of another.
        """
        future: Future[Accepted] = Future()
        future.set_running_or_notify_cancel()  # a caller who goes away takes nothing back
        item = Item(lines, _now_ms(), future, notes or {}, batch, Missing(dropped))
        with self._lock:
            if not self._stopped:
                self._queue.put(item)
                return future
        future.set_exception(_stopping())
        return future

    def offer(self, lines: list[bytes]) -> None:
        """Takes events without waiting. They may be lost if the process dies within the next frame's time."""
        item = Item(lines, _now_ms())
        with self._lock:
            if not self._stopped and self._offered_bytes + item.size <= OFFER_MAX_BYTES:
                self._offered_bytes += item.size
                self._queue.put(item)
                return
        self.drop(len(lines))

    def drop(self, count: int) -> None:
        """Signs, in the next frame, that `count` events were not kept."""
        self._miss(Missing(count))

    def stop(self) -> None:
        """Commits what was taken and closes the chain."""
        with self._lock:
            if not self._stopped:
                self._stopped = True
                self._queue.put(None)
        if self._thread.ident:
            self._thread.join()
        self._abandon()

    def _run(self) -> None:
        try:
            self._work()
        finally:
            self._abandon()

    def _work(self) -> None:
        ending = False
        while not ending:
            batch, ending = self._gather(RETRY_S if self._waiting else self._heartbeat_in_s())
            written = self._commit(batch) if batch else True
            if self._waiting and written:
                waiting, self._waiting = self._waiting, []
                self._commit(waiting)
            if summaries := self._screen.due(None if ending else _now_ms()) if self._screen else []:
                self._commit([self._summed(summaries)])
            if not (ending or self._waiting or self._heartbeat_in_s()):
                self._attempt("heartbeat")
        self._refuse(self._waiting, _stopping())
        self._attempt("close")

    def _heartbeat_in_s(self) -> float:
        return max(0.0, self._framed_s + self._options.heartbeat_ms / 1000 - time.monotonic())

    def _summed(self, summaries: list[bytes]) -> Item:
        """Summaries, as if they had just been offered."""
        item = Item(summaries, _now_ms(), screened=True)
        with self._lock:
            self._offered_bytes += item.size
        return item

    def _abandon(self) -> None:
        """Nobody waits for a writer that has ended, in whatever way."""
        with self._lock:
            self._stopped = True
        with contextlib.suppress(queue.Empty):
            while True:
                if item := self._queue.get_nowait():
                    self._refuse([item], _stopping())

    def _gather(self, wait_s: float) -> tuple[list[Item], bool]:
        """Events for one commit; closed by its size, its age, or by someone who waits for it."""
        try:
            item = self._queue.get(timeout=wait_s)
        except queue.Empty:
            return [], False
        if item is None:
            return [], True
        batch, size, count = [item], item.size, len(item.lines)
        urgent = item.future is not None
        deadline = time.monotonic() + self._options.frame_linger_ms / 1000
        while size < self._options.frame_max_bytes and count < MAX_LINES:
            try:
                left_s = 0.0 if urgent else max(0.0, deadline - time.monotonic())
                item = self._queue.get(timeout=left_s) if left_s else self._queue.get_nowait()
            except queue.Empty:
                break
            if item is None:
                return batch, True
            batch.append(item)
            size += item.size
            count += len(item.lines)
            urgent = urgent or item.future is not None
        return batch, False

    def _commit(self, items: list[Item]) -> bool:
        """Writes what did not come before, and answers all."""
        new, again = self._new(items)
        try:
            written = self._commit_new(new) if new else True
        except BaseException:  # the writer ends here
            self._refuse(again, _stopping())
            raise
        return self._commit(again) and written if again else written

    def _new(self, items: list[Item]) -> tuple[list[Item], list[Item]]:
        """Those to be written, and those to look at again when they are: of a batch that comes twice in here."""
        keys: set[str] = set()
        new: list[Item] = []
        again: list[Item] = []
        for item in items:
            if item.batch is None:
                new.append(item)
            elif item.batch.key in keys:
                again.append(item)
            else:
                keys.add(item.batch.key)
                try:
                    known = self._batches.known(item.batch)
                except TrailError as error:
                    self._refuse([item], error)
                else:
                    if known is None:
                        new.append(item)
                    elif item.future:
                        boot, places, dropped = known
                        item.future.set_result(Accepted(places, dropped, self.name, boot))
        return new, again

    def _commit_new(self, batch: list[Item]) -> bool:
        """Writes a batch. Where the disk refuses, those who wait are told at once and offered events wait on."""
        try:
            if self._screen:
                for item in batch:
                    item.screen(self._screen)
            lines = [line for item in batch for line in item.lines]
            batches = _split(lines, self._options.frame_max_bytes)
            written = self._write("events", batches, batch)
        except SpoolFull as error:
            self._refuse(batch, error)
            return False
        except TrailError as error:
            log.error("events could not be written: %s", error)
            self._refuse([item for item in batch if item.future], error)
            self._waiting += [item for item in batch if not item.future]
            return False
        except BaseException:  # the writer ends here
            self._refuse(batch, _stopping())
            raise
        EVENTS_ACCEPTED.inc(len(lines))
        self._answer(batch, written)
        try:
            self._batches.forget()
        except StorageError as error:
            log.error("notes of old batches stay: %s", error)
        return True

    def _answer(self, batch: list[Item], written: list[Frame]) -> None:
        for item, accepted in self._accepted(batch, written):
            if item.future:
                item.future.set_result(accepted)
            else:
                self._forget(item)

    def _accepted(self, batch: Sequence[Item], written: list[Frame]) -> Iterator[tuple[Item, Accepted]]:
        places: list[Place] = []
        for frame in written:
            places += zip(repeat(frame.header.sequence), range(1, frame.header.events + 1), strict=False)
        taken = 0
        for item in batch:
            mine = places[taken : taken + len(item.lines)]
            yield item, item.accepted(mine, self.name, self._framer.boot)
            taken += len(item.lines)

    def _notes(self, batch: Sequence[Item], written: list[Frame]) -> dict[str, bytes]:
        """What goes to the disk with a batch; nothing was written of one that is dropped."""
        notes = {key: value for item in batch for key, value in item.notes.items()}
        if any(item.batch for item in batch):
            for item, accepted in self._accepted(batch, written):
                if item.batch:
                    notes |= [self._batches.note(item.batch, accepted.boot, accepted.places, accepted.dropped)]
        return notes

    def _refuse(self, batch: list[Item], error: TrailError) -> None:
        waited_for = [item for item in batch if item.future]
        dropped = False
        if isinstance(error, SpoolFull) and self._options.when_full == "drop":
            try:
                # On disk before anyone is told: nobody gives these events again.
                missing = sum(map(_lost, waited_for), NONE)
                self.spool.commit([], notes=self._notes(waited_for, []), missing=missing)
                _count(missing)
                dropped = True
            except StorageError as refused:
                error = refused
        for item, accepted in self._accepted(batch, []):
            if item.future is None:
                self._miss(_lost(item))
                self._forget(item)
            elif dropped:
                item.future.set_result(accepted)
            else:
                item.future.set_exception(error)

    def _miss(self, missing: Missing) -> None:
        with self._lock:
            self._missing += missing
        _count(missing)

    def _forget(self, offered: Item) -> None:
        with self._lock:
            self._offered_bytes -= offered.size

    def _attempt(self, kind: FrameKind) -> None:
        try:
            self._write(kind, [[]])
        except TrailError as error:
            log.error("a %s frame could not be written: %s", kind, error)

    def _write(self, kind: FrameKind, batches: list[list[bytes]], items: Sequence[Item] = ()) -> list[Frame]:
        """Commits a frame for each batch, and notes, all or none; the chain moves only when they are on disk."""
        now_ms = _now_ms()
        first_ms = min(items[0].at_ms, now_ms) if items else now_ms
        own, before, told = self._missing, self.spool.unsigned, sum((item.missing for item in items), NONE)
        made = self._framer.next(kind, batches, own + before + told, first_ms, now_ms)
        data = [frames.to_bytes(frame) for frame in made]
        notes = self._notes(items, made)
        if made:
            self._framed_s = time.monotonic()
        if made or notes or told:
            missing = -before if made else told
            self.spool.commit(data, has_events=kind == "events", notes=notes, missing=missing)
        _count(told)
        if not made:
            return made
        self._framer.committed(made[-1])
        with self._lock:
            self._missing -= own
        with contextlib.suppress(RuntimeError):  # the loop to be woken is closed: it is ending anyway
            self._on_frame()
        return made


def _split(lines: list[bytes], max_bytes: int) -> list[list[bytes]]:
    """`lines` in batches that are closed when they reach `max_bytes`."""
    ends = list(accumulate(map(len, lines)))
    batches: list[list[bytes]] = []
    begun = begun_bytes = 0
    while begun < len(lines):
        end = min(bisect_left(ends, begun_bytes + max_bytes, begun) + 1, begun + MAX_LINES, len(lines))
        batches.append(lines[begun:end])
        begun, begun_bytes = end, ends[end - 1]
    return batches


def _lost(item: Item) -> Missing:
    """What is missing when an item is not kept."""
    return item.missing + Missing(len(item.lines))


def _count(missing: Missing) -> None:
    EVENTS_DROPPED.inc(missing.dropped)
    EVENTS_SAMPLED_OUT.inc(missing.sampled_out)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _stopping() -> StorageError:
    return StorageError("the collector is stopping: send this to another, or later")

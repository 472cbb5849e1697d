"""Redaction in processes of its own: a deadline a text, and a crash that costs one text and no more.

A template process builds the redactor once and forks workers from it, so that a new one is there in
milliseconds. A worker says in shared memory which text it is at; when it dies, or that text takes longer than
the deadline or more memory than it may have, it is replaced and does its batch again without that text, which is
withheld whole.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import secrets
import signal
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from multiprocessing.connection import Client, Connection, Listener, wait
from pathlib import Path
from typing import Any

from slmtrail.core import garbage
from slmtrail.core.errors import SettingsError, TrailError
from slmtrail.stream.redact.finding import Finding
from slmtrail.stream.redact.options import RedactOptions

Event = dict[str, Any]
Redacted = tuple[Event, list[dict[str, Any]]]

_POLL_S = 0.02
_START_S = 120.0
_WALL_FACTOR = 10
"""A worker that waits, and so uses no CPU time, is given so many times the deadline."""
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_NO_TEXT = -1
# What a worker tells in shared memory: the event it is at, the text, and how many texts it has begun.
_SLOT = 3
_MAX_ATTEMPTS = 64
_BATCH_EVENTS = 64


class PoolBroken(TrailError):
    """The redaction processes can't be started again: nothing can be redacted, so nothing may be stored."""


@dataclass(slots=True)
class _Job:
    events: list[Any]
    future: Future[Any]
    withhold: dict[int, dict[int, str]] = field(default_factory=dict)
    whole: dict[int, str] = field(default_factory=dict)
    attempts: int = 0


@dataclass(slots=True)
class _Worker:
    connection: Connection
    pid: int
    slot: int
    job: _Job | None = None
    begun: int = -1
    cpu_s: float = 0.0
    since_s: float = 0.0


class RedactPool:
    """Redacts batches of events in worker processes. Close it, or use it in a `with`."""

    def __init__(
        self,
        options: RedactOptions,
        pseudonym_key: bytes,
        key_epoch: int = 1,
        workers: int | None = None,
        analyzer: str = "",
        max_mb: int = 2048,
    ) -> None:
        """Blocks until the workers are there. analyzer: `module:name` of another analyser class, for tests. max_mb:
        what one worker may hold; one with half of that is replaced when it has done its batch."""
        self._options = options
        self._count = workers or max(1, (os.cpu_count() or 2) - 1)
        self._deadline_s = options.deadline_ms / 1000
        self._max_bytes = max_mb * 1024 * 1024
        self._folder = tempfile.TemporaryDirectory(prefix="slmtrail-redact-")
        address = str(Path(self._folder.name) / "workers")
        authkey = secrets.token_bytes(32)
        self._listener = Listener(address, "AF_UNIX", authkey=authkey)
        context = multiprocessing.get_context("spawn")
        self._progress = context.RawArray("q", self._count * _SLOT)
        self._orders, theirs = context.Pipe()
        self._template = context.Process(
            target=_template,
            args=(options, pseudonym_key, key_epoch, analyzer, address, authkey, self._progress, theirs),
            daemon=True,
            name="redact-template",
        )
        self._template.start()
        theirs.close()
        try:
            self._await_template()
        except TrailError:
            self._listener.close()
            self._folder.cleanup()
            raise
        self._workers = [self._new_worker(slot) for slot in range(self._count)]
        self._queue: deque[_Job] = deque()
        self._lock = threading.Lock()
        self._closing = False
        self._broken: TrailError | None = None
        self._wake_read, self._wake_write = os.pipe()
        self._thread = threading.Thread(target=self._run, name="redact-pool", daemon=True)
        self._thread.start()

    def submit(self, events: list[Event]) -> Future[list[Redacted]]:
        """Redacts a batch: for each event, in order, what `Redactor.redact` returns. Does not block."""
        return self._submit(events)

    def redact_all(self, events: list[Event]) -> Iterator[Redacted]:
        """Redacts events on all workers: what `Redactor.redact` returns for each, in order, as soon as it is there."""
        batches = [events[first : first + _BATCH_EVENTS] for first in range(0, len(events), _BATCH_EVENTS)]
        return _each(deque([self.submit(batch) for batch in batches]))

    def submit_texts(self, texts: list[str]) -> Future[list[tuple[str, list[Finding]]]]:
        """Redacts texts: for each, in order, what `Redactor.redact_text` returns. Does not block."""
        return self._submit(texts)

    def _submit(self, events: list[Any]) -> Future[Any]:
        future: Future[Any] = Future()
        with self._lock:
            if self._broken or self._closing:
                raise self._broken or PoolBroken("the redaction processes are stopped")
            self._queue.append(_Job(events, future))
        os.write(self._wake_write, b"!")
        return future

    def close(self) -> None:
        """Ends the workers; batches still under way fail."""
        with self._lock:
            if self._closing:
                return
            self._closing = True
        os.write(self._wake_write, b"!")
        self._thread.join()
        for worker in self._workers:
            _kill(worker)
        with contextlib.suppress(OSError):
            self._orders.send(None)
        self._template.join(5)
        if self._template.is_alive():
            self._template.kill()
        self._listener.close()
        self._folder.cleanup()
        os.close(self._wake_read)
        os.close(self._wake_write)

    def __enter__(self) -> RedactPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # From here on: the pool's own thread.

    def _run(self) -> None:
        try:
            while not self._closing:
                self._hand_out()
                busy = {worker.connection: worker for worker in self._workers if worker.job}
                ready = wait([*busy, self._wake_read], _POLL_S if busy else None)
                for item in ready:
                    if item == self._wake_read:
                        os.read(self._wake_read, 4096)
                    else:
                        self._receive(busy[item])  # type: ignore[index]
                self._watch()
            error = PoolBroken("the redaction processes were stopped")
        except Exception as failure:
            error = PoolBroken(f"the redaction processes can't go on: {type(failure).__name__}: {failure}")
        with self._lock:
            self._broken = error
            left = [*self._queue, *(worker.job for worker in self._workers if worker.job)]
            self._queue.clear()
        for job in left:
            job.future.set_exception(error)

    def _hand_out(self) -> None:
        for place, worker in enumerate(self._workers):
            if worker.job:
                continue
            with self._lock:
                job = self._queue.popleft() if self._queue else None
            if job is None:
                return
            job.attempts += 1
            worker.job, worker.begun, worker.since_s = job, -1, time.monotonic()
            self._progress[worker.slot * _SLOT : (worker.slot + 1) * _SLOT] = [0, _NO_TEXT, 0]
            try:
                worker.connection.send((job.events, job.withhold, job.whole))
            except OSError:
                self._replace(place, "crash")

    def _receive(self, worker: _Worker) -> None:
        place = self._workers.index(worker)
        try:
            redacted = worker.connection.recv()
        except (EOFError, OSError):
            self._replace(place, "crash")
            return
        job, worker.job = worker.job, None
        if job and not job.future.cancelled():
            job.future.set_result(redacted)
        if _resident_bytes(worker.pid) > self._max_bytes // 2:
            self._replace(place, "memory")

    def _watch(self) -> None:
        now = time.monotonic()
        for place, worker in enumerate(self._workers):
            if worker.job is None:
                continue
            begun = self._progress[worker.slot * _SLOT + 2]
            if _resident_bytes(worker.pid) > self._max_bytes:
                self._replace(place, "memory")
            elif begun != worker.begun:
                worker.begun, worker.since_s, worker.cpu_s = begun, now, _cpu_s(worker.pid)
            elif (
                _cpu_s(worker.pid) - worker.cpu_s > self._deadline_s
                or now - worker.since_s > _WALL_FACTOR * self._deadline_s
            ):
                self._replace(place, "deadline")

    def _replace(self, place: int, reason: str) -> None:
        """Puts a new worker in the place of a dead or late one, and its batch back without the text it was at."""
        worker = self._workers[place]
        _kill(worker)
        event, text, _ = self._progress[worker.slot * _SLOT : (worker.slot + 1) * _SLOT]
        job = worker.job
        if job:
            known = job.withhold.setdefault(event, {})
            if text == _NO_TEXT or text in known or job.attempts >= _MAX_ATTEMPTS:
                job.whole[event] = reason
            else:
                known[text] = reason
            with self._lock:
                self._queue.appendleft(job)
        self._workers[place] = self._new_worker(worker.slot)

    def _new_worker(self, slot: int) -> _Worker:
        self._orders.send(slot)
        connection = self._listener.accept()
        return _Worker(connection, connection.recv(), slot)

    def _await_template(self) -> None:
        if not self._orders.poll(_START_S):
            self._template.kill()
            raise PoolBroken(f"the redaction process did not start within {_START_S:.0f} s; look at its log")
        try:
            problem = self._orders.recv()
        except EOFError:
            raise PoolBroken("the redaction process ended while it started; look at its log") from None
        if problem:
            raise SettingsError(problem)


def _each(batches: deque[Future[list[Redacted]]]) -> Iterator[Redacted]:
    while batches:
        yield from batches.popleft().result()


def _kill(worker: _Worker) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(worker.pid, signal.SIGKILL)
    worker.connection.close()


def _cpu_s(pid: int) -> float:
    """CPU time of a process; on systems that don't tell, the time on the clock, which is more."""
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except (OSError, AttributeError):
        return time.monotonic()


def _resident_bytes(pid: int) -> int:
    """Memory of a process; 0 on systems that don't tell."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_bytes().split()[1]) * _PAGE_BYTES
    except (OSError, IndexError):
        return 0


# From here on: the template and the workers.


def _template(
    options: RedactOptions,
    pseudonym_key: bytes,
    key_epoch: int,
    analyzer: str,
    address: str,
    authkey: bytes,
    progress: Any,
    orders: Connection,
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # A group of its own with the workers, so that the last act can be to end them all, whatever text they are at.
    os.setpgid(0, 0)
    problem = ""
    try:
        redactor = _make_redactor(options, pseudonym_key, key_epoch, analyzer)
    except Exception as error:
        problem = str(error) or type(error).__name__
    # Nor does a copy on write have to touch what is loaded, in the workers.
    garbage.look_seldom()
    # A pool that was ended meanwhile wants no answer, and no order comes from it.
    with contextlib.suppress(BrokenPipeError):
        orders.send(problem)
    if problem:
        return
    # Nobody waits for the workers here: the pool sees their connections close.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        try:
            slot = orders.recv()
        except EOFError:
            slot = None
        if slot is None:
            os.killpg(0, signal.SIGKILL)
        if os.fork() == 0:
            orders.close()
            _work(redactor, Client(address, "AF_UNIX", authkey=authkey), progress, slot * _SLOT)
            os._exit(0)


def _make_redactor(options: RedactOptions, pseudonym_key: bytes, key_epoch: int, analyzer: str) -> Any:
    from importlib import import_module

    from slmtrail.stream.redact.redactor import Redactor

    made = None
    if analyzer:
        module, _, name = analyzer.partition(":")
        made = getattr(import_module(module), name)(options)
    redactor = Redactor(options, pseudonym_key, key_epoch, made)
    redactor.redact({"message": "Warm up: mail a@example.com or call +1 212 555 0199 about card 4111 1111 1111 1111."})
    return redactor


def _work(redactor: Any, connection: Connection, progress: Any, slot: int) -> None:
    connection.send(os.getpid())
    while True:
        try:
            events, withhold, whole = connection.recv()
        except (EOFError, OSError):
            return
        redacted: list[Any] = []
        for number, event in enumerate(events):
            progress[slot + 1] = _NO_TEXT
            progress[slot] = number

            def at_text(text: int) -> None:
                progress[slot + 1] = text
                progress[slot + 2] += 1

            skipped: Mapping[int, str] = _Every(whole[number]) if number in whole else withhold.get(number, {})
            take = redactor.redact_text if isinstance(event, str) else redactor.redact
            redacted.append(take(event, skipped, at_text))
        connection.send(redacted)


class _Every(dict[int, str]):
    """Every text, for one reason."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def __bool__(self) -> bool:
        return True

    def get(self, _number: int, _default: Any = None) -> str:
        return self._reason

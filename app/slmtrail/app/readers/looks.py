"""What is told of readers at this machine's command line, until a collector takes it: a file each, so that looking
waits for nobody.

How it fails: a look is there whole or not at all; one that is taken twice, after a crash, comes under the same key, by
which the collector knows it. Who may write the folder may also remove what waits there: see docs/security.md.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import logging
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from slmtrail.collectors.batches import Batch
from slmtrail.collectors.collector import Collector
from slmtrail.core import canonical, durable, events
from slmtrail.core.errors import EventError, StorageError

log = logging.getLogger(__name__)

LOOK_S = 1.0
MAX_AT_ONCE = 1000
_SUFFIX = ".json"


class Looks:
    """The Emitter port into a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def emit(self, event: dict[str, Any]) -> None:
        """Leaves the event for a collector; never raises, and waits for nothing but the disk."""
        now_ms = time.time_ns() // 1_000_000
        try:
            line = canonical.dumps(events.validate({"@timestamp": now_ms, **event}))
            durable.make_folder(self._folder, 0o700)
            durable.write_file(self._folder / f"{now_ms}-{secrets.token_hex(8)}{_SUFFIX}", line, 0o600)
        except (EventError, StorageError) as error:
            log.warning("that you look is not recorded: %s", error)


async def take(folder: Path, collector: Collector) -> None:
    """Gives a collector what is left in the folder, until cancelled."""
    while True:
        try:
            await asyncio.to_thread(take_once, folder, collector)
        except (StorageError, OSError) as error:
            log.error("that someone looked waits to be recorded: %s", error)
        await asyncio.sleep(LOOK_S)


def take_once(folder: Path, collector: Collector) -> None:
    """Gives a collector what is there now, the oldest first."""
    with _held(folder) as is_ours:
        files = sorted(file for file in folder.glob(f"[0-9]*{_SUFFIX}")) if is_ours else []
        for file in files[:MAX_AT_ONCE]:
            data = file.read_bytes()
            try:
                line = _line(data)
            except EventError as error:
                log.error("%s: is no look, and is left out: %s", file, error)
            else:
                batch = Batch(file.stem, hashlib.sha256(data).hexdigest()[:32])
                collector.submit([line], batch=batch).result()
            file.unlink()


def _line(data: bytes) -> bytes:
    event = events.load(data)
    if not isinstance(event, dict) or event.get("slm.kind") != "access":
        raise EventError("is no event of kind access")
    return canonical.dumps(events.validate(event))


@contextlib.contextmanager
def _held(folder: Path) -> Iterator[bool]:
    """Whether the folder is there and no other process is at it."""
    try:
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except FileNotFoundError:
        yield False
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        yield False
    else:
        yield True
    finally:
        os.close(lock)

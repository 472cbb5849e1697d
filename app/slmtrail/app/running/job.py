"""The stream on Kafka: a supervisor in this process, and its workers in processes of their own."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from slmtrail.app import parts
from slmtrail.app.commands.given import given
from slmtrail.app.running import law
from slmtrail.app.running.reload import Lawbook
from slmtrail.app.running.routes import follow_alerts
from slmtrail.app.running.run import persistently, until_stopped
from slmtrail.core.errors import SettingsError
from slmtrail.core.ports import FRAMES, SIGNALS, Bus
from slmtrail.core.settings import Settings

if TYPE_CHECKING:
    from slmtrail.stream.process import Desk

log = logging.getLogger(__name__)


def run(settings: Settings, workers: int) -> None:
    """Supervises `workers` workers until a signal; 0: one a core, but no more than there are partitions."""
    asyncio.run(_supervise(settings, workers))


def work(settings: Settings, name: str) -> None:
    """One worker, in this process, until a signal."""
    from slmtrail.stream.faust_app import Place
    from slmtrail.stream.faust_app import work as work_on_faust

    # They tell of each time the partitions are shared out, and thousands of times of a broker that is away; the worker
    # tells of both itself.
    logging.getLogger("faust").setLevel(logging.ERROR)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)

    async def connect() -> Bus:
        return parts.open_bus(settings)

    folder = settings.data / "faust"
    with open_desk(settings, folder / f"{name}.policy.yaml") as desk:
        access = parts.bus_access(settings)
        broker = settings.bus.url.removeprefix(parts.KAFKA)
        place = Place(broker, name, folder, settings.stream.batch_frames, access)
        asyncio.run(work_on_faust(place, connect, desk, Lawbook(settings).renewed))


@contextlib.contextmanager
def open_desk(settings: Settings, copy: Path) -> Iterator[Desk]:
    """The desk under the policy as its file is now, of which it keeps a copy; where that can't be used, under that."""
    with contextlib.ExitStack() as stack:
        try:
            desk = stack.enter_context(parts.open_desk(settings))
        except SettingsError as error:
            if settings.policy is None or not copy.exists():
                raise
            log.error("this worker can't start under these settings; it tries the policy before them: %s", error)
            desk = stack.enter_context(parts.open_desk(settings.model_copy(update={"policy": copy})))
        else:
            law.keep_copy(settings, desk.policy, copy)
        yield desk


async def _supervise(settings: Settings, workers: int) -> None:
    from slmtrail.stream.job.supervisor import Supervisor
    from slmtrail.stream.job.watchdog import Watchdog
    from slmtrail.stream.runner import GROUP

    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    bus = parts.open_bus(settings)
    try:
        await bus.ensure_topics()
        workers = workers or min(os.cpu_count() or 1, await bus.partitions(FRAMES))
        # The same after a restart, so that each worker goes on with its partitions at once.
        here = hashlib.sha256(f"{socket.gethostname()}:{settings.data.resolve()}".encode()).hexdigest()[:8]
        names = [f"slmtrail-{here}-{number}" for number in range(workers)]
        group = parts.bus_group(settings, GROUP, [FRAMES, SIGNALS])
        watchdog = Watchdog(group.standings, names)
        supervisor = Supervisor(workers, lambda n: given.command("stream", "--worker", names[n]), watchdog)
        routes = persistently("the routes of alerts", lambda: follow_alerts(settings, bus))
        await until_stopped([supervisor.run(), routes])
    finally:
        await bus.close()

"""The job without redaction, for tests that start it often: `supervise`, or `work NAME`."""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from jobs import desk
from slmtrail.app import log, parts
from slmtrail.app.running.run import until_stopped
from slmtrail.bus.kafka_group import KafkaGroup
from slmtrail.core import settings
from slmtrail.core.ports import FRAMES, SIGNALS, Bus
from slmtrail.stream import faust_app
from slmtrail.stream.faust_app import Place, work
from slmtrail.stream.job.supervisor import Supervisor
from slmtrail.stream.job.watchdog import Watchdog
from slmtrail.stream.runner import GROUP

NAMES = ["job-0", "job-1"]
faust_app.SESSION_S = 10.0  # a killed worker is waited for so long


def main(role: str, name: str = "") -> None:
    """Supervises, or works."""
    log.set_up(as_json=False)
    for library in ("aiokafka", "faust"):
        logging.getLogger(library).setLevel(logging.CRITICAL)
    given = settings.load()
    broker = given.bus_url.removeprefix("kafka://")

    async def connect() -> Bus:
        return parts.open_bus(given)

    if role == "work":
        place = Place(broker, name, given.data / "faust", given.stream.batch_frames)
        asyncio.run(work(place, connect, desk(given), lambda _: asyncio.Event().wait()))
        return
    group = KafkaGroup([broker], GROUP, [FRAMES, SIGNALS])
    command = [sys.executable, __file__, "work"]
    supervisor = Supervisor(len(NAMES), lambda n: [*command, NAMES[n]], Watchdog(group.standings, NAMES))
    asyncio.run(until_stopped([supervisor.run()]))


if __name__ == "__main__":
    main(*sys.argv[1:])

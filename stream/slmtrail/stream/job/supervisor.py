"""Keeps the workers of a job running: starts them, starts again who ends, stops who stands still, and drains them all.

It does no work of its own, so that whatever a worker meets does not reach it. Where it is killed, the standard input of
its workers closes, by which they end too, and the partitions go to other machines.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from slmtrail.core.errors import BusError, TrailError
from slmtrail.core.health import HEALTH
from slmtrail.core.metrics import WORKER_RESTARTS
from slmtrail.stream.job.watchdog import Watchdog

log = logging.getLogger(__name__)

RETRY_MIN_S = 0.5
RETRY_MAX_S = 30.0
STEADY_S = 60.0
"""A worker that ran for so long is started again without delay."""
DRAIN_S = 30.0
"""How long workers may finish what is under way, before they are killed."""
LOOK_S = 5.0
HOPELESS = frozenset({2, 4})
"""Exit codes of settings and keys that can't be used: of a worker that never ran, it would not help to start again."""


class WorkerFailed(TrailError):
    """A worker of the stream can't be started with these settings or keys; its log says why."""

    exit_code = 2


@dataclass(slots=True)
class _Slot:
    number: int
    process: asyncio.subprocess.Process | None = None
    stuck: bool = False


class Supervisor:
    """Runs `workers` processes, of which `command` gives the command line of each."""

    def __init__(
        self,
        workers: int,
        command: Callable[[int], Sequence[str]],
        watchdog: Watchdog | None = None,
        drain_s: float = DRAIN_S,
    ) -> None:
        self._slots = [_Slot(number) for number in range(workers)]
        self._command = command
        self._watchdog = watchdog
        self._drain_s = drain_s

    async def run(self) -> None:
        """Works until cancelled, and drains the workers then, within the deadline. Raises WorkerFailed where one can't
        be started."""
        tasks = [asyncio.create_task(self._keep(slot)) for slot in self._slots]
        if self._watchdog is not None:
            tasks.append(asyncio.create_task(self._watch(self._watchdog)))
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.gather(*(self._stop(slot, self._drain_s) for slot in self._slots))

    async def _keep(self, slot: _Slot) -> None:
        wait_s, ran = RETRY_MIN_S, False
        while True:
            began_s = time.monotonic()
            # A session of its own: a signal to our terminal comes to us, and we tell them.
            slot.process = await asyncio.create_subprocess_exec(
                *self._command(slot.number), stdin=asyncio.subprocess.PIPE, start_new_session=True
            )
            HEALTH.tell(f"worker {slot.number}")
            log.info("worker %d is process %d", slot.number, slot.process.pid)
            code = await slot.process.wait()
            hopeless = code in HOPELESS
            if hopeless and not ran:
                raise WorkerFailed(f"worker {slot.number} can't run (exit code {code}); its log says why")
            ran = True
            if code == 0:
                log.info("worker %d ended by itself, to start again under what has changed", slot.number)
                continue
            reason = "stuck" if slot.stuck else "ended"
            slot.stuck = False
            WORKER_RESTARTS.labels(reason).inc()
            HEALTH.tell(f"worker {slot.number}", f"it ended with exit code {code} and is started again")
            wait_s = RETRY_MIN_S if time.monotonic() - began_s > STEADY_S else wait_s
            log.error("worker %d ended with exit code %d and is started again in %.1f s", slot.number, code, wait_s)
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, RETRY_MAX_S)

    async def _watch(self, watchdog: Watchdog) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                stuck = await watchdog.stuck(time.monotonic())
            except BusError as error:
                log.warning("can't see whether the workers go on: %s", error)
                HEALTH.tell("bus", str(error))
                continue
            HEALTH.tell("bus")
            for number in stuck:
                log.error("worker %d has work and commits nothing; it is stopped", number)
                slot = self._slots[number]
                slot.stuck = True
                await self._stop(slot, 0)

    @staticmethod
    async def _stop(slot: _Slot, within_s: float) -> None:
        process = slot.process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            if within_s:
                process.terminate()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(process.wait(), within_s)
                    return
                log.error("worker %d did not drain within %.0f s and is killed", slot.number, within_s)
            process.kill()
        await process.wait()

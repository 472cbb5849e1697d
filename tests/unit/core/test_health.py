"""What a process says of itself."""

from __future__ import annotations

import asyncio
import threading

from slmtrail.core import health
from slmtrail.core.health import Health


def test_parts_tell_and_are_asked() -> None:
    own = Health()
    full = [""]
    own.ask("spool", lambda: full[0])
    assert own.reasons() == {}
    own.tell("store", "it is away")
    full[0] = "it is full"
    assert own.reasons() == {"store": "it is away", "spool": "it is full"}
    own.tell("store")
    full[0] = ""
    assert own.reasons() == {}


def test_a_loop_that_stands_still_is_seen() -> None:
    own = Health()
    assert own.turns()  # there is none yet
    going_on, stuck = threading.Event(), threading.Event()

    async def work() -> None:
        own.loop = asyncio.get_running_loop()
        assert await asyncio.to_thread(own.turns)
        stuck.set()
        going_on.wait(20)  # on the loop, which is the fault

    thread = threading.Thread(target=lambda: asyncio.run(work()))
    thread.start()
    assert stuck.wait(20)
    health.LOOP_S, kept = 0.05, health.LOOP_S
    try:
        assert not own.turns()
    finally:
        health.LOOP_S = kept
        going_on.set()
        thread.join()
    assert own.turns()  # it ended, and the process is about to

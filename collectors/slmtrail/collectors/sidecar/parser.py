"""The parsing process: bytes of exchanges in, lines of events out. `python -m` starts it, the proxy ends it."""

from __future__ import annotations

import gc
import logging
import os
import sys
from typing import Any

from slmtrail.collectors.sidecar import transcript, wire
from slmtrail.collectors.sidecar.around import Around

READ_BYTES = 256 * 1024
NICE = 10
"""Parsing gives way to the proxy, and to the model beside it."""

log = logging.getLogger(__name__)


def lines(told: list[list[Any]], data: bytes, around: Around) -> tuple[list[bytes], list[tuple[Any, ...]]]:
    """The events of each exchange of a batch, empty where none can be made; and what those have used that are counted,
    by their place in the batch."""
    made, used, start = [], [], 0
    for place, row in enumerate(told):
        os.sched_yield()  # a kernel that preempts lazily lets whoever woke meanwhile run only now
        facts = wire.Facts._make(row)
        try:
            events, counted = around.lines(transcript.read(facts, data, start))
            made.append(events)
            if counted:
                used.append((place, *counted))
        except Exception as error:  # one exchange, whatever it holds, must not end the others
            log.error("an exchange can't be made into an event: %s", type(error).__name__)
            made.append(b"")
        start += facts.asked_bytes + sum(facts.pieces_bytes)
    return made, used


def run(read: int, write: int) -> None:
    """Parses until the proxy closes its end."""
    reader = wire.Reader()
    around: Around | None = None
    while data := os.read(read, READ_BYTES):
        for told, payload in reader.feed(data):
            if around is None:
                around = Around.heard(told)
                continue
            made, used = lines(told, payload, around)
            answer = memoryview(wire.pack([[len(events) for events in made], used], made))
            while answer:
                answer = answer[os.write(write, answer) :]


def main() -> None:
    """Speaks through standard input and output."""
    os.nice(NICE)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    gc.freeze()
    try:
        run(sys.stdin.fileno(), sys.stdout.fileno())
    except (BrokenPipeError, ConnectionResetError, KeyboardInterrupt):
        return


if __name__ == "__main__":
    main()

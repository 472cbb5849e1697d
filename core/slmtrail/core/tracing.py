"""Spans of the pipeline itself, where settings ask for them; else nothing.

No trace travels with a frame: its trace's id is derived from what it is (collector, boot, number), which every stage
knows. So what each has done with it belongs together over any bus, through a gateway, and after a crash. Spans hold
names, counts and times, and no content.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Literal, Protocol

from slmtrail.core.errors import FrameError
from slmtrail.core.frames import header_of

Work = Literal["ship", "process", "store"]
FrameId = tuple[str, str, int]
"""Collector, boot and number."""


class Tracer(Protocol):
    """Where spans go."""

    def span(self, work: Work, frames: Iterable[FrameId]) -> AbstractContextManager[None]:
        """Measures work on these frames; one that is shipped begins its trace, and the rest goes on with it."""
        ...


class Tracing:
    """This process's tracer, if it has one."""

    def __init__(self) -> None:
        self.tracer: Tracer | None = None

    def span(self, work: Work, frames: Callable[[], Iterable[FrameId]]) -> AbstractContextManager[None]:
        """Measures work; `frames` is asked only where somebody wants to know."""
        return self.tracer.span(work, frames()) if self.tracer else nullcontext()


def ids(frame: FrameId) -> tuple[int, int]:
    """The ids of the trace of a frame, and of the span that begins it; neither is 0."""
    digest = hashlib.sha256("/".join(map(str, frame)).encode()).digest()
    return int.from_bytes(digest[:16]) or 1, int.from_bytes(digest[16:24]) or 1


def frames_in(messages: Iterable[bytes]) -> list[FrameId]:
    """Which frames these are; what is none is none."""
    found = []
    for data in messages:
        try:
            header = header_of(data)
        except FrameError:
            continue
        found.append((header.collector, header.boot, header.sequence))
    return found


TRACING = Tracing()
"""This process's."""

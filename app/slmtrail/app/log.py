"""Our own log: one line an entry on standard error, as JSON when asked. It never holds content of an event."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable

import orjson

from slmtrail.app.terminal import visible

LIKE_IT, WINDOW_S = 20, 60.0
"""How many entries of one kind are written in so long a time."""

KINDS = 1000
"""More than there are; where other libraries' entries are each of a kind of their own, counting begins anew."""


class Sparing(logging.Filter):
    """Leaves out entries of one kind (what is logged, without what is filled in) beyond so many a minute, and says
    afterwards how many those were."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._kinds: dict[tuple[str, int, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        kind, now_s = (record.name, record.levelno, str(record.msg)), self._clock()
        began_s, count = self._kinds.get(kind, (now_s, 0))
        if now_s - began_s >= WINDOW_S:
            if count > LIKE_IT:
                record.msg = f"{record.msg} ({count - LIKE_IT} more like it were left out)"
            began_s, count = now_s, 0
        if len(self._kinds) >= KINDS:
            self._kinds.clear()
        self._kinds[kind] = (began_s, count + 1)
        return count < LIKE_IT


class _Lines(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S")
        self.converter = time.gmtime

    def format(self, record: logging.LogRecord) -> str:
        # One entry is one line, whatever an error text carries.
        return visible(super().format(record)).replace("\n", "\\n")


class _Json(_Lines):
    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": f"{self.formatTime(record, self.datefmt)}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": visible(record.getMessage()),
        }
        if record.exc_info:
            entry["exception"] = visible(self.formatException(record.exc_info))
        return orjson.dumps(entry).decode()


def set_up(*, as_json: bool) -> None:
    """Sends our log to standard error, and of other libraries' only warnings."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(Sparing())
    handler.setFormatter(_Json() if as_json else _Lines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("slmtrail").setLevel(logging.INFO)
    # We tell of a store that is away ourselves, once.
    logging.getLogger("elastic_transport").setLevel(logging.ERROR)
    # Presidio tells at length which of its recognisers it leaves out, which is our choice.
    logging.getLogger("presidio-analyzer").setLevel(logging.ERROR)

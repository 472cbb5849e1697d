"""Our own log: one line an entry on standard error, as JSON when asked. It never holds content of an event."""

from __future__ import annotations

import logging
import sys
import time

import orjson

from slmtrail.app.terminal import visible


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
    handler.setFormatter(_Json() if as_json else _Lines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("slmtrail").setLevel(logging.INFO)
    # We tell of a store that is away ourselves, once.
    logging.getLogger("elastic_transport").setLevel(logging.ERROR)
    # Presidio tells at length which of its recognisers it leaves out, which is our choice.
    logging.getLogger("presidio-analyzer").setLevel(logging.ERROR)

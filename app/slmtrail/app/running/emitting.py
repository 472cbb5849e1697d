"""The pipeline's own events, through the collector of this process."""

from __future__ import annotations

import logging
import time
from typing import Any

from slmtrail.collectors.collector import Collector
from slmtrail.core import canonical, events
from slmtrail.core.errors import EventError

log = logging.getLogger(__name__)


class CollectorEmitter:
    """The Emitter port. What is emitted before there is a collector is lost, and logged."""

    collector: Collector | None = None

    def emit(self, event: dict[str, Any]) -> None:
        """Takes the event; never raises, never blocks."""
        try:
            line = canonical.dumps(events.validate({"@timestamp": time.time_ns() // 1_000_000, **event}))
        except EventError as error:
            log.error("an event of our own was not taken: %s", error)
            return
        if self.collector is None:
            log.error("an event of our own was lost: there is no collector here")
        else:
            self.collector.offer([line])

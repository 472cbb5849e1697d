"""Spans that begin and end in calls apart, as the callbacks of frameworks tell of them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from slmtrail.collectors.sdk.span import Span

MAX_OPEN = 10_000
"""Beyond it the oldest are given up: their end will not come."""


class Runs:
    """The spans that are open, by what the framework calls them."""

    def __init__(self) -> None:
        self._open: OrderedDict[Any, Span] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, name: Any, span: Span, within: Mapping[str, str] | None = None) -> None:
        """It begins."""
        span.begin(within)
        with self._lock:
            self._open[name] = span
            forgotten = self._open.popitem(last=False)[1] if len(self._open) > MAX_OPEN else None
        if forgotten is not None:
            forgotten.end(GeneratorExit())

    def find(self, name: Any) -> Any:
        """The span of that name, None where none is open."""
        with self._lock:
            return self._open.get(name)

    def ids(self, name: Any) -> dict[str, str] | None:
        """The ids of the span of that name."""
        span = self.find(name)
        return None if span is None else span.ids

    def end(self, name: Any, error: BaseException | None = None) -> None:
        """It ends."""
        with self._lock:
            span = self._open.pop(name, None)
        if span is not None:
            span.end(error)

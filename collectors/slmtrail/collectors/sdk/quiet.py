"""The SDK's first promise: what goes wrong in it is not the caller's trouble, and does not fill the caller's log."""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

log = logging.getLogger("slmtrail.collectors.sdk")

SAID_EVERY_S = 10.0
"""The same thing is said no more often."""

P = ParamSpec("P")
R = TypeVar("R")

_said: dict[str, float] = {}


def quiet(method: Callable[P, R]) -> Callable[P, R | None]:
    """`method`, which gives None where it would raise."""

    @functools.wraps(method)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R | None:
        try:
            return method(*args, **kwargs)
        except Exception as error:
            told(method.__name__, error)
            return None

    return guarded


def told(what: str, error: Exception) -> None:
    """Says that `what` is lost, by the error's type: its text may hold content."""
    warn("%s could not be recorded: %s", what, type(error).__name__)


def warn(text: str, *values: object) -> None:
    """Writes to the log, unless the same text was written a moment ago."""
    now = time.monotonic()
    if now - _said.get(text, -SAID_EVERY_S) >= SAID_EVERY_S:
        _said[text] = now
        log.warning(text, *values)

"""Ids that are known at once: of events, for those who refer to them, of traces, and of batches."""

from __future__ import annotations

import itertools
import os
import random

numbers = itertools.count()
"""Of events, in this process."""

_prefix = ""
_chance = random.Random()  # noqa: S311 - to be unlike is enough; to ask the system would let other threads go first


def begin() -> None:
    """Ids of this process are unlike those of all others, also of the one it was forked from."""
    global _prefix
    _chance.seed()
    _prefix = f"x-{os.urandom(6).hex()}-"


begin()
os.register_at_fork(after_in_child=begin)


def text(number: int) -> str:
    """The id of a number of this process."""
    return _prefix + str(number)


def new_id() -> str:
    """The id of an event."""
    return text(next(numbers))


def batch_key() -> str:
    """Under which a batch is known again."""
    return os.urandom(16).hex()


def trace_id() -> str:
    """As W3C has it."""
    return f"{_chance.getrandbits(128):032x}"


def span_id() -> str:
    """As W3C has it."""
    return f"{_chance.getrandbits(64):016x}"

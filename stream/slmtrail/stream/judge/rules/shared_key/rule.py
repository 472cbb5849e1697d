"""The networks in which a key is used."""

from __future__ import annotations

from typing import Any

from slmtrail.stream.judge.hit import About, Hit
from slmtrail.stream.judge.networks import network


def judge(record: dict[str, Any], _: About) -> Hit | None:
    """Where a key was used from, for the window."""
    where = network(record, 24, 48)
    why = "it was used from {observed} networks within {within}"
    return Hit(why, value=where) if where and "slm.key.hash" in record else None

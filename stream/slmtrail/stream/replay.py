"""How a frame is given to the stream once more: as it was, under a key that says so.

Under any other key a frame that the chain has passed is a redelivery, or refused. Under this one it is taken where it
is open, and passed over where it is not: so a replay that is repeated changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection

KEY = "@replay"
"""In the place of a collector's name, in a form that none has."""


def key_of(left_out: Collection[int] = ()) -> str:
    """The key of a frame to be replayed but for some of its events."""
    return " ".join([KEY, *map(str, sorted(left_out))])


def left_out_by(key: str) -> frozenset[int] | None:
    """The events that are not to be taken; None where a key asks for no replay."""
    name, *numbers = key.split(" ")
    return frozenset(int(number) for number in numbers if number.isdecimal()) if name == KEY else None

"""Canonical bytes: one JSON text for one value, the same in every language (RFC 8785).

Values are made canonical by construction (ASCII keys, integers below 2^53, decimals of at most four
places, no lone surrogates), so that orjson's sorted output *is* RFC 8785, at C speed.
"""

from __future__ import annotations

from typing import Any

import orjson

from slmtrail.core.errors import EventError

MAX_INTEGER = 2**53 - 1
MAX_DECIMAL = 10**15
DECIMAL_PLACES = 4


_OPTIONS = (
    orjson.OPT_SORT_KEYS
    | orjson.OPT_STRICT_INTEGER
    | orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_DATACLASS
)


def dumps(value: Any) -> bytes:
    """The canonical bytes of a value made of canonical parts: its floats have come through `decimal`.

    Raises EventError for what has no place in JSON, and for integers that not every reader can hold.
    """
    try:
        return orjson.dumps(value, option=_OPTIONS)
    except (TypeError, ValueError) as error:
        raise EventError(f"a value has no canonical form: {error}", "not_canonical") from None


def decimal(value: float, name: str) -> int | float:
    """`value` rounded to four places; an integer where it is whole. Raises EventError outside ±10^15."""
    if not abs(value) < MAX_DECIMAL:  # what is not a number is not below it either
        raise EventError(f"{name}: should be a number between -10^15 and 10^15", "out_of_range")
    rounded = round(value, DECIMAL_PLACES)
    return int(rounded) if rounded == int(rounded) else rounded


def text(value: str) -> str:
    """`value` with each lone surrogate, which UTF-8 can't carry, as U+FFFD."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value

"""Whether one record fits a test, for fields that the embedded store keeps in a record's data alone."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator
from typing import Any

from slmtrail.core.events import timestamp_ms
from slmtrail.core.fields import FIELDS
from slmtrail.indexer.store.language.tree import Equals, Exists, Like, Range, Test

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def fitting(test: Test) -> Callable[[dict[str, Any]], bool]:
    """The test as a function of a record."""
    fits = _of_value(test)
    return lambda record: any(fits(value) for name in test.names for value in values(record, name))


def values(record: dict[str, Any], name: str) -> Iterator[Any]:
    """What a field is searched by: a list's items, a time in milliseconds, an address as a number."""
    value, kind = record.get(name), FIELDS[name].type
    if kind == "keywords":
        yield from (item for item in value if isinstance(item, str)) if isinstance(value, list) else ()
    elif kind == "boolean":
        yield from (value,) if isinstance(value, bool) else ()
    elif kind in ("integer", "decimal"):
        yield from (value,) if isinstance(value, int | float) and not isinstance(value, bool) else ()
    elif isinstance(value, str):
        try:
            yield timestamp_ms(value) if kind == "date" else span(value)[0] if kind == "ip" else value
        except ValueError:
            return  # no store searches what is not of the field's type


def network(text: str) -> Network:
    """An address or network; an IPv4 address in the form of IPv6 is one of IPv4, and a zone is nothing that is
    searched. Raises ValueError for none."""
    address, zone, _ = text.partition("%")
    found = ipaddress.ip_network(address, strict=False)
    if zone and found.version == 4:
        raise ValueError("has a zone")
    if isinstance(found, ipaddress.IPv6Network) and found.prefixlen >= 96:
        mapped = found.network_address.ipv4_mapped
        return ipaddress.IPv4Network((mapped, found.prefixlen - 96)) if mapped else found
    return found


def span(text: str) -> tuple[int, int]:
    """The first and last number of an address or network among those of IPv6. Raises ValueError for none."""
    found = network(text)
    base = 0xFFFF << 32 if found.version == 4 else 0
    return base + int(found.network_address), base + int(found.broadcast_address)


def pattern(text: str) -> re.Pattern[str]:
    """A pattern of `Like` as a regular expression, which takes time in proportion to the value: what stands between two
    stars is looked for once, and never again further on."""
    stretches = [""]
    for piece in re.findall(r"\\.|[^\\]", text, re.DOTALL):
        if piece == "*":
            stretches.append("")
        else:
            stretches[-1] += "." if piece == "?" else re.escape(piece[-1])
    first, *rest = stretches
    between = "".join(f"(?>.*?{stretch})" for stretch in rest[:-1])
    return re.compile(first + between + (f".*{rest[-1]}" if rest else ""), re.DOTALL)


def _of_value(test: Test) -> Callable[[Any], bool]:
    match test:
        case Exists():
            return lambda _: True
        case Like():
            compiled = pattern(test.pattern)
            return lambda value: compiled.fullmatch(value) is not None
        case Range():
            return lambda value: _within(value, test)
        case Equals():
            if FIELDS[test.names[0]].type == "ip":
                spans = [span(str(value)) for value in test.values]
                return lambda value: any(first <= value <= last for first, last in spans)
            return lambda value: value in test.values


def _within(value: float, test: Range) -> bool:
    if test.low is not None and (value <= test.low if test.low_open else value < test.low):
        return False
    return test.high is None or (value < test.high if test.high_open else value <= test.high)

"""Addresses as the networks they are of: near ones are one place."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import Any

NETWORK = "|network"
"""What a rule writes after a field of its subject for the network of that address."""

_INSIDE = [
    ipaddress.ip_network(block)
    for block in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "fc00::/7")
]
"""Addresses that a site, or a carrier, gives out by itself, each block of which is one place."""


def place(record: dict[str, Any]) -> str | None:
    """The place that a record came from, or None: as much of an address as a provider seldom has two of."""
    given = address(record)
    return _place_of(given) if given else None


def address(record: dict[str, Any]) -> str | None:
    """The address that a record came from, behind what forwarded it."""
    return record.get("network.forwarded_ip") or record.get("source.ip")


@lru_cache(8192)
def network_of(address: str, v4_bits: int = 24, v6_bits: int = 64) -> str | None:
    """The network of an address, by default one that a single customer may have, or None where it is no address."""
    try:
        bits = v4_bits if ":" not in address else v6_bits
        return str(ipaddress.ip_network(f"{address}/{bits}", strict=False))
    except ValueError:
        return None


@lru_cache(8192)
def _place_of(address: str) -> str | None:
    try:
        given = ipaddress.ip_address(address)
    except ValueError:
        return None
    return next((str(block) for block in _INSIDE if given in block), None) or network_of(address, 16, 32)

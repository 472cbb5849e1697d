"""Addresses as the networks they are of: near ones are one place."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import Any

NETWORK = "|network"
"""What a rule writes after a field of its subject for the network of that address."""


def network(record: dict[str, Any], v4_bits: int = 16, v6_bits: int = 32) -> str | None:
    """The network that a record came from, or None."""
    address = record.get("network.forwarded_ip") or record.get("source.ip")
    return network_of(address, v4_bits, v6_bits) if address else None


@lru_cache(8192)
def network_of(address: str, v4_bits: int = 24, v6_bits: int = 64) -> str | None:
    """The network of an address, by default one that a single customer may have, or None where it is no address."""
    try:
        bits = v4_bits if ":" not in address else v6_bits
        return str(ipaddress.ip_network(f"{address}/{bits}", strict=False))
    except ValueError:
        return None

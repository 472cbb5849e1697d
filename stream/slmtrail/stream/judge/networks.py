"""Addresses as the networks they are of: near ones are one place."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import Any


def network(record: dict[str, Any], v4_bits: int = 16, v6_bits: int = 32) -> str | None:
    """The network that a record came from, or None."""
    address = record.get("network.forwarded_ip") or record.get("source.ip")
    return _network(address, v4_bits, v6_bits) if address else None


@lru_cache(8192)
def _network(address: str, v4_bits: int, v6_bits: int) -> str | None:
    try:
        bits = v4_bits if ":" not in address else v6_bits
        return str(ipaddress.ip_network(f"{address}/{bits}", strict=False))
    except ValueError:
        return None

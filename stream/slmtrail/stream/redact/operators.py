"""What is put in the place of a finding."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress

from slmtrail.stream.redact.options import Action

WITHHELD = "<WITHHELD>"
"""Stands for a whole value that could not be looked at."""

LABELS = {
    "EMAIL_ADDRESS": "EMAIL",
    "PHONE_NUMBER": "PHONE",
    "IP_ADDRESS": "IP",
    "MAC_ADDRESS": "MAC",
    "IBAN_CODE": "IBAN",
}
"""The short names that markers use; a type not named here stands under its own."""

# From the one that leaves the least to the one that leaves the most: where findings overlap, the first counts.
STRICTNESS: dict[Action, int] = {"drop": 0, "replace": 1, "hash": 2, "mask": 3, "keep": 4}


class KeyedHash:
    """Names a value without telling it: the same value has the same hash, as long as the key is the same."""

    def __init__(self, key: bytes, epoch: int = 1) -> None:
        self._key = key
        self._prefix = f"h{epoch}:"

    def text(self, value: str) -> str:
        """The hash in the form `h<key epoch>:<24 hex digits>`."""
        return self._prefix + self._digest(value).hex()[:24]

    def ip(self, value: str) -> str:
        """The hash of an address in the form of an address, from the private range fd00::/8."""
        return str(ipaddress.IPv6Address(b"\xfd" + self._digest(value)[:15]))

    def _digest(self, value: str) -> bytes:
        return hmac.digest(self._key, value.encode("utf-8", "surrogatepass"), hashlib.sha256)


def mask(value: str) -> str:
    """`value` with every letter and digit as `*`, but for the last four of a value of twelve or more."""
    shown = len(value) - 4 if len(value) >= 12 else len(value)
    return "".join("*" if place < shown and char.isalnum() else char for place, char in enumerate(value))

"""Which leaves of a ledger were erased or removed under a certificate: what is gone lawfully stays gone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from slmtrail.core import certificate
from slmtrail.core.errors import ControlError
from slmtrail.indexer.retain.leafset import LeafSet


@dataclass(frozen=True, slots=True)
class Lawful:
    """What the certificates of one ledger name."""

    erased: LeafSet = field(default_factory=LeafSet)
    """Leaves without content."""
    removed: LeafSet = field(default_factory=LeafSet)
    """Leaves that are no more in any store."""

    @classmethod
    def told(cls, ledger: str, texts: Iterable[bytes], authorities: Mapping[str, Ed25519PublicKey]) -> Lawful:
        """What is told by these texts of certificates, in the order of their leaves: by those that were signed by one
        of `authorities`, as long as no other was put in its place."""
        authority = certificate.Authority(authorities)
        rows: dict[str, list[tuple[int, int]]] = {"erased": [], "summarised": [], "removed": []}
        for text in texts:
            try:
                found = authority.read(orjson.loads(text))
            except (ControlError, ValueError):
                continue
            if found.ledger == ledger and found.action in rows:
                rows[found.action] += found.leaves
        return cls(LeafSet([*rows["erased"], *rows["summarised"]]), LeafSet(rows["removed"]))

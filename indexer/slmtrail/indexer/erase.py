"""Erasure: the indexer, which owns ledger and store, destroys what a signed certificate names, once it is sealed.

So the order of the topic is the order of things: whoever builds a store anew from it erases anew. The certificate
counts as stored only when the content is gone, so a crash in between erases again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from slmtrail.core import canonical, certificate, commitment
from slmtrail.core.errors import ControlError
from slmtrail.core.ports import Rows, Sealed

log = logging.getLogger(__name__)


def ordered(
    certificates: Iterable[Sealed],
    authorities: Mapping[str, Ed25519PublicKey],
    before: Callable[[int], Iterable[bytes]],
) -> Iterator[Rows]:
    """The rows of leaves to be erased, of each certificate just sealed.

    `before`: the records of the certificates in front of a leaf. One that nobody of authority signed, or a key in whose
    place another was put before it, is no order: it is sealed like any record, and verification names it.
    """
    for sealed in certificates:
        try:
            found = _authority(authorities, before(sealed.leaf)).read(sealed.record)
        except ControlError as error:
            log.error("leaf %d of %s is not obeyed: %s", sealed.leaf, sealed.ledger, error)
            continue
        if found.action == "erased" and found.ledger == sealed.ledger:
            yield found.leaves


def _authority(keys: Mapping[str, Ed25519PublicKey], certificates: Iterable[bytes]) -> certificate.Authority:
    found = certificate.Authority(keys)
    for text in certificates:
        with suppress(ControlError):
            found.read(orjson.loads(text))
    return found


def erased(record: dict[str, Any]) -> bytes | None:
    """The text of `record` without content, persons and salts; None where nothing of them is left."""
    kept = commitment.erased(record)
    return None if kept is record else canonical.dumps(kept)

"""Certificates: signed decisions about the trail itself, sealed as records in the ledger that they are about.

A certificate of erasure names the leaves whose content was destroyed, who decided it and why; one of retention those
that were summarised or removed as policy says; others hold records back from both, or tell of keys that were rotated or
revoked. A certificate is believed for its signature by a key that may decide (the control key),
whoever put it on the bus. What is in it can't be erased: a reason names no person.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from slmtrail.core import canonical
from slmtrail.core.commitment import SALTS
from slmtrail.core.errors import ControlError, EventError
from slmtrail.core.events import timestamp_text
from slmtrail.core.identity import Position, identified
from slmtrail.core.keys import Signer, key_id

FIELD = "slm.certificate"
COLLECTOR = "@control"
"""The origin of certificates; no collector can have this name."""
_SIGNED = b"slmtrail certificate v1\n"
_SOMETIMES = frozenset({"policy", "query", "until_ms"})

Action = Literal["erased", "summarised", "removed", "held", "released", "key_made", "key_rotated", "key_revoked"]

CONTENT_GONE = frozenset({"erased", "summarised"})
"""What leaves a record without content, persons and salts."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """What was decided.

    subject: the id of a key, the keyed hash of whom an erasure is about, a retention class, or a released hold.
    leaves: rows of leaves, first and last. clean_ms: when the bus will have forgotten what was erased.
    policy: the digest of the policy under which they go. query: what is held, until `until_ms` (0: till released).
    """

    action: Action
    at_ms: int
    by: str
    reason: str
    subject: str = ""
    ledger: str = ""
    leaves: tuple[tuple[int, int], ...] = ()
    clean_ms: int = 0
    policy: str = ""
    query: str = ""
    until_ms: int = 0

    def sign(self, key: Signer) -> str:
        """The certificate as it stands in its record; the last three parts only where they say something."""
        told = {name: value for name, value in asdict(self).items() if value or name not in _SOMETIMES}
        signature = key.sign(_SIGNED + canonical.dumps(told))
        signed = {
            "certificate": told,
            "key": key_id(key.public_key()),
            "signature": base64.b64encode(signature).decode(),
        }
        return canonical.dumps(signed).decode()


def record(signed: str, environment: str) -> dict[str, Any]:
    """The record of a signed certificate. The same certificate has the same id, so it is sealed once."""
    certificate = orjson.loads(signed)["certificate"]
    event = {
        "@timestamp": timestamp_text(certificate["at_ms"]),
        "slm.kind": "system",
        "event.action": certificate["action"],
        "event.outcome": "success",
        "deployment.environment.name": environment,
        FIELD: signed,
        SALTS: {},
    }
    return identified(event, COLLECTOR, hashlib.sha256(signed.encode()).hexdigest()[:32], Position(0, 0, 0))


def read(record: Mapping[str, Any], keys: Mapping[str, Ed25519PublicKey]) -> Certificate:
    """The certificate in a record. Raises ControlError unless one of `keys` (by their ids) signed it."""
    try:
        given = orjson.loads(record[FIELD])
        key = keys.get(given["key"])
        if key is None:
            raise ControlError("a certificate is signed by a key that is not trusted for control")
        key.verify(base64.b64decode(given["signature"], validate=True), _SIGNED + canonical.dumps(given["certificate"]))
        leaves = tuple([(first, last) for first, last in given["certificate"]["leaves"]])
        certificate = Certificate(**{**given["certificate"], "leaves": leaves})
    except InvalidSignature:
        raise ControlError("a certificate's signature does not fit its key: it was forged or changed") from None
    except (ValueError, KeyError, TypeError, EventError) as error:
        raise ControlError(f"a record holds no certificate ({type(error).__name__})") from None
    if certificate.action not in get_args(Action) or any(
        type(leaf) is not int or leaf < 0 for row in leaves for leaf in row
    ):
        raise ControlError("a signed certificate has not the parts of one")
    return certificate


def hands_over(certificate: Certificate) -> str:
    """The id of the control key that decides no more behind this certificate; empty where it is about another thing."""
    name, _, ids = certificate.subject.partition(":")
    return ids.partition(":")[0] if (certificate.action, name) == ("key_rotated", "control") else ""


class Authority:
    """Who may decide, along the certificates of one ledger: a key in whose place another was put does so no more."""

    def __init__(self, keys: Mapping[str, Ed25519PublicKey]) -> None:
        self._keys = dict(keys)

    def read(self, record: Mapping[str, Any]) -> Certificate:
        """The next certificate. Raises ControlError unless a key signed it that may decide there."""
        found = read(record, self._keys)
        self._keys.pop(hands_over(found), None)
        return found


def by_id(keys: Iterable[Ed25519PublicKey]) -> dict[str, Ed25519PublicKey]:
    """Keys under their ids."""
    return {key_id(key): key for key in keys}


def rows(leaves: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Sorted leaves as rows without a hole, first and last of each."""
    found: list[tuple[int, int]] = []
    for leaf in leaves:
        if found and leaf == found[-1][1] + 1:
            found[-1] = (found[-1][0], leaf)
        else:
            found.append((leaf, leaf))
    return tuple(found)

"""What the ledger commits to: a record with its content and person fields replaced by salted digests.

So a value can be destroyed later, together with its salt, and the record still proves. The digest of a
field is SHA-256(salt ‖ canonical value); the entry is SHA-256 of the canonical record so reduced.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Collection
from typing import Any

from slmtrail.core import canonical
from slmtrail.core.errors import EventError, LedgerError
from slmtrail.core.fields import COMMITTED

SALTS = "slm.salts"
COMMITMENTS = "slm.commitments"
POSITION_FIELDS = ("slm.ledger.id", "slm.ledger.leaf")
"""Where a stored record stands; given by the indexer and proved by the tree, so outside of the entry."""

SEED_BYTES = 32
SALT_BYTES = 16
_SALT = re.compile(f"[0-9a-f]{{{2 * SALT_BYTES}}}")


def event_seed(frame_seed: bytes, index: int) -> bytes:
    """The seed of one event of a frame."""
    return hmac.digest(frame_seed, b"slmtrail event v1" + index.to_bytes(4, "big"), "sha256")


def salt(seed: bytes, path: str) -> str:
    """The salt of one field: HKDF-Expand(seed, path), in hex."""
    return hmac.digest(seed, b"slmtrail salt v1" + path.encode() + b"\x01", "sha256")[:SALT_BYTES].hex()


def salted(record: dict[str, Any], seed: bytes) -> dict[str, Any]:
    """`record` with a salt beside each field that is committed to."""
    return {**record, SALTS: {name: salt(seed, name) for name in record if name in COMMITTED}}


def entry(record: dict[str, Any]) -> bytes:
    """The 32 bytes that enter the ledger for `record`, as it came from the stream or from a store.

    Each salt has one spelling and belongs to a field that is there, so no byte of a record goes unproved.
    """
    reduced = record.copy()
    salts, commitments = reduced.pop(SALTS, None), reduced.pop(COMMITMENTS, {})
    if not isinstance(salts, dict) or not isinstance(commitments, dict):
        raise LedgerError(f"{SALTS} or {COMMITMENTS}: is not a map of fields")
    names = COMMITTED.intersection(record)
    if not salts.keys() <= names:
        raise LedgerError(f"{SALTS}: holds a salt of a field that is not there")
    commitments = commitments.copy()
    for name in names:
        given = salts.get(name)
        if not isinstance(given, str) or not _SALT.fullmatch(given):
            raise LedgerError(f"{name}: has no salt beside it, so nothing can be proved about it")
        if name in commitments:
            raise LedgerError(f"{name}: stands beside its own commitment")
        commitments[name] = digest(given, reduced.pop(name))
    for name in POSITION_FIELDS:
        reduced.pop(name, None)
    reduced[COMMITMENTS] = commitments
    return hashlib.sha256(_canonical(reduced)).digest()


def digest(given_salt: str, value: Any) -> str:
    """What stands for a value in the entry: SHA-256(salt ‖ canonical value), in hex."""
    return hashlib.sha256(bytes.fromhex(given_salt) + _canonical(value)).hexdigest()


def erased(record: dict[str, Any], names: Collection[str] = COMMITTED) -> dict[str, Any]:
    """`record` without the values and salts of `names`; its entry stays the same."""
    salts: dict[str, str] = record[SALTS]
    gone = {name: digest(salt, record[name]) for name, salt in salts.items() if name in names}
    if not gone:
        return record
    kept = {name: value for name, value in record.items() if name not in gone}
    kept[SALTS] = {name: salt for name, salt in salts.items() if name not in gone}
    return kept | {COMMITMENTS: {**record.get(COMMITMENTS, {}), **gone}}


def _canonical(value: Any) -> bytes:
    try:
        return canonical.dumps(value)
    except EventError as error:
        raise LedgerError(f"the record can't be hashed: {error}") from None

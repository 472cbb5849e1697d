"""What the ledger commits to: a record with its content and person fields replaced by salted digests.

So a value can be destroyed later, together with its salt, and the record still proves. The digest of a
field is SHA-256(salt ‖ canonical value); the entry is SHA-256 of the canonical record so reduced.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import lru_cache
from hashlib import sha256
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


_INNER, _OUTER = (bytes(byte ^ pad for byte in range(256)) for pad in (0x36, 0x5C))


def _pads(key: bytes) -> tuple[bytes, bytes]:
    """What HMAC-SHA-256 puts before all messages under a key of at most a block, and before what it makes of them."""
    block = key.ljust(64, b"\0")
    return block.translate(_INNER), block.translate(_OUTER)


_pads_of_frame = lru_cache(4)(_pads)


def _hmac(pads: tuple[bytes, bytes], message: bytes) -> bytes:
    inner, outer = pads
    return sha256(outer + sha256(inner + message).digest()).digest()


def _info(path: str) -> bytes:
    """What HKDF-Expand hashes of a path."""
    return b"slmtrail salt v1" + path.encode() + b"\x01"


_INFOS = {name: _info(name) for name in COMMITTED}


def event_seed(frame_seed: bytes, index: int) -> bytes:
    """The seed of one event of a frame."""
    return _hmac(_pads_of_frame(frame_seed), b"slmtrail event v1" + index.to_bytes(4, "big"))


def salt(seed: bytes, path: str) -> str:
    """The salt of one field: HKDF-Expand(seed, path), in hex."""
    return _hmac(_pads(seed), _info(path))[:SALT_BYTES].hex()


def salts(names: Iterable[str], seed: bytes) -> dict[str, str]:
    """The salts of those of the fields that are committed to."""
    pads = _pads(seed)
    return {name: _hmac(pads, _INFOS[name])[:SALT_BYTES].hex() for name in COMMITTED.intersection(names)}


def salted(record: dict[str, Any], seed: bytes) -> dict[str, Any]:
    """`record` with a salt beside each field that is committed to."""
    return {**record, SALTS: salts(record, seed)}


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
    try:
        for name in names:
            if name in commitments:
                raise LedgerError(f"{name}: stands beside its own commitment")
            salt_bytes = _salt_bytes(name, salts.get(name))
            commitments[name] = sha256(salt_bytes + canonical.dumps(reduced.pop(name))).hexdigest()
        for name in POSITION_FIELDS:
            reduced.pop(name, None)
        reduced[COMMITMENTS] = commitments
        return sha256(canonical.dumps(reduced)).digest()
    except EventError as error:
        raise LedgerError(f"the record can't be hashed: {error}") from None


def digest(given_salt: str, value: Any) -> str:
    """What stands for a value in the entry: SHA-256(salt ‖ canonical value), in hex."""
    try:
        return sha256(bytes.fromhex(given_salt) + canonical.dumps(value)).hexdigest()
    except EventError as error:
        raise LedgerError(f"the value can't be hashed: {error}") from None


def erased(record: dict[str, Any], names: Collection[str] = COMMITTED) -> dict[str, Any]:
    """`record` without the values and salts of `names`; its entry stays the same."""
    salts: dict[str, str] = record[SALTS]
    gone = {name: digest(salt, record[name]) for name, salt in salts.items() if name in names}
    if not gone:
        return record
    kept = {name: value for name, value in record.items() if name not in gone}
    kept[SALTS] = {name: salt for name, salt in salts.items() if name not in gone}
    return kept | {COMMITMENTS: {**record.get(COMMITMENTS, {}), **gone}}


def _salt_bytes(name: str, given: Any) -> bytes:
    try:
        found = bytes.fromhex(given)
    except (TypeError, ValueError):
        found = b""
    if len(found) != SALT_BYTES or found.hex() != given:
        raise LedgerError(f"{name}: has no salt beside it, so nothing can be proved about it")
    return found

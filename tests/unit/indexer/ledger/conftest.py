"""What the ledger's tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from slmtrail.indexer.ledger.note import VerifierKey


@pytest.fixture(autouse=True, scope="module")
def no_sync() -> Iterator[None]:
    """No test here cuts the power, so none waits for the disk. That all is synced, test_crash counts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _fd: None)
        yield


@pytest.fixture(scope="session")
def key() -> Ed25519PrivateKey:
    """A private key that is the same in every run."""
    return Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@pytest.fixture(scope="session")
def trusted(key: Ed25519PrivateKey) -> VerifierKey:
    """Its verifier key."""
    return VerifierKey.of("ledger.example/test/0", key.public_key())

"""Keys and frames with which the core is tried."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from slmtrail.core import frames
from slmtrail.core.frames import Frame
from slmtrail.core.keys import key_id


@pytest.fixture(scope="session")
def collector_key() -> Ed25519PrivateKey:
    """The collector's signing key."""
    return Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@pytest.fixture(scope="session")
def stream_key() -> X25519PrivateKey:
    """The key that opens frames."""
    return X25519PrivateKey.from_private_bytes(bytes(range(32, 64)))


@pytest.fixture(scope="session")
def seal(collector_key: Ed25519PrivateKey, stream_key: X25519PrivateKey) -> Callable[..., Frame]:
    """Seals lines, with any part of the header as the test wants it."""

    def make(lines: list[bytes], *, seed: bytes = bytes(32), key: Any = collector_key, **header: Any) -> Frame:
        whole = {
            "collector": "edge-1",
            "key": key_id(collector_key.public_key()),
            "boot": "ab" * 16,
            "sequence": 7,
            "previous": "cd" * 32,
            "kind": "events",
            "dropped": 0,
            "sampled_out": 0,
            "environment": "prod",
            "first_ms": 1_760_000_000_000,
            "last_ms": 1_760_000_000_100,
            "recipient": key_id(stream_key.public_key()),
        }
        return frames.seal(whole | header, seed, lines, key, stream_key.public_key())

    return make

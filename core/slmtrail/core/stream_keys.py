"""The keys that open frames: the stream's own, and those before it for as long as frames sealed to them may come."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from slmtrail.core import keys


class StreamKeys(Mapping[str, X25519PrivateKey]):
    """By their ids. Read from the files again where one is not known, so that a rotation needs no restart."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, X25519PrivateKey] = {}
        self._read()

    @property
    def newest(self) -> X25519PrivateKey:
        """The one in use."""
        return next(iter(self._known.values()))

    def __getitem__(self, recipient: str) -> X25519PrivateKey:
        if recipient not in self._known:
            self._read()
        return self._known[recipient]

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    def _read(self) -> None:
        found = [keys.decryption_key(self._path), *keys.retired_keys(self._path, time.time_ns() // 1_000_000)]
        self._known = {keys.key_id(key.public_key()): key for key in found}

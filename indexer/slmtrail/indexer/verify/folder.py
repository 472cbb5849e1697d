"""A ledger on disk, as a verifier sees it: whose it is, which keys are believed, what its files claim."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from slmtrail.core import certificate
from slmtrail.core.errors import LedgerError
from slmtrail.indexer.ledger.checkpoint import Checkpoint
from slmtrail.indexer.ledger.note import MAX_NOTE_BYTES, VerifierKey
from slmtrail.indexer.seal import CHECKPOINT_FILE, STATE_FILE


@dataclass(frozen=True, slots=True)
class LedgerFolder:
    """The ledger named `ledger` in `folder`.

    keys: those that may sign its checkpoints, the one in use first. authorities: those that may sign certificates.
    heads: signed heads known from elsewhere (the bus, an earlier verification, a copy), each of which must be a
    beginning of this ledger.
    """

    folder: Path
    ledger: str
    keys: tuple[VerifierKey, ...]
    authorities: dict[str, Ed25519PublicKey] = field(default_factory=dict)
    heads: tuple[bytes, ...] = ()

    @classmethod
    def of(
        cls,
        folder: Path,
        ledger: str,
        *keys: Ed25519PublicKey,
        authorities: Iterable[Ed25519PublicKey] = (),
        heads: Iterable[bytes] = (),
    ) -> LedgerFolder:
        """The ledger named `ledger` in `folder`, whose checkpoints `keys` sign."""
        verifiers = tuple([VerifierKey.of(ledger, key) for key in keys])
        return cls(folder, ledger, verifiers, certificate.by_id(authorities), tuple(heads))

    def checkpoint(self) -> tuple[bytes, Checkpoint]:
        """The signed head. Raises LedgerError where it is missing, torn or not signed by a key of ours."""
        try:
            with (self.folder / CHECKPOINT_FILE).open("rb") as file:
                data = file.read(MAX_NOTE_BYTES + 1)
        except FileNotFoundError:
            raise LedgerError(f"{self.ledger}: there is no checkpoint in {self.folder}") from None
        except OSError as error:
            raise LedgerError(f"{self.folder / CHECKPOINT_FILE}: can't be read: {error.strerror}") from None
        return data, self.open(data)

    def open(self, data: bytes) -> Checkpoint:
        """A checkpoint of this ledger. Raises LedgerError unless a key of ours signed it."""
        return Checkpoint.open(data, self.ledger, self.keys)

    def sealed_size(self) -> int:
        """How many leaves the indexer says it has sealed, which may be more than it has signed for."""
        try:
            db = sqlite3.connect(f"{(self.folder / STATE_FILE).absolute().as_uri()}?mode=ro", uri=True)
            try:
                return int(db.execute("SELECT size FROM head").fetchone()[0])
            finally:
                db.close()
        except (sqlite3.Error, TypeError, ValueError):
            return 0

"""C2SP tlog-checkpoints: the head of a ledger, as the text of a signed note."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from slmtrail.core.errors import LedgerError
from slmtrail.core.keys import Signer
from slmtrail.indexer.ledger import note
from slmtrail.indexer.ledger.merkle import EMPTY_ROOT, HASH_BYTES, MAX_SIZE

_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a ledger says of itself: its name, how many leaves it has, and the root over them."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.size <= MAX_SIZE:
            raise LedgerError("the size of a checkpoint must be a number from 0 to 2^63-1")
        if len(self.root) != HASH_BYTES:
            raise LedgerError(f"the root of a checkpoint has {len(self.root)} bytes instead of {HASH_BYTES}")
        if self.size == 0 and self.root != EMPTY_ROOT:
            raise LedgerError("a checkpoint of size 0 has not the root of an empty tree")
        if any(not line or "\n" in line for line in (self.origin, *self.extensions)):
            raise LedgerError("the origin and each extension of a checkpoint must be one line that is not empty")

    def text(self) -> str:
        """The text to sign."""
        lines = (self.origin, str(self.size), note.encode_base64(self.root), *self.extensions)
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Reads the text of a note. Says nothing of who signed it."""
        lines = text.split("\n")
        if len(lines) < 4 or lines.pop():
            raise LedgerError("a checkpoint must have an origin, a size and a root, each on a line")
        origin, size, root, *extensions = lines
        return cls(
            origin,
            parse_number(size, "the size of a checkpoint"),
            note.decode_base64(root, "the root of a checkpoint"),
            tuple(extensions),
        )

    def sign(self, keys: Sequence[Signer]) -> bytes:
        """The signed checkpoint, each key signing under the name of the origin."""
        return note.sign(self.text(), [(self.origin, key) for key in keys])

    @classmethod
    def open(cls, data: bytes, origin: str, keys: Iterable[note.VerifierKey]) -> Checkpoint:
        """Reads a checkpoint of `origin`. Raises LedgerError unless a key of that name signed it."""
        signed = note.Note.parse(data)
        checkpoint = cls.parse(signed.text)
        if checkpoint.origin != origin:
            raise LedgerError(f"a checkpoint is of the ledger {checkpoint.origin[:100]!r}, not of {origin!r}")
        signed.verify(key for key in keys if key.name == origin)
        return checkpoint


def parse_number(text: str, what: str) -> int:
    """The number below 2^63 that `text` is in its one decimal form; `what` is named in the error."""
    if not _NUMBER.fullmatch(text) or int(text) > MAX_SIZE:
        raise LedgerError(f"{what} is not a decimal number below 2^63")
    return int(text)

"""C2SP tlog-proofs: that one entry is in a ledger, in one text that is checked offline."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from slmtrail.core.errors import LedgerError
from slmtrail.indexer.ledger.checkpoint import Checkpoint, parse_number
from slmtrail.indexer.ledger.merkle import HASH_BYTES, leaf_hash, verify_inclusion
from slmtrail.indexer.ledger.note import MAX_NOTE_BYTES, VerifierKey, decode_base64, encode_base64

_HEADER = "c2sp.org/tlog-proof@v1"
_MAX_HASHES = 63
_MAX_PROOF_BYTES = 2 * MAX_NOTE_BYTES


@dataclass(frozen=True, slots=True)
class Proof:
    """The way from a leaf to the root of a checkpoint, and that checkpoint, signatures and all.

    `extra` is for whoever made the proof: nothing vouches for it.
    """

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes = b""

    def encode(self) -> bytes:
        """The text of a `.tlog-proof` file."""
        lines = [_HEADER]
        if self.extra:
            lines.append(f"extra {encode_base64(self.extra)}")
        lines.append(f"index {self.index}")
        lines += [encode_base64(sibling) for sibling in self.hashes]
        return "".join(f"{line}\n" for line in [*lines, ""]).encode() + self.checkpoint

    @classmethod
    def parse(cls, data: bytes) -> Proof:
        """Reads a `.tlog-proof` file. Proves nothing: `verify` does."""
        if len(data) > _MAX_PROOF_BYTES:
            raise LedgerError(f"a proof has more than {_MAX_PROOF_BYTES} bytes")
        head, blank, checkpoint = data.partition(b"\n\n")
        if not blank:
            raise LedgerError("a proof has no checkpoint: it is torn")
        if not head.isascii():
            raise LedgerError("a proof has other than ASCII characters above its checkpoint")
        header, *lines = head.decode("ascii").split("\n")
        if header != _HEADER:
            raise LedgerError(f"a proof must begin with the line {_HEADER}")
        extra = b""
        if lines and lines[0].startswith("extra "):
            extra = decode_base64(lines.pop(0).removeprefix("extra "), "the extra data of a proof")
            if not extra:
                raise LedgerError("a proof without extra data must leave that line out")
        if not lines or not lines[0].startswith("index "):
            raise LedgerError("a proof has no index line")
        index = parse_number(lines.pop(0).removeprefix("index "), "the index of a proof")
        if len(lines) > _MAX_HASHES:
            raise LedgerError(f"a proof has more than {_MAX_HASHES} hashes")
        hashes = tuple([decode_base64(line, "a hash of a proof") for line in lines])
        if any(len(sibling) != HASH_BYTES for sibling in hashes):
            raise LedgerError(f"a hash of a proof has not {HASH_BYTES} bytes")
        return cls(index, hashes, checkpoint, extra)

    def verify(self, entry: bytes, origin: str, keys: Iterable[VerifierKey]) -> Checkpoint:
        """The checkpoint that holds `entry`. Raises LedgerError unless all of the proof is right."""
        checkpoint = Checkpoint.open(self.checkpoint, origin, keys)
        verify_inclusion(leaf_hash(entry), self.index, checkpoint.size, self.hashes, checkpoint.root)
        return checkpoint

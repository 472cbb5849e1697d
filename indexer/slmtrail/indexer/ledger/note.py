"""C2SP signed notes: a text, and under it a line for each signature.

Signs and checks Ed25519 (type 0x01). Signatures by keys that aren't trusted here, and so every kind
this code doesn't know, are parsed and ignored; a trusted key's signature that doesn't check out spoils
the note. Every form is the only one: a note that could be written differently is refused.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from slmtrail.core.errors import LedgerError
from slmtrail.core.keys import Signer

MAX_NOTE_BYTES = 1_000_000
MAX_SIGNATURES = 100
_ED25519 = b"\x01"
_KEY_ID_BYTES = 4
_FORBIDDEN = re.compile(r"[\x00-\x09\x0b-\x1f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A name and the Ed25519 key that signs under it. `str()` of it is its C2SP form."""

    name: str
    public: bytes

    @classmethod
    def of(cls, name: str, key: Ed25519PublicKey) -> VerifierKey:
        """The verifier key of `key` under `name`."""
        check_name(name)
        return cls(name, key.public_bytes_raw())

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Reads `name+id+key`. Raises LedgerError for a kind other than Ed25519."""
        parts = text.split("+", 2)
        if len(parts) != 3:
            raise LedgerError("a verifier key must read name+id+key")
        name, key_id, encoded = parts
        check_name(name)
        data = decode_base64(encoded, f"the verifier key of {name!r}")
        if data[:1] != _ED25519 or len(data) != 33:
            raise LedgerError(f"the verifier key of {name!r} is not an Ed25519 key (type 1, then 32 bytes)")
        key = cls(name, data[1:])
        if key_id != key.key_id.hex():
            raise LedgerError(f"the verifier key of {name!r} is mistyped: its id should be {key.key_id.hex()}")
        return key

    @property
    def key_id(self) -> bytes:
        """The four bytes by which a signature says which key made it."""
        return sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()[:_KEY_ID_BYTES]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{encode_base64(_ED25519 + self.public)}"


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line of a note."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A text with its signatures, which nobody has checked until `verify` did."""

    text: str
    signatures: tuple[Signature, ...]

    @classmethod
    def parse(cls, data: bytes) -> Note:
        """Reads a note. Raises LedgerError where it is malformed."""
        if len(data) > MAX_NOTE_BYTES:
            raise LedgerError(f"a note has more than {MAX_NOTE_BYTES} bytes")
        try:
            whole = data.decode()
        except UnicodeDecodeError:
            raise LedgerError("a note is not UTF-8") from None
        if _FORBIDDEN.search(whole):
            raise LedgerError("a note has control characters in it")
        head, blank, tail = whole.rpartition("\n\n")
        if not blank or not tail.endswith("\n"):
            raise LedgerError("a note must be a text, a blank line and signature lines: it is torn or not a note")
        lines = tail[:-1].split("\n")
        if len(lines) > MAX_SIGNATURES:
            raise LedgerError(f"a note has more than {MAX_SIGNATURES} signatures")
        return cls(head + "\n", tuple([_parse_signature(line, number) for number, line in enumerate(lines, 1)]))

    def verify(self, keys: Iterable[VerifierKey]) -> list[VerifierKey]:
        """The keys among `keys` that signed. Raises LedgerError if none did, or one's signature is wrong."""
        trusted: dict[tuple[str, bytes], VerifierKey] = {}
        for key in keys:
            if trusted.setdefault((key.name, key.key_id), key) != key:
                raise LedgerError(f"two trusted keys of {key.name!r} have the id {key.key_id.hex()}: replace one")
        signed = []
        for line in self.signatures:
            signer = trusted.get((line.name, line.key_id))
            if signer is None:
                continue
            try:
                Ed25519PublicKey.from_public_bytes(signer.public).verify(line.signature, self.text.encode())
            except (InvalidSignature, ValueError):
                raise LedgerError(f"the signature by {signer.name!r} ({signer.key_id.hex()}) is wrong") from None
            signed.append(signer)
        if not signed:
            names = ", ".join(sorted(f"{name!r} ({key_id.hex()})" for name, key_id in trusted)) or "none"
            raise LedgerError(f"a note is signed by no trusted key; trusted here: {names}")
        return signed


def sign(text: str, signers: Sequence[tuple[str, Signer]]) -> bytes:
    """The note over `text`, which ends with a newline, signed by each key under its name."""
    if not text.endswith("\n") or _FORBIDDEN.search(text):
        raise LedgerError("a note must be UTF-8 text that ends with a newline, with no other control character")
    if not 0 < len(signers) <= MAX_SIGNATURES:
        raise LedgerError(f"a note must have 1 to {MAX_SIGNATURES} signatures")
    body = text.encode()
    lines = []
    for name, key in signers:
        key_id = VerifierKey.of(name, key.public_key()).key_id
        lines.append(f"— {name} {encode_base64(key_id + key.sign(body))}\n")
    return body + b"\n" + "".join(lines).encode()


def check_name(name: str) -> None:
    """Raises LedgerError unless `name` can be the name of a key."""
    if not name or "+" in name or any(c.isspace() for c in name) or _FORBIDDEN.search(name):
        raise LedgerError("the name of a key must be UTF-8 text without spaces, + and control characters")


def encode_base64(data: bytes) -> str:
    """Standard base64."""
    return base64.b64encode(data).decode()


def decode_base64(text: str, what: str) -> bytes:
    """The bytes that `encode_base64` writes as `text`; `what` is named in the error if there are none."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        raise LedgerError(f"{what} is not base64") from None
    if encode_base64(data) != text:
        raise LedgerError(f"{what} is not base64 in its one standard form")
    return data


def _parse_signature(line: str, number: int) -> Signature:
    what = f"signature line {number} of a note"
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != "—":
        raise LedgerError(f"{what} must be an em dash, a name and base64, with one space between")
    check_name(parts[1])
    data = decode_base64(parts[2], what)
    if len(data) <= _KEY_ID_BYTES:
        raise LedgerError(f"{what} is too short: {len(data)} bytes")
    return Signature(parts[1], data[:_KEY_ID_BYTES], data[_KEY_ID_BYTES:])

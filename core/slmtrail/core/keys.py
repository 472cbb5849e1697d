"""Key files: PEM, one key each, readable by their owner only; anything looser is refused.

`<name>.pem` is private (0600), `<name>.pub` is its public half for everyone else.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
import stat
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization as ser
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from slmtrail.core import durable
from slmtrail.core.errors import KeyFileError

SECRET_BYTES = 32
MAX_FILE_BYTES = 1024 * 1024
RETIRED = "retired"


class Signer(Protocol):
    """A private key that signs, wherever it is kept: a file here, or a module that never gives it out."""

    def sign(self, data: bytes, /) -> bytes:
        """The Ed25519 signature over `data`."""
        ...

    def public_key(self) -> Ed25519PublicKey:
        """Its public half."""
        ...


PrivateKey = Ed25519PrivateKey | X25519PrivateKey
PublicKey = Ed25519PublicKey | X25519PublicKey


def key_id(key: PublicKey) -> str:
    """The short name of a key: the first 8 bytes of SHA-256 over its raw public half, in hex."""
    return hashlib.sha256(raw(key)).hexdigest()[:16]


def raw(key: PublicKey) -> bytes:
    """The 32 bytes of a public key."""
    return key.public_bytes(ser.Encoding.Raw, ser.PublicFormat.Raw)


def api_key_hash(secret: bytes, api_key: str) -> str:
    """What stands for an API key in records and in the policy: the same key has the same hash wherever `secret` is."""
    return f"e1:{hmac.digest(secret, api_key.encode('utf-8', 'surrogatepass'), 'sha256').hex()[:24]}"


def signing_key(path: Path, *, create: bool = False) -> Ed25519PrivateKey:
    """The Ed25519 key in `path`; made there first where `create` is set and there is none."""
    key = _private(path, Ed25519PrivateKey if create else None)
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFileError(f"{path}: is not an Ed25519 key")
    return key


def next_signing_key(path: Path) -> Ed25519PrivateKey:
    """The key that `replace_signing_key` will put into `path`: on disk from now on, and the same after a crash."""
    return signing_key(_next(path), create=True)


def replace_signing_key(path: Path) -> tuple[Ed25519PublicKey, Ed25519PublicKey]:
    """Puts a new Ed25519 key in the place of the one in `path`, which is destroyed; returns both public halves.

    The old public half is kept in `retired/`, so that what it signed can be checked. A crash in between leaves the old
    key or the new one, and a public file that is made again from it.
    """
    old, made = signing_key(path), next_signing_key(path)
    _replace(path, old, made)
    for done in (_next(path), _next(path).with_suffix(".pub")):
        done.unlink(missing_ok=True)
    return old.public_key(), signing_key(path, create=True).public_key()


def replace_decryption_key(path: Path, keep_until_ms: int) -> tuple[X25519PublicKey, X25519PublicKey]:
    """Puts a new X25519 key in the place of the one in `path`, which is kept until then for `retired_keys`; returns
    both public halves."""
    old = decryption_key(path)
    durable.make_folder(path.parent / RETIRED, 0o700)
    kept = path.parent / RETIRED / f"{_retired_name(path, old)}-{keep_until_ms}.pem"
    durable.write_file(kept, _private_pem(old), 0o600)
    _replace(path, old, X25519PrivateKey.generate())
    return old.public_key(), decryption_key(path, create=True).public_key()


def _replace(path: Path, old: PrivateKey, made: PrivateKey) -> None:
    durable.make_folder(path.parent / RETIRED, 0o700)
    with durable.locked(path):
        durable.write_file(path.parent / RETIRED / f"{_retired_name(path, old)}.pub", _public_pem(old.public_key()))
        path.with_suffix(".pub").unlink(missing_ok=True)
        durable.write_file(path, _private_pem(made), 0o600)


def _next(path: Path) -> Path:
    return path.with_name(f".{path.stem}-next.pem")


def _retired_name(path: Path, key: PrivateKey) -> str:
    return f"{path.stem}-{key_id(key.public_key())}"


def retired_keys(path: Path, now_ms: int) -> list[X25519PrivateKey]:
    """The private keys that were in the place of the one in `path` and are still kept; those kept too long go."""
    found = []
    for file in (path.parent / RETIRED).glob(f"{path.stem}-*-*.pem"):
        until_ms = file.stem.rpartition("-")[2]
        if until_ms.isdecimal() and int(until_ms) > now_ms:
            found.append(decryption_key(file))
        else:
            with contextlib.suppress(OSError):  # the disk may be one that can't be written
                file.unlink()
    return found


def decryption_key(path: Path, *, create: bool = False) -> X25519PrivateKey:
    """The X25519 key in `path`; made there first where `create` is set and there is none."""
    key = _private(path, X25519PrivateKey if create else None)
    if not isinstance(key, X25519PrivateKey):
        raise KeyFileError(f"{path}: is not an X25519 key")
    return key


def encryption_key(path: Path) -> X25519PublicKey:
    """The X25519 public key in `path`, to which frames are encrypted."""
    key = _public(path, "copy the stream's public key (stream.pub) there")
    if not isinstance(key, X25519PublicKey):
        raise KeyFileError(f"{path}: is not an X25519 public key")
    return key


def verification_key(path: Path) -> Ed25519PublicKey:
    """The Ed25519 public key in `path`, by which signatures are checked."""
    key = _public(path, "signatures are checked by it: copy it there")
    if not isinstance(key, Ed25519PublicKey):
        raise KeyFileError(f"{path}: is not an Ed25519 public key")
    return key


def secret(path: Path, *, create: bool = False) -> bytes:
    """The 32 random bytes in `path` (hex), for keyed hashes."""
    if create and not path.exists():  # keys that are there may lie on a disk that can't be written
        durable.make_folder(path.parent, 0o700)
        with durable.locked(path):
            if not path.exists():
                durable.write_file(path, secrets.token_bytes(SECRET_BYTES).hex().encode() + b"\n", 0o600)
    try:
        value = bytes.fromhex(read_private(path).decode().strip())
    except ValueError:
        raise KeyFileError(f"{path}: is not {SECRET_BYTES * 2} hex digits") from None
    if len(value) != SECRET_BYTES:
        raise KeyFileError(f"{path}: is not {SECRET_BYTES * 2} hex digits")
    return value


def _public(path: Path, advice: str) -> object:
    try:
        return ser.load_pem_public_key(path.read_bytes())
    except FileNotFoundError:
        raise KeyFileError(f"{path}: no such key; {advice}") from None
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise KeyFileError(f"{path}: can't be read as a public key ({type(error).__name__})") from None


def _private(path: Path, make: type[Ed25519PrivateKey] | type[X25519PrivateKey] | None) -> object:
    if not make:
        return _load(path)
    durable.make_folder(path.parent, 0o700)
    with durable.locked(path):
        if not path.exists():
            durable.write_file(path, _private_pem(make.generate()), 0o600)
        key, public = _load(path), path.with_suffix(".pub")
        if isinstance(key, make) and not public.exists():
            durable.write_file(public, _public_pem(key.public_key()))
    return key


def _private_pem(key: PrivateKey) -> bytes:
    return key.private_bytes(ser.Encoding.PEM, ser.PrivateFormat.PKCS8, ser.NoEncryption())


def _public_pem(key: PublicKey) -> bytes:
    return key.public_bytes(ser.Encoding.PEM, ser.PublicFormat.SubjectPublicKeyInfo)


def _load(path: Path) -> object:
    try:
        return ser.load_pem_private_key(read_private(path), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyFileError(f"{path}: is not an unencrypted PEM private key") from None


def read_private(path: Path) -> bytes:
    """What stands in a file that only its owner may read. Raises KeyFileError where others may too."""
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise KeyFileError(f"{path}: others can read or change it; run: chmod 600 {path}")
            return file.read(MAX_FILE_BYTES)
    except FileNotFoundError:
        raise KeyFileError(f"{path}: no such key; run: slmtrail init") from None
    except OSError as error:
        raise KeyFileError(f"{path}: can't be read: {error.strerror}") from None

"""Who may send to a collector: bearer tokens, of which a file keeps only hashes, and client certificates.

The file is JSON, one row a token: `{"name", "id", "sha256", "made_ms", "until_ms"}`. It is read again when it
changes, so that a token can be made or revoked while everything runs.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import orjson

from slmtrail.core import durable
from slmtrail.core.errors import KeyFileError, NotFound, SettingsError
from slmtrail.core.frames import NAME
from slmtrail.core.keys import read_private

FILE_NAME = "senders.json"
PREFIX = "slmt_"
SECRET_BYTES = 32
ID_CHARS = 8


@dataclass(frozen=True, slots=True)
class Sender:
    """A program whose token or certificate was checked and held."""

    name: str
    shown: Literal["token", "certificate"]

    def fields(self) -> dict[str, Any]:
        """The fields of its events. Who the users in them are is its word: so it is the issuer of what they tell."""
        return {
            "slm.identity.method": "application",
            "slm.identity.verified": True,
            "slm.identity.issuer": f"{self.shown}:{self.name}",
        }


class Refused(Exception):
    """A sender did not show who it is. `reason` is a stable word."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Row:
    """A token, without what it is: whose, since when and until when (0: for good)."""

    name: str
    id: str
    sha256: str
    made_ms: int
    until_ms: int = 0


class Senders:
    """The senders of one collector."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int, int, int] | None = None
        self._rows: dict[str, Row] = {}

    def known(self, authorization: str, certificate: Mapping[str, Any] | None) -> Sender:
        """Who sends, by a bearer token, or else by the certificate that the TLS of this endpoint has verified.

        Raises Refused, and KeyFileError where the file can't be used.
        """
        scheme, _, token = authorization.strip().partition(" ")
        if scheme.lower() == "bearer":
            row = self._reloaded().get(digest(token.strip()))
            if row is None:
                raise Refused("unknown_token", "this token is not known here, or was revoked")
            if row.until_ms and _now_ms() >= row.until_ms:
                raise Refused("expired_token", "this token has expired: have a new one made")
            return Sender(row.name, "token")
        if certificate and (name := certificate_name(certificate)):
            return Sender(name, "certificate")
        if authorization:
            raise Refused("other_scheme", "authorization should be: Bearer and a token")
        raise Refused("no_credentials", "this endpoint asks who sends: give a token as authorization: Bearer …")

    @property
    def any_token(self) -> bool:
        """Whether there is a token that can be used."""
        return any(not row.until_ms or row.until_ms > _now_ms() for row in self._reloaded().values())

    def _reloaded(self) -> dict[str, Row]:
        try:
            status = self._path.stat()
        except FileNotFoundError:
            self._stamp, self._rows = None, {}
            return self._rows
        except OSError as error:
            raise KeyFileError(f"{self._path}: can't be read: {error.strerror}") from None
        stamp = (status.st_mtime_ns, status.st_ino, status.st_size, status.st_mode)
        if stamp != self._stamp:
            self._rows = {row.sha256: row for row in rows(self._path)}
            self._stamp = stamp
        return self._rows


def digest(token: str) -> str:
    """What the file keeps of a token. It has 256 random bits, so a plain hash can't be turned back."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def certificate_name(certificate: Mapping[str, Any]) -> str:
    """What a verified certificate, as `ssl` tells it, calls its holder: its first alternative name, or its subject."""
    for kind in ("URI", "DNS"):
        for given, name in certificate.get("subjectAltName", ()):
            if given == kind:
                return str(name)[:256]
    subject = {key: value for pairs in certificate.get("subject", ()) for key, value in pairs}
    return str(subject.get("commonName", ""))[:256]


def rows(path: Path) -> list[Row]:
    """The tokens in a file; none where there is no file."""
    if not path.exists():
        return []
    try:
        return [Row(**row) for row in orjson.loads(read_private(path))["senders"]]
    except (ValueError, KeyError, TypeError) as error:
        raise KeyFileError(f"{path}: can't be read as a file of tokens ({type(error).__name__})") from None


def new(path: Path, name: str, until_ms: int = 0) -> tuple[str, Row]:
    """Makes a token; it is told here, once."""
    if not NAME.fullmatch(name):
        raise SettingsError(f"a sender's name is 1 to 63 of a-z, 0-9, '.', '_', '-', not {name!r}")
    token = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    made = Row(name, secrets.token_hex(ID_CHARS // 2), digest(token), _now_ms(), until_ms)
    durable.make_folder(path.parent, 0o700)
    with durable.locked(path):
        _write(path, [*rows(path), made])
    return token, made


def revoke(path: Path, name: str) -> list[Row]:
    """Takes back the token with an id, or all of a name. Raises NotFound where there is none."""
    durable.make_folder(path.parent, 0o700)
    with durable.locked(path):
        before = rows(path)
        gone = [row for row in before if name in (row.id, row.name)]
        if not gone:
            raise NotFound(f"{name}: no token has that id or name; see: slmtrail token list")
        _write(path, [row for row in before if row not in gone])
    return gone


def _write(path: Path, kept: list[Row]) -> None:
    data = orjson.dumps({"senders": [asdict(row) for row in kept]}, option=orjson.OPT_INDENT_2)
    durable.write_file(path, data + b"\n", 0o600)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000

"""Files of bearer tokens, which keep only hashes: one row a token, with whose it is and what goes with it.

A file is read again when it changes, so that a token can be made or revoked while everything runs.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson

from slmtrail.core import durable
from slmtrail.core.errors import KeyFileError, NotFound, SettingsError
from slmtrail.core.frames import NAME
from slmtrail.core.keys import read_private

SECRET_BYTES = 32
ID_CHARS = 8


@dataclass(frozen=True, slots=True)
class Row:
    """A token, without what it is: whose, since when and until when (0: for good), and what it gives them."""

    name: str
    id: str
    sha256: str
    made_ms: int
    until_ms: int = 0
    grant: Mapping[str, Any] = field(default_factory=dict)

    @property
    def expired(self) -> bool:
        """Whether its time is over."""
        return bool(self.until_ms) and _now_ms() >= self.until_ms


class TokenFile:
    """One file. whose: what it calls their holders, and its list of rows. listing: the command that shows them."""

    def __init__(self, path: Path, whose: str, prefix: str, listing: str) -> None:
        self._path, self._whose, self._prefix, self._listing = path, whose, prefix, listing
        self._stamp: tuple[int, int, int, int] | None = None
        self._known: dict[str, Row] = {}

    def find(self, token: str) -> Row | None:
        """The row of a token. Raises KeyFileError where the file can't be used."""
        return self._reloaded().get(digest(token))

    @property
    def made(self) -> bool:
        """Whether there ever was a token: when the last is revoked there is a file without any."""
        return self._path.exists()

    @property
    def any(self) -> bool:
        """Whether there is a token that can be used."""
        return any(not row.expired for row in self._reloaded().values())

    def rows(self) -> list[Row]:
        """All tokens; none where there is no file."""
        if not self._path.exists():
            return []
        try:
            return [Row(**row) for row in orjson.loads(read_private(self._path))[self._whose]]
        except (ValueError, KeyError, TypeError) as error:
            raise KeyFileError(f"{self._path}: can't be read as a file of tokens ({type(error).__name__})") from None

    def new(self, name: str, until_ms: int = 0, grant: Mapping[str, Any] | None = None) -> tuple[str, Row]:
        """Makes a token; it is told here, once."""
        if not NAME.fullmatch(name):
            raise SettingsError(f"a name of {self._whose} is 1 to 63 of a-z, 0-9, '.', '_', '-', not {name!r}")
        token = self._prefix + secrets.token_urlsafe(SECRET_BYTES)
        made = Row(name, secrets.token_hex(ID_CHARS // 2), digest(token), _now_ms(), until_ms, grant or {})
        durable.make_folder(self._path.parent, 0o700)
        with durable.locked(self._path):
            self._write([*self.rows(), made])
        return token, made

    def revoke(self, name: str) -> list[Row]:
        """Takes back the token with an id, or all of a name. Raises NotFound where there is none."""
        durable.make_folder(self._path.parent, 0o700)
        with durable.locked(self._path):
            before = self.rows()
            gone = [row for row in before if name in (row.id, row.name)]
            if not gone:
                raise NotFound(f"{name}: no token has that id or name; see: {self._listing}")
            self._write([row for row in before if row not in gone])
        return gone

    def _reloaded(self) -> dict[str, Row]:
        try:
            status = self._path.stat()
        except FileNotFoundError:
            self._stamp, self._known = None, {}
            return self._known
        except OSError as error:
            raise KeyFileError(f"{self._path}: can't be read: {error.strerror}") from None
        stamp = (status.st_mtime_ns, status.st_ino, status.st_size, status.st_mode)
        if stamp != self._stamp:
            self._known = {row.sha256: row for row in self.rows()}
            self._stamp = stamp
        return self._known

    def _write(self, kept: list[Row]) -> None:
        listed = [{key: value for key, value in asdict(row).items() if key != "grant" or value} for row in kept]
        data = orjson.dumps({self._whose: listed}, option=orjson.OPT_INDENT_2)
        durable.write_file(self._path, data + b"\n", 0o600)


def digest(token: str) -> str:
    """What a file keeps of a token. It has 256 random bits, so a plain hash can't be turned back."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000

"""Which collector key is believed, and for which environment: the trust file.

JSON, one row a key: `{"collector", "key", "public", "environment"}`, and where they are set `from_ms` and `until_ms`,
between which its frames were closed, and `revoked_ms`: from then on nothing it signed is believed, of whatever time.
The stream reads the file again when it changes, so that a collector can be admitted or shut out while everything runs.
Without it nobody is believed. Rows are never taken out: who checks an old record finds its key here.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from slmtrail.core import durable
from slmtrail.core.errors import FrameError, KeyFileError
from slmtrail.core.frames import NAME, Frame
from slmtrail.core.keys import key_id, raw

ANY = "*"


@dataclass(frozen=True, slots=True)
class Trusted:
    """One row: a key, whose it is, and the environment it may speak for ("*": any, which its events then name)."""

    collector: str
    environment: str
    key: Ed25519PublicKey
    from_ms: int = 0
    until_ms: int = 0
    """0: without end."""
    revoked_ms: int = 0
    """0: it is not revoked."""

    def as_json(self) -> dict[str, Any]:
        """The row as it stands in the file."""
        row = {
            "collector": self.collector,
            "environment": self.environment,
            "key": key_id(self.key),
            "public": base64.b64encode(raw(self.key)).decode(),
        }
        times = {"from_ms": self.from_ms, "until_ms": self.until_ms, "revoked_ms": self.revoked_ms}
        return row | {name: moment for name, moment in times.items() if moment}

    def valid(self, moment_ms: int) -> bool:
        """Whether what it signed at that time is believed."""
        return not self.revoked_ms and self.from_ms <= moment_ms and (not self.until_ms or moment_ms <= self.until_ms)


class Trust:
    """The trust file in memory."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int, int] | None = None
        self._keys: dict[str, Trusted] = {}

    def check(self, frame: Frame) -> Trusted:
        """The row that vouches for `frame`.

        Raises FrameError unless it is signed by a key trusted for its collector and environment.
        """
        header = frame.header
        trusted = self._reloaded().get(header.key)
        if trusted is None or trusted.collector != header.collector:
            raise FrameError(f"{frame.where}: key {header.key} is not trusted for this collector", "unknown_key")
        if trusted.revoked_ms:
            raise FrameError(f"{frame.where}: key {header.key} is revoked", "revoked_key")
        if not trusted.valid(header.last_ms):
            raise FrameError(f"{frame.where}: was closed when key {header.key} was not valid", "outside_validity")
        if trusted.environment not in (header.environment, ANY):
            raise FrameError(
                f"{frame.where}: its key speaks for {trusted.environment}, not {header.environment}",
                "wrong_environment",
            )
        frame.verify(trusted.key)
        return trusted

    def row(self, key: str) -> Trusted | None:
        """The row of a key, by its id; None where it is revoked."""
        row = self._reloaded().get(key)
        return row if row and not row.revoked_ms else None

    def _reloaded(self) -> dict[str, Trusted]:
        try:
            status = self._path.stat()
        except FileNotFoundError:
            self._stamp, self._keys = None, {}
            return self._keys
        except OSError as error:
            raise KeyFileError(f"{self._path}: can't be read as a trust file ({type(error).__name__})") from None
        stamp = (status.st_mtime_ns, status.st_ino, status.st_size)
        if stamp != self._stamp:
            self._keys = {key_id(row.key): row for row in _load(self._path)}
            self._stamp = stamp
        return self._keys


def admit(
    path: Path,
    collector: str,
    environment: str,
    key: Ed25519PublicKey,
    *,
    only_new_names: bool = False,
    from_ms: int = 0,
) -> None:
    """Adds a key to the trust file, unless it is there. `only_new_names`: not for a collector that has a key."""
    if not NAME.fullmatch(collector):
        raise KeyFileError(f"a collector's name is 1 to 63 of a-z, 0-9, '.', '_', '-', not {collector!r}")
    with _changing(path) as rows:
        same = [row for row in rows if key_id(row.key) == key_id(key)]
        if same and (same[0].collector, same[0].environment) == (collector, environment):
            return
        if same:
            raise KeyFileError(f"{path}: this key already speaks for {same[0].collector} in {same[0].environment}")
        if only_new_names and any(row.collector == collector for row in rows):
            raise KeyFileError(f"{path}: a collector named {collector} has another key; enrol under another name")
        rows.append(Trusted(collector, environment, key, from_ms))


def end(path: Path, key: str, until_ms: int) -> Trusted:
    """Ends the validity of a key, by its id: frames closed later are not believed. Returns its row."""
    return _change(path, key, lambda row: replace(row, until_ms=until_ms))


def revoke(path: Path, key: str, at_ms: int) -> Trusted:
    """Revokes a key, by its id: nothing it signed is taken from now on. Returns its row."""
    return _change(path, key, lambda row: replace(row, revoked_ms=at_ms))


def rows(path: Path) -> list[dict[str, Any]]:
    """The rows of the trust file, as they stand in it."""
    return [row.as_json() for row in _load(path)] if path.exists() else []


def _change(path: Path, key: str, change: Callable[[Trusted], Trusted]) -> Trusted:
    with _changing(path) as rows:
        for place, row in enumerate(rows):
            if key_id(row.key) == key:
                rows[place] = change(row)
                return rows[place]
    raise KeyFileError(f"{path}: there is no key {key}; slmtrail keys list shows them")


@contextmanager
def _changing(path: Path) -> Iterator[list[Trusted]]:
    """The rows, to be changed; the file is written where they were."""
    durable.make_folder(path.parent, 0o700)
    with durable.locked(path):
        rows = _load(path) if path.exists() else []
        before = list(rows)
        yield rows
        if rows != before:
            data = {"collectors": [row.as_json() for row in rows]}
            durable.write_file(path, orjson.dumps(data, option=orjson.OPT_INDENT_2) + b"\n")


def _load(path: Path) -> list[Trusted]:
    try:
        return [
            Trusted(
                row["collector"],
                row["environment"],
                Ed25519PublicKey.from_public_bytes(base64.b64decode(row["public"], validate=True)),
                *[_moment(row, name) for name in ("from_ms", "until_ms", "revoked_ms")],
            )
            for row in orjson.loads(path.read_bytes())["collectors"]
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise KeyFileError(f"{path}: can't be read as a trust file ({type(error).__name__})") from None


def _moment(row: dict[str, Any], name: str) -> int:
    moment = row.get(name, 0)
    if type(moment) is not int or moment < 0:
        raise ValueError(f"{name} is no time")
    return moment

"""Persons who were erased: what lies in frames from before must not come back by a replay."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, suppress

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from slmtrail.app import parts
from slmtrail.core import certificate, events, keys
from slmtrail.core.certificate import Certificate
from slmtrail.core.errors import ControlError, EventError
from slmtrail.core.frames import Frame
from slmtrail.core.ports import Store
from slmtrail.core.settings import Settings
from slmtrail.core.stream_keys import StreamKeys
from slmtrail.indexer.store.columns import USERS
from slmtrail.stream.redact.operators import KeyedHash


class Forgotten:
    """The persons of all erasures, by the keyed hashes that certificates name them by. Where there is any, the keys of
    the stream are needed, to see whose the events of a frame are."""

    def __init__(self, settings: Settings) -> None:
        authorities = parts.authorities(settings)
        with closing(parts.open_store(settings)) as store:
            told = [one for one in _certificates(store, authorities) if one.action == "erased"]
        self._until_ms: dict[str, int] = {}
        for one in told:
            self._until_ms[one.subject] = max(one.at_ms, self._until_ms.get(one.subject, 0))
        if told:
            self._opens = StreamKeys(settings.keys / "stream.pem")
            self._hash = KeyedHash(keys.secret(settings.keys / "pseudonym.key"), parts.PSEUDONYM_EPOCH)

    def events_of(self, frame: Frame) -> list[int]:
        """Which events of a frame are of a person who was erased after it was closed. Raises FrameError where it can't
        be opened, and nobody can tell."""
        if all(until_ms < frame.header.last_ms for until_ms in self._until_ms.values()):
            return []
        _, lines = frame.open(self._opens.get(frame.header.recipient, self._opens.newest))
        return [index for index, line in enumerate(lines, 1) if self._is_of_one(line, frame.header.last_ms)]

    def _is_of_one(self, line: bytes, at_ms: int) -> bool:
        try:
            event = events.parse(line, at_ms, framed=True)
        except EventError:
            return True  # what can't be read is nobody's to let in
        named = [event[name] for name in USERS if name in event]
        hashes = [self._hash.text(name) for name in named]
        # Who was erased by a hash is named by the hash of that; who was erased by no name could be anybody.
        spellings = [*hashes, *map(self._hash.text, hashes), ""]
        return any(self._until_ms.get(spelling, -1) >= at_ms for spelling in spellings)


def _certificates(store: Store, authorities: Mapping[str, Ed25519PublicKey]) -> Iterator[Certificate]:
    for ledger in store.ledgers():
        for sealed in store.certificates(ledger):
            with suppress(ControlError):  # verification names it
                yield certificate.read(sealed.record, authorities)

"""Frames: turns lines of events into the next frames of this boot's chain."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from slmtrail.collectors.missing import Missing
from slmtrail.core import frames
from slmtrail.core.commitment import SEED_BYTES
from slmtrail.core.frames import FIRST_PREVIOUS, Frame, FrameKind
from slmtrail.core.keys import key_id


@dataclass(frozen=True, slots=True)
class Identity:
    """Who this collector is and whom it writes to."""

    collector: str
    environment: str
    key: Ed25519PrivateKey
    recipient: X25519PublicKey


class Framer:
    """The chain of one boot. Frames count only once they are committed: `next` may be called again until then."""

    def __init__(self, identity: Identity, boot: str, prior_boot: str) -> None:
        self.boot = boot
        self._identity = identity
        self._prior_boot = prior_boot
        self._sequence = 0
        self._previous = FIRST_PREVIOUS

    def seal_to(self, recipient: X25519PublicKey) -> None:
        """Frames are encrypted to this key from now on."""
        self._identity = replace(self._identity, recipient=recipient)

    def next(
        self, kind: FrameKind, batches: list[list[bytes]], missing: Missing, first_ms: int, last_ms: int
    ) -> list[Frame]:
        """The frames that follow the last committed one, one for each batch of lines; the first signs for `missing`."""
        who = self._identity
        made: list[Frame] = []
        for number, lines in enumerate(batches):
            sequence = self._sequence + number
            header = {
                "collector": who.collector,
                "key": key_id(who.key.public_key()),
                "boot": self.boot,
                "sequence": sequence,
                "previous": made[-1].digest if made else self._previous,
                "kind": kind,
                "dropped": 0 if made else missing.dropped,
                "sampled_out": 0 if made else missing.sampled_out,
                "environment": who.environment,
                "first_ms": first_ms,
                "last_ms": last_ms,
                "recipient": key_id(who.recipient),
                "prior_boot": "" if sequence else self._prior_boot,
            }
            made.append(frames.seal(header, secrets.token_bytes(SEED_BYTES), lines, who.key, who.recipient))
        return made

    def committed(self, last: Frame) -> None:
        """The frames up to `last` are on disk: the chain goes on behind it."""
        self._sequence = last.header.sequence + 1
        self._previous = last.digest

"""Makes vectors.json: whole frames, and the keys with which to check, open and take them apart.

Encryption is randomised, so the frames differ with every run: run this only when the format changes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from slmtrail.core import frames
from slmtrail.core.frames import Frame
from slmtrail.core.keys import key_id, raw


def main() -> None:
    signing = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    opening = X25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
    seed = bytes(range(64, 96))
    header: dict[str, Any] = {
        "collector": "edge-1",
        "key": key_id(signing.public_key()),
        "boot": "0123456789abcdef" * 2,
        "dropped": 0,
        "sampled_out": 0,
        "environment": "prod",
        "recipient": key_id(opening.public_key()),
    }

    def seal(sequence: int, previous: str, kind: str, lines: list[bytes], **more: Any) -> Frame:
        moment = {"first_ms": 1_760_000_000_000 + sequence, "last_ms": 1_760_000_000_100 + sequence}
        place = {"sequence": sequence, "previous": previous, "kind": kind}
        return frames.seal(header | moment | place | more, seed, lines, signing, opening.public_key())

    lines = [b'{"slm.kind":"auth"}', '{"message":"h\u00e9"}'.encode()]
    started = seal(0, frames.FIRST_PREVIOUS, "heartbeat", [], prior_boot="fedcba9876543210" * 2)
    events = seal(1, started.digest, "events", lines, dropped=3)
    closed = seal(2, events.digest, "close", [])
    vectors = {
        "signing_public": raw(signing.public_key()).hex(),
        "signing_key_id": key_id(signing.public_key()),
        "opening_private": opening.private_bytes_raw().hex(),
        "opening_key_id": key_id(opening.public_key()),
        "frames": [
            {
                "about": about,
                "frame": frames.to_bytes(frame).hex(),
                "header": json.loads(frame.header_bytes),
                "digest": frame.digest,
                "seed": seed.hex() if frame.header.events else "",
                "lines": [line.decode() for line in made],
            }
            for about, frame, made in [
                ("a start", started, []),
                ("two events, and three that were dropped", events, lines),
                ("a close", closed, []),
            ]
        ],
    }
    text = json.dumps(vectors, indent=1) + "\n"
    Path(__file__).with_name("vectors.json").write_text(text)


if __name__ == "__main__":
    main()

"""What a relayed collector and its gateway say to each other; docs/spool.md tells it to people.

A request is signed with the collector's key, over its method, path and body. Frames travel each behind its length, so
that one which was damaged on the way to here is passed on too: the stream says what is wrong with it.
"""

from __future__ import annotations

import base64
import hashlib
import re
import struct
from collections.abc import Iterable

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from slmtrail.core.errors import FrameError
from slmtrail.core.frames import MAX_FRAME_BYTES, SHIP_WINDOW_FRAMES
from slmtrail.core.keys import key_id
from slmtrail.core.trust import Trust, Trusted

FRAMES_PATH = "/v1/frames"
CONTROL_PATH = "/v1/control"
CURSOR_HEADER = "slm-cursor"
"""Says up to where decisions are known: the gateway's word, given back to it."""

HOLD_S = 4.0
"""How long a gateway holds the question for decisions when there are none yet."""

MAX_REQUEST_BYTES = 2 * MAX_FRAME_BYTES + 64 * SHIP_WINDOW_FRAMES

_SIGNED = b"slmtrail relay v1\n"
_AUTHORIZATION = re.compile(r"slm-collector ([0-9a-f]{16})\.([A-Za-z0-9+/]{86}==)")
_LENGTH = struct.Struct(">I")


def authorization(key: Ed25519PrivateKey, method: str, path: str, body: bytes = b"") -> str:
    """The field that says, and proves, who sends a request."""
    signature = base64.b64encode(key.sign(_message(method, path, body))).decode()
    return f"slm-collector {key_id(key.public_key())}.{signature}"


def sender(trust: Trust, given: str, method: str, path: str, body: bytes = b"") -> Trusted | None:
    """The collector that signed a request; None where it is not known, or did not."""
    match = _AUTHORIZATION.fullmatch(given)
    trusted = trust.row(match[1]) if match else None
    if match is None or trusted is None:
        return None
    try:
        trusted.key.verify(base64.b64decode(match[2]), _message(method, path, body))
    except InvalidSignature:
        return None
    return trusted


def packed(frames: Iterable[bytes]) -> bytes:
    """Frames as the body of a request."""
    return b"".join(part for frame in frames for part in (_LENGTH.pack(len(frame)), frame))


def unpacked(body: bytes) -> list[bytes]:
    """The frames in a body. Raises FrameError where it is not one."""
    found, at = [], 0
    while at < len(body):
        start = at + _LENGTH.size
        if start > len(body):
            raise FrameError("the body ends inside a length", "truncated")
        at = start + _LENGTH.unpack_from(body, start - _LENGTH.size)[0]
        if at > len(body):
            raise FrameError("the body ends inside a frame", "truncated")
        found.append(body[start:at])
    return found


def _message(method: str, path: str, body: bytes) -> bytes:
    return _SIGNED + f"{method} {path}\n".encode() + hashlib.sha256(body).digest()

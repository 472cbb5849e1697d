"""The frame: a signed, encrypted batch of events from one collector. The format is specified in docs/frames.md.

A frame can be lost, repeated or reordered by what carries it, never altered: the header is signed, names
the frame before it, and holds the digest of the body.
"""

from __future__ import annotations

import hashlib
import mmap
import re
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import orjson
import zstandard
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from slmtrail.core.commitment import SEED_BYTES
from slmtrail.core.errors import FrameError
from slmtrail.core.keys import Signer

MAGIC = b"SLMF"
VERSION = 1
ZSTD_LEVEL = 1
MAX_HEADER_BYTES = 4096
MAX_FRAME_BYTES = 8 * 1024 * 1024
MAX_BODY_PLAIN_BYTES = 64 * 1024 * 1024
SHIP_WINDOW_FRAMES = 64
"""Most frames a collector has under way at once: what comes again from further back is a replay."""

FIRST_PREVIOUS = "0" * 64
NAME = re.compile(r"[a-z0-9][a-z0-9._\-]{0,62}")
"""What a collector may be called."""

FrameKind = Literal["events", "heartbeat", "close"]

_PREFIX = struct.Struct(">4sBH")
PREFIX_BYTES = _PREFIX.size
"""What stands before the header."""

_SIGNATURE_BYTES = 64
_SIGNED = b"slmtrail frame v1\n"
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_HEX = re.compile(r"[0-9a-f]*")
_of_thread = threading.local()


@dataclass(frozen=True, slots=True)
class Header:
    """What a frame says in clear, under the collector's signature."""

    collector: str
    key: str
    boot: str
    sequence: int
    previous: str
    kind: FrameKind
    events: int
    dropped: int
    sampled_out: int
    environment: str
    first_ms: int
    last_ms: int
    recipient: str
    body_bytes: int
    body_sha256: str
    prior_boot: str = ""
    """In frame 0 only: the boot before this one on the same spool, "" where there is none."""

    def encode(self) -> bytes:
        """The canonical bytes that are signed."""
        return orjson.dumps({name: getattr(self, name) for name in _FIELDS}, option=orjson.OPT_SORT_KEYS)


_FIELDS = tuple(Header.__dataclass_fields__)
_INTEGERS = frozenset(name for name, field in Header.__dataclass_fields__.items() if field.type == "int")
_HEX_LENGTHS = {"key": 16, "boot": 32, "previous": 64, "recipient": 16, "body_sha256": 64, "prior_boot": 32}


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame taken apart, not yet believed: `verify` it before anything in it is used."""

    header: Header
    header_bytes: bytes
    signature: bytes
    body: bytes

    @property
    def digest(self) -> str:
        """What the next frame names as its `previous`."""
        return hashlib.sha256(self.header_bytes).hexdigest()

    def verify(self, key: Ed25519PublicKey) -> None:
        """Raises FrameError where the signature is not of `key` or the body is not the signed one."""
        try:
            key.verify(self.signature, _SIGNED + self.header_bytes)
        except InvalidSignature:
            raise FrameError(f"{self.where}: the signature does not fit the collector's key", "forged") from None
        if len(self.body) != self.header.body_bytes or _sha256(self.body) != self.header.body_sha256:
            raise FrameError(f"{self.where}: the body is not the one that was signed", "damaged_body")

    def open(self, key: X25519PrivateKey) -> tuple[bytes, list[bytes]]:
        """The frame's seed and its events, each as JSON text. Raises FrameError, never a partial answer."""
        if self.header.kind != "events":
            return b"", []
        try:
            packed = _SUITE.decrypt(self.body, key, info=_info(self.header))
        except (InvalidTag, ValueError):
            raise FrameError(f"{self.where}: is not encrypted to this stream's key", "undecryptable") from None
        plain = _decompress(packed, self.where)
        seed, text = plain[:SEED_BYTES], plain[SEED_BYTES:]
        lines = text.split(b"\n") if text else []
        if len(seed) != SEED_BYTES or len(lines) != self.header.events:
            raise FrameError(
                f"{self.where}: holds {len(lines)} events, its header says {self.header.events}", "miscounted"
            )
        return seed, lines

    @property
    def where(self) -> str:
        """The frame's identity, for errors."""
        return f"frame {self.header.collector}/{self.header.boot}/{self.header.sequence}"


def seal(header: dict[str, Any], seed: bytes, lines: list[bytes], key: Signer, to: X25519PublicKey) -> Frame:
    """A frame of `lines` (one event's JSON each, without newlines); `header` lacks only what the body decides."""
    draft = Header(**header, events=len(lines), body_bytes=0, body_sha256="")
    body = b""
    if draft.kind == "events":
        # The seed goes before the first line: to put it before all of them would copy them once more.
        text = b"\n".join((seed + lines[0], *lines[1:])) if lines else seed
        packed = _compressor().compress(text)
        body = _SUITE.encrypt(packed, to, info=_info(draft))
    whole = Header(**header, events=len(lines), body_bytes=len(body), body_sha256=_sha256(body))
    encoded = whole.encode()
    return Frame(whole, encoded, key.sign(_SIGNED + encoded), body)


def _compressor() -> zstandard.ZstdCompressor:
    """One for each thread, since making one takes as long as a tenth of a frame."""
    try:
        made: zstandard.ZstdCompressor = _of_thread.compressor
    except AttributeError:
        made = _of_thread.compressor = zstandard.ZstdCompressor(level=ZSTD_LEVEL)
    return made


def to_bytes(frame: Frame) -> bytes:
    """The frame as it is spooled and sent."""
    prefix = _PREFIX.pack(MAGIC, VERSION, len(frame.header_bytes))
    return prefix + frame.header_bytes + frame.signature + frame.body


def from_bytes(data: bytes) -> Frame:
    """The frame in `data`. Raises FrameError where it is not one; says nothing about who made it."""
    if len(data) > MAX_FRAME_BYTES:
        raise FrameError(f"a frame of {len(data)} bytes is over {MAX_FRAME_BYTES}", "oversized")
    header_bytes = _header_bytes(data, _SIGNATURE_BYTES)
    header = _header(header_bytes)
    body_at = PREFIX_BYTES + len(header_bytes) + _SIGNATURE_BYTES
    if len(data) - body_at != header.body_bytes:
        raise FrameError(f"has {len(data) - body_at} body bytes, its header says {header.body_bytes}", "truncated")
    return Frame(header, header_bytes, data[body_at - _SIGNATURE_BYTES : body_at], data[body_at:])


def header_of(data: bytes) -> Header:
    """The header of the frame that begins `data`. Raises FrameError where it is none."""
    return _header(_header_bytes(data))


def _header_bytes(data: bytes, behind_bytes: int = 0) -> bytes:
    if len(data) < PREFIX_BYTES:
        raise FrameError(f"{len(data)} bytes are too few for a frame", "truncated")
    magic, version, header_length = _PREFIX.unpack_from(data)
    if magic != MAGIC:
        raise FrameError("does not begin with SLMF: not a frame", "not_a_frame")
    if version != VERSION:
        raise FrameError(f"frame version {version} is not known here: upgrade the stream", "unknown_version")
    end = PREFIX_BYTES + header_length
    if header_length > MAX_HEADER_BYTES or len(data) < end + behind_bytes:
        raise FrameError("ends inside its header", "truncated")
    return data[PREFIX_BYTES:end]


def split(data: bytes | mmap.mmap) -> Iterator[bytes]:
    """The frames that stand one after another in `data`, unread. Raises FrameError where one does not end."""
    at = 0
    while at < len(data):
        head = data[at : at + PREFIX_BYTES + MAX_HEADER_BYTES]
        end = at + PREFIX_BYTES + len(_header_bytes(head)) + _SIGNATURE_BYTES + header_of(head).body_bytes
        if end > len(data):
            raise FrameError(f"the frame at byte {at} is cut off", "truncated")
        yield data[at:end]
        at = end


def _header(data: bytes) -> Header:
    try:
        given = orjson.loads(data)
    except orjson.JSONDecodeError:
        given = None
    if not isinstance(given, dict) or set(given) != set(_FIELDS):
        raise FrameError("the header is not a frame header", "bad_header")
    for name, value in given.items():
        if name in _INTEGERS:
            if type(value) is not int or not 0 <= value < 2**53:
                raise FrameError(f"the header's {name} is not a count", "bad_header")
        elif not isinstance(value, str) or len(value) > 256:
            raise FrameError(f"the header's {name} is not a short text", "bad_header")
    for name, length in _HEX_LENGTHS.items():
        if name == "prior_boot" and given[name] == "":
            continue
        if len(given[name]) != length or not _HEX.fullmatch(given[name]):
            raise FrameError(f"the header's {name} is not {length} hex digits", "bad_header")
    if given["kind"] not in ("events", "heartbeat", "close"):
        raise FrameError("the header's kind is not known", "bad_header")
    for name in ("collector", "environment"):
        if not NAME.fullmatch(given[name]):
            raise FrameError(f"the header's {name} is not a name", "bad_header")
    if given["kind"] != "events" and (given["events"] or given["body_bytes"]):
        raise FrameError(f"a {given['kind']} frame holds no events", "bad_header")
    header = Header(**given)
    if header.encode() != data:
        raise FrameError("the header is not in its canonical form", "bad_header")
    return header


def _decompress(packed: bytes, where: str) -> bytes:
    """Bounded twice: by the size the data claims, then by what really comes out."""
    try:
        claimed = zstandard.frame_content_size(packed)
        if claimed > MAX_BODY_PLAIN_BYTES:
            raise FrameError(f"{where}: would expand to {claimed} bytes, over {MAX_BODY_PLAIN_BYTES}", "oversized")
        if claimed < 0:
            raise FrameError(f"{where}: does not say how large it is when expanded", "damaged_body")
        return zstandard.ZstdDecompressor(max_window_size=1 << 27).decompress(packed)
    except zstandard.ZstdError:
        raise FrameError(f"{where}: the compressed events are damaged", "damaged_body") from None


def _info(header: Header) -> bytes:
    """Binds a body to its place, so that nobody can sign another collector's body as their own."""
    return f"slmtrail frame v1\n{header.collector}\n{header.boot}\n{header.sequence}".encode()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()

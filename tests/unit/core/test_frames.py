"""The frame format: what it carries arrives, and what was touched, forged or made up is refused."""

from __future__ import annotations

import functools
import hashlib
import json
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
import rfc8785
import zstandard
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from hypothesis import given, settings
from hypothesis import strategies as st

from slmtrail.core import frames
from slmtrail.core.errors import FrameError
from slmtrail.core.frames import Frame

VECTORS = json.loads((Path(__file__).parents[2] / "data/frames/vectors.json").read_text())
Seal = Callable[..., Frame]
LINES = [b'{"a":1}', b'{"b":2}', b'{"c":"\xc3\xa9"}']
HEADER_AT = 7

event_lines = st.lists(st.binary(min_size=1, max_size=200).filter(lambda line: b"\n" not in line), max_size=20)


@given(event_lines, st.binary(min_size=32, max_size=32))
def test_what_is_sealed_is_what_is_opened(
    seal: Seal, collector_key: Ed25519PrivateKey, stream_key: X25519PrivateKey, lines: list[bytes], seed: bytes
) -> None:
    sent = seal(lines, seed=seed)
    received = frames.from_bytes(frames.to_bytes(sent))
    assert received == sent
    received.verify(collector_key.public_key())
    assert received.open(stream_key) == (seed, lines)
    assert received.header.events == len(lines)


@pytest.mark.parametrize("vector", VECTORS["frames"], ids=lambda vector: vector["about"])
def test_known_frames(vector: dict[str, Any]) -> None:
    frame = frames.from_bytes(bytes.fromhex(vector["frame"]))
    frame.verify(Ed25519PublicKey.from_public_bytes(bytes.fromhex(VECTORS["signing_public"])))
    seed, lines = frame.open(X25519PrivateKey.from_private_bytes(bytes.fromhex(VECTORS["opening_private"])))
    assert json.loads(frame.header_bytes) == vector["header"]
    assert (frame.digest, seed.hex()) == (vector["digest"], vector["seed"])
    assert [line.decode() for line in lines] == vector["lines"]


@pytest.mark.parametrize("vector", VECTORS["frames"], ids=lambda vector: vector["about"])
def test_known_frames_are_read_by_a_second_implementation(vector: dict[str, Any]) -> None:
    data = bytes.fromhex(vector["frame"])
    magic, version, length = struct.unpack(">4sBH", data[:7])
    header_bytes, signature, body = data[7 : 7 + length], data[7 + length : 71 + length], data[71 + length :]
    assert (magic, version) == (b"SLMF", 1)
    header = json.loads(header_bytes)
    assert rfc8785.dumps(header) == header_bytes
    Ed25519PublicKey.from_public_bytes(bytes.fromhex(VECTORS["signing_public"])).verify(
        signature, b"slmtrail frame v1\n" + header_bytes
    )
    assert header["body_sha256"] == hashlib.sha256(body).hexdigest()
    assert header["key"] == hashlib.sha256(bytes.fromhex(VECTORS["signing_public"])).hexdigest()[:16]
    if not header["events"]:
        assert body == b""
        return
    key = X25519PrivateKey.from_private_bytes(bytes.fromhex(VECTORS["opening_private"]))
    info = "slmtrail frame v1\n{collector}\n{boot}\n{sequence}".format(**header).encode()
    packed = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM).decrypt(body, key, info=info)
    plain = zstandard.decompress(packed)
    assert plain[:32].hex() == vector["seed"]
    assert plain[32:].decode().split("\n") == vector["lines"]


def _believed(data: bytes, key: Ed25519PublicKey) -> Frame | None:
    """The frame, if the stream would take it; anything but FrameError fails the test."""
    try:
        frame = frames.from_bytes(data)
        frame.verify(key)
    except FrameError as error:
        assert error.reason
        return None
    return frame


def test_every_flipped_bit_is_noticed(seal: Seal, collector_key: Ed25519PrivateKey) -> None:
    data = frames.to_bytes(seal(LINES))
    key = collector_key.public_key()
    assert _believed(data, key)
    for at in range(len(data)):
        for bit in range(8):
            flipped = bytearray(data)
            flipped[at] ^= 1 << bit
            assert _believed(bytes(flipped), key) is None, (at, bit)


def test_every_cut_and_every_addition_is_noticed(seal: Seal, collector_key: Ed25519PrivateKey) -> None:
    for frame in (seal(LINES), seal([], kind="heartbeat")):
        data = frames.to_bytes(frame)
        for length in range(len(data)):
            assert _believed(data[:length], collector_key.public_key()) is None, length
            assert _believed(data[-length:] if length else b"", collector_key.public_key()) is None, length
        assert _believed(data + b"\0", collector_key.public_key()) is None


@given(st.binary(max_size=400), st.booleans())
def test_noise_is_refused(noise: bytes, begins_well: bool) -> None:
    if begins_well:
        noise = b"SLMF\x01" + noise
    with pytest.raises(FrameError):
        frames.from_bytes(noise)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=4,
)


def _with_header(frame: Frame, header: bytes, key: Ed25519PrivateKey) -> bytes:
    """A frame with another header, signed as it should be: what a hostile collector can send."""
    signature = key.sign(b"slmtrail frame v1\n" + header)
    return struct.pack(">4sBH", b"SLMF", 1, len(header)) + header + signature + frame.body


@given(name=st.sampled_from(sorted(frames.Header.__dataclass_fields__)), value=json_values)
def test_a_hostile_header_is_refused_or_harmless(
    seal: Seal, collector_key: Ed25519PrivateKey, stream_key: X25519PrivateKey, name: str, value: Any
) -> None:
    frame = seal(LINES)
    header = json.dumps(json.loads(frame.header_bytes) | {name: value}, sort_keys=True, separators=(",", ":")).encode()
    taken = _believed(_with_header(frame, header, collector_key), collector_key.public_key())
    if taken:
        assert taken.header_bytes == header
        try:
            taken.open(stream_key)
        except FrameError as error:
            assert error.reason in ("undecryptable", "miscounted")


def _header_of(frame: Frame) -> dict[str, Any]:
    header: dict[str, Any] = json.loads(frame.header_bytes)
    return header


@pytest.mark.parametrize(
    "change",
    [
        {"sequence": -1},
        {"sequence": 2**53},
        {"sequence": 1.0},
        {"sequence": True},
        {"sequence": "1"},
        {"sequence": 10**400},
        {"last_ms": None},
        {"collector": "../../etc"},
        {"collector": "a\nb"},
        {"collector": ""},
        {"collector": "x" * 64},
        {"environment": "prod\nforged log line"},
        {"environment": ""},
        {"environment": "x" * 300},
        {"boot": "AB" * 16},
        {"boot": "ab" * 15},
        {"previous": "é" * 64},
        {"prior_boot": "not a boot"},
        {"kind": "other"},
        {"kind": "heartbeat"},
        {"kind": ["events"]},
        {"extra": 1},
        {"key": "0" * 15 + "٣"},
    ],
    ids=str,
)
def test_a_header_that_breaks_the_format_is_refused_though_signed(
    seal: Seal, collector_key: Ed25519PrivateKey, change: dict[str, Any]
) -> None:
    frame = seal(LINES)
    header = json.dumps(_header_of(frame) | change, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    with pytest.raises(FrameError) as caught:
        frames.from_bytes(_with_header(frame, header.encode(), collector_key))
    assert caught.value.reason == "bad_header"
    assert "forged log line" not in str(caught.value)


def test_a_heartbeat_that_claims_events_is_refused(seal: Seal, collector_key: Ed25519PrivateKey) -> None:
    frame = seal([], kind="heartbeat")
    header = rfc8785.dumps(_header_of(frame) | {"events": 5})
    with pytest.raises(FrameError, match="holds no events"):
        frames.from_bytes(_with_header(frame, header, collector_key))


def test_a_header_has_one_spelling(seal: Seal, collector_key: Ed25519PrivateKey) -> None:
    frame = seal(LINES)
    header = frame.header_bytes
    spellings = [
        header + b" ",
        header.replace(b'":', b'": ', 1),
        header.replace(b'{"body_bytes"', b'{"sequence":7,"body_bytes"'),
        header.replace(b'"edge-1"', b'"edg\\u0065-1"'),
        header.replace(b'"dropped":0', b'"dropped":-0'),
        header.replace(b'"dropped":0', b'"dropped":0.0'),
        orjson.dumps(dict(reversed(_header_of(frame).items()))),
        b"[" * 2000 + b"]" * 2000,
        b"{}",
        b"[]",
        b"",
        b"\xff",
    ]
    for other in spellings:
        assert other != header
        with pytest.raises(FrameError) as caught:
            frames.from_bytes(_with_header(frame, other, collector_key))
        assert caught.value.reason == "bad_header"


@pytest.mark.parametrize("missing", sorted(frames.Header.__dataclass_fields__))
def test_a_header_without_one_of_its_fields_is_refused(
    seal: Seal, collector_key: Ed25519PrivateKey, missing: str
) -> None:
    frame = seal(LINES)
    header = _header_of(frame)
    del header[missing]
    with pytest.raises(FrameError, match="not a frame header"):
        frames.from_bytes(_with_header(frame, rfc8785.dumps(header), collector_key))


def test_another_key_is_a_forgery(seal: Seal) -> None:
    with pytest.raises(FrameError) as caught:
        seal(LINES).verify(Ed25519PrivateKey.generate().public_key())
    assert caught.value.reason == "forged"


def test_another_stream_can_not_open_it(seal: Seal) -> None:
    with pytest.raises(FrameError) as caught:
        seal(LINES).open(X25519PrivateKey.generate())
    assert caught.value.reason == "undecryptable"


@pytest.mark.parametrize("place", [{"collector": "edge-2"}, {"boot": "ef" * 16}, {"sequence": 8}], ids=str)
def test_a_body_opens_only_in_its_own_place(
    seal: Seal, collector_key: Ed25519PrivateKey, stream_key: X25519PrivateKey, place: dict[str, Any]
) -> None:
    frame = seal(LINES)
    header = rfc8785.dumps(_header_of(frame) | place)
    stolen = frames.from_bytes(_with_header(frame, header, collector_key))
    stolen.verify(collector_key.public_key())
    with pytest.raises(FrameError) as caught:
        stolen.open(stream_key)
    assert caught.value.reason == "undecryptable"


def test_a_swapped_body_is_noticed_before_it_is_opened(seal: Seal, collector_key: Ed25519PrivateKey) -> None:
    one, other = seal(LINES), seal(LINES)
    assert one.body != other.body
    swapped = Frame(one.header, one.header_bytes, one.signature, other.body)
    with pytest.raises(FrameError) as caught:
        swapped.verify(collector_key.public_key())
    assert caught.value.reason == "damaged_body"


def _frame_around(
    packed: bytes, seal: Seal, key: Ed25519PrivateKey, stream_key: X25519PrivateKey, events: int = 1
) -> Frame:
    """A well signed frame whose compressed text is `packed`."""
    draft = seal(LINES)
    info = f"slmtrail frame v1\n{draft.header.collector}\n{draft.header.boot}\n{draft.header.sequence}".encode()
    suite = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
    body = suite.encrypt(packed, stream_key.public_key(), info=info)
    sized = {"events": events, "body_bytes": len(body), "body_sha256": hashlib.sha256(body).hexdigest()}
    header = rfc8785.dumps(_header_of(draft) | sized)
    frame = frames.from_bytes(_with_header(Frame(draft.header, header, b"", body), header, key))
    frame.verify(key.public_key())
    return frame


@functools.cache
def _bombs() -> dict[str, bytes]:
    megabyte = bytes(1024 * 1024)
    streaming = zstandard.ZstdCompressor(level=1, write_content_size=False).compressobj()
    unsized = b"".join(streaming.compress(megabyte) for _ in range(200)) + streaming.flush()
    sized = zstandard.ZstdCompressor(level=1).compressobj(size=200 * len(megabyte))
    honest = b"".join(sized.compress(megabyte) for _ in range(200)) + sized.flush()
    small = zstandard.ZstdCompressor(level=1).compress(bytes(60_000))
    size_at = 5 if small[4] & 0x20 else 6
    return {
        "says 200 MB": honest,
        "does not say": unsized,
        "cut": small[:-3],
        "claims more": small[:size_at] + bytes([small[size_at] ^ 0x01]) + small[size_at + 1 :],
        "empty": b"",
        "noise": b"\x28\xb5\x2f\xfd" + bytes(range(64)),
        "skippable": struct.pack("<II", 0x184D2A50, 4) + b"abcd",
        "no seed": zstandard.compress(b"short"),
        "no events": zstandard.compress(bytes(32)),
        "too many": zstandard.compress(bytes(32) + b"\n" * 100_000),
    }


@pytest.mark.parametrize("bomb", _bombs())
def test_a_bomb_goes_off_in_nobodys_memory(
    seal: Seal, collector_key: Ed25519PrivateKey, stream_key: X25519PrivateKey, bomb: str
) -> None:
    frame = _frame_around(_bombs()[bomb], seal, collector_key, stream_key)
    tracemalloc.start()
    try:
        with pytest.raises(FrameError) as caught:
            frame.open(stream_key)
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert caught.value.reason in ("oversized", "damaged_body", "miscounted")
    assert peak_bytes < 2 * frames.MAX_BODY_PLAIN_BYTES


@settings(max_examples=60)
@given(st.binary(max_size=100), st.booleans())
def test_whatever_a_trusted_collector_packs_only_frame_error_comes_of_it(
    seal: Seal, collector_key: Ed25519PrivateKey, stream_key: X25519PrivateKey, noise: bytes, compressed: bool
) -> None:
    packed = zstandard.compress(noise) if compressed else b"\x28\xb5\x2f\xfd" + noise
    frame = _frame_around(packed, seal, collector_key, stream_key)
    try:
        seed, lines = frame.open(stream_key)
    except FrameError:
        return
    assert len(seed) == 32
    assert len(lines) == 1


@given(st.binary(max_size=120))
def test_a_body_of_noise_is_undecryptable(
    seal: Seal, collector_key: Ed25519PrivateKey, stream_key: X25519PrivateKey, noise: bytes
) -> None:
    frame = seal(LINES)
    with pytest.raises(FrameError) as caught:
        Frame(frame.header, frame.header_bytes, frame.signature, noise).open(stream_key)
    assert caught.value.reason == "undecryptable"


def test_an_oversized_frame_is_refused_by_its_size_alone() -> None:
    with pytest.raises(FrameError) as caught:
        frames.from_bytes(bytes(frames.MAX_FRAME_BYTES + 1))
    assert caught.value.reason == "oversized"


def test_a_newer_version_says_what_to_do(seal: Seal) -> None:
    data = bytearray(frames.to_bytes(seal(LINES)))
    data[4] = 2
    with pytest.raises(FrameError, match="upgrade the stream") as caught:
        frames.from_bytes(bytes(data))
    assert caught.value.reason == "unknown_version"

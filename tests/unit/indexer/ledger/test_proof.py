"""The text form of a proof: all of it right, or an error."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from data.ledger import make_vectors as naive
from slmtrail.core.errors import LedgerError
from slmtrail.indexer.ledger.checkpoint import Checkpoint
from slmtrail.indexer.ledger.merkle import MAX_SIZE
from slmtrail.indexer.ledger.note import VerifierKey
from slmtrail.indexer.ledger.proof import Proof

ORIGIN = "ledger.example/test/0"
HASHES = st.lists(st.binary(min_size=32, max_size=32), max_size=63).map(tuple)


def made(key: Ed25519PrivateKey, index: int, size: int, extra: bytes = b"") -> Proof:
    """A right proof of leaf `index` in a tree of `size`."""
    entries = [naive.entry(i) for i in range(size)]
    checkpoint = Checkpoint(ORIGIN, size, naive.mth(entries)).sign([key])
    return Proof(index, tuple(naive.path(index, entries)), checkpoint, extra)


@given(st.integers(0, MAX_SIZE), HASHES, st.binary(), st.binary(max_size=20))
def test_a_text_gives_back_the_proof(index: int, hashes: tuple[bytes, ...], checkpoint: bytes, extra: bytes) -> None:
    proof = Proof(index, hashes, checkpoint, extra)
    assert Proof.parse(proof.encode()) == proof


@pytest.mark.parametrize(("index", "size"), [(0, 1), (0, 2), (6, 7), (99, 300)])
def test_a_right_proof_verifies(key: Ed25519PrivateKey, trusted: VerifierKey, index: int, size: int) -> None:
    for extra in (b"", b"anything"):
        proof = Proof.parse(made(key, index, size, extra).encode())
        assert proof.verify(naive.entry(index), ORIGIN, [trusted]).size == size
        assert proof.extra == extra


def test_a_wrong_claim_is_refused(key: Ed25519PrivateKey, trusted: VerifierKey) -> None:
    proof = made(key, 6, 7)
    with pytest.raises(LedgerError, match="does not lead to the root"):
        proof.verify(naive.entry(5), ORIGIN, [trusted])
    with pytest.raises(LedgerError, match=r"not of 'another.example'"):
        proof.verify(naive.entry(6), "another.example", [trusted])
    with pytest.raises(LedgerError, match="no trusted key"):
        proof.verify(naive.entry(6), ORIGIN, [])
    for index in (7, MAX_SIZE):
        with pytest.raises(LedgerError, match="from 0 to 6"):
            Proof(index, proof.hashes, proof.checkpoint).verify(naive.entry(6), ORIGIN, [trusted])


def test_every_changed_bit_is_found(key: Ed25519PrivateKey, trusted: VerifierKey) -> None:
    data = made(key, 6, 7).encode()
    for bit in range(8 * len(data)):
        wrong = bytearray(data)
        wrong[bit // 8] ^= 1 << bit % 8
        with pytest.raises(LedgerError):
            Proof.parse(bytes(wrong)).verify(naive.entry(6), ORIGIN, [trusted])


def test_every_cut_is_found(key: Ed25519PrivateKey, trusted: VerifierKey) -> None:
    data = made(key, 6, 7).encode()
    for end in range(len(data)):
        with pytest.raises(LedgerError):
            Proof.parse(data[:end]).verify(naive.entry(6), ORIGIN, [trusted])


HASH = b"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="
GOOD = b"c2sp.org/tlog-proof@v1\nextra QUJD\nindex 3\n" + HASH + b"\n\ncheckpoint\n"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n\n",
        GOOD.replace(b"@v1", b"@v2"),
        b"\n" + GOOD,
        GOOD.replace(b"\n", b"\r\n"),
        GOOD.replace(b"\n\n", b"\n"),
        GOOD.replace(b"extra QUJD\n", b"extra\n"),
        GOOD.replace(b"extra QUJD\n", b"extra \n"),
        GOOD.replace(b"extra QUJD\n", b"extra QUJ\n"),
        GOOD.replace(b"extra QUJD\n", b"extra QUJD\nextra QUJD\n"),
        GOOD.replace(b"extra QUJD\nindex 3\n", b"index 3\nextra QUJD\n"),
        GOOD.replace(b"index 3\n", b""),
        GOOD.replace(b"index 3", b"index"),
        GOOD.replace(b"index 3", b"index "),
        GOOD.replace(b"index 3", b"index  3"),
        GOOD.replace(b"index 3", b"index 03"),
        GOOD.replace(b"index 3", b"index -3"),
        GOOD.replace(b"index 3", b"index 9223372036854775808"),
        GOOD.replace(b"index 3", b"index " + b"9" * 5000),
        GOOD.replace(b"index 3", "index ٣".encode()),
        GOOD.replace(HASH, HASH[:-4]),
        GOOD.replace(HASH, HASH[:-2] + b"F="),
        GOOD.replace(HASH, b"AQEB"),
        GOOD.replace(HASH, b"=" + HASH[1:]),
        GOOD.replace(HASH, b"\n".join([HASH] * 64)),
        GOOD + bytes(2_000_000),
    ],
)
def test_malformed_proofs_are_refused(data: bytes) -> None:
    Proof.parse(GOOD)
    with pytest.raises(LedgerError):
        Proof.parse(data)


@given(st.binary(max_size=300) | st.binary(max_size=99).map(lambda b: GOOD[:24] + b + b"\n\n" + b))
def test_no_bytes_break_the_parser(data: bytes) -> None:
    try:
        proof = Proof.parse(data)
    except LedgerError:
        return
    assert proof.encode() == data
    with pytest.raises(LedgerError):
        proof.verify(b"", ORIGIN, [])

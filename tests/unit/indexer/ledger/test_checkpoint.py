"""Checkpoints: the head of this ledger, signed by its key, or an error."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from slmtrail.core.errors import LedgerError
from slmtrail.indexer.ledger.checkpoint import Checkpoint
from slmtrail.indexer.ledger.merkle import EMPTY_ROOT, MAX_SIZE
from slmtrail.indexer.ledger.note import VerifierKey, sign

ORIGIN = "ledger.example/test/0"
ROOT = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="
LINES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1)


@given(LINES, st.integers(1, MAX_SIZE), st.binary(min_size=32, max_size=32), st.lists(LINES, max_size=3))
def test_a_text_gives_back_the_checkpoint(origin: str, size: int, root: bytes, extensions: list[str]) -> None:
    checkpoint = Checkpoint(origin, size, root, tuple(extensions))
    assert Checkpoint.parse(checkpoint.text()) == checkpoint


def test_opened_by_any_of_its_keys(key: Ed25519PrivateKey, trusted: VerifierKey) -> None:
    old = Ed25519PrivateKey.from_private_bytes(bytes(32))
    checkpoint = Checkpoint(ORIGIN, 3, bytes(32))
    data = checkpoint.sign([old, key])
    for keys in ([trusted], [VerifierKey.of(ORIGIN, old.public_key())]):
        assert Checkpoint.open(data, ORIGIN, keys) == checkpoint


def test_another_origin_or_key_is_refused(key: Ed25519PrivateKey, trusted: VerifierKey) -> None:
    data = Checkpoint(ORIGIN, 3, bytes(32)).sign([key])
    with pytest.raises(LedgerError, match=r"of the ledger 'ledger.example/test/0', not of 'ledger.example/test/1'"):
        Checkpoint.open(data, "ledger.example/test/1", [trusted])
    stranger = Ed25519PrivateKey.from_private_bytes(bytes(32))
    with pytest.raises(LedgerError, match="no trusted key"):
        Checkpoint.open(data, ORIGIN, [VerifierKey.of(ORIGIN, stranger.public_key())])
    with pytest.raises(LedgerError, match="no trusted key"):
        Checkpoint.open(Checkpoint(ORIGIN, 3, bytes(32)).sign([stranger]), ORIGIN, [trusted])


def test_a_trusted_key_of_another_name_does_not_speak_for_the_ledger(key: Ed25519PrivateKey) -> None:
    witness = VerifierKey.of("witness.example", key.public_key())
    data = sign(Checkpoint(ORIGIN, 3, bytes(32)).text(), [(witness.name, key)])
    with pytest.raises(LedgerError, match="no trusted key"):
        Checkpoint.open(data, ORIGIN, [witness])


@pytest.mark.parametrize(
    "text",
    [
        "\n",
        f"{ORIGIN}\n",
        f"{ORIGIN}\n3\n",
        f"{ORIGIN}\n3\n{ROOT}",
        f"{ORIGIN}\n3\n{ROOT}\nextension",
        f"\n3\n{ROOT}\n",
        f"{ORIGIN}\n\n{ROOT}\n",
        f"{ORIGIN}\n3\n\n",
        f"{ORIGIN}\n3\n{ROOT}\n\n",
        f"{ORIGIN}\n3\n{ROOT}\nextension\n\n",
        f"{ORIGIN}\n3\n{ROOT}\n\nextension\n",
        f"{ORIGIN}\n03\n{ROOT}\n",
        f"{ORIGIN}\n+3\n{ROOT}\n",
        f"{ORIGIN}\n-3\n{ROOT}\n",
        f"{ORIGIN}\n3 \n{ROOT}\n",
        f"{ORIGIN}\n3_0\n{ROOT}\n",
        f"{ORIGIN}\n0x3\n{ROOT}\n",
        f"{ORIGIN}\n³\n{ROOT}\n",
        f"{ORIGIN}\n٣\n{ROOT}\n",
        f"{ORIGIN}\n{2**63}\n{ROOT}\n",
        f"{ORIGIN}\n{'9' * 5000}\n{ROOT}\n",
        f"{ORIGIN}\n0\n{ROOT}\n",
        f"{ORIGIN}\n3\n{ROOT[:-1]}\n",
        f"{ORIGIN}\n3\n{ROOT[:-2]}F=\n",
        f"{ORIGIN}\n3\nAQEB\n",
        f"{ORIGIN}\n3\n{ROOT}AQEB\n",
        f"{ORIGIN}\n3\n {ROOT}\n",
        f"{ORIGIN}\n{ROOT}\n3\n",
    ],
)
def test_malformed_texts_are_refused_though_signed(key: Ed25519PrivateKey, trusted: VerifierKey, text: str) -> None:
    Checkpoint.parse(f"{ORIGIN}\n3\n{ROOT}\n")
    with pytest.raises(LedgerError):
        Checkpoint.parse(text)
    if text.endswith("\n"):
        with pytest.raises(LedgerError):
            Checkpoint.open(sign(text, [(ORIGIN, key)]), ORIGIN, [trusted])


@given(st.text())
def test_no_text_breaks_the_parser(text: str) -> None:
    with pytest.raises(LedgerError):
        Checkpoint.parse(text)


@pytest.mark.parametrize(
    ("origin", "size", "root", "extensions"),
    [
        ("", 1, bytes(32), ()),
        ("a\nb", 1, bytes(32), ()),
        ("a", -1, bytes(32), ()),
        ("a", 2**63, bytes(32), ()),
        ("a", 1, bytes(31), ()),
        ("a", 0, bytes(32), ()),
        ("a", 1, bytes(32), ("",)),
        ("a", 1, bytes(32), ("x", "y\nz")),
    ],
)
def test_an_impossible_checkpoint_is_not_made(origin: str, size: int, root: bytes, extensions: tuple[str, ...]) -> None:
    Checkpoint("a", 0, EMPTY_ROOT)
    with pytest.raises(LedgerError):
        Checkpoint(origin, size, root, extensions)


def test_every_changed_bit_is_found(key: Ed25519PrivateKey, trusted: VerifierKey) -> None:
    data = Checkpoint(ORIGIN, 1234, bytes(range(32))).sign([key])
    for bit in range(8 * len(data)):
        wrong = bytearray(data)
        wrong[bit // 8] ^= 1 << bit % 8
        with pytest.raises(LedgerError):
            Checkpoint.open(bytes(wrong), ORIGIN, [trusted])

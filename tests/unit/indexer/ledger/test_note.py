"""Signed notes: the one form, the right key, and nothing else."""

from __future__ import annotations

import base64
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from slmtrail.core.errors import LedgerError
from slmtrail.indexer.ledger.note import MAX_SIGNATURES, Note, VerifierKey, sign

TEXT = "a line\n\nand another — after a blank one\n"
CONTROLS = [chr(c) for c in range(32) if c != 10]
NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"], exclude_characters="+"), min_size=1)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=CONTROLS)).map(lambda text: text + "\n")
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))


def line(name: str, data: bytes) -> bytes:
    """A signature line."""
    return f"— {name} {base64.b64encode(data).decode()}\n".encode()


@given(TEXTS, NAMES)
def test_what_is_signed_verifies(text: str, name: str) -> None:
    key = VerifierKey.of(name, OTHER.public_key())
    assert VerifierKey.parse(str(key)) == key
    note = Note.parse(sign(text, [(name, OTHER)]))
    assert note.text == text
    assert note.verify([key]) == [key]


def test_every_trusted_signature_counts_and_unknown_ones_are_ignored(
    key: Ed25519PrivateKey, trusted: VerifierKey
) -> None:
    other = VerifierKey.of("witness.example", OTHER.public_key())
    data = sign(TEXT, [(trusted.name, key), (other.name, OTHER)])
    cosignature = line("witness.example/of/another/kind", b"abcd" + bytes(72))
    post_quantum = line(trusted.name, b"\xfa\xfb\xfc\xfd" + bytes(2428))
    same_id = line("someone.else", trusted.key_id + bytes(64))
    note = Note.parse(data + cosignature + post_quantum + same_id)
    assert len(note.signatures) == 5
    assert note.verify([trusted, other]) == [trusted, other]
    assert note.verify([other, trusted]) == [trusted, other]
    assert note.verify([other]) == [other]
    with pytest.raises(LedgerError, match="no trusted key"):
        note.verify([VerifierKey.of("another.name", key.public_key())])
    with pytest.raises(LedgerError, match="trusted here: none"):
        note.verify([])


@pytest.mark.parametrize("signature", [b"x", bytes(63), bytes(64), bytes(65)])
def test_a_wrong_signature_by_a_trusted_key_spoils_the_note(
    key: Ed25519PrivateKey, trusted: VerifierKey, signature: bytes
) -> None:
    other = VerifierKey.of("witness.example", OTHER.public_key())
    data = sign(TEXT, [(other.name, OTHER)]) + line(trusted.name, trusted.key_id + signature)
    with pytest.raises(LedgerError, match=r"'ledger.example/test/0' \(.{8}\) is wrong"):
        Note.parse(data).verify([other, trusted])


def test_two_keys_of_one_name_and_id_are_refused(key: Ed25519PrivateKey, trusted: VerifierKey) -> None:
    class Collides(VerifierKey):
        key_id = trusted.key_id

    note = Note.parse(sign(TEXT, [(trusted.name, key)]))
    with pytest.raises(LedgerError, match="two trusted keys"):
        note.verify([trusted, Collides(trusted.name, bytes(32))])
    assert note.verify([trusted, trusted]) == [trusted]


def test_each_changed_bit_is_found(key: Ed25519PrivateKey, trusted: VerifierKey) -> None:
    data = sign(TEXT, [(trusted.name, key)])
    Note.parse(data).verify([trusted])
    for bit in range(8 * len(data)):
        wrong = bytearray(data)
        wrong[bit // 8] ^= 1 << bit % 8
        with pytest.raises(LedgerError):
            Note.parse(bytes(wrong)).verify([trusted])


def test_each_cut_is_found(key: Ed25519PrivateKey, trusted: VerifierKey) -> None:
    data = sign(TEXT, [(trusted.name, key)])
    for end in range(len(data)):
        with pytest.raises(LedgerError):
            Note.parse(data[:end]).verify([trusted])


GOOD = b"text\n\n" + line("name", bytes(67))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"\n\n",
        b"text\n",
        b"text\n\n",
        GOOD[:-1],
        GOOD + b"\n",
        GOOD + b"\n\n",
        GOOD.replace(b"\n\n", b"\n"),
        GOOD.replace(b"\n", b"\r\n"),
        GOOD.replace(b"text", b"te\x00xt"),
        GOOD.replace(b"text", b"te\txt"),
        GOOD.replace(b"text", b"te\xffxt"),
        GOOD.replace(b"text", b"te\xed\xa0\x80xt"),
        GOOD.replace("— ".encode(), b"- "),
        GOOD.replace("— ".encode(), "—".encode()),
        GOOD.replace("— ".encode(), "—  ".encode()),
        GOOD.replace(b"name", b""),
        GOOD.replace(b"name", b"na+me"),
        GOOD.replace(b"name", b"na me"),
        GOOD.replace(b"name", "na\u2003me".encode()),
        GOOD.replace(b"\n\n", b"\n\n\n").replace(b"name ", b"name"),
        GOOD.replace(b"AA==", b"AA="),
        GOOD.replace(b"AA==", b"AA"),
        GOOD.replace(b"A==\n", b"B==\n"),
        GOOD.replace(b"AAAA", b"AA-_"),
        GOOD.replace(b"AAAA", "AAAé".encode()),
        b"text\n\n" + line("name", b""),
        b"text\n\n" + line("name", b"1234"),
        GOOD + line("name", bytes(68)) * MAX_SIGNATURES,
        b"x" * 1_000_000 + GOOD,
    ],
)
def test_malformed_notes_are_refused(data: bytes) -> None:
    Note.parse(GOOD)
    with pytest.raises(LedgerError):
        Note.parse(data)


def test_a_note_may_have_many_signatures() -> None:
    assert len(Note.parse(b"text\n\n" + line("name", bytes(5000)) * MAX_SIGNATURES).signatures) == MAX_SIGNATURES


@given(st.binary(max_size=300) | st.binary(max_size=40).map(lambda b: b"text\n\n\xe2\x80\x94 " + b + b"\n"))
def test_no_bytes_break_the_parser(data: bytes) -> None:
    try:
        Note.parse(data).verify([])
    except LedgerError:
        pass
    else:
        pytest.fail("a note that nobody signed was taken")


@given(st.text() | st.text().map(lambda text: f"name+00000000+{text}"))
def test_no_text_breaks_the_key_parser(text: str) -> None:
    with pytest.raises(LedgerError):
        VerifierKey.parse(text)


def test_a_mistyped_verifier_key_is_refused(trusted: VerifierKey) -> None:
    text = str(trusted)
    for place in range(len(text)):
        for other in "0Aa+":
            wrong = text[:place] + other + text[place + 1 :]
            if wrong != text:
                with pytest.raises(LedgerError):
                    VerifierKey.parse(wrong)
    for wrong in (text[:-1], text + "=", text + "\n", " " + text, text.upper(), f"{text}+"):
        with pytest.raises(LedgerError):
            VerifierKey.parse(wrong)


@pytest.mark.parametrize(
    ("kind", "length"), [(0, 32), (2, 32), (4, 32), (6, 1312), (255, 32), (1, 0), (1, 31), (1, 33)]
)
def test_a_verifier_key_of_another_kind_is_refused(kind: int, length: int) -> None:
    data = bytes([kind]) + bytes(length)
    key_id = sha256(b"name\n" + data).digest()[:4].hex()
    with pytest.raises(LedgerError, match="not an Ed25519 key"):
        VerifierKey.parse(f"name+{key_id}+{base64.b64encode(data).decode()}")


@pytest.mark.parametrize("text", ["", "no newline", "tab\t\n", "return\r\n", "nul\0\n", "\ud800\n"])
def test_a_text_that_is_no_note_is_not_signed(key: Ed25519PrivateKey, text: str) -> None:
    with pytest.raises(LedgerError, match="must be UTF-8 text that ends with a newline"):
        sign(text, [("name", key)])


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\x01b", "a\u00a0b", "a\u3000b", "\udfff"])
def test_a_name_that_is_no_name_does_not_sign(key: Ed25519PrivateKey, name: str) -> None:
    with pytest.raises(LedgerError, match="name of a key"):
        sign("text\n", [(name, key)])


def test_a_note_has_a_signature(key: Ed25519PrivateKey) -> None:
    for signers in ([], [("name", key)] * (MAX_SIGNATURES + 1)):
        with pytest.raises(LedgerError, match="1 to 100 signatures"):
            sign("text\n", signers)

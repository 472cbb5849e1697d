"""Key files: what is loose, wrong or missing is refused with a word on what to do; what is made is made once."""

from __future__ import annotations

import multiprocessing
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives import serialization as ser
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from slmtrail.core import durable, keys
from slmtrail.core.errors import KeyFileError, TrailError
from slmtrail.core.stream_keys import StreamKeys

READERS: list[Callable[[Path], object]] = [keys.signing_key, keys.decryption_key, keys.secret]


def _pem(
    key: Ed25519PrivateKey | X25519PrivateKey | ec.EllipticCurvePrivateKey, password: bytes | None = None
) -> bytes:
    lock = ser.BestAvailableEncryption(password) if password else ser.NoEncryption()
    return key.private_bytes(ser.Encoding.PEM, ser.PrivateFormat.PKCS8, lock)


def _write(path: Path, data: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(data)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o602, 0o610, 0o601])
def test_a_key_that_others_can_touch_is_refused(tmp_path: Path, read: Callable[[Path], object], mode: int) -> None:
    path = _write(tmp_path / "k.pem", _pem(Ed25519PrivateKey.generate()), mode)
    with pytest.raises(KeyFileError, match=f"chmod 600 {path}"):
        read(path)


@pytest.mark.parametrize("read", READERS)
def test_a_missing_key_is_named(tmp_path: Path, read: Callable[[Path], object]) -> None:
    with pytest.raises(KeyFileError, match=r"k\.pem: no such key"):
        read(tmp_path / "k.pem")


@pytest.mark.parametrize("read", [*READERS, keys.encryption_key])
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe\x00",
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        b"g" * 64,
        b"0" * 63,
        b"0" * 66,
        _pem(Ed25519PrivateKey.generate(), b"password"),
        # A key of an algorithm that nobody knows (OID 1.3.101.99).
        b"-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VjBCIEIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
        b"-----END PRIVATE KEY-----\n",
        b"-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VjAyEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
        b"-----END PUBLIC KEY-----\n",
    ],
    ids=range(10),
)
def test_garbage_is_refused(tmp_path: Path, read: Callable[[Path], object], data: bytes) -> None:
    path = _write(tmp_path / "k.pem", data)
    with pytest.raises(KeyFileError, match=str(path)):
        read(path)


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    signing = _write(tmp_path / "s.pem", _pem(Ed25519PrivateKey.generate()))
    opening = _write(tmp_path / "o.pem", _pem(X25519PrivateKey.generate()))
    other = _write(tmp_path / "e.pem", _pem(ec.generate_private_key(ec.SECP256R1())))
    for path in (opening, other):
        with pytest.raises(KeyFileError, match="is not an Ed25519 key"):
            keys.signing_key(path, create=True)
    for path in (signing, other):
        with pytest.raises(KeyFileError, match="is not an X25519 key"):
            keys.decryption_key(path, create=True)
    assert not list(tmp_path.glob("*.pub"))
    public = Ed25519PrivateKey.generate().public_key()
    pem = public.public_bytes(ser.Encoding.PEM, ser.PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(KeyFileError, match="is not an X25519 public key"):
        keys.encryption_key(_write(tmp_path / "x.pub", pem))


def test_a_folder_in_the_place_of_a_key_is_refused(tmp_path: Path) -> None:
    for read in (*READERS, keys.encryption_key):
        with pytest.raises(KeyFileError, match=str(tmp_path)):
            read(tmp_path)


def test_what_is_made_is_private_and_found_again(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "keys"
    opening = keys.decryption_key(folder / "stream.pem", create=True)
    secret = keys.secret(folder / "pseudonym.key", create=True)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.name: oct(path.stat().st_mode & 0o777) for path in folder.iterdir() if path.suffix != ".lock"} == {
        "stream.pem": "0o600",
        "stream.pub": "0o644",
        "pseudonym.key": "0o600",
    }
    again = keys.decryption_key(folder / "stream.pem", create=True)
    assert keys.raw(again.public_key()) == keys.raw(opening.public_key())
    assert keys.raw(keys.encryption_key(folder / "stream.pub")) == keys.raw(opening.public_key())
    assert keys.secret(folder / "pseudonym.key", create=True) == secret
    assert len(secret) == 32


def test_a_crash_between_the_two_halves_is_healed(tmp_path: Path) -> None:
    key = keys.signing_key(tmp_path / "c.pem", create=True)
    (tmp_path / "c.pub").unlink()
    again = keys.signing_key(tmp_path / "c.pem", create=True)
    assert (tmp_path / "c.pub").exists()
    assert keys.raw(again.public_key()) == keys.raw(key.public_key())


def _make(folder: Path) -> tuple[str, str]:
    return keys.key_id(keys.signing_key(folder / "c.pem", create=True).public_key()), keys.secret(
        folder / "s.key", create=True
    ).hex()


def test_processes_that_start_together_end_up_with_one_key(tmp_path: Path) -> None:
    with multiprocessing.get_context("fork").Pool(4) as pool:
        for number in range(15):
            folder = tmp_path / str(number)
            made = set(pool.map(_make, [folder] * 4, chunksize=1))
            assert made == {_make(folder)}
            public = ser.load_pem_public_key((folder / "c.pub").read_bytes())
            assert keys.key_id(public) == made.pop()[0]  # type: ignore[arg-type]


def test_no_error_repeats_a_key(tmp_path: Path) -> None:
    path = _write(tmp_path / "s.key", b"5ec4e7" * 20)
    with pytest.raises(TrailError) as caught:
        keys.secret(path)
    assert "5ec4e7" not in str(caught.value)


def test_a_key_folder_that_can_not_be_made_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TrailError, match="a file stands where a folder should be"):
        keys.signing_key(tmp_path / "file" / "keys" / "c.pem", create=True)


def test_openssl_reads_our_keys(tmp_path: Path) -> None:
    keys.signing_key(tmp_path / "c.pem", create=True)
    try:
        shown = subprocess.run(
            ["openssl", "pkey", "-in", tmp_path / "c.pem", "-pubout"], capture_output=True, text=True, check=True
        )
    except FileNotFoundError:
        pytest.skip("no openssl on this machine")
    assert shown.stdout == (tmp_path / "c.pub").read_text()


def test_a_key_is_replaced_and_its_public_half_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "ledger.pem"
    before = keys.signing_key(path, create=True)
    old, new = keys.replace_signing_key(path)
    assert keys.raw(old) == keys.raw(before.public_key())
    assert keys.raw(new) == keys.raw(keys.verification_key(tmp_path / "ledger.pub")) != keys.raw(old)
    (kept,) = (tmp_path / "retired").iterdir()
    assert keys.raw(keys.verification_key(kept)) == keys.raw(old)
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("write", range(3))
def test_a_crash_while_a_key_is_replaced_leaves_one_that_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: int
) -> None:
    path = tmp_path / "ledger.pem"
    old = keys.raw(keys.signing_key(path, create=True).public_key())
    done: list[Path] = []

    def crash(target: Path, data: bytes, mode: int = 0o644) -> None:
        if len(done) == write:
            raise KeyboardInterrupt
        done.append(target)
        durable.write_file(target, data, mode)

    with monkeypatch.context() as patched:
        patched.setattr(keys, "durable", SimpleNamespace(**{**vars(durable), "write_file": crash}))
        with pytest.raises(KeyboardInterrupt):
            keys.replace_signing_key(path)
    after = keys.raw(keys.signing_key(path, create=True).public_key())
    assert keys.raw(keys.verification_key(tmp_path / "ledger.pub")) == after
    known = [keys.raw(keys.verification_key(kept)) for kept in (tmp_path / "retired").glob("*.pub")]
    assert after == old or old in known


def test_a_key_of_the_stream_opens_until_its_time_after_another_took_its_place(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "stream.pem"
    first = keys.decryption_key(path, create=True)
    opens = StreamKeys(path)
    _, made = keys.replace_decryption_key(path, 2**60)
    assert keys.key_id(made) in {keys.key_id(opens[keys.key_id(made)].public_key())}, "known without a restart"
    assert keys.raw(opens[keys.key_id(first.public_key())].public_key()) == keys.raw(first.public_key())
    assert "0" * 16 not in opens
    keys.replace_decryption_key(path, 1)
    assert sorted(map(keys.key_id, [one.public_key() for one in keys.retired_keys(path, 2)])) == [
        keys.key_id(first.public_key())
    ]
    assert keys.retired_keys(path, 2**61) == []
    assert list((tmp_path / "keys" / "retired").glob("*.pem")) == [], "those kept too long are destroyed"


def test_the_next_key_is_the_one_that_was_shown_before(tmp_path: Path) -> None:
    path = tmp_path / "control.pem"
    keys.signing_key(path, create=True)
    shown = keys.next_signing_key(path).public_key()
    assert keys.raw(keys.next_signing_key(path).public_key()) == keys.raw(shown)
    _, made = keys.replace_signing_key(path)
    assert keys.raw(made) == keys.raw(shown)
    assert keys.raw(keys.next_signing_key(path).public_key()) != keys.raw(shown)

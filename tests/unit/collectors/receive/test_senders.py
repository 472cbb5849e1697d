"""Tokens: what is kept of them, and who is known by them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from slmtrail.collectors.receive import senders
from slmtrail.collectors.receive.senders import Refused, Senders, certificate_name, token_file
from slmtrail.core.errors import KeyFileError, NotFound, SettingsError

SUBJECT = ((("organizationName", "Example"),), (("commonName", "edge-7"),))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "senders.json"


def _reason(known: Senders, authorization: str) -> str:
    with pytest.raises(Refused) as refused:
        known.known(authorization, None)
    return refused.value.reason


def test_a_token_is_known_at_once_and_refused_once_it_is_taken_back(path: Path) -> None:
    known = Senders(path)
    assert not known.any_token
    token, row = token_file(path).new("gateway")
    other, _ = token_file(path).new("gateway")
    assert known.any_token
    assert known.known(f"Bearer {token}", None) == senders.Sender("gateway", "token")
    assert known.known(f"bearer  {other} ", None).name == "gateway"
    assert token_file(path).revoke(row.id) == [row]
    assert _reason(known, f"Bearer {token}") == "unknown_token"
    assert known.known(f"Bearer {other}", None).name == "gateway"
    assert [one.name for one in token_file(path).revoke("gateway")] == ["gateway"]
    assert _reason(known, f"Bearer {other}") == "unknown_token"
    with pytest.raises(NotFound, match="slmtrail token list"):
        token_file(path).revoke("gateway")


def test_the_file_holds_no_token_and_is_its_owners_alone(path: Path) -> None:
    token, row = token_file(path).new("gateway")
    assert token.removeprefix(senders.PREFIX) not in path.read_text()
    assert token_file(path).rows() == [row]
    assert re.fullmatch(r"slmt_[\w-]{43}", token)
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    with pytest.raises(KeyFileError):
        Senders(path).known(f"Bearer {token}", None)


def test_a_token_expires(path: Path) -> None:
    token, _ = token_file(path).new("gateway", until_ms=1)
    known = Senders(path)
    assert _reason(known, f"Bearer {token}") == "expired_token"
    assert not known.any_token


@pytest.mark.parametrize(
    ("authorization", "reason"),
    [
        ("", "no_credentials"),
        ("Basic YTpi", "other_scheme"),
        ("Bearer", "unknown_token"),
        ("Bearer \udcff", "unknown_token"),
        ("Bearer slmt_" + "x" * 10_000, "unknown_token"),
    ],
)
def test_who_shows_nothing_that_holds_is_refused(path: Path, authorization: str, reason: str) -> None:
    token_file(path).new("gateway")
    assert _reason(Senders(path), authorization) == reason


def test_a_certificate_that_was_verified_is_known_by_its_name(path: Path) -> None:
    known = Senders(path)
    sender = known.known("", {"subject": SUBJECT})
    assert sender == senders.Sender("edge-7", "certificate")
    assert sender.fields()["slm.identity.issuer"] == "certificate:edge-7"
    named = {"subject": SUBJECT, "subjectAltName": (("DNS", "edge-7.example"), ("URI", "spiffe://example/edge"))}
    assert certificate_name(named) == "spiffe://example/edge"
    assert _reason(known, "") == "no_credentials"
    with pytest.raises(Refused):
        known.known("", {"subject": ()})


@pytest.mark.parametrize("name", ["", "Gate Way", "a" * 64, "../x"])
def test_names_are_plain(path: Path, name: str) -> None:
    with pytest.raises(SettingsError):
        token_file(path).new(name)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"senders": [{"name": "x"}]}', "\x00"])
def test_a_damaged_file_lets_nobody_in_and_says_so(path: Path, text: str) -> None:
    token, _ = token_file(path).new("gateway")
    path.write_text(text)
    with pytest.raises(KeyFileError, match=r"senders\.json"):
        Senders(path).known(f"Bearer {token}", None)

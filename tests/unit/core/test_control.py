"""Signed decisions: believed for their signature alone, the latest about a subject in force, none forgotten."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from slmtrail.core.control import MAX_DECISION_BYTES, Decision, Decisions, open_decision
from slmtrail.core.errors import ControlError
from slmtrail.core.keys import key_id, raw

KEY = Ed25519PrivateKey.generate()
TRUSTED = {key_id(KEY.public_key()): KEY.public_key()}


def close(subject: str = "user:mallory", at_ms: int = 1, **more: int) -> Decision:
    return Decision("close", subject, at_ms, "seen at night", **more)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "control" / "decisions.jsonl"


def decisions(file: Path) -> Decisions:
    return Decisions(file, [KEY.public_key()])


def test_a_signed_decision_is_in_force_and_survives_a_restart(file: Path) -> None:
    assert decisions(file).take(close().sign(KEY))
    assert decisions(file).closed("user", 10) == {"mallory": "seen at night"}
    assert decisions(file).closed("key", 10) == {}


def test_the_latest_about_a_subject_counts_whatever_the_order_of_arrival(file: Path) -> None:
    known = decisions(file)
    assert known.take(Decision("open", "user:mallory", 5).sign(KEY))
    assert not known.take(close(at_ms=4).sign(KEY))
    assert known.closed("user", 10) == {}
    assert known.take(close(at_ms=6).sign(KEY))
    assert not known.take(close(at_ms=6).sign(KEY))
    assert known.closed("user", 10) == {"mallory": "seen at night"}


def test_a_closing_may_end_by_itself(file: Path) -> None:
    known = decisions(file)
    known.take(close(until_ms=100).sign(KEY))
    assert known.closed("user", 99)
    assert not known.closed("user", 100)


def test_a_policy_is_a_decision(file: Path) -> None:
    known = decisions(file)
    known.take(Decision("policy", "policy", 1, policy="version: '2'\n").sign(KEY))
    assert known.policy == "version: '2'\n"


def test_what_another_key_signed_is_refused(file: Path) -> None:
    other = Ed25519PrivateKey.generate()
    with pytest.raises(ControlError, match="not trusted"):
        decisions(file).take(close().sign(other))
    forged = json.loads(close().sign(other)) | {"key": key_id(KEY.public_key())}
    with pytest.raises(ControlError, match="forged"):
        decisions(file).take(json.dumps(forged).encode())
    assert not file.exists()


@pytest.mark.parametrize("part", ["action", "subject", "at_ms", "reason", "until_ms", "policy"])
def test_no_part_can_be_changed(part: str) -> None:
    signed = json.loads(close().sign(KEY))
    signed["decision"][part] = 7 if part.endswith("ms") else "open"
    with pytest.raises(ControlError):
        open_decision(json.dumps(signed).encode(), TRUSTED)


@pytest.mark.parametrize(
    "decision",
    [
        Decision("close", "mallory", 1),
        Decision("close", "policy", 1),
        Decision("policy", "user:x", 1),
        Decision("explode", "user:x", 1),  # type: ignore[arg-type]
        Decision("close", "user:", 1),
        Decision("close", "user:x", -1),
        Decision("close", "user:x", 1.5),  # type: ignore[arg-type]
        Decision("close", "stream-key", 1),
        Decision("key", "stream-key", 1, public="AAAA"),
        Decision("key", "user:x", 1, public="A" * 43 + "="),
        Decision("close", "user:x", 1, public="A" * 43 + "="),
    ],
)
def test_what_is_signed_but_no_decision_is_refused(decision: Decision) -> None:
    with pytest.raises(ControlError):
        open_decision(decision.sign(KEY), TRUSTED)


def test_one_too_large_is_refused() -> None:
    with pytest.raises(ControlError, match="over"):
        open_decision(bytes(MAX_DECISION_BYTES + 1), TRUSTED)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(["decision", "key", "signature", "subject"]), inner)
    ),
)


@given(st.binary() | _JSON.map(lambda value: json.dumps(value).encode()))
def test_nothing_else_comes_through(data: bytes) -> None:
    with pytest.raises(ControlError):
        open_decision(data, TRUSTED)


NEXT = Ed25519PrivateKey.generate()
LAST = Ed25519PrivateKey.generate()


def handover(old: Ed25519PrivateKey, new: Ed25519PrivateKey, at_ms: int, about: str = "") -> bytes:
    public = base64.b64encode(raw(new.public_key())).decode()
    return Decision("key", about or f"control-key:{key_id(old.public_key())}", at_ms, public=public).sign(old)


def test_a_control_key_hands_over_to_the_next_and_that_to_the_next(file: Path) -> None:
    known = decisions(file)
    known.take(close("user:a", at_ms=5).sign(KEY))
    with pytest.raises(ControlError, match="not trusted"):
        known.take(close("user:b", at_ms=20).sign(LAST))
    assert not known.take(handover(NEXT, LAST, 11))
    assert known.take(handover(KEY, NEXT, 10))
    assert known.take(handover(NEXT, LAST, 11))
    assert known.take(close("user:b", at_ms=20).sign(LAST))
    assert known.take(close("user:a", at_ms=21).sign(LAST))
    assert raw(known.authority) == raw(LAST.public_key())
    assert set(decisions(file).closed("user", 30)) == {"a", "b"}


def test_a_key_that_handed_over_decides_no_more(file: Path) -> None:
    known = decisions(file)
    known.take(handover(KEY, NEXT, 10))
    for late in (
        close(at_ms=11).sign(KEY),
        handover(KEY, LAST, 12),
        handover(NEXT, LAST, 9, "control-key:" + "0" * 16),
    ):
        with pytest.raises(ControlError):
            known.take(late)
    assert known.take(close("user:late", at_ms=9).sign(KEY)), "it was on its way"


def test_what_the_next_key_signs_anew_is_no_news_and_is_kept(file: Path) -> None:
    known = decisions(file)
    known.take(close().sign(KEY))
    known.take(handover(KEY, NEXT, 10))
    assert not known.take(close().sign(NEXT))
    assert Decisions(file, [NEXT.public_key()]).closed("user", 10) == {"mallory": "seen at night"}


def test_the_key_of_the_stream_is_the_one_decided_last(file: Path) -> None:
    known = decisions(file)
    assert known.recipient is None
    first, second = (X25519PrivateKey.generate().public_key() for _ in range(2))
    for at_ms, key in ((2, second), (1, first)):
        known.take(Decision("key", "stream-key", at_ms, public=base64.b64encode(raw(key)).decode()).sign(KEY))
    recipient = decisions(file).recipient
    assert recipient
    assert raw(recipient) == raw(second)

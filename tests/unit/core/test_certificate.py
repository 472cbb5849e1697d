"""Certificates: their bytes are fixed, and nothing that was not signed by someone of authority is believed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from slmtrail.core import canonical, certificate, commitment
from slmtrail.core.certificate import Certificate
from slmtrail.core.errors import ControlError
from slmtrail.core.identity import origin, record_id

DATA = json.loads((Path(__file__).parents[2] / "data/certificate/vectors.json").read_text(encoding="utf-8"))
KEY = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(DATA["private"]))
KEYS = certificate.by_id([Ed25519PublicKey.from_public_bytes(bytes.fromhex(DATA["public"]))])


def of(given: dict[str, Any]) -> Certificate:
    return Certificate(**{**given, "leaves": tuple(map(tuple, given["leaves"]))})


@pytest.mark.parametrize("vector", DATA["vectors"])
def test_known_answers(vector: dict[str, Any]) -> None:
    made = of(vector["certificate"])
    record = certificate.record(made.sign(KEY), "prod")
    assert record == vector["record"]
    assert commitment.entry(record).hex() == vector["entry"]
    assert record_id(*origin(record)) == record["event.id"]
    assert certificate.read(vector["record"], KEYS) == made


@pytest.mark.parametrize("name", ["action", "at_ms", "by", "reason", "subject", "ledger", "leaves", "clean_ms"])
def test_no_part_can_be_changed(name: str) -> None:
    record = DATA["vectors"][0]["record"]
    given = json.loads(record[certificate.FIELD])
    changes = {"at_ms": 1, "clean_ms": 1, "leaves": [[0, 9]], "action": "key_rotated"}
    given["certificate"][name] = changes.get(name, "another")
    with pytest.raises(ControlError, match="forged or changed"):
        certificate.read({**record, certificate.FIELD: canonical.dumps(given).decode()}, KEYS)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "{}", '{"key":[]}', '{"key":"0","signature":"","certificate":{}}', "\ud800"]
)
def test_what_is_none_is_named(text: str) -> None:
    with pytest.raises(ControlError):
        certificate.read({certificate.FIELD: text}, KEYS)
    with pytest.raises(ControlError):
        certificate.read({}, KEYS)


def test_what_has_no_canonical_form_is_none() -> None:
    given = {"key": next(iter(KEYS)), "signature": "", "certificate": {"at_ms": 2**60}}
    with pytest.raises(ControlError, match="holds no certificate"):
        certificate.read({certificate.FIELD: json.dumps(given)}, KEYS)


@pytest.mark.parametrize("leaves", [((-1, 2),), (("1", "2"),), ((True, 2),)])
def test_leaves_are_numbers(leaves: Any) -> None:
    made = Certificate("erased", 1, "admin", "reason", leaves=leaves)
    with pytest.raises(ControlError, match="not the parts of one"):
        certificate.read(certificate.record(made.sign(KEY), "dev"), KEYS)


def test_a_key_that_may_not_decide_is_not_believed() -> None:
    made = of(DATA["vectors"][0]["certificate"])
    with pytest.raises(ControlError, match="not trusted"):
        certificate.read(certificate.record(made.sign(Ed25519PrivateKey.generate()), "dev"), KEYS)
    with pytest.raises(ControlError, match="not trusted"):
        certificate.read(certificate.record(made.sign(KEY), "dev"), {})

"""What the ledger commits to: nothing of a record can change unnoticed, and content can be erased."""

from __future__ import annotations

import copy
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from slmtrail.core import commitment
from slmtrail.core.errors import LedgerError
from slmtrail.core.fields import COMMITTED, FIELDS

VECTORS = json.loads((Path(__file__).parents[2] / "data/commitment/vectors.json").read_text())
SEED = bytes(range(32))
RECORD: dict[str, Any] = {
    "@timestamp": "2026-01-02T03:04:05.678Z",
    "event.id": "00" * 16,
    "slm.kind": "inference",
    "gen_ai.request.model": "phi-3",
    "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "hé"}]}],
    "labels": {"team": "x"},
    "slm.cost_usd": 0.25,
    "user.id": "u1",
}


def _erased(record: dict[str, Any], name: str) -> dict[str, Any]:
    """The record as an eraser leaves it, by the specification and not by the code under test."""
    rest = {key: value for key, value in record.items() if key != name}
    salt = record[commitment.SALTS][name]
    digest = hashlib.sha256(bytes.fromhex(salt) + rfc8785.dumps(record[name])).hexdigest()
    rest[commitment.SALTS] = {key: value for key, value in record[commitment.SALTS].items() if key != name}
    rest[commitment.COMMITMENTS] = {**record.get(commitment.COMMITMENTS, {}), name: digest}
    return rest


@pytest.mark.parametrize("vector", VECTORS["entries"], ids=lambda vector: vector["about"])
def test_known_entries(vector: dict[str, Any]) -> None:
    assert commitment.entry(vector["record"]).hex() == vector["entry"]


@pytest.mark.parametrize("vector", VECTORS["salts"], ids=lambda vector: vector["path"])
def test_known_salts(vector: dict[str, Any]) -> None:
    seed = commitment.event_seed(bytes.fromhex(vector["frame_seed"]), vector["index"])
    assert seed.hex() == vector["event_seed"]
    assert commitment.salt(seed, vector["path"]) == vector["salt"]


@given(st.binary(max_size=64), st.sampled_from(sorted(COMMITTED)), st.integers(0, 2**32 - 1))
def test_salts_are_those_of_hkdf(seed: bytes, path: str, index: int) -> None:
    expanded = hmac.digest(seed, b"slmtrail salt v1" + path.encode() + b"\x01", "sha256")
    assert commitment.salt(seed, path) == expanded[:16].hex()
    event_seed = hmac.digest(seed, b"slmtrail event v1" + index.to_bytes(4, "big"), "sha256")
    assert commitment.event_seed(seed, index) == event_seed


def test_every_committed_field_gets_a_salt_of_its_own_and_no_other_does() -> None:
    salted = commitment.salted(RECORD, SEED)
    assert salted[commitment.SALTS].keys() == RECORD.keys() & COMMITTED
    assert len(set(salted[commitment.SALTS].values())) == len(salted[commitment.SALTS])
    assert salted[commitment.SALTS] != commitment.salted(RECORD, SEED[::-1])[commitment.SALTS]


@given(st.permutations(["gen_ai.input.messages", "labels", "user.id"]))
def test_erasing_fields_in_any_order_keeps_the_entry(order: list[str]) -> None:
    record = commitment.salted(RECORD, SEED)
    entry = commitment.entry(record)
    for name in order:
        record = _erased(record, name)
        assert commitment.entry(record) == entry
    assert record[commitment.SALTS] == {}


def test_the_place_in_a_ledger_is_outside_of_the_entry() -> None:
    record = commitment.salted(RECORD, SEED)
    assert commitment.entry(record | {"slm.ledger.id": "x", "slm.ledger.leaf": 3}) == commitment.entry(record)


def _same_or_refused(record: Any, entry: bytes) -> bool:
    try:
        return commitment.entry(record) == entry
    except LedgerError:
        return False


def test_any_changed_field_changes_the_entry() -> None:
    record = commitment.salted(RECORD, SEED)
    entry = commitment.entry(record)
    for name in RECORD:
        changes: list[Any] = ["other", None, 7, [], {}, 2**60]
        for change in changes:
            assert not _same_or_refused(record | {name: change}, entry), name
        assert not _same_or_refused({key: value for key, value in record.items() if key != name}, entry), name
        renamed = {("user.name" if key == name else key): value for key, value in record.items()}
        assert not _same_or_refused(renamed, entry), name
    for name in FIELDS.keys() - RECORD.keys():
        assert not _same_or_refused(record | {name: "planted"}, entry), name


@pytest.mark.parametrize("erased", [(), ("labels",)])
def test_no_byte_of_a_stored_record_goes_unproved(erased: tuple[str, ...]) -> None:
    record = commitment.salted(RECORD, SEED)
    for name in erased:
        record = _erased(record, name)
    entry = commitment.entry(record)
    stored = rfc8785.dumps(record)
    for at in range(len(stored)):
        for bit in range(8):
            flipped = bytearray(stored)
            flipped[at] ^= 1 << bit
            try:
                changed = json.loads(flipped)
            except ValueError:
                continue
            if changed != record or type(changed) is not dict:
                assert not isinstance(changed, dict) or not _same_or_refused(changed, entry), bytes(flipped)


def test_salts_can_not_be_planted_taken_or_spelled_otherwise() -> None:
    record = commitment.salted(RECORD, SEED)
    entry = commitment.entry(record)
    salts = record[commitment.SALTS]
    wrong: list[Any] = [
        {**salts, "message": "00" * 16},
        {**salts, "slm.kind": "00" * 16},
        {**salts, "user.id": salts["user.id"].upper()},
        {**salts, "user.id": salts["user.id"] + " "},
        {**salts, "user.id": 5},
        {key: value for key, value in salts.items() if key != "labels"},
        {},
        None,
        [],
        "x",
    ]
    for other in wrong:
        changed = copy.deepcopy(record) | {commitment.SALTS: other}
        assert not _same_or_refused(changed, entry), other
    del record[commitment.SALTS]
    assert not _same_or_refused(record, entry)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=6,
    ),
    st.sampled_from([commitment.SALTS, commitment.COMMITMENTS, "user.id", "labels", "slm.kind", "other"]),
)
def test_a_record_from_a_tampered_store_raises_nothing_but_ledger_error(value: Any, name: str) -> None:
    try:
        entry = commitment.entry(commitment.salted(RECORD, SEED) | {name: value})
    except LedgerError:
        return
    assert len(entry) == 32

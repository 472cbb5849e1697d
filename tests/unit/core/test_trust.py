"""Who is believed: a frame needs a row for its key, its collector and its environment, and the row can go."""

from __future__ import annotations

import base64
import json
import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from slmtrail.core import trust
from slmtrail.core.errors import FrameError, KeyFileError, TrailError
from slmtrail.core.frames import Frame
from slmtrail.core.keys import key_id, raw

Seal = Callable[..., Frame]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the trust file is to be."""
    return tmp_path / "trust" / "trust.json"


def _reason(believed: trust.Trust, frame: Frame) -> str:
    with pytest.raises(FrameError) as caught:
        believed.check(frame)
    return caught.value.reason


def test_a_collector_is_believed_from_the_moment_it_is_admitted(
    path: Path, seal: Seal, collector_key: Ed25519PrivateKey
) -> None:
    believed = trust.Trust(path)
    assert _reason(believed, seal([])) == "unknown_key"
    trust.admit(path, "edge-1", "prod", collector_key.public_key())
    assert believed.check(seal([])).collector == "edge-1"
    assert _reason(believed, seal([], environment="dev")) == "wrong_environment"
    assert _reason(believed, seal([], collector="edge-2")) == "unknown_key"
    other = Ed25519PrivateKey.generate()
    assert _reason(believed, seal([], key=other)) == "forged"
    assert _reason(believed, seal([], key=other, collector="edge-1")) == "forged"


def test_any_environment_is_any(path: Path, seal: Seal, collector_key: Ed25519PrivateKey) -> None:
    trust.admit(path, "edge-1", trust.ANY, collector_key.public_key())
    assert trust.Trust(path).check(seal([], environment="whatever")).environment == trust.ANY


def test_a_key_that_is_taken_out_is_not_believed_any_more(
    path: Path, seal: Seal, collector_key: Ed25519PrivateKey
) -> None:
    trust.admit(path, "edge-2", "prod", Ed25519PrivateKey.generate().public_key())
    trust.admit(path, "edge-1", "prod", collector_key.public_key())
    believed = trust.Trust(path)
    believed.check(seal([]))
    rows = json.loads(path.read_text())["collectors"]
    moment = path.stat().st_mtime_ns
    path.write_text(json.dumps({"collectors": rows[:1]}))
    os.utime(path, ns=(moment, moment))  # the clock of a file system can be as coarse as that
    assert _reason(believed, seal([])) == "unknown_key"


def test_without_the_file_nobody_is_believed(path: Path, seal: Seal, collector_key: Ed25519PrivateKey) -> None:
    trust.admit(path, "edge-1", "prod", collector_key.public_key())
    believed = trust.Trust(path)
    believed.check(seal([]))
    kept = path.read_bytes()
    path.unlink()
    assert _reason(believed, seal([])) == "unknown_key"
    path.write_bytes(kept)
    believed.check(seal([]))


def test_a_key_speaks_for_one_collector(path: Path, collector_key: Ed25519PrivateKey) -> None:
    trust.admit(path, "edge-1", "prod", collector_key.public_key())
    trust.admit(path, "edge-1", "prod", collector_key.public_key())
    assert len(json.loads(path.read_text())["collectors"]) == 1
    for name, environment in [("edge-2", "prod"), ("edge-1", "dev")]:
        with pytest.raises(KeyFileError, match="already speaks for edge-1 in prod"):
            trust.admit(path, name, environment, collector_key.public_key())


@pytest.mark.parametrize("name", ["", "A", "a b", "../x", "x" * 64, "a\n", "-a"])
def test_a_name_has_to_be_one(path: Path, collector_key: Ed25519PrivateKey, name: str) -> None:
    with pytest.raises(KeyFileError, match="a collector's name is"):
        trust.admit(path, name, "prod", collector_key.public_key())
    assert not path.exists()


def _row(**change: Any) -> dict[str, Any]:
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32))).public_key()
    row = {
        "collector": "edge-1",
        "environment": "prod",
        "key": key_id(key),
        "public": base64.b64encode(raw(key)).decode(),
    }
    return {name: value for name, value in (row | change).items() if value is not ...}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"collectors": 5}',
        '{"collectors": [5]}',
        '{"collectors": {"a": 1}}',
        json.dumps({"collectors": [_row(public="AAAA")]}),
        json.dumps({"collectors": [_row(public="!")]}),
        json.dumps({"collectors": [_row(public=7)]}),
        json.dumps({"collectors": [_row(collector=...)]}),
        json.dumps({"collectors": [_row(environment=...)]}),
        json.dumps({"collectors": [_row(), _row(public=...)]}),
        "[" * 100_000,
    ],
    ids=range(14),
)
def test_a_damaged_file_is_an_error_and_believes_nobody(path: Path, seal: Seal, text: str) -> None:
    path.parent.mkdir()
    path.write_text(text)
    believed = trust.Trust(path)
    for _ in range(2):
        with pytest.raises(KeyFileError, match=str(path)):
            believed.check(seal([]))
    with pytest.raises(KeyFileError, match=str(path)):
        trust.admit(path, "edge-9", "prod", Ed25519PrivateKey.generate().public_key())
    assert path.read_text() == text


def _admit(task: tuple[Path, int]) -> None:
    path, number = task
    trust.admit(path, f"edge-{number}", "prod", Ed25519PrivateKey.generate().public_key())


def test_admissions_at_the_same_time_are_all_kept(path: Path) -> None:
    with multiprocessing.get_context("fork").Pool(4) as pool:
        pool.map(_admit, [(path, number) for number in range(40)], chunksize=1)
    rows = json.loads(path.read_text())["collectors"]
    assert {row["collector"] for row in rows} == {f"edge-{number}" for number in range(40)}


def test_a_folder_that_can_not_be_made_says_why(tmp_path: Path, collector_key: Ed25519PrivateKey) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TrailError, match="a file stands where a folder should be"):
        trust.admit(tmp_path / "file" / "trust.json", "edge-1", "prod", collector_key.public_key())


def test_a_key_is_valid_between_two_times(path: Path, collector_key: Ed25519PrivateKey, seal: Seal) -> None:
    public = collector_key.public_key()
    trust.admit(path, "edge-1", "*", public, from_ms=1)
    frame = seal([b"{}"])
    assert trust.Trust(path).check(frame).collector == "edge-1"
    trust.end(path, key_id(public), frame.header.last_ms)
    assert trust.Trust(path).check(frame).until_ms == frame.header.last_ms
    trust.end(path, key_id(public), frame.header.last_ms - 1)
    with pytest.raises(FrameError) as caught:
        trust.Trust(path).check(frame)
    assert caught.value.reason == "outside_validity"
    trust.revoke(path, key_id(public), 7)
    with pytest.raises(FrameError) as caught:
        trust.Trust(path).check(frame)
    assert caught.value.reason == "revoked_key"
    assert trust.Trust(path).row(key_id(public)) is None
    assert trust.rows(path)[0]["revoked_ms"] == 7
    with pytest.raises(KeyFileError, match="there is no key"):
        trust.revoke(path, "0" * 16, 7)

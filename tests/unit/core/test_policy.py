"""The policy file: faults with line and column, no bombs, and a digest that names what it says."""

from __future__ import annotations

import re
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slmtrail.core import policy
from slmtrail.core.errors import SettingsError


def _load(folder: Path, text: str | bytes) -> policy.Policy:
    file = folder / "policy.yaml"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return policy.load(file)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rules:\n  a-rule:\n    severty: low\n", r":3:5: rules\.a-rule\.severty: no such key; did you mean severity"),
        ("suppress: {x: {reason: y, weekly: {day: [mon]}}}", r":1:36: suppress\.x\.weekly\.day: .* days"),
        ("roles: {a: {allow: {models: phi}}}", r":1:21: roles\.a\.allow\.models: should be a list"),
        ("rules:\n  a-rule:\n    severity: worst\n", r":3:5: rules\.a-rule\.severity: .*'low', 'medium'"),
        ("rules:\n  a-rule: {enabled: perhaps}\n", r":2:12: rules\.a-rule\.enabled: .*boolean"),
        ("\nrule: {}\n", r":2:1: rule: no such key; did you mean rules"),
        ("rules:\n  Bad Name: {}\n", r":2:3: rules\.Bad Name"),
        ("rules: [a, b]\n", r":1:1: rules: .*dictionary"),
        ("- a\n- b\n", r":1:1: "),
        ("just text\n", r":1:1: "),
        ("false\n", r":1:1: "),
        ("[]\n", r":1:1: "),
        ("rules:\n  a: {\n", r":3:1: not YAML: "),
        ("rules:\n\tb: 1\n", r":2:1: not YAML: "),
        ("a: b: c\n", r":1:5: not YAML: "),
        ("--- {}\n--- {}\n", r":2:1: not YAML: "),
        ("rules:\n  a: {enabled: true}\n  b: {}\n  a: {enabled: false}\n", r":4:3: not YAML: a key is given twice"),
        ("rules: &r\n  a: {}\nmore: *r\n", r":3:7: not YAML: aliases are not taken"),
        ("? [a, b]\n: c\n", r":1:3: not YAML: "),
        ("!!python/object/apply:os.system [true]\n", r":1:1: not YAML: "),
        ("x: 2026-99-99\n", r": not YAML \(ValueError\)"),
        ("x: 0b_\n", r": not YAML \(ValueError\)"),
        ("x: " + "9" * 5000 + "\n", r": not YAML \(ValueError\)"),
        ("x: " + "[" * 20_000, r": not YAML \(RecursionError\)"),
        ("\nx: \x01\n", r":2: not YAML: "),
        (b"x: \xff\n", r": is not UTF-8; save it so"),
        ("roles: {anyone: {allow: {models: []}}}\n", r":1:1: roles: no role may use any model: .* lock everyone out"),
    ],
    ids=range(27),
)
def test_a_fault_is_told_with_its_place(tmp_path: Path, text: str | bytes, expected: str) -> None:
    with pytest.raises(SettingsError) as caught:
        _load(tmp_path, text)
    assert re.match(expected, str(caught.value).removeprefix(str(tmp_path / "policy.yaml")), re.DOTALL)


def _laughs(merge: bool) -> str:
    lines = ["a0: &a0 {k: v, l: v}" if merge else "a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    for number in range(1, 10):
        nine = ", ".join([f"*a{number - 1}"] * 9)
        lines.append(f"a{number}: &a{number} " + (f"{{<<: [{nine}]}}" if merge else f"[{nine}]"))
    return "\n".join(lines)


@pytest.mark.parametrize("merge", [False, True])
def test_a_small_file_does_not_become_large(tmp_path: Path, merge: bool) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(SettingsError, match="aliases are not taken"):
            _load(tmp_path, _laughs(merge))
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


def test_the_defaults_hold_without_a_file_and_with_an_empty_one(tmp_path: Path) -> None:
    assert policy.load(None) == _load(tmp_path, "") == _load(tmp_path, "# nothing yet\n") == policy.Policy()


def test_a_policy_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    for path in (tmp_path / "no.yaml", tmp_path):
        with pytest.raises(SettingsError, match=r"no such file|can't be read"):
            policy.load(path)


def test_the_digest_names_the_meaning_not_the_spelling(tmp_path: Path) -> None:
    one = _load(tmp_path, "rules:\n  a: {severity: low}\n  b: {enabled: false}\n")
    same = _load(tmp_path, "rules: {b: {enabled: no}, a: {enabled: true, severity: low}} # later\n")
    assert one.digest == same.digest
    others = [
        _load(tmp_path, text).digest
        for text in ("", "rules: {a: {severity: low}}", "rules: {a: {severity: high}, b: {enabled: false}}")
    ]
    assert len({one.digest, *others}) == 4
    assert re.fullmatch("[0-9a-f]{64}", one.digest)


@given(st.text())
def test_noise_raises_nothing_but_settings_error(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    try:
        _load(tmp_path_factory.getbasetemp(), text.encode(errors="replace"))
    except SettingsError as error:
        assert "policy.yaml" in str(error)


yaml_chars = st.text(st.sampled_from("ab:-[]{},&*!|>?'\"%@#\n 0123456789<"), max_size=40)


@given(yaml_chars)
def test_almost_yaml_raises_nothing_but_settings_error(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    try:
        _load(tmp_path_factory.getbasetemp(), "rules:\n " + text)
    except SettingsError as error:
        assert "policy.yaml" in str(error)

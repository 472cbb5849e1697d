"""What the redactor puts in the place of things, and that it never raises."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from slmtrail.core.fields import FIELDS
from slmtrail.stream.redact.finding import Finding
from slmtrail.stream.redact.operators import KeyedHash, mask
from slmtrail.stream.redact.options import RedactOptions
from slmtrail.stream.redact.redactor import Redactor

KEY = b"k" * 32


class Scripted:
    """An analyser that finds the words it is given, or raises."""

    secret_types = frozenset({"TOKEN"})
    finds_names = False

    def __init__(self, words: dict[str, str], error: type[Exception] | None = None) -> None:
        self._words, self._error = words, error

    def prepare(self, texts: list[str]) -> None: ...

    def find(self, text: str) -> list[Finding]:
        if self._error:
            raise self._error("no text here")
        return [
            Finding(type_, place, place + len(word), 0.9, "scripted", "1")
            for word, type_ in self._words.items()
            for place in range(len(text))
            if text.startswith(word, place)
        ]


def scripted(words: dict[str, str], **options: Any) -> Redactor:
    return Redactor(RedactOptions(**options), KEY, analyzer=Scripted(words))


def test_the_same_value_has_the_same_number_within_a_record() -> None:
    redactor = scripted({"anna@x": "EMAIL_ADDRESS", "bob@x": "EMAIL_ADDRESS"})
    redacted, _ = redactor.redact({"message": "anna@x bob@x anna@x", "slm.attributes": '{"to": "bob@x"}'})
    assert redacted["message"] == "<EMAIL_1> <EMAIL_2> <EMAIL_1>"
    assert redacted["slm.attributes"] == '{"to": "<EMAIL_2>"}'


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        ("replace", "x <TOKEN_1> y"),
        ("mask", "x ******** y"),
        ("drop", "x  y"),
        ("keep", "x tok12345 y"),
    ],
)
def test_operators_by_type(operator: str, expected: str) -> None:
    redacted, findings = scripted({"tok12345": "TOKEN"}, operators={"TOKEN": operator}).redact(
        {"message": "x tok12345 y"}
    )
    assert redacted["message"] == expected
    assert findings[0]["operator"] == operator


def test_secret_stands_for_every_secret_not_named() -> None:
    redacted, _ = scripted({"tok12345": "TOKEN"}, operators={"SECRET": "drop"}).redact({"message": "x tok12345 y"})
    assert redacted["message"] == "x  y"


def test_a_keyed_hash_joins_records_and_changes_with_the_key() -> None:
    first, second = KeyedHash(KEY, 1), KeyedHash(b"z" * 32, 2)
    assert first.text("a") == first.text("a") != first.text("b")
    assert first.text("a").startswith("h1:")
    assert second.text("a").startswith("h2:")
    assert len(first.text("a")) == len("h1:") + 24
    assert first.text("a")[3:] != second.text("a")[3:]
    assert first.ip("10.0.0.1").startswith("fd")


def test_field_treatments() -> None:
    redactor = scripted(
        {"anna@x": "EMAIL_ADDRESS"}, fields={"source.ip": "hash", "message": "drop", "error.message": "keep"}
    )
    redacted, _ = redactor.redact(
        {
            "user.email": "who@ever",
            "user.id": "anna@x",
            "session.id": "s1",
            "source.ip": "10.0.0.1",
            "message": "hello",
            "error.message": "anna@x",
            "gen_ai.usage.input_tokens": 7,
        }
    )
    assert redacted["user.email"].startswith("h1:")
    assert redacted["user.id"].startswith("h1:")
    assert redacted["session.id"] == "s1"
    assert redacted["source.ip"].startswith("fd")
    assert "message" not in redacted
    assert redacted["error.message"] == "anna@x"
    assert redacted["gen_ai.usage.input_tokens"] == 7


def test_overlapping_findings_leave_nothing_of_any() -> None:
    redacted, _ = scripted({"abcdef": "A", "defghi": "B", "cd": "C"}).redact({"message": "x abcdefghi y"})
    assert redacted["message"] in ("x <A_1> y", "x <B_1> y")


def test_a_value_found_once_goes_wherever_it_stands() -> None:
    class Once(Scripted):
        def find(self, text: str) -> list[Finding]:
            return super().find(text) if "account" in text else []

    redactor = Redactor(RedactOptions(), KEY, analyzer=Once({"1234567": "US_BANK_NUMBER"}))
    redacted, findings = redactor.redact({"message": "account 1234567", "error.message": "no 1234567, but 912345678"})
    assert redacted["error.message"] == "no <US_BANK_NUMBER_1>, but 912345678"
    assert {found["rule"] for found in findings} == {"scripted", "repeat/scripted"}


@pytest.mark.parametrize("error", [ValueError, RecursionError, MemoryError, TimeoutError])
def test_what_fails_is_withheld_whole(error: type[Exception]) -> None:
    redactor = Redactor(RedactOptions(), KEY, analyzer=Scripted({}, error))
    redacted, findings = redactor.redact(
        {
            "message": "secret",
            "slm.attributes": '{"a": "secret"}',
            "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "secret"}]}],
            "labels": {"a": "secret"},
        }
    )
    assert "secret" not in json.dumps(redacted)
    assert redacted["message"] == "<WITHHELD>"
    json.loads(redacted["slm.attributes"])
    assert {found["type"] for found in findings} == {"WITHHELD"}
    assert redactor.redact_text("secret")[0] == "<WITHHELD>"


def test_a_shape_that_was_not_expected_is_withheld() -> None:
    redacted, findings = scripted({}).redact({"gen_ai.input.messages": [["not", "a", "message"]], "labels": ["x"]})
    assert "not" not in json.dumps(redacted)
    assert {found["type"] for found in findings} == {"WITHHELD"}


def test_numbered_texts_can_be_withheld() -> None:
    seen: list[int] = []
    event = {"message": "one", "error.message": "two"}
    redacted, _ = scripted({}).redact(event, {0: "deadline"}, seen.append)
    assert redacted == {"error.message": "<WITHHELD>", "message": "one"}
    assert seen == [1]


def test_settings_that_make_no_sense_are_refused() -> None:
    for wrong in (
        {"fields": {"no.such": "drop"}},
        {"fields": {"event.id": "drop"}},
        {"fields": {"@timestamp": "hash"}},
        {"languages": ["English"]},
        {"threshold": 2},
        {"nonsense": 1},
    ):
        with pytest.raises(ValidationError):
            RedactOptions(**wrong)


def test_mask_keeps_the_shape() -> None:
    assert mask("4111 1111 1111 1111") == "**** **** **** 1111"
    assert mask("abc") == "***"


LEAVES = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=30) | st.floats(allow_nan=False, allow_infinity=False)
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=JSON, text=st.text(st.characters(), max_size=60), indent=st.sampled_from([None, 1]))
def test_any_json_comes_out_as_json_with_the_same_shape(value: Any, text: str, indent: int | None) -> None:
    given_text = json.dumps(value, indent=indent)
    redacted, _ = scripted({"@": "AT"}).redact({"slm.attributes": given_text, "message": text})
    new = json.loads(redacted["slm.attributes"])
    assert shape(new) == shape(value) or "@" in given_text
    assert "@" not in redacted["message"]


def shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    return [shape(inner) for inner in value] if isinstance(value, list) else type(value)


def test_it_is_a_function_of_its_input(redactor: Redactor) -> None:
    event = {
        "message": "mail a@example.com or b@example.com, \ud800 call +1 212 555 0199",
        "labels": {"b": "a@example.com", "a": "x"},
        "user.id": "a@example.com",
    }
    first = redactor.redact(dict(event))
    second = redactor.redact(dict(reversed(list(event.items()))))
    assert first == second


def test_by_which_fields_a_reader_searched_stays_readable(redactor: Redactor) -> None:
    looked = {"slm.kind": "access", "slm.access.fields": [*FIELDS, "text", "user"]}
    assert redactor.redact(dict(looked)) == (looked, [])

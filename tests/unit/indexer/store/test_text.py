"""What of a record is searched as text."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slmtrail.core.fields import FIELDS, WORDED
from slmtrail.indexer.store.text import BOUNDARY, searched, strings, supplement


@pytest.mark.parametrize("name", sorted(WORDED))
def test_every_content_field_is_searched(name: str) -> None:
    values: dict[str, Any] = {
        "messages": [{"role": "user", "parts": [{"type": "text", "content": "needle"}]}],
        "labels": {"key": "needle"},
        "keywords": ["needle"],
    }
    assert list(strings({name: values.get(FIELDS[name].type, "needle")})) == ["needle"]


def test_nothing_else_is_searched() -> None:
    record = {"user.id": "alice", "slm.kind": "auth", "slm.salts": {"message": "ab"}, "event.reason": "why"}
    assert list(strings(record)) == []


def test_json_inside_of_a_string_is_searched_without_its_escapes() -> None:
    inner = orjson.dumps({"k": "deep\nwords"}).decode()
    record = {"slm.attributes": orjson.dumps({"a": "one\ntwo", "b": [inner]}).decode()}
    assert {"a", "b", "k", "one\ntwo", inner, "deep\nwords"} == set(supplement(record))
    assert {"one", "two", "deep", "words", "k"} <= set(searched(record).split())


def test_json_without_escapes_needs_no_supplement() -> None:
    assert supplement({"slm.attributes": '{"a":"one"}', "message": "back\\slash"}) == []


@pytest.mark.parametrize(
    "text", ["{\\", "[" * 100_000 + "\\", '{"a":"\\ud800"}', '"\\u0000"', "\\", '{"a":1e999,"b":"\\n"}']
)
def test_what_only_looks_like_json_does_no_harm(text: str) -> None:
    assert text in list(strings({"message": text}))


@given(st.dictionaries(st.text("ab.", min_size=1), st.text()), st.randoms())
def test_the_text_does_not_depend_on_the_order_of_names(labels: dict[str, str], rng: Any) -> None:
    record = {"message": "m", "labels": labels, "slm.attributes": '{"a":"x\\ny"}', "error.message": "e"}
    names, keys = list(record), list(labels)
    rng.shuffle(names)
    rng.shuffle(keys)
    again = {name: record[name] for name in names} | {"labels": {key: labels[key] for key in keys}}
    assert searched(again) == searched(record)
    assert supplement(again) == supplement(record)


@given(
    st.recursive(
        st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_a_value_of_any_shape_does_no_harm(value: Any) -> None:
    for name in WORDED:
        assert isinstance(searched({name: value, "message": "x"} if name != "message" else {name: value}), str)
        supplement({name: value})


def test_strings_are_kept_apart() -> None:
    assert searched({"message": "two", "error.message": "one"}) == f"one {BOUNDARY} two"

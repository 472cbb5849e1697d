"""The field table and the models say the same."""

from __future__ import annotations

import re
import typing
from typing import Any

import pytest

from slmtrail.core import events, fields
from slmtrail.core.fields import FIELDS

PYTHON_TYPES: dict[str, set[Any]] = {
    "keyword": {events.Keyword, events.KeyHash, events.RecordId, str, events.Outcome},
    "keywords": {events.Keywords},
    "text": {events.Text},
    "integer": {events.Integer},
    "decimal": {events.Decimal},
    "date": {events.Timestamp},
    "ip": {events.Ip},
    "boolean": {bool},
    "json": {events.Json},
    "messages": {events.Messages},
    "labels": {events.Labels},
}


def _modelled() -> dict[str, set[Any]]:
    """Each field that a model has, with the types it has there."""
    found: dict[str, set[Any]] = {}
    for model in events.KINDS.values():
        hints = typing.get_type_hints(model, include_extras=True)
        for name, field in model.model_fields.items():
            hint = hints[name]
            arguments = [part for part in typing.get_args(hint) if part is not type(None)]
            optional = type(None) in typing.get_args(hint)
            found.setdefault(str(field.alias), set()).add(arguments[0] if optional and len(arguments) == 1 else hint)
    return found


def test_every_modelled_field_is_in_the_table_and_every_row_is_modelled_or_made_by_the_stream() -> None:
    modelled = _modelled()
    assert modelled.keys() <= FIELDS.keys()
    assert FIELDS.keys() - modelled.keys() == fields.STREAM_OWNED - {"slm.salts", "slm.commitments"}


@pytest.mark.parametrize("name", sorted(_modelled()))
def test_a_model_types_a_field_as_the_table_does(name: str) -> None:
    for hint in _modelled()[name]:
        literal = typing.get_origin(hint) is typing.Literal
        closed_list = name == "slm.repairs" or hint == events.FieldNames
        assert literal or closed_list or hint in PYTHON_TYPES[FIELDS[name].type], (name, hint)
        if literal:
            assert FIELDS[name].type == "keyword"


def test_no_field_stands_in_the_table_twice() -> None:
    assert len(fields._TABLE) == len(FIELDS)


def test_names_are_ascii_and_python_names_lead_to_one_field_each() -> None:
    for name in FIELDS:
        assert re.fullmatch(r"@?[a-z][a-z0-9_]*(\.[a-z0-9_]+)*", name), name
    assert len(events._ALIASES) == len(FIELDS)


def test_free_text_and_people_can_be_erased_and_are_redacted() -> None:
    for field in FIELDS.values():
        if field.type in ("text", "messages", "labels"):
            assert field.name in fields.COMMITTED, field.name
            assert field.treatment == "replace", field.name
        if field.type == "json" and field.name not in fields.STREAM_OWNED:
            assert field.name in fields.CONTENT, field.name
            assert field.treatment == "replace", field.name


_CLOSED = {events.KeyHash, events.RecordId, events.FieldNames}


def test_what_redaction_leaves_alone_can_hold_no_free_text() -> None:
    """A caller sets these only from a closed set of words, or in a form that holds no text."""
    for kind in events.COLLECTED_KINDS:
        hints = typing.get_type_hints(events.KINDS[kind], include_extras=True)
        for name, field in events.KINDS[kind].model_fields.items():
            row = FIELDS[str(field.alias)]
            if row.treatment == "keep" and row.type in ("keyword", "keywords", "text", "json"):
                hint = hints[name]
                words = {word for part in typing.get_args(hint) or [hint] for word in _words(part)}
                assert words or _CLOSED & set(typing.get_args(hint)), f"{kind}: {row.name}"


def _words(hint: Any) -> set[str]:
    if isinstance(hint, str):
        return {hint}
    if typing.get_origin(hint) is list:
        return _words(typing.get_args(hint)[0])
    return set(typing.get_args(hint)) if typing.get_origin(hint) is typing.Literal else set()

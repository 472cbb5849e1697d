"""Values that stand beside their names have them as context, as if the names were their keys."""

from __future__ import annotations

import json
from typing import Any

import pytest

from slmtrail.stream.redact import jsontext, pairs
from slmtrail.stream.redact.redactor import Redactor

SECRET = "hunter2-xyz"
COINED = "Tr0ub4dor-hunter2-xyz"
PAIRS: list[Any] = [
    {"name": "DB_PASSWORD", "value": SECRET},
    {"value": SECRET, "name": "DB_PASSWORD"},
    {"name": "DB_PASSWORD", "from": {"name": "shop", "values": [1, "a"]}, "value": SECRET},
    {"id": "7", "type": "CONCEALED", "label": "password", "value": SECRET},
    {"key": "api_key", "value": SECRET},
    {"Key": "DB_PASSWORD", "Value": SECRET},
    {"k": "password", "v": SECRET},
    {"ParameterKey": "DBPassword", "ParameterValue": SECRET},
    {"Namespace": "env", "OptionName": "DB_PASSWORD", "Value": SECRET},
    {"Name": "/prod/db/password", "Type": "SecureString", "Value": SECRET},
    {"op": "replace", "path": "/spec/password", "value": SECRET},
    {"variable": "db_password", "value": SECRET},
    {"@name": "password", "@value": SECRET},
    {"key": "db.password", "value": {"stringValue": SECRET}},
    {"key": "tag:token", "Values": ["blue", SECRET]},
    {"db_password": {"sensitive": True, "type": "string", "value": SECRET}},
    {"db_password": {"default": SECRET}},
    {"password": {"S": SECRET}},
    {"password": {"#text": SECRET}},
    {"name": "x-api-key", "value": SECRET},
    {"name": "authorization", "value": f"Bearer {SECRET}"},
    {"name": "db_password", "value": json.dumps({"value": SECRET})},
    [["Host", "db"], ["Authorization", f"Bearer {SECRET}"]],
    [["X-Api-Key", SECRET]],
    ["Host", "db", "X-Api-Key", SECRET, "Accept", "*"],
    ["mysql", "--user", "bob", "--password", SECRET, "shop"],
    ["DB_PASSWORD", SECRET],
    {"Env": ["COLOR=blue", f"DB_PASSWORD={SECRET}"]},
    {"type": "password", "value": COINED},
    {"field": "password", "data": COINED},
    {"selector": "#password", "text": COINED},
    {"element": "Password field", "text": COINED},
    {"question": "What is your password?", "answer": COINED},
    {"name": "DB_PASSWORD", "value": {"current": COINED, "previous": COINED}},
    {"passwords": {"bob": COINED, "eve": {"old": COINED}}},
    {"api_keys": [COINED]},
    {"columns": ["user", "password"], "rows": [["bob", SECRET], ["eve", SECRET]]},
    {"fields": [{"name": "id"}, {"name": "token"}], "data": [[1, SECRET]]},
    [["user", "api_key"], ["bob", SECRET]],
    ["mysql", "-u", "root", f"-p{SECRET}", "shop"],
    {"command": "curl", "args": ["curl", "-u", f"bob:{COINED}", "https://x.example"]},
    ["sshpass", "-p", COINED, "ssh", "bob@host.example"],
    {"program": "curl", "params": ["-u", f"bob:{COINED}", "https://x.example"]},
    {"args": ["-p", COINED, "ssh"], "bin": "sshpass"},
    {"cmd": "/usr/bin/mysql", "env": {"COLOR": "blue"}, "argv": ["-h", "db", f"-p{SECRET}", "shop"]},
    {"command": ["redis-cli"], "args": ["-a", SECRET]},
    {"command": "mysql", "args": [f"-p{SECRET}"]},
]
HARMLESS: list[Any] = [
    {"name": "color", "value": "blue-7x"},
    {"name": "DB_PASSWORD", "other": {"name": "color", "value": "blue-7x"}},
    [{"name": "DB_PASSWORD", "value": "required"}, {"name": "color", "value": "blue-7x"}],
    {"name": "DB_PASSWORD", "valueFrom": {"fieldRef": {"path": "shop-7x"}}},
    {"name": "get_token", "content": "blue-7x is the color"},
    {"name": "password", "value": "${DB_PASSWORD}"},
    {"token": {"type": "blue-7x"}, "color": {"value": "blue-7x"}},
    ["user", "password", "blue-7x"],
    {"required": ["color", "password"], "color": ["--blue", "blue-7x"]},
    ["--password", "required", "blue-7x"],
    {"type": "token", "value": "hello"},
    {"password": {"type": "string", "minLength": 8, "example": "level-7x"}},
    {"tokens": ["The", "##ing3", "<0x0A>"]},
    {"columns": ["user", "color"], "rows": [["bob", "Tr0ub4dor-7x"]]},
    ["user", "password", "blue-7x", "Tr0ub4dor-7x"],
    ["docker", "run", "-p", "8080:80", "-u", "app:staff", "nginx"],
]


def contexts(value: Any, outer_key: str = "", **layout: Any) -> list[tuple[str, str]]:
    return contexts_of(json.dumps(value, **layout), outer_key)


def contexts_of(text: str, outer_key: str = "") -> list[tuple[str, str]]:
    seen: list[tuple[str, str]] = []

    def visit(_path: str, key: str, kind: jsontext.Kind, old: str) -> str:
        if kind != "key":
            seen.append((key, old))
        return old

    assert jsontext.rewrite(text, "", visit, outer_key, pairs.names(text)) == text
    return seen


def test_the_name_beside_a_value_is_its_key_wherever_it_stands() -> None:
    assert contexts({"value": "a", "more": ["b"], "name": "x\ny", "n": 1}) == [
        ("x\ny", "a"),
        ("more", "b"),
        ("name", "x\ny"),
        ("n", "1"),
    ]


def test_a_value_without_a_name_beside_it_has_that_of_its_object() -> None:
    assert contexts({"phone": {"value": 7, "type": "x"}}) == [("phone", "7"), ("type", "x")]
    assert contexts({"phone": [{"value": {"stringValue": "x"}}]}) == [("phone", "x")]
    assert contexts([{"value": "x"}], "outer") == [("outer", "x")]
    assert contexts({"value": "x"}) == [("value", "x")]
    assert contexts({"phone": {"": "x"}}) == [("phone", "x")]


def test_names_of_names_and_values_are_read_as_what_they_say() -> None:
    escaped = r'{"n\u0061me": "pass\u0077ord", "val\u0075e": "x", "value": "y"}'
    assert contexts_of(escaped) == [("name", "password"), ("password", "x"), ("password", "y")]


def test_what_looks_like_a_key_in_a_text_is_none() -> None:
    text = r'{"a": "x\"name\": \"token\", \"value\": {", "b": ["\"value\":", "}"], "value": "y", "name": "n"}'
    assert contexts_of(text)[-2:] == [("n", "y"), ("name", "n")]


def test_what_stands_behind_the_last_object_is_read_once() -> None:
    assert pairs.names(json.dumps([{"value": 1}, *['{"value": 1}'] * 20_000])) == {11: ""}


def test_a_lone_surrogate_is_a_character_like_any_other() -> None:
    text = '{"value": "\ud800", "name": "token"}'
    assert contexts_of(text)[0] == ("token", "\ud800")
    assert pairs.in_text(f"\ud800 {text}") == [("token", "\ud800")]


def test_of_several_names_the_one_of_a_secret_counts() -> None:
    assert contexts({"name": "a", "key": "token", "value": "x"})[-1] == ("token", "x")
    assert contexts({"name": "a", "key": "b", "value": "x"})[-1] == ("a", "x")


def test_a_string_of_an_array_names_only_the_next_one() -> None:
    assert contexts({"args": ["-x", "--token", "a", "b"]}, indent=2) == [
        ("args", "-x"),
        ("args", "--token"),
        ("--token", "a"),
        ("args", "b"),
    ]


@pytest.mark.parametrize("value", PAIRS, ids=json.dumps)
def test_a_secret_that_is_named_beside_it_is_found_in_every_nesting(redactor: Redactor, value: Any) -> None:
    text = json.dumps(value)
    parts = [
        {"type": "text", "content": text},
        {"type": "tool_call", "id": "c", "name": "f", "arguments": json.dumps({"body": text, "at": value})},
        {"type": "tool_call_response", "id": "c", "result": json.dumps(text, indent=2)},
    ]
    for part in parts:
        # Each by itself: what is found once goes everywhere in a record.
        redacted, _ = redactor.redact({"gen_ai.input.messages": [{"role": "tool", "parts": [part]}]})
        assert SECRET not in json.dumps(redacted)
    redacted, _ = redactor.redact({"slm.attributes": json.dumps({"metadata": value})})
    assert SECRET not in redacted["slm.attributes"]


@pytest.mark.parametrize("value", PAIRS, ids=json.dumps)
def test_a_secret_that_is_named_beside_it_is_found_where_json_is_a_part_of_a_text(
    redactor: Redactor, value: Any
) -> None:
    text = json.dumps(value)
    for message in (
        f'He said [so {{5" wide:\n```json\n{json.dumps(value, indent=2)}\n```\nThat is {{all}}.',
        f'{{"color": "blue"}}\n{text}\n[1]\n',
        f"log: {json.dumps({'body': text})}",
    ):
        redacted, _ = redactor.redact({"message": message})
        assert SECRET not in redacted["message"]


def test_of_json_in_a_text_what_is_found_anyhow_is_noted_once(redactor: Redactor) -> None:
    _, findings = redactor.redact({"message": f'so: {{"name": "DB_PASSWORD", "value": "{SECRET}"}}'})
    assert [found["rule"] for found in findings] == ["named-value"]


def test_openings_that_nothing_closes_are_tried_a_few_times_only() -> None:
    hidden = '"value": "x", "name": "token"'
    assert pairs.in_text("[[" * 10_000 + hidden) == []
    assert pairs.in_text(f'{{"x [[ {{{hidden}}} ]') == [("token", "x")]


@pytest.mark.parametrize("value", HARMLESS, ids=json.dumps)
def test_a_harmless_pair_stays_where_json_is_a_part_of_a_text(redactor: Redactor, value: Any) -> None:
    event = {"message": f"so:\n{json.dumps(value)}"}
    assert redactor.redact(event) == (event, [])


@pytest.mark.parametrize("value", HARMLESS, ids=json.dumps)
def test_a_harmless_pair_stays(redactor: Redactor, value: Any) -> None:
    event = {"slm.attributes": json.dumps(value)}
    assert redactor.redact(event) == (event, [])

"""No secret and no personal value is left, whatever it is wrapped in, and every output is still of its type."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from slmtrail.core.secrets.catalogue import RULES
from slmtrail.core.secrets.rules.rule import Rule
from slmtrail.stream.redact.redactor import Redactor

pytestmark = pytest.mark.slow

PERSONAL = {
    "email": "maria.rossi84@example.com",
    "phone": "+49 30 901820",
    "card": "4111 1111 1111 1111",
    "iban": "DE89 3704 0044 0532 0130 00",
    "ip": "203.0.113.77",
    "ssn": "536-22-8713",
}
CANARIES = {
    **{rule.name: rule.examples[0].replace("¦", "") for rule in RULES},
    **{name: f"here it is: {value} and no more" for name, value in PERSONAL.items()},
}
# What of a canary must be gone: the part around the mark, or the value.
GONE = {
    **{rule.name: rule.examples[0].split("¦")[1][:10].strip("'\" ") for rule in RULES},
    **PERSONAL,
}


def message(**part: Any) -> dict[str, Any]:
    return {"gen_ai.input.messages": [{"role": "user", "parts": [part]}]}


WRAPPINGS: dict[str, Callable[[str], dict[str, Any]]] = {
    "message": lambda text: {"message": text},
    "error": lambda text: {"error.message": f"could not parse {text}"},
    "keyword": lambda text: {"gen_ai.agent.name": text[:900]},
    "keywords": lambda text: {"gen_ai.request.stop_sequences": ["a", text]},
    "label value": lambda text: {"labels": {"note": text}},
    "text part": lambda text: message(type="text", content=text),
    "second of two parts": lambda text: {
        "gen_ai.output.messages": [
            {"role": "assistant", "parts": [{"type": "text", "content": "Sure. "}, {"type": "text", "content": text}]}
        ]
    },
    "arguments": lambda text: message(type="tool_call", id="c1", name="send", arguments=json.dumps({"body": text})),
    "result": lambda text: message(type="tool_call_response", id="c1", result=json.dumps([1, {"rows": [[text]]}])),
    "json in json in json": lambda text: message(
        type="tool_call", name="x", arguments=json.dumps({"a": json.dumps({"b": json.dumps([text])})})
    ),
    "escaped json": lambda text: {
        "gen_ai.tool.call.arguments": json.dumps({"a": text}).replace("@", "\\u0040").replace("-", "\\u002d")
    },
    "json string": lambda text: {"gen_ai.tool.call.result": json.dumps(json.dumps(text))},
    "json key": lambda text: {"slm.attributes": json.dumps({text: 1})},
    "file name": lambda text: message(type="uri", modality="image", uri=text, mime_type="image/png"),
    "part name": lambda text: message(type="tool_call", name=text, arguments="{}"),
    "extra": lambda text: message(type="file", extra=json.dumps({"file_name": text})),
    "role": lambda text: {"gen_ai.input.messages": [{"role": text[:64], "parts": []}]},
    "json cut short": lambda text: {
        "gen_ai.output.messages": [
            {
                "role": "assistant",
                "parts": [{"type": "text", "content": '{"a": 1, "b": ' + json.dumps("so:\n" + text)[:-1]}],
            }
        ]
    },
    "escaped json in a log line": lambda text: {
        "error.message": "could not send " + json.dumps(json.dumps({"body": text})).strip('"') + " to the server"
    },
    "lines of json": lambda text: {
        "slm.attributes": json.dumps("\n".join(json.dumps({"n": n, "v": text}) for n in range(2)))
    },
    "broken json": lambda text: {"gen_ai.tool.call.arguments": json.dumps('{"a": ' + json.dumps(text))},
}
# A role takes 64 characters: longer canaries do not fit.
CASES = [
    (canary, wrapping)
    for canary in CANARIES
    for wrapping in WRAPPINGS
    if wrapping != "role" or len(CANARIES[canary]) <= 64
]


@pytest.mark.parametrize(("canary", "wrapping"), CASES)
def test_nothing_is_left(redactor: Redactor, canary: str, wrapping: str) -> None:
    event = WRAPPINGS[wrapping](CANARIES[canary])
    redacted, findings = redactor.redact(event)
    gone = GONE[canary]
    left = json.dumps(redacted, ensure_ascii=False)
    assert gone not in left
    assert gone not in left.replace("\\", "")
    assert gone not in json.dumps(findings)
    assert findings
    assert_types_hold(event, redacted)


def assert_types_hold(event: dict[str, Any], redacted: dict[str, Any]) -> None:
    for name, value in redacted.items():
        assert type(value) is type(event[name])
        if name.startswith(("gen_ai.tool.call", "slm.attributes")):
            json.loads(value)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_secret_split_over_chunks_is_found(redactor: Redactor, rule: Rule) -> None:
    text = f"It is this: {CANARIES[rule.name]} as I said."
    for size in (4, 11):
        parts = [{"type": "text", "content": text[place : place + size]} for place in range(0, len(text), size)]
        redacted, findings = redactor.redact({"gen_ai.output.messages": [{"role": "assistant", "parts": parts}]})
        joined = "".join(part["content"] for part in redacted["gen_ai.output.messages"][0]["parts"])
        assert GONE[rule.name] not in joined
        assert rule.type in {found["type"] for found in findings}


def test_escapes_in_what_is_no_json_hide_nothing(redactor: Redactor) -> None:
    text = '{"a": "pay with\\n4111 1111 1111 1111\\nor write to maria\\u0040example.com\\\\ today'
    redacted, findings = redactor.redact({"message": text})
    assert redacted["message"] == '{"a": "pay with\\n<CREDIT_CARD_1>\\nor write to <EMAIL_1>\\\\ today'
    spans = {found["type"]: text[found["start"] : found["end"]] for found in findings}
    assert spans["CREDIT_CARD"] == "4111 1111 1111 1111"
    assert spans["EMAIL_ADDRESS"] == "maria\\u0040example.com"


@pytest.mark.parametrize("name", PERSONAL)
@pytest.mark.parametrize("size", [1, 3, 7])
def test_a_value_split_over_chunks_is_found(redactor: Redactor, name: str, size: int) -> None:
    text = f"It is {PERSONAL[name]}, as I said."
    chunks = [text[place : place + size] for place in range(0, len(text), size)]
    parts = [{"type": "text", "content": chunk} for chunk in chunks]
    redacted, findings = redactor.redact({"gen_ai.output.messages": [{"role": "assistant", "parts": parts}]})
    joined = "".join(part["content"] for part in redacted["gen_ai.output.messages"][0]["parts"])
    assert PERSONAL[name] not in joined
    assert joined.startswith("It is <")
    assert joined.endswith(", as I said.")
    assert findings


@pytest.mark.parametrize(
    "chunks",
    [
        ['{"password', '": "', 'Tr0ub4dor&3"', "}"],
        ['{"password": ', '"Tr0ub4dor&3"', "}"],
    ],
)
def test_chunks_that_are_json_by_chance_hide_nothing_of_what_is_said_by_all(
    redactor: Redactor, chunks: list[str]
) -> None:
    together = redactor.redact_text("".join(chunks))[1]
    parts = [{"type": "text", "content": chunk} for chunk in chunks]
    redacted, _ = redactor.redact({"gen_ai.output.messages": [{"role": "assistant", "parts": parts}]})
    joined = "".join(part["content"] for part in redacted["gen_ai.output.messages"][0]["parts"])
    whole = "".join(chunks)
    for found in together:
        assert whole[found.start : found.end] not in joined


def test_a_chunk_that_is_json_stays_json(redactor: Redactor) -> None:
    parts = [{"type": "text", "content": text} for text in ('{"phone": 2125550199}', '["anna@example.com"]')]
    redacted, _ = redactor.redact({"gen_ai.output.messages": [{"role": "assistant", "parts": parts}]})
    for part in redacted["gen_ai.output.messages"][0]["parts"]:
        assert "<" in str(json.loads(part["content"]))


def test_a_number_in_json_becomes_a_string_and_the_rest_stays_as_it_was(redactor: Redactor) -> None:
    text = '{"phone":  2125550199, "count": 1.50e3, "big": 123456789012345678901234567890123456, "ok": true}'
    redacted, _ = redactor.redact({"slm.attributes": text})
    assert redacted["slm.attributes"].startswith('{"phone":  "<')
    assert redacted["slm.attributes"].endswith(
        '>", "count": 1.50e3, "big": 123456789012345678901234567890123456, "ok": true}'
    )


def test_binary_parts_are_withheld(redactor: Redactor) -> None:
    redacted, findings = redactor.redact(message(type="blob", mime_type="image/png", content="aGVsbG8="))
    assert redacted["gen_ai.input.messages"][0]["parts"][0]["content"] == "<WITHHELD>"
    assert findings[0]["rule"] == "blob"
    redacted, _ = redactor.redact(message(type="uri", uri="data:image/png;base64,aGVsbG8="))
    assert redacted["gen_ai.input.messages"][0]["parts"][0]["uri"] == "data:image/png;base64,<WITHHELD>"


def test_json_wrapped_too_deep_is_withheld(redactor: Redactor) -> None:
    text: Any = {"mail": PERSONAL["email"]}
    for _ in range(12):
        text = {"a": json.dumps(text)}
    redacted, findings = redactor.redact({"slm.attributes": json.dumps(text)})
    assert "maria" not in json.dumps(redacted)
    assert findings[0]["type"] == "WITHHELD"

# ruff: noqa: E501
"""Chat messages: the shapes of common APIs come out in one shape, and nothing that was said is lost."""

from __future__ import annotations

import json
from typing import Any

import pytest

from slmtrail.core import canonical, events
from slmtrail.core.errors import EventError
from slmtrail.core.messages import Message, Part
from slmtrail.core.shapes import MESSAGE_FIELDS, PART_FIELDS


def _messages(given: Any) -> Any:
    event = {"slm.kind": "inference", "gen_ai.request.model": "m", "gen_ai.input.messages": given}
    parsed = events.parse(event, 0)
    assert events.parse(canonical.dumps(parsed), 0) == parsed
    return parsed["gen_ai.input.messages"]


def _text(content: str, role: str = "user") -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": content}]}


def _extra(value: Any) -> dict[str, str]:
    return {"type": "extra", "extra": json.dumps(value, separators=(",", ":"))}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        # Text
        ("hello", [_text("hello")]),
        ("", [_text("")]),
        ("[not json", [_text("[not json")]),
        ("[1, 2]", [_text("[1, 2]")]),
        ("[]", [_text("[]")]),
        ('[{"a": 1}]', [_text('[{"a": 1}]')]),
        ('[{"role":"system","content":"hi"}]', [_text("hi", "system")]),
        ([], []),
        ({"role": "user", "content": "one"}, [_text("one")]),
        ([{"content": "no role"}], [_text("no role")]),
        # OpenTelemetry
        (
            [{"role": "assistant", "parts": [{"type": "text", "content": "x"}], "finish_reason": "stop"}],
            [{"role": "assistant", "parts": [{"type": "text", "content": "x"}], "finish_reason": "stop"}],
        ),
        (
            [{"role": "assistant", "parts": [{"type": "tool_call", "id": "c", "name": "f", "arguments": {"a": 1}}]}],
            [{"role": "assistant", "parts": [{"type": "tool_call", "id": "c", "name": "f", "arguments": '{"a":1}'}]}],
        ),
        (
            [{"role": "user", "parts": [{"type": "uri", "uri": "s3://x", "mime_type": "image/png", "modality": "image"}]}],
            [{"role": "user", "parts": [{"type": "uri", "uri": "s3://x", "mime_type": "image/png", "modality": "image"}]}],
        ),
        # Gemini
        (
            [{"role": "model", "parts": [{"text": "a"}, "b", {"inlineData": {"data": "QQ=="}}]}],
            [
                {
                    "role": "model",
                    "parts": [
                        {"type": "text", "content": "a"},
                        {"type": "text", "content": "b"},
                        {"type": "text", "extra": '{"inlineData":{"data":"QQ=="}}'},
                    ],
                }
            ],
        ),
        # OpenAI
        (
            [{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "u"}}]}],
            [
                {
                    "role": "user",
                    "parts": [
                        {"type": "text", "content": "a"},
                        {"type": "image_url", "extra": '{"image_url":{"url":"u"}}'},
                    ],
                }
            ],
        ),
        (
            [
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [
                        {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}},
                        {"id": "c2", "type": "custom", "custom": {"name": "g", "input": "raw"}},
                        "odd",
                    ],
                }
            ],
            [
                {
                    "role": "assistant",
                    "parts": [
                        {"type": "tool_call", "id": "c1", "name": "f", "arguments": '{"a":1}'},
                        {
                            "type": "tool_call",
                            "extra": '{"id":"c2","type":"custom","custom":{"name":"g","input":"raw"}}',
                        },
                        {"type": "tool_call", "extra": "odd"},
                    ],
                }
            ],
        ),
        (
            [{"role": "tool", "tool_call_id": "c1", "content": "42"}],
            [{"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "result": "42"}]}],
        ),
        (
            [{"role": "tool", "tool_call_id": "c1", "content": [{"type": "text", "text": "4"}, {"type": "text", "text": "2"}]}],
            [{"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "result": "42"}]}],
        ),
        (
            [{"role": "tool", "tool_call_id": "c1", "content": [{"type": "text", "text": "4"}, {"image": "x"}, 2]}],
            [
                {
                    "role": "tool",
                    "parts": [
                        {
                            "type": "tool_call_response",
                            "id": "c1",
                            "result": '[{"type":"text","text":"4"},{"image":"x"},{"type":"extra","extra":2}]',
                        }
                    ],
                }
            ],
        ),
        (
            [{"role": "assistant", "content": "a", "reasoning_content": "because", "refusal": "no"}],
            [
                {
                    "role": "assistant",
                    "parts": [
                        {"type": "text", "content": "a"},
                        {"type": "reasoning", "content": "because"},
                        _extra({"refusal": "no"}),
                    ],
                }
            ],
        ),
        (
            [{"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}}],
            [{"role": "assistant", "parts": [_extra({"function_call": {"name": "f", "arguments": "{}"}})]}],
        ),
        # Anthropic
        (
            [
                {
                    "role": "assistant",
                    "content": [
                        {"type": "thinking", "thinking": "hm", "signature": "s"},
                        {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}},
                    ],
                },
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text"}]}]},
            ],
            [
                {
                    "role": "assistant",
                    "parts": [
                        {"type": "thinking", "extra": '{"thinking":"hm","signature":"s"}'},
                        {"type": "tool_use", "id": "t", "name": "f", "extra": '{"input":{"a":1}}'},
                    ],
                },
                {
                    "role": "user",
                    "parts": [{"type": "tool_result", "content": '[{"type":"text"}]', "extra": '{"tool_use_id":"t"}'}],
                },
            ],
        ),
        # Ollama
        (
            [{"role": "user", "content": "see", "images": ["QQ=="]}],
            [{"role": "user", "parts": [{"type": "text", "content": "see"}, _extra({"images": ["QQ=="]})]}],
        ),
        (
            [{"role": "assistant", "content": "", "thinking": "hm", "tool_calls": [{"function": {"name": "f", "arguments": {"a": 1}}}]}],
            [
                {
                    "role": "assistant",
                    "parts": [
                        {"type": "text", "content": ""},
                        {"type": "tool_call", "name": "f", "arguments": '{"a":1}'},
                        {"type": "reasoning", "content": "hm"},
                    ],
                }
            ],
        ),
        # Odd, and still nothing is lost
        ([{"role": "user", "content": 5}], [{"role": "user", "parts": [{"type": "extra", "extra": "5"}]}]),
        ([{"role": "user", "content": [None, "a"]}], [_text("a")]),
        ([{"role": "user", "content": {"a": 1}}], [{"role": "user", "parts": [{"type": "text", "extra": '{"a":1}'}]}]),
        (
            [{"role": "user", "tool_calls": "odd"}],
            [{"role": "user", "parts": [_extra({"tool_calls": "odd"})]}],
        ),
        (
            [{"role": "user", "tool_calls": {"a": 1}, "thinking": ["x"]}],
            [{"role": "user", "parts": [_extra({"tool_calls": {"a": 1}, "thinking": ["x"]})]}],
        ),
        (
            [{"role": "user", "parts": [{"type": "text", "content": "a", "text": "b", "extra": "c"}]}],
            [{"role": "user", "parts": [{"type": "text", "content": "a", "extra": '{"text":"b","extra":"c"}'}]}],
        ),
        (
            [{"role": "user", "parts": [{"type": "text", "content": "a"}], "content": "b"}],
            [{"role": "user", "parts": [{"type": "text", "content": "a"}, _extra({"content": "b"})]}],
        ),
    ],
    ids=range(31),
)  # fmt: skip
def test_every_shape_becomes_one_and_stays_it(given: Any, expected: Any) -> None:
    assert _messages(given) == expected


@pytest.mark.parametrize(
    "given",
    [5, True, [5], ["text"], [[]], [{"role": 5}], [{"role": "x" * 65}], [{"role": "user", "parts": [{"type": 5}]}],
     [{"role": "user", "name": []}], [{"role": "user"}] * 10_001, [{"role": "user", "content": ["x"] * 10_001}]],
    ids=range(11),
)  # fmt: skip
def test_what_is_no_chat_is_refused(given: Any) -> None:
    with pytest.raises(EventError, match=r"^gen_ai\.input\.messages"):
        _messages(given)


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [text for item in inner for text in _strings(item)]


@pytest.mark.parametrize("place", range(12))
def test_a_word_said_anywhere_is_still_there(place: int) -> None:
    word = "needle"
    given: list[dict[str, Any]] = [
        {"role": "user", "content": word},
        {"role": "user", "content": [{"type": "text", "text": word}]},
        {"role": "user", "content": [{"type": "input_text", "text": [word]}]},
        {"role": "user", "content": {"nested": [word]}},
        {"role": "tool", "tool_call_id": "x", "content": [{"type": "text", "text": word}]},
        {"role": "tool", "tool_call_id": "x", "content": [{"type": "text", "text": "a", "more": word}]},
        {"role": "tool", "tool_call_id": word, "content": None},
        {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "{}", "more": word}}]},
        {"role": "assistant", "tool_calls": [{"function": word}]},
        {"role": "assistant", "tool_calls": word},
        {"role": "assistant", "reasoning": {"summary": word}},
        {"role": "assistant", "tool_calls": [[word]], "refusal": None},
    ]
    assert word in " ".join(_strings(_messages([given[place]])))


def test_the_shapes_know_the_fields_that_the_models_have() -> None:
    assert set(Part.model_fields) == PART_FIELDS
    assert set(Message.model_fields) == MESSAGE_FIELDS

"""What is recorded of Amazon Bedrock's APIs, whole and in its binary frames."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from typing import Any

import pytest

from slmtrail.collectors.guard import asked
from slmtrail.collectors.sidecar import streams
from slmtrail.collectors.sidecar.apis import endpoints
from unit.collectors.sidecar.test_record import recorded, text_of

KIND = "application/vnd.amazon.eventstream"
ASKED = {
    "messages": [
        {"role": "user", "content": [{"text": "Weather?"}]},
        {"role": "assistant", "content": [{"toolUse": {"toolUseId": "t0", "name": "look", "input": {"at": "Oslo"}}}]},
        {"role": "user", "content": [{"toolResult": {"toolUseId": "t0", "content": [{"text": "grey"}]}}]},
    ],
    "system": [{"text": "Be brief."}],
    "inferenceConfig": {"maxTokens": 9, "temperature": 0.5, "stopSequences": ["\n\n"]},
    "toolConfig": {"tools": [{"toolSpec": {"name": "look"}}]},
}
COUNTS = {"inputTokens": 3, "outputTokens": 5, "cacheReadInputTokens": 2}
CONTENT = [
    {"reasoningContent": {"reasoningText": {"text": "hm"}}},
    {"text": "Grey sky"},
    {"toolUse": {"toolUseId": "t1", "name": "look", "input": {"at": "Bergen"}}},
]
WHOLE = {"output": {"message": {"role": "assistant", "content": CONTENT}}, "stopReason": "tool_use", "usage": COUNTS}
EVENTS: list[tuple[str, Any]] = [
    ("messageStart", {"role": "assistant"}),
    ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": "hm"}}}),
    ("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"text": "Grey"}}),
    ("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"text": " sky"}}),
    ("contentBlockStart", {"contentBlockIndex": 2, "start": {"toolUse": {"toolUseId": "t1", "name": "look"}}}),
    ("contentBlockDelta", {"contentBlockIndex": 2, "delta": {"toolUse": {"input": '{"at":'}}}),
    ("contentBlockDelta", {"contentBlockIndex": 2, "delta": {"toolUse": {"input": '"Bergen"}'}}}),
    ("messageStop", {"stopReason": "tool_use"}),
    ("metadata", {"usage": COUNTS, "metrics": {"latencyMs": 4}}),
]
CLAUDE = [
    {"type": "message_start", "message": {"id": "m1", "model": "claude", "usage": {"input_tokens": 3}}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Grey"}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": " sky"}},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}},
    {"type": "message_stop"},
]


def frame(fields: dict[str, str], payload: bytes) -> bytes:
    told = b"\x04long\x05" + bytes(8)
    for name, value in fields.items():
        told += bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()
    begin = struct.pack(">II", 16 + len(told) + len(payload), len(told))
    made = begin + struct.pack(">I", zlib.crc32(begin)) + told + payload
    return made + struct.pack(">I", zlib.crc32(made))


def event(kind: str, value: Any) -> bytes:
    return frame({":message-type": "event", ":event-type": kind}, json.dumps(value).encode())


def chunk(value: Any) -> bytes:
    return event("chunk", {"bytes": base64.b64encode(json.dumps(value).encode()).decode()})


STREAM = b"".join(event(kind, value) for kind, value in EVENTS)


@pytest.mark.parametrize(
    ("path", "answer", "kind"),
    [
        ("converse", json.dumps(WHOLE).encode(), "application/json"),
        ("converse-stream", STREAM, KIND),
        ("invoke", json.dumps(WHOLE).encode(), "application/json"),
        ("invoke-with-response-stream", b"".join(chunk({kind: value}) for kind, value in EVENTS), KIND),
    ],
)
def test_an_exchange_is_recorded_whole(path: str, answer: bytes, kind: str) -> None:
    made = recorded(f"/model/eu.amazon.nova%3A0/{path}", ASKED, answer, kind)
    assert {
        "gen_ai.provider.name": "aws.bedrock",
        "gen_ai.request.model": "eu.amazon.nova:0",
        "gen_ai.response.finish_reasons": ["tool_use"],
        "gen_ai.usage.input_tokens": 5,
        "gen_ai.usage.output_tokens": 5,
        "event.outcome": "success",
    }.items() <= made.items()
    (said,) = made["gen_ai.output.messages"]
    assert [part["type"] for part in said["parts"]] == ["reasoning", "text", "tool_call"]
    assert said["parts"][1]["content"] == "Grey sky"
    assert json.loads(said["parts"][2]["arguments"]) == {"at": "Bergen"}
    assert "Weather?" in json.dumps(made["gen_ai.input.messages"])


def test_parameters_and_turns_of_converse() -> None:
    made = recorded("/model/m/converse", ASKED, json.dumps(WHOLE).encode())
    assert made["gen_ai.system_instructions"] == "Be brief."
    assert (made["gen_ai.request.max_tokens"], made["gen_ai.request.stop_sequences"]) == (9, ["\n\n"])
    assert [part["type"] for turn in made["gen_ai.input.messages"] for part in turn["parts"]] == [
        "text",
        "tool_call",
        "tool_call_response",
    ]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"".join(map(chunk, CLAUDE)), KIND),
        (json.dumps({"content": [{"type": "text", "text": "Grey sky"}], "stop_reason": "end_turn"}).encode(), ""),
        (chunk({"generation": "Grey"}) + chunk({"generation": " sky"}), KIND),
    ],
)
def test_a_model_is_asked_in_its_own_words(answer: bytes, kind: str) -> None:
    asks = {"anthropic_version": "bedrock-2023-05-31", "messages": [{"role": "user", "content": "Weather?"}]}
    made = recorded("/model/m/invoke-with-response-stream", asks, answer, kind or "application/json")
    assert text_of(made["gen_ai.output.messages"]) == ["Grey sky"]
    assert text_of(made["gen_ai.input.messages"]) == ["Weather?"]


def test_a_stream_that_fails_or_ends_too_soon() -> None:
    failed = frame({":message-type": "exception", ":exception-type": "throttlingException"}, b'{"message": "slow"}')
    made = recorded("/model/m/converse-stream", ASKED, failed, KIND)
    assert (made["error.type"], made["error.message"]) == ("throttlingException", "slow")
    made = recorded("/model/m/converse-stream", ASKED, STREAM[:-200], KIND)
    assert (made["error.type"], made["event.outcome"]) == ("incomplete_stream", "failure")
    assert "Grey sky" in text_of(made["gen_ai.output.messages"])


@pytest.mark.parametrize("at", range(0, 120, 7))
def test_a_broken_frame_ends_what_is_read(at: int) -> None:
    broken = bytearray(STREAM)
    broken[at] ^= 0x55
    stream = streams.framed([(1.0, bytes(broken))])
    assert stream.malformed == 1
    assert len(stream.values) < len(EVENTS)


def test_each_event_has_the_time_at_which_its_end_came() -> None:
    first, second = event("a", {}), event("b", {})
    data = first + second
    cut = len(first) + 5
    stream = streams.framed([(1.0, data[:cut]), (2.0, data[cut:-1]), (3.0, data[-1:])])
    assert [at_ms for at_ms, _ in stream.values] == [1.0, 3.0]


def test_the_guard_knows_model_and_prompt() -> None:
    seen = asked.read("POST", "/model/eu.amazon.nova%3A0/converse", {}, json.dumps(ASKED).encode(), 1 << 20)
    assert (seen.model, seen.system, seen.tools) == ("eu.amazon.nova:0", ["Be brief."], ["look"])
    assert "Weather?" in seen.prompt


def test_another_invoke_is_not_amazons() -> None:
    assert endpoints.find("POST", "/chain/invoke") is None

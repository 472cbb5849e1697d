"""What is recorded of Gemini's and Cohere's APIs, of models named in paths, and of what asks in words of its own."""

from __future__ import annotations

import json
from typing import Any

import pytest

from slmtrail.collectors.guard import asked
from slmtrail.collectors.sidecar.apis import endpoints
from unit.collectors.sidecar.test_native_apis import sse
from unit.collectors.sidecar.test_record import recorded, text_of


def said_in(event: dict[str, Any]) -> str:
    (said,) = text_of(event["gen_ai.output.messages"])
    return said


GEMINI_ASKED = {
    "systemInstruction": {"parts": [{"text": "Be brief."}]},
    "contents": [
        {"role": "user", "parts": [{"text": "Weather?"}]},
        {"role": "model", "parts": [{"functionCall": {"name": "look", "args": {"at": "Oslo"}}}]},
        {"role": "user", "parts": [{"functionResponse": {"name": "look", "response": {"sky": "grey"}}}]},
    ],
    "tools": [{"functionDeclarations": [{"name": "look"}]}],
    "generationConfig": {"maxOutputTokens": 3, "topK": 10, "temperature": 0.5, "stopSequences": ["\n\n"]},
}
GEMINI_COUNTS = {"promptTokenCount": 5, "candidatesTokenCount": 3}


def gemini(said: str, **more: Any) -> dict[str, Any]:
    candidate = {"content": {"parts": [{"text": said}], "role": "model"}, "index": 0}
    return {"candidates": [candidate | more], "modelVersion": "gemini-x-001", "responseId": "r1"}


GEMINI_STREAM = [gemini("Grey"), gemini(" sky", finishReason="STOP") | {"usageMetadata": GEMINI_COUNTS}]
GEMINI_WHOLE = gemini("Grey sky", finishReason="STOP") | {"usageMetadata": GEMINI_COUNTS}
GEMINI = {
    "gen_ai.provider.name": "gcp.gemini",
    "gen_ai.request.model": "gemini-x",
    "gen_ai.response.model": "gemini-x-001",
    "gen_ai.response.id": "r1",
    "gen_ai.response.finish_reasons": ["STOP"],
    "gen_ai.system_instructions": "Be brief.",
    "gen_ai.request.max_tokens": 3,
    "gen_ai.request.top_k": 10,
    "gen_ai.request.stop_sequences": ["\n\n"],
    "gen_ai.usage.input_tokens": 5,
    "gen_ai.usage.output_tokens": 3,
    "event.outcome": "success",
}

COHERE_STREAM = [
    {"type": "message-start", "id": "i1", "delta": {"message": {"role": "assistant"}}},
    {"type": "content-start", "index": 0, "delta": {"message": {"content": {"type": "text", "text": ""}}}},
    {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": "Grey"}}}},
    {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": " sky"}}}},
    {"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": {"tokens": {"output_tokens": 3}}}},
]
COHERE_WHOLE = {
    "id": "i1",
    "finish_reason": "COMPLETE",
    "message": {"role": "assistant", "content": [{"type": "text", "text": "Grey sky"}]},
    "usage": {"tokens": {"output_tokens": 3}},
}
COHERE_OLD = [
    {"event_type": "stream-start", "generation_id": "i1"},
    {"event_type": "text-generation", "text": "Grey"},
    {"event_type": "text-generation", "text": " sky"},
    {
        "event_type": "stream-end",
        "finish_reason": "COMPLETE",
        "response": {"text": "Grey sky", "generation_id": "i1", "meta": {"tokens": {"output_tokens": 3}}},
    },
]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (json.dumps(GEMINI_WHOLE).encode(), "application/json"),
        (json.dumps(GEMINI_STREAM).encode(), "application/json"),
        (sse(GEMINI_STREAM), "text/event-stream"),
    ],
    ids=["whole", "array", "events"],
)
def test_gemini(answer: bytes, kind: str) -> None:
    event = recorded("/v1beta/models/gemini-x:streamGenerateContent?key=secret", GEMINI_ASKED, answer, kind)
    assert GEMINI.items() <= event.items()
    assert [part["type"] for turn in event["gen_ai.input.messages"] for part in turn["parts"]] == [
        "text",
        "tool_call",
        "tool_call_response",
    ]
    assert event["gen_ai.input.messages"][1]["role"] == "assistant"
    assert said_in(event) == "Grey sky"
    assert "secret" not in json.dumps(event)


def test_a_stream_of_gemini_without_its_end_is_incomplete() -> None:
    event = recorded(
        "/v1/models/g:streamGenerateContent", GEMINI_ASKED, sse(GEMINI_STREAM[:1]), "text/event-stream; charset=utf-8"
    )
    assert (event["error.type"], said_in(event)) == ("incomplete_stream", "Grey")


@pytest.mark.parametrize(
    ("path", "asks", "answer", "kind"),
    [
        ("/v2/chat", {"messages": [{"role": "user", "content": "Weather?"}]}, COHERE_WHOLE, "application/json"),
        ("/v2/chat", {"messages": [{"role": "user", "content": "Weather?"}]}, COHERE_STREAM, "text/event-stream"),
        ("/v1/chat", {"message": "Weather?"}, COHERE_OLD, "application/stream+json"),
    ],
    ids=["whole", "events", "lines"],
)
def test_cohere(path: str, asks: Any, answer: Any, kind: str) -> None:
    lines = b"\n".join(json.dumps(value).encode() for value in answer)
    body = {"text/event-stream": sse, "application/stream+json": lambda _: lines}.get(
        kind, lambda one: json.dumps(one).encode()
    )(answer)
    event = recorded(path, {"model": "command", "p": 0.5, **asks}, body, kind)
    assert (event["gen_ai.provider.name"], event["gen_ai.request.model"]) == ("cohere", "command")
    assert event["gen_ai.request.top_p"] == 0.5
    assert event["gen_ai.input.messages"] == [{"role": "user", "parts": [{"type": "text", "content": "Weather?"}]}]
    assert (said_in(event), event["gen_ai.usage.output_tokens"]) == ("Grey sky", 3)
    assert event["gen_ai.response.finish_reasons"] == ["COMPLETE"]
    assert event["event.outcome"] == "success"


def test_a_deployment_in_the_path_is_the_model() -> None:
    body = {"messages": [{"role": "user", "content": "hi"}]}
    event = recorded("/openai/deployments/small/chat/completions?api-version=1", body, b'{"choices": []}')
    assert event["gen_ai.request.model"] == "small"


@pytest.mark.parametrize(
    ("named", "oddities"), [("", []), ("small", []), ("models/small", []), ("big", ["two_models"])]
)
def test_the_guard_takes_the_model_of_the_path(named: str, oddities: list[str]) -> None:
    body = json.dumps(({"model": named} if named else {}) | {"contents": [{"parts": [{"text": "hi"}]}]}).encode()
    seen = asked.read("POST", "/v1/models/small:generateContent", {}, body, 1 << 20)
    assert (seen.model, seen.oddities) == ("small", oddities)
    assert "hi" in seen.prompt


@pytest.mark.parametrize(
    ("asks", "answer", "said"),
    [
        ({"prompt": "Weather?", "voice": "low"}, {"output": "Grey sky"}, "Grey sky"),
        ({"query": "Weather?", "documents": ["grey", "blue"]}, {"results": [{"index": 0, "score": 0.9}]}, None),
        ({"input": "Weather?"}, {"data": [{"vector": [0.5] * 64}]}, None),
    ],
)
def test_a_prompt_at_an_unknown_path_is_an_inference(asks: Any, answer: Any, said: str | None) -> None:
    event = recorded("/own/way", {"model": "m", **asks}, json.dumps(answer).encode())
    assert (event["slm.kind"], event["gen_ai.operation.name"]) == ("inference", "unknown")
    assert event["gen_ai.input.messages"][0]["parts"] == [{"type": "text", "content": "Weather?"}]
    (part,) = event["gen_ai.output.messages"][0]["parts"]
    assert part.get("content") == said
    assert "0.5,0.5" not in json.dumps(part)


def test_a_form_is_read_and_its_file_told_by_its_digest() -> None:
    form = (
        b'--b7\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper\r\n'
        b'--b7\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\nRIFF\r\n\r\nsound\r\n--b7--\r\n'
    )
    event = recorded(
        "/v1/audio/transcriptions",
        form,
        b"Grey sky",
        "text/plain",
        request_fields="Content-Type: multipart/form-data; boundary=b7\r\n",
    )
    assert (event["gen_ai.request.model"], said_in(event)) == ("whisper", "Grey sky")
    told = json.loads(event["gen_ai.input.messages"][0]["parts"][0]["extra"])["file"]
    assert (told["name"], told["bytes"]) == ("a.wav", 13)
    assert "sound" not in json.dumps(event)


@pytest.mark.parametrize("asks", [{"name": "llama"}, {"model": "llama"}, ["prompt"], {"prompt": ""}])
def test_what_holds_no_prompt_leaves_no_content(asks: Any) -> None:
    event = recorded("/api/pull", asks, b'{"status": "success"}')
    assert (event["slm.kind"], json.loads(event["slm.attributes"])) == (
        "upstream",
        {"method": "POST", "path": "/api/pull"},
    )


def test_a_number_of_any_size_beside_a_lone_surrogate_is_kept() -> None:
    content = b'[{"type": "data", "value": -9223372036854775809}, "\\ud800"]'
    asks = b'{"model": "m", "messages": [{"role": "user", "content": ' + content + b"}]}"
    event = recorded("/v1/chat/completions", asks, b'{"choices": []}')
    assert event["gen_ai.input.messages"][0]["parts"][0]["extra"] == '{"value":-9223372036854775809}'


def test_a_key_in_another_case_hides_no_prompt() -> None:
    asks = {"Model": "m", "Messages": [{"role": "user", "content": "hello"}]}
    event = recorded("/api/chat", asks, b'{"message": {"content": "hi"}, "done": true}')
    assert event["gen_ai.request.model"] == "m"
    assert text_of(event["gen_ai.input.messages"]) == ["hello"]


def test_what_a_model_reads_and_has_no_field_is_kept() -> None:
    asks = {
        "model": "m",
        "prompt": "a",
        "suffix": "z",
        "template": "{{ .Prompt }} and more",
        "keep_alive": "5m",
        "n": 1,
    }
    event = recorded("/api/generate", asks | {"Prompt": "b"}, b'{"response": "b", "done": true}')
    kept = {"suffix": "z", "template": "{{ .Prompt }} and more", "Prompt": "b"}
    assert json.loads(json.loads(event["slm.attributes"])["asked"]) == kept


def test_a_path_without_end_is_looked_at_as_fast_as_a_short_one() -> None:
    assert endpoints.model_of("/deployments/a" * 50_000 + "/chat/completions1") == ""
    assert endpoints.model_of("/x" * 50_000 + "/deployments/small/chat/completions") == "small"


def test_a_tool_call_of_cohere_comes_in_pieces() -> None:
    def delta(kind: str, message: dict[str, Any]) -> dict[str, Any]:
        return {"type": kind, "index": 0, "delta": {"message": message}}

    begun = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": ""}}
    stream = [
        delta("tool-plan-delta", {"tool_plan": "I will "}),
        delta("tool-plan-delta", {"tool_plan": "look."}),
        delta("tool-call-start", {"tool_calls": begun}),
        delta("tool-call-delta", {"tool_calls": {"function": {"arguments": '{"at":'}}}),
        delta("tool-call-delta", {"tool_calls": {"function": {"arguments": "1}"}}}),
        {"type": "message-end", "delta": {"finish_reason": "TOOL_CALL"}},
    ]
    asks = {"model": "command", "messages": [{"role": "user", "content": "Weather?"}]}
    (turn,) = recorded("/v2/chat", asks, sse(stream), "text/event-stream")["gen_ai.output.messages"]
    assert turn["parts"] == [
        {"type": "reasoning", "content": "I will look."},
        {"type": "tool_call", "id": "c1", "name": "look", "arguments": '{"at":1}'},
    ]


@pytest.mark.parametrize(
    ("path", "asks", "answers"),
    [
        ("/v2/models/m/generate", {"text_input": "Weather?"}, {"text_output": "Grey sky"}),
        ("/api/v1/chat", {"model": "m", "input": "Weather?"}, {"output_text": "Grey sky"}),
        ("/reload", {"inputText": "Weather?"}, {"completion": "Grey sky"}),
        ("/v1/chat/completions", {"user_prompt": "Weather?"}, {"answer": "Grey sky"}),
        ("/generate", {"text": ["Weather?"]}, {"text": "Grey sky"}),
    ],
)
def test_another_api_at_the_path_of_a_known_one_hides_nothing(path: str, asks: Any, answers: Any) -> None:
    event = recorded(path, asks, json.dumps(answers).encode())
    assert "Weather?" in json.dumps(event["gen_ai.input.messages"])
    assert said_in(event) == "Grey sky"
    assert event["gen_ai.operation.name"] == "unknown"
    seen = asked.read("POST", path, {}, json.dumps(asks).encode(), 1 << 20)
    assert "Weather?" in seen.prompt


@pytest.mark.parametrize("name", ["content_type", "max_input", "inputs_format"])
def test_a_setting_named_like_a_prompt_is_none(name: str) -> None:
    assert recorded("/reload", {name: 3 if name == "max_input" else "json"}, b"{}")["slm.kind"] == "upstream"


def test_prompts_of_a_batch_are_kept() -> None:
    asks = {"requests": [{"custom_id": "1", "params": {"messages": [{"role": "user", "content": "Weather?"}]}}]}
    assert "Weather?" in json.dumps(recorded("/v1/messages/batches", asks, b"{}")["gen_ai.input.messages"])


@pytest.mark.parametrize("name", ["template", "suffix", "response_format"])
def test_the_guard_sees_what_a_model_may_read_beside_the_prompt(name: str) -> None:
    asks = {"model": "m", "prompt": "hi", name: {"text": "Weather?"}}
    assert "Weather?" in asked.read("POST", "/v1/completions", {}, json.dumps(asks).encode(), 1 << 20).prompt


def test_the_guard_knows_each_of_geminis_tools() -> None:
    asks = GEMINI_ASKED | {"tools": [{"functionDeclarations": [{"name": "look"}, {"name": "act"}], "googleSearch": {}}]}
    seen = asked.read("POST", "/v1/models/g:generateContent", {}, json.dumps(asks).encode(), 1 << 20)
    assert seen.tools == ["look", "act", "googleSearch"]

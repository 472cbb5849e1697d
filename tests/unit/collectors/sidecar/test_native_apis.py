"""What is recorded of the own APIs of TGI and llama.cpp, from samples in the shape that their servers send."""

from __future__ import annotations

import json
from typing import Any

import pytest

from slmtrail.collectors.guard import asked
from slmtrail.collectors.guard.answer import watch
from slmtrail.collectors.guard.caller import Caller
from slmtrail.collectors.guard.guard import Guard
from slmtrail.core.policy import Policy
from unit.collectors.sidecar.test_record import recorded, text_of

TGI_ASKED = {
    "inputs": "What is a fjord?",
    "parameters": {
        "adapter_id": "geo-lora",
        "best_of": None,
        "decoder_input_details": True,
        "details": True,
        "do_sample": True,
        "grammar": {"type": "json", "value": {"type": "object"}},
        "max_new_tokens": 3,
        "return_full_text": False,
        "seed": 11,
        "stop": ["\n\n"],
        "temperature": 0.5,
        "top_k": 10,
        "top_p": 0.95,
    },
}
TGI_TOKENS = [
    {"id": 319, "text": "A", "logprob": -0.5, "special": False},
    {"id": 4365, "text": " valley", "logprob": -0.25, "special": False},
    {"id": 2, "text": "</s>", "logprob": -0.75, "special": True},
]
TGI_SAID = {
    "generated_text": "A valley",
    "details": {
        "finish_reason": "eos_token",
        "generated_tokens": 3,
        "seed": 11,
        "prefill": [{"id": n, "text": "x", "logprob": None} for n in range(5)],
        "tokens": TGI_TOKENS,
    },
}
TGI_STREAM = [
    {"index": n, "token": token, "generated_text": None, "details": None} for n, token in enumerate(TGI_TOKENS[:2], 1)
]
TGI_STREAM.append(
    {
        "index": 3,
        "token": TGI_TOKENS[2],
        "generated_text": "A valley",
        "details": {"finish_reason": "eos_token", "generated_tokens": 3, "input_length": 5, "seed": 11},
    }
)

LLAMA_ASKED = {
    "prompt": "What is a fjord?",
    "n_predict": 3,
    "n_probs": 1,
    "cache_prompt": True,
    "json_schema": {"type": "object"},
    "seed": 11,
    "stop": ["\n\n"],
    "temperature": 0.5,
    "top_k": 10,
    "top_p": 0.95,
}
LLAMA_PROBABILITIES = [
    {"id": 319, "token": "A", "bytes": [65], "logprob": -0.5, "top_logprobs": []},
    {"id": 4365, "token": " valley", "bytes": [32], "logprob": -0.5, "top_logprobs": []},
]
LLAMA_LAST = {
    "index": 0,
    "content": "",
    "tokens": [],
    "id_slot": 0,
    "stop": True,
    "model": "phi-3-mini.gguf",
    "tokens_predicted": 3,
    "tokens_evaluated": 5,
    "generation_settings": {"n_predict": 3, "seed": 11, "temperature": 0.5, "samplers": ["top_k", "temperature"]},
    "prompt": "<s> What is a fjord?",
    "has_new_line": False,
    "truncated": False,
    "stop_type": "eos",
    "stopping_word": "",
    "tokens_cached": 7,
    "timings": {"prompt_n": 5, "prompt_ms": 10.2, "predicted_n": 3, "predicted_ms": 21.5},
}
LLAMA_SAID = {**LLAMA_LAST, "content": "A valley", "completion_probabilities": LLAMA_PROBABILITIES}
LLAMA_STREAM = [
    {
        "index": 0,
        "content": told["token"],
        "tokens": [told["id"]],
        "stop": False,
        "id_slot": -1,
        "tokens_predicted": n,
        "tokens_evaluated": 5,
        "completion_probabilities": [told],
    }
    for n, told in enumerate(LLAMA_PROBABILITIES, 1)
]
LLAMA_STREAM.append(LLAMA_LAST)

SHARED = {
    "slm.kind": "inference",
    "gen_ai.operation.name": "text_completion",
    "gen_ai.output.type": "json",
    "gen_ai.request.max_tokens": 3,
    "gen_ai.request.seed": 11,
    "gen_ai.request.stop_sequences": ["\n\n"],
    "gen_ai.request.temperature": 0.5,
    "gen_ai.request.top_k": 10,
    "gen_ai.request.top_p": 0.95,
    "gen_ai.usage.input_tokens": 5,
    "gen_ai.usage.output_tokens": 3,
    "slm.confidence": 0.6065,
    "event.outcome": "success",
}
TGI = {
    "gen_ai.provider.name": "tgi",
    "gen_ai.request.model": "unknown",
    "slm.model.adapter": "geo-lora",
    "gen_ai.response.finish_reasons": ["eos_token"],
}
LLAMA = {
    "gen_ai.provider.name": "llama.cpp",
    "gen_ai.response.model": "phi-3-mini.gguf",
    "gen_ai.response.finish_reasons": ["eos"],
}


def sse(values: list[dict[str, Any]]) -> bytes:
    return b"".join(b"data:" + json.dumps(value).encode() + b"\n\n" for value in values)


@pytest.mark.parametrize(
    ("path", "asked", "whole", "stream_path", "stream", "own"),
    [
        ("/generate", TGI_ASKED, TGI_SAID, "/generate_stream", TGI_STREAM, TGI),
        ("/completion", LLAMA_ASKED, LLAMA_SAID, "/completion", LLAMA_STREAM, LLAMA),
    ],
    ids=["tgi", "llama.cpp"],
)
def test_whole_or_streamed_the_record_is_complete(
    path: str,
    asked: dict[str, Any],
    whole: dict[str, Any],
    stream_path: str,
    stream: list[dict[str, Any]],
    own: dict[str, Any],
) -> None:
    one = recorded(path, asked, json.dumps(whole).encode())
    other = recorded(f"/served/a{stream_path}", {**asked, "stream": True}, sse(stream), "text/event-stream")
    for event in (one, other):
        assert {name: event.get(name) for name in SHARED | own} == SHARED | own
        assert text_of(event["gen_ai.input.messages"]) == ["What is a fjord?"]
        assert text_of(event["gen_ai.output.messages"]) == ["A valley"]
        assert event["gen_ai.output.messages"][0]["finish_reason"] == own["gen_ai.response.finish_reasons"][0]
    assert other["slm.time_to_first_token_ms"] > 0
    assert "gen_ai.request.stream" not in one
    half = recorded(stream_path, {**asked, "stream": True}, sse(stream[:2]), "text/event-stream")
    assert half["error.type"] == "incomplete_stream"
    assert text_of(half["gen_ai.output.messages"]) == ["A valley"]


def test_the_other_sequences_of_tgi_are_answers_too() -> None:
    more = {"generated_text": "An inlet", "finish_reason": "length", "generated_tokens": 2, "tokens": []}
    said = {**TGI_SAID, "details": {**TGI_SAID["details"], "best_of_sequences": [more]}}  # type: ignore[dict-item]
    event = recorded("/generate", TGI_ASKED, json.dumps(said).encode())
    assert text_of(event["gen_ai.output.messages"]) == ["A valley", "An inlet"]
    assert event["gen_ai.response.finish_reasons"] == ["eos_token", "length"]


def test_tgi_names_its_errors_beside_the_message() -> None:
    fault = {"error": "Model is overloaded", "error_type": "overloaded"}
    event = recorded("/generate", TGI_ASKED, json.dumps(fault).encode(), status=429)
    assert (event["error.type"], event["error.message"]) == ("overloaded", "Model is overloaded")
    broken = recorded("/generate_stream", TGI_ASKED, sse([*TGI_STREAM[:1], fault]), "text/event-stream")
    assert (broken["error.type"], text_of(broken["gen_ai.output.messages"])) == ("overloaded", ["A"])


def test_vllm_names_its_errors_at_the_top() -> None:
    fault = {"object": "error", "message": "too long", "type": "BadRequestError", "param": None, "code": 400}
    event = recorded("/v1/completions", {"model": "m"}, json.dumps(fault).encode(), status=400)
    assert (event["error.type"], event["error.message"]) == ("BadRequestError", "too long")


def test_older_servers_of_llama_cpp_say_it_in_other_words() -> None:
    probabilities = [{"content": "A", "probs": [{"tok_str": "B", "prob": 0.1}, {"tok_str": "A", "prob": 0.5}]}]
    said = {"content": "A", "stop": True, "stopped_eos": False, "stopped_limit": True, "stopped_word": False}
    event = recorded(
        "/completion", LLAMA_ASKED, json.dumps({**said, "completion_probabilities": probabilities}).encode()
    )
    assert (event["gen_ai.response.finish_reasons"], event["slm.confidence"]) == (["limit"], 0.5)


def test_each_of_several_prompts_of_llama_cpp_has_its_answer() -> None:
    said = [LLAMA_SAID, {**LLAMA_SAID, "index": 1, "content": "An inlet", "stop_type": "limit"}]
    event = recorded("/completion", {**LLAMA_ASKED, "prompt": ["fjord?", "inlet?"]}, json.dumps(said).encode())
    assert text_of(event["gen_ai.input.messages"]) == ["fjord?", "inlet?"]
    assert text_of(event["gen_ai.output.messages"]) == ["A valley", "An inlet"]
    assert event["gen_ai.response.finish_reasons"] == ["eos", "limit"]
    assert (event["gen_ai.usage.input_tokens"], event["event.outcome"]) == (10, "success")


def test_a_prompt_in_tokens_stays_such() -> None:
    event = recorded("/completion", {"prompt": [1, 2, 3]}, json.dumps(LLAMA_SAID).encode())
    assert event["gen_ai.input.messages"][0]["parts"] == [{"type": "extra", "extra": "[1,2,3]"}]


def test_the_guard_reads_what_they_are_asked() -> None:
    read = asked.read("POST", "/generate", {}, json.dumps(TGI_ASKED).encode(), 1 << 20)
    assert read.prompt[-1] == "What is a fjord?"
    assert read.parameters["temperature"] == 0.5
    odd = asked.read("POST", "/generate", {}, b'{"inputs": "a", "Inputs": "b"}', 1 << 20)
    assert odd.oddities == ["key_in_another_case"]
    read = asked.read("POST", "/completion", {}, json.dumps(LLAMA_ASKED).encode(), 1 << 20)
    assert {"What is a fjord?", "object"} <= {*read.prompt}, "a schema is read by the model, too"
    assert read.parameters["n_predict"] == 3


@pytest.mark.parametrize("stream", [TGI_STREAM, LLAMA_STREAM], ids=["tgi", "llama.cpp"])
def test_the_guard_joins_the_tokens_of_a_stream(stream: list[dict[str, Any]]) -> None:
    pattern = {"pattern": "A valley", "places": ["answer"]}
    policy = Policy.model_validate({"guard": {"patterns": {"valley": pattern}}})
    looking = watch(Guard(policy).ruled(Caller()), True, "")
    assert [reason.rule for reason in looking.feed(sse(stream[:2]))] == ["valley"]

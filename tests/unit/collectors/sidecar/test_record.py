"""What the parsing process makes of exchanges: of each API, whole or streamed, and of what is broken."""

from __future__ import annotations

import gzip
import itertools
import json
import zlib
from collections.abc import Callable
from functools import partial
from typing import Any

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from servers import model
from slmtrail.collectors.sidecar import record, streams, transcript, wire
from slmtrail.collectors.sidecar.apis import endpoints
from slmtrail.core import canonical, events

PLACE = record.Place("model", 8000, None, 1024 * 1024, boot="b007" * 4)
NOW_MS = 1_790_000_000_000


def told(head_bytes: int = 0, **more: Any) -> wire.Facts:
    """What the proxy says of an exchange without incident."""
    given: dict[str, Any] = {
        "number": 7,
        "at_ms": NOW_MS,
        "latency_ms": 12,
        "status": 200,
        "error": "",
        "source_ip": "10.0.0.7",
        "request_bytes": 100,
        "response_bytes": 200,
        "request_cut": False,
        "response_cut": False,
        "head_bytes": head_bytes,
        "framing": "length",
        "asked_bytes": 0,
        "head_start": 0,
        "body_start": 0,
        "answer_framing": "length",
        "pieces_bytes": [],
        "pieces_us": [],
    }
    return wire.Facts(**(given | more))


def recorded(
    path: str,
    asked: Any,
    answer: bytes,
    kind: str = "application/json",
    fields: str = "",
    place: record.Place = PLACE,
    request_fields: str = "",
    **more: Any,
) -> dict[str, Any]:
    """The event of an exchange, whose answer comes in pieces a millisecond apart."""
    body = asked if isinstance(asked, bytes) else json.dumps(asked).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: m\r\n{request_fields}Content-Length: {len(body)}\r\n\r\n".encode()
    status = more.get("status", 200)
    start = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\n{fields}Content-Length: {len(answer)}\r\n\r\n".encode()
    data = start + answer
    pieces = [len(data[at : at + 40]) for at in range(0, len(data), 40)]
    facts = told(
        len(head),
        asked_bytes=len(head + body),
        body_start=len(start),
        pieces_bytes=pieces,
        pieces_us=[1000 * n for n in range(len(pieces))],
        **more,
    )
    line = record.to_line(transcript.read(facts, head + body + data), place)
    event: dict[str, Any] = json.loads(line)
    assert events.parse(event, NOW_MS) == event  # it is canonical, and the collector would take it
    assert canonical.dumps(event) == line
    return event


def text_of(messages: list[dict[str, Any]], kind: str = "text") -> list[str]:
    return [part["content"] for message in messages for part in message["parts"] if part["type"] == kind]


MADE = {
    "/v1/chat/completions": (model._chat, {"messages": [{"role": "user", "content": "tell me more"}]}),
    "/v1/completions": (model._completion, {"prompt": "tell me more"}),
    "/v1/responses": (model._responses, {"input": "tell me more"}),
    "/v1/messages": (model._messages, {"messages": [{"role": "user", "content": "tell me more"}], "max_tokens": 9}),
}
ASKED = {"model": "echo", "temperature": 0.25}


@pytest.mark.parametrize("name", ["echo", "tools", "think"])
@pytest.mark.parametrize("path", MADE)
def test_a_streamed_answer_is_recorded_as_a_whole_one(path: str, name: str) -> None:
    make, asked = MADE[path]
    asked = {**ASKED, **asked, "model": name}
    whole, pieces = make(asked)
    one = recorded(path, asked, json.dumps(whole).encode())
    other = recorded(path, {**asked, "stream": True}, "".join(pieces).encode(), "text/event-stream; charset=utf-8")
    first_ms, streamed = other.pop("slm.time_to_first_token_ms"), other.pop("gen_ai.request.stream")
    assert (first_ms > 0, streamed) == (True, True)
    assert json.loads(other.pop("slm.attributes"))["pieces"] > 1
    one.pop("slm.attributes")
    assert one == other
    assert one["event.outcome"] == "success"
    assert (one["gen_ai.request.model"], one["gen_ai.response.model"]) == (name, name)
    assert one["gen_ai.request.temperature"] == 0.25
    assert text_of(one["gen_ai.input.messages"]) == ["tell me more"]
    if not (name == "tools" and "chat" in path):
        assert text_of(one["gen_ai.output.messages"]) == ["tell me more"]


def test_all_that_a_chat_says_is_in_its_event() -> None:
    asked = {
        "model": "think",
        "messages": [
            {"role": "system", "content": "be kind"},
            {"role": "user", "content": [{"type": "text", "text": "what is it?"}]},
        ],
        "max_tokens": 50,
        "top_p": 0.5,
        "stop": "END",
        "seed": 7,
        "user": "u-1",
        "tools": [{"type": "function", "function": {"name": "weather"}}],
        "response_format": {"type": "json_object"},
    }
    event = recorded(
        "/openai/deployments/x/chat/completions?api-version=1",
        asked,
        json.dumps(model._chat(asked)[0]).encode(),
        request_fields="User-Agent: curl/8\r\ntraceparent: 00-" + "a" * 32 + "-" + "b" * 16 + "-01\r\n",
    )
    wanted = {
        "slm.kind": "inference",
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.response.id": "chatcmpl-1",
        "gen_ai.request.max_tokens": 50,
        "gen_ai.request.top_p": 0.5,
        "gen_ai.request.stop_sequences": ["END"],
        "gen_ai.request.seed": 7,
        "gen_ai.output.type": "json",
        "enduser.pseudo.id": "u-1",
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.usage.input_tokens": 7,
        "gen_ai.usage.output_tokens": 3,
        "gen_ai.usage.cache_read.input_tokens": 2,
        "gen_ai.usage.reasoning.output_tokens": 1,
        "slm.confidence": 0.6065,
        "slm.latency_ms": 12,
        "slm.request_bytes": 100,
        "slm.response_bytes": 200,
        "http.response.status_code": 200,
        "source.ip": "10.0.0.7",
        "user_agent.original": "curl/8",
        "trace.id": "a" * 32,
        "parent.id": "b" * 16,
        "server.address": "model",
        "server.port": 8000,
    }
    assert {name: event.get(name) for name in wanted} == wanted
    assert "weather" in event["gen_ai.tool.definitions"]
    assert text_of(event["gen_ai.output.messages"], "reasoning") == ["let me think"]
    assert event["gen_ai.output.messages"][0]["finish_reason"] == "stop"
    assert [message["role"] for message in event["gen_ai.input.messages"]] == ["system", "user"]
    assert "api-version" not in event["slm.attributes"]


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
def test_a_tool_call_is_a_part(path: str) -> None:
    asked = {"model": "tools", "stream": True, "messages": [{"role": "user", "content": "weather?"}]}
    event = recorded(path, asked, "".join(MADE[path][0](asked)[1]).encode(), "text/event-stream")
    parts = [part for message in event["gen_ai.output.messages"] for part in message["parts"]]
    (call,) = [part for part in parts if part["type"] == "tool_call"]
    assert (call["name"], json.loads(call["arguments"])) == ("weather", model.CALL)
    assert call["id"]


def test_anthropics_turns_with_tools_images_and_thoughts() -> None:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0K" * 100}}
    turns = [
        {"role": "user", "content": [{"type": "text", "text": "look"}, image]},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "hm", "signature": "x"},
                {"type": "tool_use", "id": "t1", "name": "zoom", "input": {"x": 1}},
            ],
        },
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "a cat"}]},
    ]
    asked = {"model": "m", "system": [{"type": "text", "text": "see"}], "messages": turns, "metadata": {"user_id": "u"}}
    event = recorded("/v1/messages", asked, json.dumps(model._messages({**asked, "messages": turns[:1]})[0]).encode())
    seen = event["gen_ai.input.messages"]
    assert seen[1]["parts"][0] == {"type": "reasoning", "content": "hm"}
    assert seen[1]["parts"][1] == {"type": "tool_call", "id": "t1", "name": "zoom", "arguments": '{"x":1}'}
    assert seen[2]["parts"] == [{"type": "tool_call_response", "id": "t1", "result": "a cat"}]
    assert "iVBORw0K" not in json.dumps(event)
    assert "sha256=" in seen[0]["parts"][1]["extra"]
    assert event["gen_ai.system_instructions"] == "see"
    assert event["enduser.pseudo.id"] == "u"
    assert event["gen_ai.usage.input_tokens"] == 7  # 4, 2 from the cache, 1 into it
    assert event["gen_ai.response.finish_reasons"] == ["end_turn"]


@pytest.mark.parametrize(("path", "said"), [("/api/chat", "messages"), ("/api/generate", "prompt")])
def test_ollamas_lines(path: str, said: str) -> None:
    asked: dict[str, Any] = {"model": "m", "options": {"temperature": 0.5, "num_predict": 9}}
    asked[said] = "tell me more" if said == "prompt" else [{"role": "user", "content": "tell me more"}]
    lines = model._ollama(path, asked)
    body = "".join(json.dumps(line) + "\n" for line in lines).encode()
    event = recorded(path, asked, body, "application/x-ndjson")
    assert text_of(event["gen_ai.output.messages"]) == ["tell me more"]
    assert (event["gen_ai.usage.input_tokens"], event["gen_ai.usage.output_tokens"]) == (6, 3)
    assert event["gen_ai.request.stream"] is True
    assert event["gen_ai.request.max_tokens"] == 9
    assert event["slm.time_to_first_token_ms"] > 0
    whole = recorded(path, {**asked, "stream": False}, json.dumps(model._ollama_whole(lines)).encode())
    assert whole["gen_ai.output.messages"] == event["gen_ai.output.messages"]
    assert not whole.get("gen_ai.request.stream")


def test_embeddings_leave_their_size_and_not_themselves() -> None:
    answer = {"model": "e", "data": [{"embedding": [0.123456] * 384}], "usage": {"prompt_tokens": 5}}
    event = recorded("/v1/embeddings", {"model": "e", "input": ["one", "two"]}, json.dumps(answer).encode())
    assert event["gen_ai.operation.name"] == "embeddings"
    assert event["gen_ai.embeddings.dimension.count"] == 384
    assert text_of(event["gen_ai.input.messages"]) == ["one", "two"]
    assert "0.123456" not in json.dumps(event)


@pytest.mark.parametrize("path", MADE)
def test_half_a_stream_is_recorded_as_far_as_it_came(path: str) -> None:
    make, asked = MADE[path]
    asked = {**ASKED, **asked, "stream": True}
    pieces = make(asked)[1]
    last = next(n for n in range(len(pieces)) if "more" in pieces[n])
    half = "".join(pieces[: last - 1 if "chat" in path else last]).encode()
    event = recorded(path, asked, half, "text/event-stream")
    assert event["error.type"] == "incomplete_stream"
    assert event["event.outcome"] == "failure"
    assert text_of(event["gen_ai.output.messages"])[0].startswith("tell")
    gone = recorded(path, asked, half, "text/event-stream", error="client_gone")
    assert gone["error.type"] == "client_gone"


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/v1/responses", "/api/chat"])
def test_an_error_of_the_server_names_itself(path: str) -> None:
    said = {"error": {"type": "rate_limit_error", "message": "too many"}}
    event = recorded(path, {"model": "m"}, json.dumps(said).encode(), status=429)
    assert (event["error.type"], event["error.message"]) == ("rate_limit_error", "too many")
    assert (event["http.response.status_code"], event["event.outcome"]) == (429, "failure")
    plain = recorded(path, {"model": "m"}, b"<html>bad gateway</html>", "text/html", status=502)
    assert plain["error.type"] == "502"


def test_an_error_in_the_midst_of_a_stream_is_one() -> None:
    delta = {"choices": [{"index": 0, "delta": {"content": "so far"}}]}
    fault = {"error": {"message": "oom", "type": "server_error"}}
    chunks = f"data: {json.dumps(delta)}\n\ndata: {json.dumps(fault)}\n\n".encode()
    event = recorded("/v1/chat/completions", {"model": "m", "stream": True}, chunks, "text/event-stream")
    assert (event["error.type"], event["error.message"]) == ("server_error", "oom")
    assert text_of(event["gen_ai.output.messages"]) == ["so far"]


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[]", b'"text"', b"[" * 100_000])
def test_a_body_that_is_no_json_object_is_kept_as_it_was(body: bytes) -> None:
    event = recorded("/v1/chat/completions", body, b'{"model": "m"}')
    assert event["error.type"] == "malformed_request_body"
    assert body[:100].decode("utf-8", "replace") in json.loads(event["slm.attributes"])["raw"]
    event = recorded("/v1/chat/completions", {"model": "m"}, body)
    assert event["error.type"] == "malformed_response_body"
    assert event["gen_ai.request.model"] == "m"


def test_of_bodies_that_are_cut_what_stands_before_the_cut_is_read() -> None:
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "hello"}], "pad": "x" * 999}).encode()
    event = recorded("/v1/chat/completions", body[:200], b'{"model": "m"}', request_cut=True)
    assert text_of(event["gen_ai.input.messages"]) == ["hello"]
    assert (event["event.outcome"], '"cut":true' in event["slm.attributes"]) == ("success", True)
    answer = b'{"model": "m", "choices": [{"index": 0, "message": {"role": "assistant", "content": "half an ans'
    event = recorded("/v1/chat/completions", body, answer, error="upstream_closed")
    assert (text_of(event["gen_ai.output.messages"]), event["error.type"]) == (["half an ans"], "upstream_closed")


LENIENT = {
    "nan": ('{"model": "m", "x": NaN, %s', "utf-8"),
    "infinite": ('{"model": "m", "x": [-Infinity, 1e400], %s', "utf-8"),
    "mark": ('{"model": "m", %s', "utf-8-sig"),
    "utf-16": ('{"model": "m", %s', "utf-16"),
    "utf-32": ('{"model": "m", %s', "utf-32-be"),
}


@pytest.mark.parametrize("name", LENIENT)
def test_what_servers_take_for_json_hides_no_prompt(name: str) -> None:
    text, encoding = LENIENT[name]
    body = (text % '"messages": [{"role": "user", "content": "hellö"}]}').encode(encoding)
    event = recorded("/v1/chat/completions", body, b'\xef\xbb\xbf{"model": "m2"}')
    assert text_of(event["gen_ai.input.messages"]) == ["hellö"]
    assert (event["gen_ai.response.model"], event["event.outcome"]) == ("m2", "success")


@pytest.mark.parametrize("kind", ["", "text/plain"])
def test_a_stream_under_another_type_is_read_as_one(kind: str) -> None:
    chunks = ['{"choices": [{"index": 0, "delta": {"content": "hey"}, "finish_reason": "stop"}]}', "[DONE]"]
    answer = "".join(f"data: {chunk}\n\n" for chunk in chunks).encode()
    event = recorded("/v1/chat/completions", {"model": "m"}, answer, kind)
    assert (text_of(event["gen_ai.output.messages"]), event["event.outcome"]) == (["hey"], "success")
    lines = b'{"message": {"content": "he"}, "done": false}\n{"message": {"content": "y"}, "done": true}\n'
    event = recorded("/api/chat", {"model": "m"}, lines, kind)
    assert (text_of(event["gen_ai.output.messages"]), event["event.outcome"]) == (["hey"], "success")


def test_what_is_nested_too_deep_is_kept_as_text() -> None:
    deep = b'{"model": "m", "messages": ' + b'[{"role":' * 100 + b"1" + b"}]" * 100 + b', "top_p": 1}'
    event = recorded("/v1/chat/completions", deep, b'{"model": "m"}')
    assert event["gen_ai.request.model"] == "m"
    assert '"role"' in json.dumps(event)


def test_an_event_stays_within_its_size_and_keeps_what_is_short() -> None:
    place = record.Place("model", 8000, None, 20_000, "b007" * 4)
    turns = [{"role": "user", "content": f"{n} " + "é" * 50_000} for n in range(3)]
    answer = model._chat({"model": "echo", "messages": [{"role": "user", "content": "short"}]})[0]
    asked = {"model": "echo", "messages": turns, "tools": [{"name": "x" * 30_000}]}
    event = recorded("/v1/chat/completions", asked, json.dumps(answer).encode(), place=place)
    assert len(json.dumps(event, ensure_ascii=False).encode()) < 21_000
    assert text_of(event["gen_ai.output.messages"]) == ["short"]
    assert all(text.endswith("[cut: 50002 characters]") for text in text_of(event["gen_ai.input.messages"]))
    assert json.loads(event["gen_ai.tool.definitions"])["cut"] is True
    many = {"model": "echo", "messages": [{"role": "user", "content": str(n)} for n in range(5000)]}
    event = recorded("/v1/chat/completions", many, json.dumps(answer).encode(), place=place)
    assert text_of(event["gen_ai.input.messages"])[-1] == "4999"


CODINGS = {
    "br": partial(brotli.compress, quality=1),
    "gzip": partial(gzip.compress, compresslevel=1),
    "deflate": partial(zlib.compress, level=1),
    "zstd": zstandard.ZstdCompressor().compress,
}


def bare(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize("in_parts", [False, True])
@pytest.mark.parametrize(("coding", "pack"), [*CODINGS.items(), ("deflate", bare)])
def test_compressed_bodies_are_read(coding: str, pack: Callable[[bytes], bytes], in_parts: bool) -> None:
    answer = json.dumps(model._chat({"messages": [{"role": "user", "content": "hello you"}]})[0]).encode()
    asked = pack(json.dumps({"model": "m", "messages": [{"role": "user", "content": "hello"}]}).encode())
    told = f"Content-Encoding: {coding}\r\n"
    parts = [answer[:50], answer[50:]] if in_parts and coding in ("gzip", "zstd") else [answer]
    packed = b"".join(map(pack, parts))
    event = recorded("/v1/chat/completions", asked, packed, fields=told, request_fields=told)
    assert event["event.outcome"] == "success"
    assert text_of(event["gen_ai.output.messages"]) == ["hello you"]
    assert text_of(event["gen_ai.input.messages"]) == ["hello"]


@pytest.mark.parametrize("coding", CODINGS)
def test_a_compression_bomb_does_not_go_off(coding: str) -> None:
    bomb = CODINGS[coding](b'{"model":"' + b"x" * 200_000_000)
    event = recorded("/v1/embeddings", {"model": "m"}, bomb, fields=f"Content-Encoding: {coding}\r\n")
    assert event["error.type"] == "malformed_response_body"


def test_lone_surrogates_are_replaced_and_flagged() -> None:
    asked = b'{"model": "m", "messages": [{"role": "user", "content": "half a \\ud83d"}]}'
    event = recorded("/v1/chat/completions", asked, b'{"model": "m"}')
    assert text_of(event["gen_ai.input.messages"]) == ["half a \ufffd"]
    assert event["slm.repairs"] == ["lone_surrogates"]


def test_a_coding_unknown_here_is_said() -> None:
    event = recorded("/v1/embeddings", {"model": "m"}, b"\x1b", fields="Content-Encoding: compress\r\n")
    assert '"undecoded":true' in event["slm.attributes"]
    assert event["event.outcome"] == "success"


@pytest.mark.parametrize("coding", [*CODINGS, "compress"])
def test_what_is_plain_under_the_name_of_a_coding_is_read(coding: str) -> None:
    asked = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}
    event = recorded("/v1/chat/completions", asked, b"{}", request_fields=f"Content-Encoding: {coding}\r\n")
    assert text_of(event["gen_ai.input.messages"]) == ["hello"]
    assert '"undecoded":true' in event["slm.attributes"]


def test_other_paths_are_upstream_events_without_content() -> None:
    event = recorded("/metrics?key=secret", b"body", b"answer")
    assert (event["slm.kind"], event["slm.upstream.name"]) == ("upstream", "model:8000")
    assert json.loads(event["slm.attributes"]) == {"method": "POST", "path": "/metrics"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
NAMES = st.sampled_from(
    "model messages prompt input stream usage choices message delta content tool_calls function arguments id role type "
    "text parts finish_reason logprobs error index output item response system tools options images thinking n stop "
    "user name data embedding source metadata instructions text format done generated_text details token tokens "
    "logprob parameters inputs completion_probabilities probs best_of_sequences prefill stop_type contents candidates "
    "generationConfig systemInstruction functionCall chat_history documents event_type embeddings requests".split()
)
SHAPED = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10) | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=6),
    max_leaves=25,
)
BODIES = st.dictionaries(NAMES, SHAPED, max_size=8)
PATHS = ["/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/embeddings", "/v1/messages"]
PATHS += ["/api/chat", "/api/generate", "/api/embed", "/generate_stream", "/completion", "/v1/models", "/own/way"]
PATHS += ["/v1/models/m:generateContent", "/v1/models/m:batchEmbedContents", "/v2/chat", "/v1/chat", "/v2/embed"]


@given(path=st.sampled_from(PATHS), asked=BODIES | JSON, answers=st.lists(BODIES | JSON, max_size=3), sse=st.booleans())
def test_whatever_is_said_becomes_an_event(path: str, asked: Any, answers: list[Any], sse: bool) -> None:
    assert endpoints.find("POST", path) or path in ("/v1/models", "/own/way")
    if sse:
        answer = "".join(f"data: {json.dumps(one)}\n\n" for one in answers)
        recorded(path, asked, answer.encode(), "text/event-stream")
        recorded(path, asked, "\n".join(map(json.dumps, answers)).encode(), "application/x-ndjson")
    else:
        for answer in answers:
            recorded(path, asked, json.dumps(answer).encode())


@given(
    st.binary(max_size=200),
    st.binary(max_size=400),
    st.lists(st.binary(max_size=200), max_size=4),
    st.sampled_from(["none", "length", "chunked", "close"]),
    st.integers(0, 500),
    st.integers(0, 500),
)
def test_bytes_of_any_kind_become_an_event_too(
    head: bytes, request: bytes, answer: list[bytes], framing: str, head_start: int, body_start: int
) -> None:
    head = b"POST /v1/chat/completions HTTP/1.1\r\nA: " + head.replace(b"\r\n\r\n", b"") + b"\r\n\r\n"
    facts = told(
        len(head),
        framing=framing,
        asked_bytes=len(head + request),
        answer_framing=framing,
        head_start=head_start,
        body_start=body_start,
        pieces_bytes=[len(piece) for piece in answer],
        pieces_us=[n * 1000 for n in range(len(answer))],
    )
    assert record.to_line(transcript.read(facts, head + request + b"".join(answer)), PLACE)


def test_a_refused_request_is_an_event_without_a_path() -> None:
    event = json.loads(record.to_line(transcript.read(told(status=400, error="request_malformed_head"), b""), PLACE))
    assert (event["event.action"], event["error.type"]) == ("refused", "request_malformed_head")


@given(
    st.lists(st.text(max_size=30), max_size=6),
    st.lists(st.integers(1, 400), max_size=20),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(),
)
def test_where_a_stream_is_cut_into_packets_does_not_matter(
    texts: list[str], cuts: list[int], line_end: str, mark: bool
) -> None:
    values = [{"n": n, "text": text} for n, text in enumerate(texts)]
    data = "".join(f"event: x{line_end}data: {json.dumps(v)}{line_end}{line_end}" for v in values).encode()
    data += f"data: [DONE]{line_end}{line_end}".encode()
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    pieces = [(n, data[a:b]) for n, (a, b) in enumerate(itertools.pairwise(places))]
    if mark:
        pieces[0] = (0, b"\xef\xbb\xbf" + pieces[0][1])
    stream = streams.server_sent(pieces)
    assert [value for _, value in stream.values] == values
    assert (stream.done, stream.malformed) == (True, 0)
    assert [at for at, _ in stream.values] == sorted(at for at, _ in stream.values)

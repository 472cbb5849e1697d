"""What the guard reads of a request: everything the model will see, whatever tricks the body plays."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from slmtrail.collectors.guard import asked
from slmtrail.collectors.guard.asked import Asked

LIMIT = 1 << 20
CHAT = "/v1/chat/completions"


def read(body: Any, path: str = CHAT, head: dict[str, str] | None = None) -> Asked:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return asked.read("POST", path, head or {}, data, LIMIT)


def test_a_chat_request() -> None:
    body = {
        "model": "phi-3",
        "temperature": 0.5,
        "max_tokens": 10,
        "stream": True,
        "messages": [
            {"role": "system", "content": "be brief"},
            {"role": "user", "content": [{"type": "text", "text": "what is"}, {"type": "text", "text": "this"}]},
            {
                "role": "assistant",
                "tool_calls": [{"id": "1", "function": {"name": "look", "arguments": '{"q": "sky"}'}}],
            },
        ],
        "tools": [{"type": "function", "function": {"name": "look", "description": "looks up"}}],
    }
    found = read(body)
    assert (found.operation, found.model, found.messages) == ("chat", "phi-3", 3)
    assert found.system == ["be brief"]
    assert {"what is", "this", '{"q": "sky"}'} <= set(found.prompt)
    assert found.tools == ["look"]
    assert "looks up" in found.tool_text
    assert found.parameters == {"temperature": 0.5, "max_tokens": 10}
    assert found.oddities == []


@pytest.mark.parametrize(
    ("path", "body", "text"),
    [
        ("/v1/completions", {"prompt": ["one", "two"]}, "two"),
        ("/v1/responses", {"input": "hello"}, "hello"),
        ("/v1/embeddings", {"input": ["hello"]}, "hello"),
        ("/v1/messages", {"messages": [{"role": "user", "content": [{"type": "text", "text": "hello"}]}]}, "hello"),
        ("/api/generate", {"prompt": "hello"}, "hello"),
        ("/api/chat", {"messages": [{"role": "user", "content": "hello"}]}, "hello"),
        ("/v1/images/generations", {"deep": {"er": ["hello"]}}, "hello"),
    ],
)
def test_the_prompt_of_every_api(path: str, body: dict[str, Any], text: str) -> None:
    assert text in "\n".join(read({"model": "m", **body}, path).prompt)


def test_parameters_of_ollama_stand_in_options() -> None:
    found = read({"model": "m", "prompt": "x", "options": {"temperature": 2, "num_ctx": 9}}, "/api/generate")
    assert found.parameters == {"temperature": 2, "num_ctx": 9}


@pytest.mark.parametrize(
    ("body", "oddity"),
    [
        (b'{"model":"a","model":"b","messages":[]}', "doubled_key"),
        (b'{"model":"a","messages":[{"role":"user","content":"x","content":"hidden"}]}', "doubled_key"),
        (b'{"model":"a","Model":"b","messages":[]}', "key_in_another_case"),
        (b'{"model":"a","meSSages":[{"role":"user","content":"hidden"}]}', "key_in_another_case"),
        ('{"model":"a","me\u017f\u017fages":[]}'.encode(), "key_in_another_case"),
        (b'{"model":"a", hidden', "malformed_body"),
        (b"\xff\xfe\x00", "malformed_body"),
        (b"[" * 5000 + b"]" * 5000, "malformed_body"),
    ],
)
def test_what_could_be_read_in_two_ways_is_odd_and_its_text_is_seen(body: bytes, oddity: str) -> None:
    found = read(body)
    assert oddity in found.oddities
    if b"hidden" in body:
        assert "hidden" in "\n".join(found.prompt)


@pytest.mark.parametrize("path", ["/v1/completions", "/completion", "/v1/embeddings"])
@pytest.mark.parametrize("prompt", [[1, 2, 3], [[1, 2], [3]], ["in words", 1, 2]])
def test_a_prompt_in_numbers_of_tokens_is_odd(path: str, prompt: list[Any]) -> None:
    body = {"model": "m", "input" if "embed" in path else "prompt": prompt}
    assert "prompt_in_tokens" in read(body, path).oddities


@pytest.mark.parametrize("depth", [60, 70, 200, 300, 900])
def test_no_depth_hides_a_text(depth: int) -> None:
    found = read(
        b'{"model":"m","messages":[{"role":"user","content":' + b"[" * depth + b'"hidden"' + b"]" * depth + b"}]}"
    )
    assert "hidden" in "\n".join(found.prompt)


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(b'{"model":"m","prompt":"hello"}')),
        ("zstd", zstandard.compress(b'{"model":"m","prompt":"hello"}')),
    ],
)
def test_a_compressed_body_is_read(coding: str, body: bytes) -> None:
    assert "hello" in read(body, "/v1/completions", {"content-encoding": coding}).prompt


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("br", b"?"),
        ("gzip", b"no gzip"),
        ("gzip", gzip.compress(b"x")[:-4]),
        ("gzip", gzip.compress(b"{}") + gzip.compress(b"hidden")),
        ("gzip", gzip.compress(b" " * (LIMIT + 1))),
        ("zstd", zstandard.compress(b" " * (LIMIT + 1))),
        ("gzip, gzip", b""),
    ],
)
def test_what_can_not_be_decompressed_within_bounds_is_odd(coding: str, body: bytes) -> None:
    assert read(body, CHAT, {"content-encoding": coding}).oddities == ["unreadable_encoding"]


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
_NAMED = st.dictionaries(
    st.sampled_from(["model", "messages", "prompt", "input", "system", "tools", "options", "instructions"]), _VALUES
)


@given(_NAMED | _VALUES, st.sampled_from([CHAT, "/v1/completions", "/v1/responses", "/v1/messages", "/api/chat", "/x"]))
def test_no_body_is_too_strange(body: Any, path: str) -> None:
    read(body, path)


@given(st.binary())
def test_no_bytes_are_too_strange(body: bytes) -> None:
    read(body)

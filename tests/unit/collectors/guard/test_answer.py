"""Answers under watch: no cut between pieces hides anything, and what can't be read does not pass unseen."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Any

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slmtrail.collectors.guard.answer import watch
from slmtrail.collectors.guard.caller import Caller
from slmtrail.collectors.guard.guard import Guard, Ruled
from slmtrail.core.policy import Policy

KEY = "ghp_" + "a1B2" * 9


def ruled() -> Ruled:
    given = {
        "secrets": {"answer": "block"},
        "personal": {"answer": "flag"},
        "patterns": {"no-word": {"pattern": "forbidden phrase", "places": ["answer"]}},
    }
    return Guard(Policy.model_validate({"guard": given})).ruled(Caller())


RULED = ruled()


def rules(content: list[bytes], streamed: bool, coding: str = "") -> list[str]:
    made = watch(RULED, streamed, coding)
    return [reason.rule for piece in content for reason in made.feed(piece)] + [reason.rule for reason in made.end()]


def openai(pieces: list[str], index: int = 0) -> bytes:
    events = [{"id": "x", "choices": [{"index": index, "delta": {"content": piece}}]} for piece in pieces]
    return b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events) + b"data: [DONE]\n\n"


def anthropic(pieces: list[str]) -> bytes:
    events = [
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}} for piece in pieces
    ]
    return b"".join(b"event: content_block_delta\ndata: " + json.dumps(event).encode() + b"\n\n" for event in events)


def ollama(pieces: list[str]) -> bytes:
    return b"".join(json.dumps({"message": {"role": "assistant", "content": p}}).encode() + b"\n" for p in pieces)


def responses(pieces: list[str]) -> bytes:
    events = [{"type": "response.output_text.delta", "delta": piece, "item_id": "i"} for piece in pieces]
    return b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)


def calling(pieces: list[str]) -> bytes:
    events = [
        {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": p}}]}}]}
        for p in pieces
    ]
    return b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)


@pytest.mark.parametrize("shape", [openai, anthropic, ollama, responses, calling])
@pytest.mark.parametrize("text", [f"the key is {KEY} .", "a forbidden phrase here"])
@given(data=st.data())
def test_no_cut_hides_anything(shape: Any, text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(1, len(text) - 1))))
    body = shape([text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)])
    places = sorted(data.draw(st.sets(st.integers(1, len(body) - 1), max_size=20)))
    content = [body[start:end] for start, end in zip([0, *places], [*places, len(body)], strict=True)]
    assert rules(content, streamed=True) == ["secrets-in-answer" if KEY in text else "no-word"]


def test_texts_of_two_choices_are_not_mixed() -> None:
    two = openai(["forbidden "], 0) + openai(["phrase"], 1)
    assert rules([two], streamed=True) == []
    assert rules([openai(["forbidden "], 0) + openai(["x"], 1) + openai(["phrase"], 0)], streamed=True) == ["no-word"]


def test_a_whole_answer_is_looked_at_when_it_is_whole() -> None:
    body = json.dumps({"choices": [{"message": {"content": f"mail a@example.com, {KEY}"}}]}).encode()
    made = watch(RULED, streamed=False, coding="")
    assert made.feed(body[:30]) == made.feed(body[30:]) == []
    assert [reason.rule for reason in made.end()] == ["secrets-in-answer", "personal-in-answer"]


@pytest.mark.parametrize("body", [b"forbidden phrase", b"{forbidden phrase", b"\xff forbidden phrase"])
def test_what_is_no_json_is_looked_at_as_text(body: bytes) -> None:
    assert rules([body], streamed=False) == ["no-word"]
    assert rules([body], streamed=True) == ["no-word"]


@pytest.mark.parametrize(
    ("coding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress), ("br", brotli.compress)]
)
@pytest.mark.parametrize("streamed", [False, True])
def test_compressed_answers_are_read(coding: str, pack: Any, streamed: bool) -> None:
    body = pack(openai(["forbidden ", "phrase"]) if streamed else b'{"a": "forbidden phrase"}')
    assert rules([body[:7], body[7:]], streamed, coding) == ["no-word"]


def test_what_expands_without_end_does_not_pass() -> None:
    assert rules([gzip.compress(bytes(17 * 1024 * 1024))], streamed=True, coding="gzip")[0] == "unreadable-answer"


@pytest.mark.parametrize(
    ("coding", "body"), [("br", b"no brotli"), ("gzip", b"no gzip"), ("zstd", b"x"), ("compress", b"x")]
)
def test_what_can_not_be_read_is_told(coding: str, body: bytes) -> None:
    assert rules([body], streamed=True, coding=coding)[0] == "unreadable-answer"


@pytest.mark.parametrize(("coding", "pack"), [("gzip", gzip.compress), ("br", brotli.compress)])
def test_half_an_answer_can_not_be_read(coding: str, pack: Any) -> None:
    assert rules([pack(b'{"a": "something"}')[:-3]], streamed=False, coding=coding) == ["unreadable-answer"]


@given(st.lists(st.binary()), st.booleans(), st.sampled_from(["", "gzip", "zstd", "br"]))
def test_no_bytes_are_too_strange(content: list[bytes], streamed: bool, coding: str) -> None:
    rules(content, streamed, coding)

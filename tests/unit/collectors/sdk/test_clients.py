"""The real clients of model APIs, watched: they see what they would see without it, and each call leaves its event."""

from __future__ import annotations

import asyncio
import gc
import json
import types
from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import httpx
import ollama
import openai
import pydantic
import pytest

from servers.model import CALL, Model, serving
from slmtrail.collectors.sdk import Trail

Events = Callable[[], list[dict[str, Any]]]
QUESTION: Any = [{"role": "user", "content": "tell me more"}]
TOOLS: Any = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}]


@pytest.fixture(scope="module")
def model() -> Iterator[Model]:
    with serving() as made:
        yield made


@pytest.fixture
def client(model: Model, trail: Trail) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{model.url}/v1", api_key="sk-none", max_retries=0) as made:
        yield trail.watch(made)


def said(event: dict[str, Any], side: str = "output") -> list[str]:
    messages = event[f"gen_ai.{side}.messages"]
    return [part["content"] for message in messages for part in message["parts"] if part["type"] == "text"]


def test_openai_chat(client: openai.OpenAI, event: Any, model: Model) -> None:
    answer = client.chat.completions.create(model="think", messages=QUESTION, temperature=0.5, max_tokens=9, seed=3)
    assert answer.choices[0].message.content == "tell me more"
    one = event()
    assert (one["slm.kind"], one["event.outcome"], one["gen_ai.operation.name"]) == ("inference", "success", "chat")
    assert (one["gen_ai.request.model"], one["gen_ai.response.model"]) == ("think", "think")
    assert (one["gen_ai.request.temperature"], one["gen_ai.request.max_tokens"]) == (0.5, 9)
    assert (one["gen_ai.usage.input_tokens"], one["gen_ai.usage.output_tokens"]) == (7, 3)
    assert (one["gen_ai.usage.cache_read.input_tokens"], one["gen_ai.response.id"]) == (2, "chatcmpl-1")
    assert (said(one, "input"), said(one)) == (["tell me more"], ["tell me more"])
    assert one["gen_ai.output.messages"][0]["parts"][1] == {"type": "reasoning", "content": "let me think"}
    assert one["gen_ai.response.finish_reasons"] == ["stop"]
    assert (one["server.port"], one["http.response.status_code"]) == (model.port, 200)
    assert one["slm.confidence"] == pytest.approx(0.6065)
    assert one["slm.latency_ms"] >= 0 and one["slm.host.memory_used_bytes"] > 0
    assert "sk-none" not in json.dumps(one)


def test_openai_streams(client: openai.OpenAI, event: Any) -> None:
    pieces = list(client.chat.completions.create(model="echo", messages=QUESTION, stream=True))
    assert "".join(piece.choices[0].delta.content or "" for piece in pieces if piece.choices) == "tell me more"
    one = event()
    assert (said(one), one["event.outcome"], one["gen_ai.request.stream"]) == (["tell me more"], "success", True)
    assert one["gen_ai.usage.output_tokens"] == 3
    assert 0 <= one["slm.time_to_first_token_ms"] <= one["slm.latency_ms"]
    assert json.loads(one["slm.attributes"]) == {"pieces": 3}


@pytest.mark.parametrize("stream", [False, True])
def test_openai_tools(client: openai.OpenAI, event: Any, stream: bool) -> None:
    answer = client.chat.completions.create(model="tools", messages=QUESTION, tools=TOOLS, stream=stream)  # type: ignore[call-overload]
    if stream:
        list(answer)
    one = event()
    (part,) = one["gen_ai.output.messages"][0]["parts"]
    assert (part["type"], part["id"], part["name"], json.loads(part["arguments"])) == (
        "tool_call",
        "call_1",
        "weather",
        CALL,
    )
    assert json.loads(one["gen_ai.tool.definitions"]) == TOOLS
    assert one["gen_ai.response.finish_reasons"] == ["tool_calls"]


class _Shape(pydantic.BaseModel):
    city: str


def test_everything_else_that_openai_can_do(client: openai.OpenAI, events: Events) -> None:
    said_as_json: Any = [{"role": "user", "content": json.dumps(CALL)}]
    parsed = client.chat.completions.parse(model="echo", messages=said_as_json, response_format=_Shape)
    assert parsed.choices[0].message.parsed == _Shape(city="Oslo")
    with client.chat.completions.stream(model="echo", messages=QUESTION) as stream:
        assert stream.get_final_completion().choices[0].message.content == "tell me more"
    raw = client.chat.completions.with_raw_response.create(model="echo", messages=QUESTION)
    assert raw.parse().choices[0].message.content == "tell me more"
    assert client.with_options(timeout=9).completions.create(model="echo", prompt="tell me more").choices[0].text
    assert client.responses.create(model="echo", input="tell me more").output_text == "tell me more"
    assert [one.type for one in client.responses.create(model="echo", input="tell me more", stream=True)][-1]
    assert client.embeddings.create(model="echo", input="x", encoding_format="float").data[0].embedding
    assert [one.id for one in client.models.list()] == ["echo"]
    kinds = [(one["gen_ai.operation.name"], *said(one)) for one in events() if "gen_ai.output.messages" in one]
    assert kinds == [
        ("chat", json.dumps(CALL)),
        ("chat", "tell me more"),
        ("chat", "tell me more"),
        ("text_completion", "tell me more"),
        ("chat", "tell me more"),
        ("chat", "tell me more"),
    ]
    (embedded,) = [one for one in events() if one["gen_ai.operation.name"] == "embeddings"]
    assert embedded["gen_ai.embeddings.dimension.count"] == 3


def test_what_fails_is_raised_as_it_is_and_recorded(client: openai.OpenAI, events: Events, model: Model) -> None:
    with pytest.raises(openai.RateLimitError):
        client.chat.completions.create(model="error-429", messages=QUESTION)
    with pytest.raises(openai.APIConnectionError):
        client.chat.completions.create(model="close", messages=QUESTION)
    with pytest.raises(openai.APITimeoutError):
        client.with_options(timeout=0.05).chat.completions.create(model="hang", messages=QUESTION)
    with pytest.raises((httpx.HTTPError, openai.APIError, Exception)):
        list(client.chat.completions.create(model="cut", messages=QUESTION, stream=True))
    seen = events()
    assert [one["event.outcome"] for one in seen] == ["failure"] * 4
    assert [one["error.type"].rpartition(".")[2] for one in seen][:3] == [
        "rate_limit_error",
        "RemoteProtocolError",
        "ReadTimeout",
    ]
    assert (seen[0]["error.message"], seen[0]["http.response.status_code"]) == ("not today", 429)
    assert said(seen[3])[0].startswith("tell ")
    assert {said(one, "input")[0] for one in seen} == {"tell me more"}


def test_each_try_is_seen(model: Model, trail: Trail, events: Events) -> None:
    client = trail.watch(openai.OpenAI(base_url=f"{model.url}/v1", api_key="k", max_retries=1))
    with pytest.raises(openai.InternalServerError):
        client.chat.completions.create(model="error-500", messages=QUESTION)
    assert [json.loads(one.get("slm.attributes", "{}")) for one in events()] == [{}, {"attempt": "1"}]
    client.close()


@pytest.mark.parametrize("how", ["closed", "left", "dropped"])
def test_a_stream_that_is_not_read_to_its_end(client: openai.OpenAI, event: Any, how: str) -> None:
    stream = client.chat.completions.create(model="echo", messages=QUESTION, stream=True)
    if how != "dropped":
        next(iter(stream))
    if how == "closed":
        stream.close()
    del stream
    gc.collect()
    one = event()
    assert (one["event.outcome"], one["event.reason"]) == ("unknown", "not read to the end")


def test_a_client_is_watched_once(client: openai.OpenAI, trail: Trail, events: Events) -> None:
    assert trail.watch(trail.watch(client)) is client
    client.chat.completions.create(model="echo", messages=QUESTION)
    assert len(events()) == 1


def test_what_is_no_client_is_left_as_it_is(trail: Trail) -> None:
    for thing in (None, 5, "client", object(), [], type):
        assert trail.watch(thing) is thing


def test_messages_are_kept_as_they_were_asked(client: openai.OpenAI, event: Any) -> None:
    messages = list(QUESTION)
    answer = client.chat.completions.create(model="echo", messages=messages)
    messages.append(answer.choices[0].message)
    messages[0] = {"role": "user", "content": "something else"}
    assert said(event(), "input") == ["tell me more"]


def test_asynchronous_openai_under_a_context(model: Model, trail: Trail, events: Events) -> None:
    async def ask(client: openai.AsyncOpenAI, user: str) -> str:
        with trail.context(user=user):
            stream = await client.chat.completions.create(
                model="echo", messages=[{"role": "user", "content": user}], stream=True
            )
            return "".join([piece.choices[0].delta.content or "" async for piece in stream if piece.choices])

    async def main() -> list[str]:
        async with openai.AsyncOpenAI(base_url=f"{model.url}/v1", api_key="k", max_retries=0) as client:
            trail.watch(client)
            with pytest.raises(openai.NotFoundError):
                await client.chat.completions.create(model="error-404", messages=QUESTION)
            return await asyncio.gather(*(ask(client, f"user-{n}") for n in range(5)))

    assert asyncio.run(main()) == [f"user-{n}" for n in range(5)]
    failed, *seen = events()
    assert (failed["event.outcome"], "user.id" in failed) == ("failure", False)
    assert sorted((one["user.id"], *said(one)) for one in seen) == [(f"user-{n}",) * 2 for n in range(5)]


def test_anthropic(model: Model, trail: Trail, events: Events) -> None:
    client = trail.watch(anthropic.Anthropic(base_url=model.url, api_key="sk-ant", max_retries=0))
    shared: Any = {"max_tokens": 9, "messages": QUESTION, "system": "be brief"}
    assert client.messages.create(model="echo", **shared).content[0].text == "tell me more"  # type: ignore[union-attr]
    with client.messages.stream(model="tools", **shared) as stream:
        assert stream.get_final_message().content[1].name == "weather"  # type: ignore[union-attr]
    with pytest.raises(anthropic.RateLimitError):
        client.messages.create(model="error-429", **shared)
    client.close()
    whole, streamed, failed = events()
    for one in (whole, streamed):
        assert (one["gen_ai.provider.name"], one["gen_ai.system_instructions"]) == ("anthropic", "be brief")
        assert said(one) == ["tell me more"]
        assert one["gen_ai.usage.output_tokens"] == 3
    calls = [part for part in streamed["gen_ai.output.messages"][0]["parts"] if part["type"] == "tool_call"]
    assert [(part["name"], json.loads(part["arguments"])) for part in calls] == [("weather", CALL)]
    assert (whole["gen_ai.response.finish_reasons"], streamed["gen_ai.response.finish_reasons"]) == (
        ["end_turn"],
        ["tool_use"],
    )
    assert (failed["event.outcome"], failed["error.type"]) == ("failure", "rate_limit_error")


def test_asynchronous_anthropic(model: Model, trail: Trail, event: Any) -> None:
    async def main() -> str:
        async with anthropic.AsyncAnthropic(base_url=model.url, api_key="k", max_retries=0) as client:
            trail.watch(client)
            async with client.messages.stream(model="echo", max_tokens=9, messages=QUESTION) as stream:
                return "".join([text async for text in stream.text_stream])

    assert asyncio.run(main()) == "tell me more"
    assert said(event()) == ["tell me more"]


def test_ollama(model: Model, trail: Trail, events: Events) -> None:
    client = trail.watch(ollama.Client(host=model.url))
    assert client.chat(model="echo", messages=QUESTION, options={"temperature": 0.5}).message.content == "tell me more"
    assert "".join(one.response for one in client.generate(model="echo", prompt="tell me more", stream=True))
    with pytest.raises(ollama.ResponseError):
        client.chat(model="error-404", messages=QUESTION)
    chat, generated, failed = events()
    assert (chat["gen_ai.provider.name"], chat["gen_ai.request.temperature"], said(chat)) == (
        "ollama",
        0.5,
        ["tell me more"],
    )
    assert (generated["gen_ai.operation.name"], said(generated)) == ("text_completion", ["tell me more"])
    assert generated["gen_ai.usage.output_tokens"] == 3
    assert failed["event.outcome"] == "failure"


def test_asynchronous_ollama(model: Model, trail: Trail, event: Any) -> None:
    async def main() -> str:
        client = trail.watch(ollama.AsyncClient(host=model.url))
        stream = await client.chat(model="echo", messages=QUESTION, stream=True)
        return "".join([one.message.content or "" async for one in stream])

    assert asyncio.run(main()) == "tell me more"
    assert (said(event()), event()["gen_ai.request.stream"]) == (["tell me more"], True)


def test_a_client_is_found_in_what_holds_it(model: Model, trail: Trail, events: Events) -> None:
    held = types.SimpleNamespace(_client=ollama.Client(host=model.url))  # as the module `ollama` holds its own
    trail.watch(held)._client.chat(model="echo", messages=QUESTION)
    with openai.OpenAI(base_url=f"{model.url}/v1", api_key="k", max_retries=0) as client:
        trail.watch(client.chat.completions).create(model="echo", messages=QUESTION)
    assert [one["gen_ai.provider.name"] for one in events()] == ["ollama", "openai"]


def test_a_plain_http_client_can_be_watched(model: Model, trail: Trail, event: Any) -> None:
    with trail.watch(httpx.Client()) as client:
        client.get(f"{model.url}/v1/models")
        body = {"model": "echo", "messages": QUESTION}
        assert client.post(f"{model.url}/v1/chat/completions", json=body).json()["choices"]
    assert said(event()) == ["tell me more"]


def test_a_model_that_is_named_in_the_path(trail: Trail, event: Any) -> None:
    answer = {"candidates": [{"content": {"parts": [{"text": "Grey"}]}, "finishReason": "STOP"}]}
    http = httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200, json=answer)))
    trail.watch(http).post(
        "http://g/v1beta/models/gemini-x:generateContent", json={"contents": [{"parts": [{"text": "Hi"}]}]}
    )
    one = event()
    assert (one["gen_ai.request.model"], one["gen_ai.provider.name"]) == ("gemini-x", "gcp.gemini")
    assert (said(one, "input"), said(one)) == (["Hi"], ["Grey"])

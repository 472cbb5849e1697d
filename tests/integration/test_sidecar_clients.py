"""Clients as people use them, unchanged, through the sidecar: each gets its answers and leaves complete records."""

from __future__ import annotations

import asyncio
import http.client
import json
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from servers.model import CALL, Model, serving
from servers.sidecars import Sidecar, before
from slmtrail.collectors.sidecar.options import SidecarOptions
from slmtrail.core.events import validate

SAID = "tell me more"
QUESTION: list[Any] = [{"role": "user", "content": SAID}]
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL: dict[str, Any] = {"type": "function", "function": {"name": "weather", "parameters": PARAMETERS}}
KEY = "sk-of-a-test-0123456789"
EVERY = (
    "slm.exchange.id trace.id slm.latency_ms slm.request_bytes slm.response_bytes server.address server.port source.ip "
    "user_agent.original http.response.status_code gen_ai.provider.name gen_ai.input.messages"
).split()
ANSWERED = "gen_ai.output.messages gen_ai.response.finish_reasons gen_ai.usage.output_tokens".split()


class Place(BaseModel):
    """What a structured answer holds."""

    city: str


@pytest.fixture(scope="module")
def model() -> Iterator[Model]:
    with serving() as made:
        yield made


@pytest.fixture
def sidecar(model: Model) -> Iterator[Sidecar]:
    with before(SidecarOptions(model.url)) as made:
        yield made


def records(sidecar: Sidecar) -> list[dict[str, Any]]:
    """Every inference that was recorded, each valid and, where there was an answer, complete."""
    sidecar.stop()
    assert sidecar.offered.dropped == 0
    assert KEY not in json.dumps(sidecar.events)
    asked = [event for event in sidecar.events if event["slm.kind"] == "inference"]
    for event in asked:
        validate(event)
        wanted = set(EVERY)
        if event["http.response.status_code"] == 200:
            assert event["event.outcome"] == "success"
            wanted |= {"gen_ai.usage.input_tokens"}
            wanted |= set(() if event["gen_ai.operation.name"] == "embeddings" else ANSWERED)
            wanted |= {"slm.time_to_first_token_ms"} if event.get("gen_ai.request.stream") else set()
        assert not wanted - event.keys(), event
        assert event.keys() & {"gen_ai.request.model", "gen_ai.response.model"}
    return asked


def told(events: list[dict[str, Any]]) -> Counter[tuple[str, bool, str]]:
    """Operation, streamed or not, and what was answered, in words or as the name of a tool and what it is given."""
    return Counter(
        (event["gen_ai.operation.name"], bool(event.get("gen_ai.request.stream")), _answer(event)) for event in events
    )


def _answer(event: dict[str, Any]) -> str:
    parts = [part for message in event.get("gen_ai.output.messages", []) for part in message["parts"]]
    calls = [f"{part['name']} {part['arguments']}" for part in parts if part["type"] == "tool_call"]
    return "; ".join(calls) or "".join(part["content"] for part in parts if part["type"] == "text")


CALLED = f"weather {json.dumps(CALL, separators=(',', ':'))}"
CALLED_AS_SENT = f"weather {json.dumps(CALL)}"
IN_JSON = json.dumps(CALL)


def test_openai(sidecar: Sidecar) -> None:
    openai = pytest.importorskip("openai")
    with openai.OpenAI(base_url=f"http://127.0.0.1:{sidecar.port}/v1", api_key=KEY, max_retries=0) as client:
        chat = client.chat.completions
        assert chat.create(model="echo", messages=QUESTION).choices[0].message.content == SAID
        pieces = chat.create(model="think", messages=QUESTION, stream=True, stream_options={"include_usage": True})
        assert "".join(p.choices[0].delta.content or "" for p in pieces if p.choices) == SAID
        called = chat.create(model="tools", messages=QUESTION, tools=[TOOL]).choices[0].message.tool_calls
        assert json.loads(called[0].function.arguments) == CALL
        with chat.stream(model="tools", messages=QUESTION, tools=[TOOL]) as stream:
            called = stream.get_final_completion().choices[0].message.tool_calls
        assert json.loads(called[0].function.arguments) == CALL
        asked = [{"role": "user", "content": IN_JSON}]
        parsed = chat.parse(model="echo", messages=asked, response_format=Place).choices[0].message.parsed
        assert parsed == Place(city="Oslo")
        assert client.completions.create(model="echo", prompt=SAID).choices[0].text == SAID
        assert client.responses.create(model="echo", input=SAID).output_text == SAID
        with client.responses.stream(model="echo", input=SAID) as events:
            assert events.get_final_response().output_text == SAID
        assert len(client.embeddings.create(model="echo", input="x").data[0].embedding) == 3
        assert [one.id for one in client.models.list()] == ["echo"]
        with pytest.raises(openai.RateLimitError):
            chat.create(model="error-429", messages=QUESTION)
    made = records(sidecar)
    assert told(made) == {
        ("chat", False, SAID): 2,
        ("chat", True, SAID): 2,
        ("chat", False, CALLED_AS_SENT): 1,
        ("chat", True, CALLED_AS_SENT): 1,
        ("chat", False, IN_JSON): 1,
        ("text_completion", False, SAID): 1,
        ("embeddings", False, ""): 1,
        ("chat", False, ""): 1,
    }
    (failed,) = [event for event in made if event["event.outcome"] == "failure"]
    assert (failed["error.type"], failed["error.message"]) == ("rate_limit_error", "not today")
    (structured,) = [event for event in made if event.get("gen_ai.output.type")]
    assert (structured["gen_ai.output.type"], _answer(structured)) == ("json", IN_JSON)
    assert sum("weather" in event.get("gen_ai.tool.definitions", "") for event in made) == 2


def test_openai_async(sidecar: Sidecar) -> None:
    openai = pytest.importorskip("openai")

    async def ask() -> list[str]:
        async with openai.AsyncOpenAI(base_url=f"http://127.0.0.1:{sidecar.port}/v1", api_key=KEY) as client:
            chat = client.chat.completions

            async def whole() -> str:
                return str((await chat.create(model="echo", messages=QUESTION)).choices[0].message.content)

            async def streamed() -> str:
                stream = await chat.create(model="echo", messages=QUESTION, stream=True)
                return "".join([p.choices[0].delta.content or "" async for p in stream if p.choices])

            async def structured() -> str:
                asked = [{"role": "user", "content": IN_JSON}]
                made = await chat.parse(model="echo", messages=asked, response_format=Place)
                return str(made.choices[0].message.parsed.city)

            return list(await asyncio.gather(*(one() for one in (whole, streamed, structured) for _ in range(5))))

    assert Counter(asyncio.run(ask())) == {SAID: 10, "Oslo": 5}
    assert told(records(sidecar)) == {("chat", False, SAID): 5, ("chat", True, SAID): 5, ("chat", False, IN_JSON): 5}


def test_anthropic(sidecar: Sidecar) -> None:
    anthropic = pytest.importorskip("anthropic")
    url = f"http://127.0.0.1:{sidecar.port}"
    tool = {"name": "weather", "input_schema": PARAMETERS}
    asked: dict[str, Any] = {"max_tokens": 50, "messages": QUESTION, "system": "be brief"}
    with anthropic.Anthropic(base_url=url, api_key=KEY, max_retries=0) as client:
        assert client.messages.create(model="echo", **asked).content[0].text == SAID
        with client.messages.stream(model="echo", **asked) as stream:
            assert "".join(stream.text_stream) == SAID
        with client.messages.stream(model="tools", tools=[tool], **asked) as stream:
            assert stream.get_final_message().content[1].input == CALL
        assert client.messages.create(model="tools", tools=[tool], **asked).content[1].input == CALL

    async def ask() -> str:
        client = anthropic.AsyncAnthropic(base_url=url, api_key=KEY)
        async with client, client.messages.stream(model="echo", **asked) as stream:
            return "".join([text async for text in stream.text_stream])

    assert asyncio.run(ask()) == SAID
    made = records(sidecar)
    assert told(made) == {
        ("chat", False, SAID): 1,
        ("chat", True, SAID): 2,
        ("chat", False, CALLED): 1,
        ("chat", True, CALLED): 1,
    }
    assert {event["gen_ai.system_instructions"] for event in made} == {"be brief"}
    assert {event["gen_ai.request.max_tokens"] for event in made} == {50}


def test_ollama(sidecar: Sidecar) -> None:
    ollama = pytest.importorskip("ollama")
    url = f"http://127.0.0.1:{sidecar.port}"
    client = ollama.Client(host=url)
    assert client.chat(model="echo", messages=QUESTION).message.content == SAID
    assert "".join(p.message.content for p in client.chat(model="echo", messages=QUESTION, stream=True)) == SAID
    called = client.chat(model="tools", messages=QUESTION, tools=[TOOL]).message.tool_calls
    assert called[0].function.arguments == CALL
    structured = [{"role": "user", "content": IN_JSON}]
    made = client.chat(model="echo", messages=structured, format=Place.model_json_schema())
    assert Place.model_validate_json(made.message.content) == Place(city="Oslo")
    assert client.generate(model="echo", prompt=SAID).response == SAID
    assert "".join(piece.response for piece in client.generate(model="echo", prompt=SAID, stream=True)) == SAID
    assert len(client.embed(model="echo", input="x").embeddings[0]) == 3
    assert [one.model for one in client.list().models] == ["echo"]

    async def ask() -> str:
        stream = await ollama.AsyncClient(host=url).chat(model="echo", messages=QUESTION, stream=True)
        return "".join([piece.message.content async for piece in stream])

    assert asyncio.run(ask()) == SAID
    assert told(records(sidecar)) == {
        ("chat", False, SAID): 1,
        ("chat", True, SAID): 2,
        ("chat", False, CALLED): 1,
        ("chat", False, IN_JSON): 1,
        ("text_completion", False, SAID): 1,
        ("text_completion", True, SAID): 1,
        ("embeddings", False, ""): 1,
    }


def test_langchain(sidecar: Sidecar) -> None:
    langchain = pytest.importorskip("langchain_openai")
    url = f"http://127.0.0.1:{sidecar.port}/v1"

    def chat(model: str) -> Any:
        return langchain.ChatOpenAI(base_url=url, model=model, api_key=KEY, max_retries=0)

    assert chat("echo").invoke(SAID).content == SAID
    assert "".join(piece.content for piece in chat("echo").stream(SAID)) == SAID
    assert [answer.content for answer in chat("echo").batch([SAID] * 4)] == [SAID] * 4
    assert chat("tools").bind_tools([TOOL]).invoke(SAID).tool_calls[0]["args"] == CALL
    assert chat("echo").with_structured_output(Place).invoke(IN_JSON) == Place(city="Oslo")
    assert asyncio.run(chat("echo").ainvoke(SAID)).content == SAID
    assert told(records(sidecar)) == {
        ("chat", False, SAID): 6,
        ("chat", True, SAID): 1,
        ("chat", False, CALLED_AS_SENT): 1,
        ("chat", False, IN_JSON): 1,
    }


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not on the PATH")
def test_curl(model: Model, sidecar: Sidecar, tmp_path: Path) -> None:
    def curl(*options: str, port: int = sidecar.port, **asked: Any) -> str:
        (tmp_path / "body").write_text(json.dumps({"model": "echo", "messages": QUESTION, **asked}))
        url = f"http://127.0.0.1:{port}/v1/chat/completions"
        command = ["curl", "-sS", "--max-time", "20", *options, url]
        return subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path).stdout

    said = curl("-d", "@body")
    assert said == curl("-d", "@body", port=model.port)
    assert json.loads(said)["choices"][0]["message"]["content"] == SAID
    streamed = curl("-N", "-d", "@body", stream=True)
    assert streamed == curl("-N", "-d", "@body", stream=True, port=model.port)
    assert streamed.endswith("data: [DONE]\n\n")
    assert curl("--http1.0", "-d", "@body") == said
    assert curl("--http2", "--compressed", "-d", "@body") == said  # it offers an upgrade, which servers ignore
    assert curl("-T", "body", "-X", "POST", "-H", "Transfer-Encoding: chunked") == said
    assert curl("-T", "body", "-X", "POST", "-H", "Expect: 100-continue") == said
    assert told(records(sidecar)) == {("chat", False, SAID): 5, ("chat", True, SAID): 1}


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/generate", {"inputs": SAID, "parameters": {"details": True}}),
        ("/generate_stream", {"inputs": SAID}),
        ("/completion", {"prompt": SAID}),
        ("/completion", {"prompt": SAID, "stream": True}),
    ],
)
def test_tgi_and_llama_cpp_in_their_own_words(sidecar: Sidecar, path: str, asked: dict[str, Any]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", sidecar.port, timeout=20)
    connection.request("POST", path, json.dumps(asked), {"User-Agent": "own"})
    assert "more" in connection.getresponse().read().decode()
    connection.close()
    streamed = path == "/generate_stream" or "stream" in asked
    assert told(records(sidecar)) == {("text_completion", streamed, SAID): 1}

"""Inferences, steps and the rest: measured, placed, and never in the way of the program they are in."""

from __future__ import annotations

import asyncio
import contextvars
import hashlib
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from slmtrail.collectors.sdk import Trail, digest_of, kinds, recorder
from slmtrail.core.events import COLLECTED_KINDS, KINDS
from slmtrail.core.fields import ACCESS_OWNED, FIELDS, IMPORTED, STREAM_OWNED

Events = Callable[[], list[dict[str, Any]]]


def text(event: dict[str, Any], side: str) -> list[tuple[str, str]]:
    return [(message["role"], message["parts"][0]["content"]) for message in event[f"gen_ai.{side}.messages"]]


def attributes(event: dict[str, Any]) -> Any:
    return json.loads(event["slm.attributes"])


def test_an_inference_says_all_there_is_to_say(trail: Trail, event: Any) -> None:
    tools = [{"type": "function", "function": {"name": "weather"}}]
    with trail.inference("phi-3", provider="llama.cpp", input="why?", temperature=0.25, max_tokens=9, stop=["\n"],
                         version="3.1", quantization="q4", template="Answer: {x}", seat=7) as i:  # fmt: skip
        i.output("because")
        i.usage(3, 4, cached_tokens=1, reasoning_tokens=2)
        i.finish("stop")
        i.tools(tools)
        i.note(rank=1)
        i.set("slm.cost_usd", 0.5)
    one = event()
    assert (one["slm.kind"], one["event.outcome"], one["slm.exchange.id"]) == ("inference", "success", i.id)
    assert (text(one, "input"), text(one, "output")) == ([("user", "why?")], [("assistant", "because")])
    assert [one[f"gen_ai.usage.{name}"] for name in ("input_tokens", "output_tokens")] == [3, 4]
    assert (one["gen_ai.usage.cache_read.input_tokens"], one["gen_ai.usage.reasoning.output_tokens"]) == (1, 2)
    assert (one["gen_ai.request.temperature"], one["gen_ai.request.max_tokens"]) == (0.25, 9)
    assert (one["gen_ai.request.stop_sequences"], one["gen_ai.response.finish_reasons"]) == (["\n"], ["stop"])
    assert json.loads(one["gen_ai.tool.definitions"]) == tools
    assert (one["slm.model.version"], one["slm.model.quantization"], one["slm.cost_usd"]) == ("3.1", "q4", 0.5)
    assert one["slm.prompt.template_digest"] == hashlib.sha256(b"Answer: {x}").hexdigest()
    assert "slm.prompt.template" not in one, "the same text beside every answer is what a digest is for"
    assert attributes(one) == {"seat": 7, "rank": 1}
    assert len(one["trace.id"]) == 32 and len(one["span.id"]) == 16
    assert one["slm.host.memory_used_bytes"] > 0 and one["slm.host.load"] >= 0 and one["process.pid"] > 0


def test_an_exception_is_the_callers_and_is_recorded(trail: Trail, events: Events) -> None:
    class Own(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no text")

    for error in (ValueError("too hot"), KeyboardInterrupt(), Own(), asyncio.CancelledError()):
        with pytest.raises(type(error)) as raised, trail.inference("m"):
            raise error
        assert raised.value is error
    seen = events()
    assert {one["event.outcome"] for one in seen} == {"failure"}
    assert (seen[0]["error.type"], seen[0]["error.message"]) == ("ValueError", "too hot")
    assert seen[1]["error.type"] == "KeyboardInterrupt"
    assert seen[2]["error.type"].endswith("Own") and "error.message" not in seen[2]


def test_pieces_make_the_answer_and_its_first_token(trail: Trail, event: Any) -> None:
    with trail.inference("m") as i:
        for piece in ("so ", "it ", "is"):
            i.piece(piece)
    one = event()
    assert text(one, "output") == [("assistant", "so it is")]
    assert (one["gen_ai.request.stream"], one["slm.time_to_first_token_ms"] <= one["slm.latency_ms"]) == (True, True)


@pytest.mark.parametrize(
    ("response", "said", "tokens"),
    [
        (
            {
                "choices": [{"message": {"content": "a"}, "finish_reason": "stop"}],
                "usage": {"completion_tokens": 1},
            },
            "a",
            1,
        ),
        (
            {
                "type": "message",
                "role": "assistant",
                "content": [{"type": "text", "text": "b"}],
                "usage": {"output_tokens": 2},
            },
            "b",
            2,
        ),
        ({"done": True, "message": {"role": "assistant", "content": "c"}, "eval_count": 3}, "c", 3),
    ],
)
def test_a_response_of_any_client_is_an_answer(
    trail: Trail, event: Any, response: dict[str, Any], said: str, tokens: int
) -> None:
    with trail.inference("m") as i:
        i.answer(response)
    assert (text(event(), "output"), event()["gen_ai.usage.output_tokens"]) == ([("assistant", said)], tokens)


def test_what_belongs_together_is_one_trace(trail: Trail, events: Events) -> None:
    with trail.context(user="alice", session="s1", conversation="c1", roles=["agent"], tenant="acme"):
        with trail.step("retrieve", query="why?") as r:
            r.documents([{"id": "d1", "score": 0.5}])
        with trail.inference("m") as i:
            trail.verdict("shield", "allow", reasons=["clean"], point="request")
            with trail.upstream("bank", "GET /accounts") as u:
                u.status(503)
                u.sizes(request_bytes=5, response_bytes=6)
            trail.emit({"slm.kind": "auth", "event.action": "look", "event.outcome": "success"})
        acted = trail.action("refund", {"eur": 5}, caused_by=i).done()
    trail.emit({"slm.kind": "auth", "event.action": "out", "event.outcome": "success"})
    retrieved, verdict, upstream, looked, asked, action, outside = events()
    inside = [verdict, upstream, looked, asked]
    assert {
        (one["user.id"], one["session.id"], one["gen_ai.conversation.id"]) for one in [retrieved, *inside, action]
    } == {("alice", "s1", "c1")}
    assert asked["labels"] == {"tenant": "acme"} and asked["user.roles"] == ["agent"]
    assert not {"user.id", "session.id", "trace.id", "labels"} & outside.keys()
    assert len({one["trace.id"] for one in inside}) == 1
    assert {one["parent.id"] for one in inside[:3]} == {asked["span.id"]}
    assert verdict["slm.exchange.id"] == asked["slm.exchange.id"] == i.id
    assert (verdict["slm.verdict"], verdict["slm.guard.reasons"]) == ("allow", ["clean"])
    assert (upstream["event.outcome"], upstream["http.response.status_code"], upstream["error.type"]) == (
        "failure",
        503,
        "503",
    )
    assert (action["slm.caused_by"], action["slm.exchange.id"], action["slm.step.type"]) == (i.id, acted, "action")
    assert (retrieved["slm.step.type"], json.loads(retrieved["gen_ai.retrieval.documents"])[0]["id"]) == (
        "retrieve",
        "d1",
    )


def test_a_trace_from_outside_goes_on(trail: Trail, events: Events) -> None:
    with trail.context(trace=f"00-{'a' * 32}-{'b' * 16}-01", ip="2001:db8::1%eth0"), trail.step("tokenize", tokens=5):
        pass
    with trail.context(trace="nonsense", ip="unix:"), trail.step("plan", "state", index=2, reason="max_steps"):
        pass
    known, unknown = events()
    assert (known["trace.id"], known["parent.id"], known["source.ip"]) == ("a" * 32, "b" * 16, "2001:db8::1")
    assert (known["slm.step.type"], attributes(known)) == ("tokenize", {"tokens": 5})
    assert "source.ip" not in unknown and "parent.id" not in unknown
    assert (unknown["slm.step.type"], unknown["slm.step.index"], unknown["event.reason"]) == ("state", 2, "max_steps")


def test_what_fits_no_field_is_kept_beside_it_and_takes_no_event_with_it(trail: Trail, events: Events) -> None:
    with trail.context({"slm.nothing": 1}, user=7, tenant="a", seats=3, ok=True, **{"no label": 1, "long": "x" * 2000}):
        trail.step("a").done()
    with trail.step("b", index="first") as step:  # type: ignore[arg-type]
        step.set("source.ip", "nowhere")
        step.set("@timestamp", "yesterday")
        step.set("labels", 5)
    with trail.step("c") as step:
        step.set("source.ip", "10.0.0.1")
        step.set("@timestamp", "2026-01-02T03:04:05Z")
    first, second, third = events()
    assert (first["user.id"], first["labels"]) == ("7", {"tenant": "a", "seats": "3", "ok": "true"})
    assert attributes(first) == {"slm.nothing": 1, "labels": {"no label": 1, "long": "x" * 2000}}
    assert attributes(second) == {
        "slm.step.index": "first", "source.ip": "nowhere", "@timestamp": "yesterday", "labels": 5,
    }  # fmt: skip
    assert (third["source.ip"], third["@timestamp"]) == ("10.0.0.1", "2026-01-02T03:04:05.000Z")


def test_a_field_of_another_kind_takes_no_event_with_it(trail: Trail, events: Events) -> None:
    with trail.context({"gen_ai.request.seed": 7, "server.address": "gpu-1"}), trail.step("a") as step:
        step.set("gen_ai.usage.input_tokens", 5)
        trail.emit({"slm.kind": "auth", "event.action": "login", "event.outcome": "success"})
    login, step_made = events()
    assert attributes(login) == {"gen_ai.request.seed": 7}
    assert attributes(step_made) == {"gen_ai.usage.input_tokens": 5}
    assert login["server.address"] == step_made["server.address"] == "gpu-1"


@pytest.mark.parametrize("kind", sorted(COLLECTED_KINDS))
def test_the_fields_of_a_kind_are_those_that_the_collector_knows(kind: str) -> None:
    known = {str(field.alias) for field in KINDS[kind].model_fields.values()}
    given = {name for name in FIELDS.keys() - STREAM_OWNED if kinds.takes(kind, name)}
    assert given == known - STREAM_OWNED - ACCESS_OWNED - {IMPORTED}


def test_contexts_do_not_leak_between_tasks_and_threads(trail: Trail, events: Events) -> None:
    async def work(user: str) -> None:
        with trail.context(user=user), trail.inference("m"):
            await asyncio.sleep(0)
            trail.step(user).done()

    async def main() -> None:
        await asyncio.gather(*(work(f"u{n}") for n in range(20)))

    asyncio.run(main())
    with trail.context(user="main"):
        alone = threading.Thread(target=lambda: trail.step("alone").done())
        taken = threading.Thread(target=contextvars.copy_context().run, args=(lambda: trail.step("main").done(),))
        for thread in (alone, taken):
            thread.start()
            thread.join()
    steps = [one for one in events() if one["slm.kind"] == "process"]
    assert all(one.get("user.id", "alone") == one["slm.step.name"] for one in steps)
    assert len(steps) == 22


def test_a_configuration_is_known_by_its_digest(trail: Trail, events: Events) -> None:
    same = [{"lora": True, "rank": 8}, {"rank": 8, "lora": True}]
    for values in same:
        trail.config("tuning", values, type="hyperparameters")
    weights = trail.config(
        "helpdesk-model", {"temperature": 0.2}, type="model", model="phi-3", version="3.1", digest="sha256:ab",
        quantization="q4_k_m", adapter="lora-7", tokenizer="bpe", template="You are {name}", plugins=["search"],
    )  # fmt: skip
    with trail.inference("phi-3"):
        pass
    with trail.inference("phi-3", version="3.2"):
        pass
    first, second, model, old, new = events()
    assert first["slm.config.digest"] == second["slm.config.digest"] != model["slm.config.digest"]
    assert (model["slm.config.name"], model["slm.exchange.id"]) == ("helpdesk-model", weights)
    assert json.loads(model["slm.config.values"]) == {"temperature": 0.2, "plugins": ["search"]}
    assert model["slm.prompt.template"] == "You are {name}"
    assert model["slm.prompt.template_digest"] == hashlib.sha256(b"You are {name}").hexdigest()
    for name in ("digest", "quantization", "adapter", "tokenizer"):
        assert old[f"slm.model.{name}"] == new[f"slm.model.{name}"] == model[f"slm.model.{name}"]
    assert (old["slm.model.version"], new["slm.model.version"]) == ("3.1", "3.2")
    assert old["slm.prompt.template_digest"] == model["slm.prompt.template_digest"]


def test_what_still_waits_has_the_configuration_of_its_time(
    trail: Trail, events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_pack, pack = threading.Event(), trail._outbox._pack

    def later(item: Any) -> bytes:
        may_pack.wait(20)
        return pack(item)

    monkeypatch.setattr(trail._outbox, "_pack", later)
    for number in range(40):
        trail.emit({"slm.kind": "inference", "gen_ai.request.model": "m"})
        trail.config("c", model="m", version=str(number))
    may_pack.set()
    seen = [one.get("slm.model.version") for one in events() if one["slm.kind"] == "inference"]
    assert seen[0] is None and seen[-recorder.MAX_CONFIGURATIONS + 1 :] == [str(n) for n in range(24, 39)]


def test_weights_are_known_by_a_digest_that_other_tools_make(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    (folder / "sub").mkdir(parents=True)
    (folder / "b.bin").write_bytes(b"two")
    (folder / "sub" / "a.bin").write_bytes(b"one")
    (folder / "link.bin").symlink_to(folder / "b.bin")
    lines = [f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in
             (("b.bin", b"two"), ("link.bin", b"two"), ("sub/a.bin", b"one"))]  # fmt: skip
    assert digest_of(folder / "b.bin") == f"sha256:{hashlib.sha256(b'two').hexdigest()}"
    assert digest_of(folder) == f"sha256:{hashlib.sha256(''.join(lines).encode()).hexdigest()}"
    before = digest_of(folder)
    (folder / "sub" / "a.bin").rename(folder / "sub" / "c.bin")
    assert digest_of(folder) != before
    with pytest.raises(FileNotFoundError):
        digest_of(tmp_path / "nothing")
    (folder / "lost.bin").symlink_to(folder / "nowhere")
    with pytest.raises(FileNotFoundError):
        digest_of(folder)


# Decorators


def test_decorated_functions_are_what_they_were(trail: Trail, events: Events) -> None:
    @trail.inference("m", temperature=0.5)
    def ask(question: str, *, more: int = 0) -> str:
        """Asks."""
        trail.current().usage(1, 2)
        return question.upper()

    @trail.tool("weather")
    async def weather(city: str) -> dict[str, str]:
        return {"sky": f"rain in {city}"}

    @trail.step("rerank")
    def rerank(found: list[int]) -> list[int]:
        raise LookupError("nothing")

    class Store:
        @trail.step("retrieve")
        def find(self, query: str) -> str:
            return query

        @trail.step("made")
        @classmethod
        def made(cls, name: str) -> tuple[str, str]:
            return cls.__name__, name

        @trail.step("named")
        @staticmethod
        def named(name: str) -> str:
            return name

    assert (ask("why?", more=3), ask("again"), ask.__name__, ask.__doc__) == ("WHY?", "AGAIN", "ask", "Asks.")
    assert asyncio.run(weather("Oslo")) == {"sky": "rain in Oslo"}
    with pytest.raises(LookupError):
        rerank([1])
    assert Store().find("q") == "q"
    assert (Store.made("m"), Store().named("n"), Store.named("n")) == (("Store", "m"), "n", "n")
    first, second, tool, failed, found, made, *named = events()
    assert attributes(made) == {"arguments": {"name": "m"}, "result": ["Store", "m"]}
    assert [attributes(one)["arguments"] for one in named] == [{"name": "n"}] * 2
    assert (text(first, "input"), text(first, "output")) == ([("user", "why?")], [("assistant", "WHY?")])
    assert (first["gen_ai.usage.output_tokens"], first["gen_ai.request.temperature"]) == (2, 0.5)
    assert first["slm.exchange.id"] != second["slm.exchange.id"]
    assert json.loads(tool["gen_ai.tool.call.arguments"]) == {"city": "Oslo"}
    assert json.loads(tool["gen_ai.tool.call.result"]) == {"sky": "rain in Oslo"}
    assert (failed["error.type"], attributes(failed)) == ("LookupError", {"arguments": {"found": [1]}})
    assert attributes(found) == {"arguments": {"query": "q"}, "result": "q"}


def test_decorated_generators_are_what_they_were(trail: Trail, events: Events) -> None:
    @trail.inference("m")
    def answer(question: str) -> Iterator[str]:
        got = yield "so "
        trail.step("inside").done()
        try:
            yield f"it {got}"
        except KeyError:
            yield "caught"
        return "done"  # type: ignore[return-value]

    def outer() -> Iterator[str]:
        assert (yield from answer("why?")) == "done"

    steps: Any = outer()
    assert (next(steps), steps.send("is"), steps.throw(KeyError())) == ("so ", "it is", "caught")
    trail.step("outside").done()
    assert list(steps) == []
    left = answer("left")
    next(left)
    left.close()  # type: ignore[attr-defined]
    inside, outside, whole, part = events()
    assert text(whole, "output") == [("assistant", "so it iscaught")]
    assert (whole["event.outcome"], whole["gen_ai.request.stream"]) == ("success", True)
    assert inside["parent.id"] == whole["span.id"]
    assert "parent.id" not in outside, "between the pieces the program is not inside"
    assert (part["event.outcome"], text(part, "output")) == ("unknown", [("assistant", "so ")])


def test_decorated_asynchronous_generators(trail: Trail, events: Events) -> None:
    @trail.inference("m")
    async def answer(question: str) -> AsyncIterator[str]:
        for word in question.split():
            await asyncio.sleep(0)
            yield word
        if question == "it breaks":
            raise RuntimeError("broken")

    async def main() -> None:
        assert [word async for word in answer("so it is")] == ["so", "it", "is"]
        with pytest.raises(RuntimeError, match="broken"):
            [word async for word in answer("it breaks")]
        left: Any = answer("left alone")
        await anext(left)
        await left.aclose()

    asyncio.run(main())
    whole, broken, left = events()
    assert (text(whole, "output"), whole["event.outcome"]) == ([("assistant", "soitis")], "success")
    assert (text(broken, "output"), broken["error.type"]) == ([("assistant", "itbreaks")], "RuntimeError")
    assert (text(left, "output"), left["event.outcome"]) == ([("assistant", "left")], "unknown")


def test_many_threads_share_a_decorated_function(trail: Trail, events: Events) -> None:
    @trail.inference("m")
    def ask(question: str) -> str:
        return question

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, (f"q{n}" for n in range(400))))
    seen = events()
    assert sorted(text(one, "output")[0][1] for one in seen) == sorted(f"q{n}" for n in range(400))
    assert all(text(one, "input")[0][1] == text(one, "output")[0][1] for one in seen)
    assert len({one["slm.exchange.id"] for one in seen}) == 400


# Privacy


@pytest.mark.parametrize(
    ("of_trail", "of_context", "of_event", "kept"),
    [
        (None, None, None, None),
        ("metadata", None, None, "metadata"),
        ("metadata", "full", "full", "metadata"),
        (None, "metadata", None, "metadata"),
        (None, "metadata", "full", "metadata"),
        ("full", "redacted", None, "redacted"),
        ("redacted", "full", "metadata", "metadata"),
        (None, "a typo", None, "metadata"),
        (None, None, "redacted", "redacted"),
        (None, None, "typo", "metadata"),
    ],
)
def test_more_privacy_may_be_asked_for_and_never_less(
    collector_url: str, spool: Any, read: Any, of_trail: Any, of_context: Any, of_event: Any, kept: Any
) -> None:
    trail = Trail(collector_url, capture=of_trail)
    secret = "the content"
    with trail.context(user="alice", capture=of_context):
        with trail.inference("m", input=secret, capture=of_event, more=secret) as i:
            i.output(secret)
            i.usage(1, 2)
        event = {"slm.kind": "inference", "gen_ai.request.model": "m", "gen_ai.input.messages": secret}
        trail.emit(event | ({"slm.capture.level": of_event} if of_event else {}))
        trail.emit_durable(event | ({"slm.capture.level": of_event} if of_event else {}))
    assert trail.flush(20)
    lines = read(spool).lines
    assert len(lines) == 3
    for line in lines:
        one = json.loads(line)
        assert one.get("slm.capture.level") == kept
        assert (secret in line.decode()) == (kept != "metadata")
        assert (one["user.id"], one["gen_ai.request.model"]) == ("alice", "m")


def test_a_wrong_level_for_all_is_said_at_once() -> None:
    with pytest.raises(ValueError, match="full, redacted, metadata"):
        Trail(capture="nothing")

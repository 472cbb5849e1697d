"""LangChain and LlamaIndex tell what they do, and it is recorded: models, tools, retrieval, steps, and what failed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.language_models import FakeListChatModel, FakeListLLM
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import tool
from llama_index.core import Document as LlamaDocument
from llama_index.core import MockEmbedding, VectorStoreIndex
from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.llms import ChatMessage, MockLLM
from llama_index.core.query_engine import RetrieverQueryEngine
from llama_index.core.retrievers import BaseRetriever as LlamaRetriever
from llama_index.core.schema import NodeWithScore, TextNode

from slmtrail.collectors.sdk import Trail, llama_index
from slmtrail.collectors.sdk.langchain import TrailHandler

Events = Callable[[], list[dict[str, Any]]]


def texts(event: dict[str, Any], side: str) -> list[tuple[str, str]]:
    messages = event[f"gen_ai.{side}.messages"]
    return [(message["role"], part["content"]) for message in messages for part in message["parts"]]


@pytest.fixture
def callbacks(trail: Trail) -> dict[str, Any]:
    return {"callbacks": [TrailHandler(trail)]}


def test_a_chain_of_langchain(trail: Trail, callbacks: Any, events: Events) -> None:
    prompt = ChatPromptTemplate.from_messages([("system", "be brief"), ("user", "{question}")])
    chain = prompt | FakeListChatModel(responses=["so it is"]) | StrOutputParser()
    with trail.context(user="alice"):
        assert chain.invoke({"question": "is it?"}, config=callbacks) == "so it is"
    seen = events()
    (inference,) = [one for one in seen if one["slm.kind"] == "inference"]
    assert texts(inference, "input") == [("system", "be brief"), ("user", "is it?")]
    assert texts(inference, "output") == [("assistant", "so it is")]
    assert inference["event.outcome"] == "success"
    steps = {one["slm.step.name"]: one for one in seen if one["slm.kind"] == "process"}
    assert set(steps) == {"RunnableSequence", "ChatPromptTemplate", "StrOutputParser"}
    assert steps["ChatPromptTemplate"]["slm.step.type"] == "preprocess"
    assert steps["StrOutputParser"]["slm.step.type"] == "postprocess"
    assert {one["user.id"] for one in seen} == {"alice"}
    assert len({one["trace.id"] for one in seen}) == 1
    assert inference["parent.id"] == steps["RunnableSequence"]["span.id"]


def test_streaming_and_asynchronous_langchain(callbacks: Any, events: Events) -> None:
    message = AIMessage("so it is", usage_metadata={"input_tokens": 3, "output_tokens": 4, "total_tokens": 7})
    model = GenericFakeChatModel(messages=iter([message]))
    assert "".join(str(piece.content) for piece in model.stream("is it?", config=callbacks)) == "so it is"

    async def main() -> str:
        return str((await FakeListChatModel(responses=["yes"]).ainvoke("and now?", config=callbacks)).content)

    assert asyncio.run(main()) == "yes"
    streamed, awaited = events()
    assert texts(streamed, "output") == [("assistant", "so it is")]
    assert streamed["slm.time_to_first_token_ms"] >= 0
    assert texts(awaited, "output") == [("assistant", "yes")]


class _Found(BaseRetriever):
    def _get_relevant_documents(self, query: str, **_: Any) -> list[Document]:
        if query == "nothing":
            raise LookupError("empty")
        return [Document("water is wet", id="d1", metadata={"score": 0.5})]


def test_tools_retrievers_and_completions_of_langchain(callbacks: Any, events: Events) -> None:
    @tool
    def weather(city: str) -> str:
        """The weather."""
        if city == "Atlantis":
            raise ValueError("no such city")
        return f"rain in {city}"

    assert weather.invoke({"city": "Oslo"}, config=callbacks) == "rain in Oslo"
    with pytest.raises(ValueError, match="no such city"):
        weather.invoke({"city": "Atlantis"}, config=callbacks)
    assert _Found().invoke("is water wet?", config=callbacks)[0].id == "d1"
    with pytest.raises(LookupError):
        _Found().invoke("nothing", config=callbacks)
    assert FakeListLLM(responses=["42"]).invoke("the answer?", config=callbacks) == "42"
    called, failed, found, missed, completed = events()
    assert (called["gen_ai.tool.name"], called["slm.step.type"]) == ("weather", "tool")
    assert json.loads(called["gen_ai.tool.call.arguments"]) == {"city": "Oslo"}
    assert called["gen_ai.tool.call.result"] == "rain in Oslo"
    assert (failed["event.outcome"], failed["error.type"]) == ("failure", "ValueError")
    assert (found["slm.step.type"], found["gen_ai.retrieval.query.text"]) == ("retrieve", "is water wet?")
    assert json.loads(found["gen_ai.retrieval.documents"])[0]["page_content"] == "water is wet"
    assert missed["error.type"] == "LookupError"
    assert (completed["gen_ai.operation.name"], texts(completed, "output")) == (
        "text_completion",
        [("assistant", "42")],
    )


def test_messages_of_langchain_with_tools(callbacks: Any, events: Events) -> None:
    call: Any = {"name": "weather", "args": {"city": "Oslo"}, "id": "c1"}
    talk = [
        SystemMessage("s"),
        HumanMessage("h"),
        AIMessage("", tool_calls=[call]),
        ToolMessage("rain", tool_call_id="c1"),
    ]
    answer = AIMessage("", tool_calls=[call], response_metadata={"finish_reason": "tool_calls", "model_name": "m-1"})
    GenericFakeChatModel(messages=iter([answer])).invoke(talk, config=callbacks)
    (one,) = events()
    asked = one["gen_ai.input.messages"]
    assert [message["role"] for message in asked] == ["system", "user", "assistant", "tool"]
    assert asked[2]["parts"][-1]["type"] == "tool_call"
    assert (asked[3]["parts"][0]["type"], asked[3]["parts"][0]["id"]) == ("tool_call_response", "c1")
    (part,) = [part for part in one["gen_ai.output.messages"][0]["parts"] if part["type"] == "tool_call"]
    assert (part["name"], json.loads(part["arguments"])) == ("weather", {"city": "Oslo"})
    assert (one["gen_ai.response.finish_reasons"], one["gen_ai.response.model"]) == (["tool_calls"], "m-1")


class _Broken(FakeListChatModel):
    def _call(self, *args: Any, **kwargs: Any) -> str:
        raise RuntimeError("no model")


def test_a_model_of_langchain_that_fails(callbacks: Any, events: Events) -> None:
    with pytest.raises(RuntimeError, match="no model"):
        _Broken(responses=[""]).invoke("hello", config=callbacks)
    (one,) = events()
    assert (one["event.outcome"], one["error.type"], texts(one, "input")) == (
        "failure",
        "RuntimeError",
        [("user", "hello")],
    )


def test_what_langchain_never_said_before_does_no_harm(trail: Trail, events: Events) -> None:
    handler: Any = TrailHandler(trail)
    for name in ("on_llm_end", "on_chain_end", "on_tool_end", "on_retriever_end", "on_llm_new_token", "on_llm_error"):
        getattr(handler, name)(None, run_id="never begun")
        getattr(handler, name)(None, run_id=["no name"])
    for name in ("on_llm_start", "on_chat_model_start", "on_chain_start", "on_tool_start", "on_retriever_start"):
        getattr(handler, name)(None, None, run_id=name)
    assert events() == []


@pytest.fixture
def llama(trail: Trail) -> Iterator[None]:
    dispatcher: Any = get_dispatcher()
    before = list(dispatcher.event_handlers), list(dispatcher.span_handlers)
    llama_index.watch(trail)
    yield
    dispatcher.event_handlers, dispatcher.span_handlers = before


def test_models_of_llama_index(llama: None, events: Events) -> None:
    model = MockLLM(max_tokens=3)
    model.chat([ChatMessage(role="system", content="be brief"), ChatMessage(role="user", content="tell me more")])
    assert "".join(str(piece.delta) for piece in model.stream_chat([ChatMessage(role="user", content="and more")]))
    model.complete("once upon a time")

    async def main() -> None:
        await model.achat([ChatMessage(role="user", content="later")])

    asyncio.run(main())
    seen = events()
    chats = [one for one in seen if one["gen_ai.operation.name"] == "chat"]
    asked = [texts(one, "input")[-1][1] for one in chats]
    assert {"tell me more", "and more", "later"} <= set(asked)
    assert texts(chats[0], "input") == [("system", "be brief"), ("user", "tell me more")]
    assert all(one["event.outcome"] == "success" and texts(one, "output") for one in seen)
    assert [texts(one, "input") for one in seen if one["gen_ai.operation.name"] == "text_completion"]


class _Store(LlamaRetriever):
    def _retrieve(self, query_bundle: Any) -> list[NodeWithScore]:
        if query_bundle.query_str == "nothing":
            raise LookupError("empty")
        return [NodeWithScore(node=TextNode(text="water is wet", id_="n1"), score=0.5)]


def test_retrieval_and_embeddings_of_llama_index(llama: None, events: Events) -> None:
    assert _Store().retrieve("is water wet?")
    with pytest.raises(LookupError):
        _Store().retrieve("nothing")
    MockEmbedding(embed_dim=5).get_text_embedding("water")
    found, missed, embedded = events()
    assert (found["slm.step.type"], found["gen_ai.retrieval.query.text"]) == ("retrieve", "is water wet?")
    assert json.loads(found["gen_ai.retrieval.documents"]) == [{"id": "n1", "score": 0.5, "content": "water is wet"}]
    assert (missed["event.outcome"], missed["error.type"]) == ("failure", "LookupError")
    assert (embedded["gen_ai.embeddings.dimension.count"], texts(embedded, "input")) == (5, [("user", "water")])


def test_a_query_of_llama_index_is_one_trace(trail: Trail, events: Events, llama: None) -> None:
    index = VectorStoreIndex.from_documents(
        [LlamaDocument(text="water is wet")], embed_model=MockEmbedding(embed_dim=5)
    )
    engine = index.as_query_engine(llm=MockLLM(max_tokens=3))
    streaming = index.as_query_engine(llm=MockLLM(max_tokens=3), streaming=True)
    assert trail.flush(20)
    before = len(events())
    assert str(engine.query("is water wet?")) == "text text text"
    assert "".join(streaming.query("and now?").response_gen) == "text text text"  # type: ignore[union-attr]
    seen = events()[before:]
    (query, *_) = [one for one in seen if one.get("slm.step.name") == "query"]
    mine = [one for one in seen if one["trace.id"] == query["trace.id"]]
    named = {one.get("slm.step.name", one.get("gen_ai.operation.name")): one for one in mine}
    assert set(named) == {"query", "retrieve", "embeddings", "text_completion"}
    assert {named[name]["parent.id"] for name in ("retrieve", "text_completion")} == {query["span.id"]}
    assert named["embeddings"]["parent.id"] == named["retrieve"]["span.id"]
    assert query["gen_ai.retrieval.query.text"] == "is water wet?"
    assert json.loads(query["slm.attributes"]) == {"answer": "text text text"}
    assert len({one["trace.id"] for one in seen}) == 3, "what is streamed LlamaIndex begins later, inside of nothing"


def test_a_query_of_llama_index_that_fails(llama: None, events: Events) -> None:
    with pytest.raises(LookupError):
        RetrieverQueryEngine.from_args(_Store(), llm=MockLLM()).query("nothing")
    missed, query = events()
    assert (missed["error.type"], query["error.type"], query["slm.step.name"]) == (
        "LookupError",
        "LookupError",
        "query",
    )
    assert missed["parent.id"] == query["span.id"]

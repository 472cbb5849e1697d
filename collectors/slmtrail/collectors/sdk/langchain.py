"""LangChain: give a `TrailHandler` as a callback, and models, tools, retrievers and steps are recorded.

    chain.invoke(question, config={"callbacks": [TrailHandler(trail)]})

Where the client below is watched as well (`trail.watch`), each inference is recorded twice: choose one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler

from slmtrail.collectors.sdk.quiet import quiet
from slmtrail.collectors.sdk.runs import Runs
from slmtrail.collectors.sdk.spans import Inference

if TYPE_CHECKING:
    from slmtrail.collectors.sdk.trail import Trail

_ROLES = {"human": "user", "ai": "assistant", "AIMessageChunk": "assistant", "HumanMessageChunk": "user"}
_PARAMETERS = ("temperature", "top_p", "top_k", "max_tokens", "stop", "seed", "tools", "stream")


class TrailHandler(BaseCallbackHandler):  # type: ignore[misc]
    """Records what LangChain tells its callbacks."""

    run_inline = True
    """In the caller's task, where its context is."""

    def __init__(self, trail: Trail, *, chains: bool = True) -> None:
        """`chains`: whether each runnable (prompt, parser, sequence) is a step of its own."""
        self._trail = trail
        self._chains = chains
        self._runs = Runs()

    @quiet
    def on_chat_model_start(
        self,
        serialized: Any,
        messages: Sequence[Sequence[Any]],
        *,
        run_id: UUID,
        parent_run_id: Any = None,
        **more: Any,
    ) -> None:
        """A chat model is asked."""
        asked = [_message(message) for message in messages[0]] if messages else []
        self._runs.begin(run_id, self._inference(serialized, asked, "chat", more), self._runs.ids(parent_run_id))

    @quiet
    def on_llm_start(
        self, serialized: Any, prompts: Sequence[str], *, run_id: UUID, parent_run_id: Any = None, **more: Any
    ) -> None:
        """A model that completes text is asked."""
        span = self._inference(serialized, list(prompts), "text_completion", more)
        self._runs.begin(run_id, span, self._runs.ids(parent_run_id))

    @quiet
    def on_llm_new_token(self, token: Any, *, run_id: UUID, **_: Any) -> None:
        """A piece of the answer."""
        span = self._runs.find(run_id)
        if span is not None:
            span.piece(token if isinstance(token, str) else "")

    @quiet
    def on_llm_end(self, response: Any, *, run_id: UUID, **_: Any) -> None:
        """The answer is there."""
        span = self._runs.find(run_id)
        if span is not None:
            _answer(span, response)
        self._runs.end(run_id)

    @quiet
    def on_chain_start(
        self, serialized: Any, inputs: Any, *, run_id: UUID, parent_run_id: Any = None, **more: Any
    ) -> None:
        """A runnable begins."""
        if self._chains:
            kind = {"prompt": "preprocess", "parser": "postprocess"}.get(str(more.get("run_type")))
            span = self._trail.step(_name(serialized, more, "chain"), kind, inputs=inputs)
            self._runs.begin(run_id, span, self._runs.ids(parent_run_id))

    @quiet
    def on_chain_end(self, outputs: Any, *, run_id: UUID, **_: Any) -> None:
        """A runnable ends."""
        span = self._runs.find(run_id)
        if span is not None:
            span.note(outputs=outputs)
        self._runs.end(run_id)

    @quiet
    def on_tool_start(
        self, serialized: Any, input_str: str, *, run_id: UUID, parent_run_id: Any = None, **more: Any
    ) -> None:
        """A tool is called."""
        given = more.get("inputs") or input_str
        span = self._trail.tool(_name(serialized, more, "tool"), given, call_id=more.get("tool_call_id"))
        self._runs.begin(run_id, span, self._runs.ids(parent_run_id))

    @quiet
    def on_tool_end(self, output: Any, *, run_id: UUID, **_: Any) -> None:
        """A tool has its result."""
        span = self._runs.find(run_id)
        if span is not None:
            span.result(getattr(output, "content", output))
        self._runs.end(run_id)

    @quiet
    def on_retriever_start(
        self, serialized: Any, query: str, *, run_id: UUID, parent_run_id: Any = None, **more: Any
    ) -> None:
        """Documents are looked for."""
        span = self._trail.step(_name(serialized, more, "retriever"), "retrieve", query=query)
        self._runs.begin(run_id, span, self._runs.ids(parent_run_id))

    @quiet
    def on_retriever_end(self, documents: Sequence[Any], *, run_id: UUID, **_: Any) -> None:
        """Documents were found."""
        span = self._runs.find(run_id)
        if span is not None:
            span.documents(documents)
        self._runs.end(run_id)

    @quiet
    def on_llm_error(self, error: BaseException, *, run_id: UUID, **_: Any) -> None:
        """A model failed."""
        self._runs.end(run_id, error)

    on_chain_error = on_tool_error = on_retriever_error = on_llm_error

    def _inference(self, serialized: Any, asked: list[Any], operation: str, more: dict[str, Any]) -> Inference:
        told = {**(more.get("metadata") or {}), **(more.get("invocation_params") or {})}
        model = told.get("model") or told.get("model_name") or told.get("ls_model_name")
        given = {name: told[name] for name in _PARAMETERS if told.get(name) is not None}
        return self._trail.inference(
            model or _name(serialized, more, "unknown"),
            provider=told.get("ls_provider"),
            operation=operation,
            input=asked,
            **given,
        )


def _name(serialized: Any, more: dict[str, Any], otherwise: str) -> str:
    known = serialized if isinstance(serialized, dict) else {}
    path = known.get("id") or [otherwise]
    return str(more.get("name") or known.get("name") or path[-1])


def _message(message: Any) -> dict[str, Any]:
    """A message as OpenAI's API would have it."""
    kind = getattr(message, "type", "user")
    made: dict[str, Any] = {"role": _ROLES.get(kind, kind), "content": getattr(message, "content", None)}
    calls = getattr(message, "tool_calls", None)
    if calls:
        made["tool_calls"] = [
            {"id": call.get("id"), "function": {"name": call.get("name"), "arguments": call.get("args")}}
            for call in calls
        ]
    if kind == "tool":
        made["tool_call_id"] = getattr(message, "tool_call_id", None)
    return made


def _answer(span: Inference, response: Any) -> None:
    generations = [one for some in response.generations for one in some]
    messages = [getattr(one, "message", None) for one in generations]
    span.output(
        [one.text if message is None else _message(message) for one, message in zip(generations, messages, strict=True)]
    )
    about: dict[str, Any] = {**(response.llm_output or {})}
    used: dict[str, Any] = about.get("token_usage") or {}
    reasons = []
    for one, message in zip(generations, messages, strict=True):
        told = {**(one.generation_info or {}), **(getattr(message, "response_metadata", None) or {})}
        about |= told
        used = getattr(message, "usage_metadata", None) or told.get("token_usage") or used
        reasons += [told[name] for name in ("finish_reason", "stop_reason", "done_reason") if told.get(name)][:1]
    if reasons:
        span.finish(*reasons)
    span.usage(
        used.get("input_tokens", used.get("prompt_tokens")),
        used.get("output_tokens", used.get("completion_tokens")),
        cached_tokens=(used.get("input_token_details") or {}).get("cache_read"),
        reasoning_tokens=(used.get("output_token_details") or {}).get("reasoning"),
    )
    if model := about.get("model_name") or about.get("model"):
        span.set("gen_ai.response.model", model)
    if answer_id := about.get("id"):
        span.set("gen_ai.response.id", answer_id)

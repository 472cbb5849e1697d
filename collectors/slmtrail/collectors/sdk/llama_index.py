"""LlamaIndex: `watch(trail)` records what its instrumentation tells of queries, models, embeddings, retrieval, tools.

    from slmtrail.collectors.sdk.llama_index import watch

    watch(trail)

Where the client below is watched as well (`trail.watch`), each inference is recorded twice: choose one.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.span_handlers import BaseSpanHandler

from slmtrail.collectors.sdk.answers import fields
from slmtrail.collectors.sdk.quiet import quiet
from slmtrail.collectors.sdk.runs import MAX_OPEN, Runs

if TYPE_CHECKING:
    from slmtrail.collectors.sdk.spans import Inference, Step
    from slmtrail.collectors.sdk.trail import Trail

_PARAMETERS = ("temperature", "max_tokens", "top_p", "top_k", "seed", "stop")
_PAIRS = ("Query", "LLMChat", "LLMCompletion", "Embedding", "Retrieval", "ReRank")
_BEGIN = {f"{name}StartEvent" for name in _PAIRS}
_GO_ON = {f"{name}InProgressEvent" for name in _PAIRS}
_END = {f"{name}EndEvent" for name in _PAIRS}


def watch(trail: Trail) -> None:
    """From now on, for all of LlamaIndex in this process."""
    places = _Places()
    dispatcher = get_dispatcher()
    dispatcher.add_event_handler(_Events(trail=trail, places=places))
    calls = _Calls()
    calls.places = places
    dispatcher.add_span_handler(calls)


class _Places:
    """The events that have begun, and the ids of that around each of LlamaIndex's calls."""

    def __init__(self) -> None:
        self.runs = Runs()
        self._around: OrderedDict[str | None, dict[str, str] | None] = OrderedDict()

    def enter(self, call: str, caller: str | None) -> None:
        """A call from within another; kept until many came after it, as not every call is said to end."""
        self._around[call] = self.ids(caller)
        if len(self._around) > MAX_OPEN:
            self._around.popitem(last=False)

    def around(self, call: str) -> dict[str, str] | None:
        """The ids of the event around a call."""
        return self._around.get(call)

    def ids(self, call: str | None) -> dict[str, str] | None:
        """Those of the event of a call, or else of that around it."""
        return self.runs.ids(call) or self._around.get(call)


class _Events(BaseEventHandler):  # type: ignore[misc]
    """What begins and what ends share the id of a call."""

    trail: Any
    places: Any

    @quiet
    def handle(self, event: Any, **_: Any) -> None:
        """One event."""
        name, runs = event.class_name(), self.places.runs
        if name in _BEGIN:
            runs.begin(event.span_id, _span(self.trail, name, event), self.places.around(event.span_id))
        elif name in _GO_ON:
            runs.find(event.span_id).piece(event.response.delta or "")
        elif name in _END:
            _finish(runs.find(event.span_id), name, event)
            runs.end(event.span_id)
        elif name == "AgentToolCallEvent":
            tool = self.trail.tool(event.tool.name, event.arguments)
            tool.begin(self.places.ids(event.span_id))
            tool.end()
        elif name == "ExceptionEvent":
            runs.end(event.span_id, event.exception)


class _Calls(BaseSpanHandler):  # type: ignore[misc]
    """One that raises has no end among the events."""

    places: Any = None

    @quiet
    def new_span(self, id_: str, *_: Any, parent_span_id: str | None = None, **__: Any) -> None:
        """It begins; what it does is told by events."""
        self.places.enter(id_, parent_span_id)

    def prepare_to_exit_span(self, *_: Any, **__: Any) -> None:
        """It ends."""

    @quiet
    def prepare_to_drop_span(self, id_: str, *_: Any, err: BaseException | None = None, **__: Any) -> None:
        """It raised."""
        self.places.runs.end(id_, err)


def _span(trail: Trail, name: str, event: Any) -> Inference | Step:
    if name == "QueryStartEvent":
        return trail.step("query", query=_text(event.query))
    if name == "RetrievalStartEvent":
        return trail.step("retrieve", query=_text(event.str_or_query_bundle))
    if name == "ReRankStartEvent":
        return trail.step("rerank", query=_text(event.query), model=event.model_name, top_n=event.top_n)
    told = event.model_dict
    asked, operation = None, "embeddings"
    if name == "LLMChatStartEvent":
        asked, operation = [_message(message) for message in event.messages], "chat"
    elif name == "LLMCompletionStartEvent":
        asked, operation = event.prompt, "text_completion"
    return trail.inference(
        told.get("model") or told.get("model_name") or told.get("class_name"),
        provider=told.get("class_name"),
        operation=operation,
        input=asked,
        **{word: told[word] for word in _PARAMETERS if told.get(word) is not None},
    )


def _finish(span: Any, name: str, event: Any) -> None:
    if name.startswith("LLM"):
        for field, value in fields(event.response.raw).items():
            span.set(field, value)
        chat = name == "LLMChatEndEvent"
        span.output(_message(event.response.message) if chat else event.response.text)
    elif name == "QueryEndEvent":
        # Of one that streams nothing is read: it is the caller's.
        span.note(answer=getattr(event.response, "response", None))
    elif name == "EmbeddingEndEvent":
        span.input(event.chunks)
        span.set("gen_ai.embeddings.dimension.count", len(event.embeddings[0]) if event.embeddings else None)
    else:
        span.documents([_document(one) for one in event.nodes])


def _text(query: Any) -> Any:
    return getattr(query, "query_str", query)


def _message(message: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"role": message.role.value, "content": message.content or None}
    return made | {name: message.additional_kwargs[name] for name in ("tool_calls", "tool_call_id")
                   if name in message.additional_kwargs}  # fmt: skip


def _document(found: Any) -> dict[str, Any]:
    return {"id": found.node_id, "score": found.score, "content": found.get_content()}
